"""Which tests never run side by side: two whole systems at once are too much for a small machine.

pytest-xdist 3.8 does not see its own `xdist_group` marks under pytest 9.2 (pytest-xdist issue 1386), so the scheduler
is told by path.
"""

from __future__ import annotations

from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

WHOLE_SYSTEMS = ("tests/chaos/", "tests/e2e/test_demo.py", "tests/e2e/test_newcomer.py")


class OneSystemAtATime(LoadGroupScheduling):  # type: ignore[misc]
    """Gives all tests that start a whole system to one worker; the others go where there is room."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(WHOLE_SYSTEMS) else str(super()._split_scope(nodeid))
