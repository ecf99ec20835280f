"""Which tests one worker runs: two whole systems at once are too much for a small machine, and what a file's tests
share is made once.

pytest-xdist 3.8 does not see its own `xdist_group` marks under pytest 9.2 (pytest-xdist issue 1386), so the scheduler
is told by path.
"""

from __future__ import annotations

from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

WHOLE_SYSTEMS = ("tests/chaos/", "tests/e2e/test_demo.py", "tests/e2e/test_newcomer.py")

MADE_ONCE = (
    "tests/api/access/test_matrix.py",
    "tests/api/availability/test_changes.py",
    "tests/api/contract/test_examples_tried.py",
    "tests/lives/test_lives.py",
    "tests/store/orders/test_races.py",
    "tests/store/orders/test_search_plans.py",
    "tests/vendure/test_vendure.py",
)
"""Files whose tests share what takes long to make."""


class OneSystemAtATime(LoadGroupScheduling):  # type: ignore[misc]
    """Gives all tests that start a whole system to one worker; the others go where there is room."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(WHOLE_SYSTEMS):
            return "stack"
        return nodeid.partition("::")[0] if nodeid.startswith(MADE_ONCE) else str(super()._split_scope(nodeid))
