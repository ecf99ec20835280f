"""Lets shadows decide: what the live policy decided is decided again by each, and the difference written down."""

import asyncio
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.recorded import Recorded
from dom.sourcing.rehearsal.shadowing import Compared, shadowed
from store.rehearsal import shadows
from store.sourcing.decision_log import Networks

AT_ONCE: Final = 20
"""Decisions between two pauses: so long others may have to wait for the processor."""
EVERY: Final = 2.0
NONE_RUNS: Final = 60.0
"""Seconds between two looks while a shadow runs, and while none does."""


class Shadowing:
    """Follows live decisions, a few of each shadow a run. It reads decisions and writes its own rows, nothing else.

    It looks every two seconds while a shadow runs, and is woken when one is started.
    """

    name: Final = "shadowing"
    woken_by: Final = "shadows"

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.every = NONE_RUNS
        self._networks = Networks()

    async def run(self) -> bool:
        """Some decisions of each shadow; True if one of them has more to do."""
        more = False
        following = await shadows.following(self._engine)
        self.every = EVERY if following else NONE_RUNS
        for shadow in following:
            found = await shadows.news(self._engine, shadow, self._networks, AT_ONCE)
            if found:
                decided = await asyncio.to_thread(_decided, found, shadow.policy)
                await shadows.keep(self._engine, shadow, decided)
            more = more or len(found) == AT_ONCE
        return more


def _decided(found: list[Recorded], policy: Policy) -> list[tuple[Recorded, Compared]]:
    return [(each, shadowed(each, policy)) for each in found]
