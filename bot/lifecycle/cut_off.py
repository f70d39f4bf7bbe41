"""What ``tarla ask`` does of checkpoints: it makes none, but adds nothing to a ledger that has lost its end."""

from __future__ import annotations

from bot.settings import Settings


def cut_off(settings: Settings) -> str | None:
    """Why the ledger is not the one that its newest checkpoint vouches for; None where that cannot be seen quickly."""
    if not settings.checkpoints.is_dir():
        return None
    # Not above: a terminal without checkpoints need not wait for these.
    from bot.checkpoints.folder import CheckpointFolder, FolderError
    from bot.checkpoints.keys import SigningKeyError, read_key
    from bot.checkpoints.quick import quick_check
    from bot.checkpoints.signing import DISTRUSTED, Alarm

    folder = CheckpointFolder(settings.checkpoints)
    try:
        # The key's own file knows better than the folder whose checkpoints count; who asks may not be able to read it.
        try:
            keys = read_key(settings.signing_key, settings.tarla_ledger, folder.path).known
        except SigningKeyError:
            keys = folder.public_keys()
        found = quick_check(settings.tarla_ledger, folder, keys)
    except FolderError:
        return None
    return f"{found.code}: {found.detail}" if isinstance(found, Alarm) and found.code in DISTRUSTED else None
