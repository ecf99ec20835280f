"""Steps that move units are taken one at a time, in the sequence in which the order was told what they follow from.

A replay does not always tell the workflow the same things at once as the first run did: a workflow task that ran out of
time, or ended without a command, is joined with the next. Who asks first then depends on who wakes up first. So a step
waits until everybody who is awake has asked, and goes by its place in the sequence.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from temporalio import workflow

BEFORE_ALL: Final = 0
"""The place of what follows from the step that was just taken, or from no message."""
AFTER_ALL: Final = 2**62
"""The place of what no message said: time has passed."""
_A_MOMENT: Final = timedelta(milliseconds=10)
_TURNS: Final = 8
"""How often conditions are asked until everybody who is awake has asked for a step: more than any of them needs.

Orders that run would not replay with another number.
"""


class OneAtATime:
    """Gives steps their turn."""

    def __init__(self) -> None:
        self._held = False
        self._taken = 0
        self._received = self._asked = BEFORE_ALL
        self._waiting: list[tuple[int, int]] = []

    def received(self) -> int:
        """A message was received: its place in the sequence. Called when it comes."""
        self._received += 1
        return self._received

    @property
    def at_rest(self) -> bool:
        """Whether nobody takes a step or waits for one."""
        return not self._held and not self._waiting

    async def still(self, rests: Callable[[], bool]) -> bool:
        """Let the workflow task end that took the last step. Whether the process `rests` in the next one as well, and
        no step was taken meanwhile.

        The server refuses to end a run while a message waits that the run has not seen, and has the task worked anew.
        What the task did is then not recorded: it must not have taken a step.
        """
        before = self._taken
        await workflow.sleep(_A_MOMENT)
        return rests() and self._taken == before

    def step(self, place: int) -> "_Step":
        """A step at its place in the sequence, to be taken by `async with`."""
        return _Step(self, place)

    async def enter(self, place: int) -> None:
        """Wait for the turn of a step; `leave` ends it."""
        self._asked += 1
        mine = (place, self._asked)
        self._waiting.append(mine)
        try:
            while self._held or min(self._waiting) != mine or not await self._all_have_asked(mine):
                await workflow.wait_condition(lambda: not self._held and min(self._waiting) == mine)
            self._held = True
        finally:
            self._waiting.remove(mine)

    async def _all_have_asked(self, mine: tuple[int, int]) -> bool:
        """Whether it is still our turn once everybody who is awake has asked."""
        for _ in range(_TURNS):
            await workflow.wait_condition(lambda: True)
        return not self._held and min(self._waiting) == mine

    def leave(self) -> None:
        """The step is taken."""
        self._taken += 1
        self._held = False


class _Step:
    def __init__(self, steps: OneAtATime, place: int) -> None:
        self._steps = steps
        self._place = place

    async def __aenter__(self) -> None:
        await self._steps.enter(self._place)

    async def __aexit__(self, *_: object) -> None:
        self._steps.leave()
