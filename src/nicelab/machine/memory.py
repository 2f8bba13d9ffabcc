"""Whether what is asked for can be in memory at all."""

import psutil

from nicelab.errors import InputError

GIBIBYTE = 2**30


def require_memory(size: float, what: str, advice: str) -> None:
    """Refuse what is larger than the machine's memory, before the work begins.

    Args:
        size: in bytes, at least.
        what: needs so much.
        advice: what to lower.

    Raises:
        InputError: there is not so much.
    """
    total = psutil.virtual_memory().total
    if size > total:
        raise InputError(
            f"{what} needs {size / GIBIBYTE:.3g} GiB of memory, of {total / GIBIBYTE:.3g} that "
            f"there are: {advice}"
        )
