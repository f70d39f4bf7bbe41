"""What ``tarla ask`` does of checkpoints: it makes none, but adds nothing to a ledger that has lost its end."""

from __future__ import annotations

from bot.settings import Settings


def cut_off(settings: Settings) -> str | None:
    """Why the ledger is not the one that its newest checkpoint vouches for; None where that cannot be seen quickly."""
    if not settings.checkpoints.is_dir():
        return None
    # Not above: a terminal without checkpoints need not wait for these.
    from bot.checkpoints.folder import CheckpointFolder, FolderError
    from bot.checkpoints.quick import quick_check
    from bot.checkpoints.signing import DISTRUSTED, Alarm

    folder = CheckpointFolder(settings.checkpoints)
    try:
        found = quick_check(settings.tarla_ledger, folder, folder.public_keys())
    except FolderError:
        return None
    return f"{found.code}: {found.detail}" if isinstance(found, Alarm) and found.code in DISTRUSTED else None
