"""How long what failed waits before it is tried again: twice as long each time, up to a limit."""

from typing import Final

_DOUBLINGS: Final = 20


def pause(failures: int, first: float, longest: float) -> float:
    """Seconds to wait after so many failures in a row: `first` after the first one, `longest` at most."""
    return float(min(first * 2 ** min(max(failures - 1, 0), _DOUBLINGS), longest))
