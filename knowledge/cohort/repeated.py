"""What to say of patients who are the same in every column."""

from __future__ import annotations


def written_twice(repeated: int) -> list[str]:
    """One remark where ``repeated`` patients are each the same as an earlier one; none where there are none.

    Two patients can be alike where little is known of them, so it is said and nobody is left out.
    """
    if not repeated:
        return []
    who = "1 patient is" if repeated == 1 else f"{repeated:,} patients are each"
    return [
        f"{who} the same as another in every column. If somebody stands in the file twice, take one out: counted "
        "twice, patients make intervals too narrow."
    ]
