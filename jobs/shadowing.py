"""Lets shadows decide: what the live policy decided is decided again by each, and the difference written down."""

import asyncio
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.recorded import Recorded
from dom.sourcing.rehearsal.shadowing import Compared, shadowed
from jobs.apart import Apart
from store.database.engine import reading
from store.rehearsal import shadows
from store.rehearsal.shadows import Following
from store.sourcing.decision_log import Networks

AT_ONCE: Final = 20
"""Decisions between two pauses: so long others may have to wait for the processor."""


class Shadowing:
    """Follows live decisions, a few of each shadow a run. It reads decisions and writes its own rows, nothing else."""

    name: Final = "shadowing"

    def __init__(self, engine: AsyncEngine, every: float = 2.0) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self.every = every
        self._networks = Networks()
        self._apart = Apart(self.name)

    async def run(self) -> bool:
        """Some decisions of each shadow; True if one of them has more to do."""
        following = await shadows.following(self._reads)
        return any([await self._apart.run(str(shadow.id), partial(self._follow, shadow)) for shadow in following])

    async def _follow(self, shadow: Following) -> bool:
        found = await shadows.news(self._engine, shadow, self._networks, AT_ONCE)
        if found:
            decided = await asyncio.to_thread(_decided, found, shadow.policy)
            await shadows.keep(self._engine, shadow, decided)
        return len(found) == AT_ONCE


def _decided(found: list[Recorded], policy: Policy) -> list[tuple[Recorded, Compared]]:
    return [(each, shadowed(each, policy)) for each in found]
