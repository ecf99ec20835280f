"""Re-optimisation: work that no node has begun is planned anew once stock, capacity or rates moved.

It follows the ledger: whatever moves units stands there, another order's reservation too. When nodes, rates or the
policy change, and when a leader begins, it looks at everything once, a part at a time. The orders' processes are told
by the outbox.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from dom.sourcing.reoptimisation import Joint, sweep
from services import reoptimisation
from services.clock import utc_now
from store import stock
from store.availability import changes
from store.database.engine import reading
from store.ledger import cursors
from store.ledger.cursors import Cursor
from store.network.reference import Reference, ReferenceCache
from store.sourcing import reoptimisation as reoptimisations

ORDERS_AT_ONCE: Final = 60
"""Orders that are planned together."""
SKUS_AT_ONCE: Final = 100

_log = structlog.get_logger("jobs")


@dataclass(frozen=True, slots=True)
class _Round:
    """A round through all orders with unbegun work, or those with one of the SKUs, that has come `after` an order."""

    skus: Sequence[str] | None
    after: str = ""


class Reoptimising:
    """`every` is the pause in seconds between two looks.

    `replaying`: orders of a replayed history are planned as of their own time.
    """

    name: Final = "reoptimising"

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        every: float = 15.0,
        replaying: bool = False,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self.every = every
        self._replaying = replaying
        self._now = now
        self._cache = ReferenceCache()
        self._seen_version: int | None = None
        self._cursor: Cursor | None = None
        self._moved: dict[str, None] = {}
        self._round: _Round | None = None

    async def run(self) -> bool:
        """Look at what moved since the last run, a bounded part of it."""
        reference = await self._reference()
        if reference.policy.reoptimisation.enabled:
            await self._follow(reference.version)
            await self._look()
        else:
            self._cursor = self._round = None
            self._moved.clear()
        return False

    async def _reference(self) -> Reference:
        async with self._reads.connect() as connection:
            return await self._cache.now(connection)

    async def _follow(self, version: int) -> None:
        """Learn what moved."""
        async with self._reads.connect() as connection:
            if self._cursor is None:
                self._cursor = await cursors.end(connection)
                self._seen_version = None
            found = await changes.read(connection, self._cursor, changes.ENTRIES)
        self._cursor = found.cursor
        self._moved |= dict.fromkeys(changed.sku for changed in found.skus)
        if version != self._seen_version:
            self._seen_version, self._round = version, _Round(None)

    async def _look(self) -> None:
        """Look at the next part: of the round that goes on, or of a new one through what moved."""
        if self._round is None:
            moved = list(islice(self._moved, SKUS_AT_ONCE))
            if not moved:
                return
            self._round = _Round(moved)
            for sku in moved:
                del self._moved[sku]
        skus, after = self._round.skus, self._round.after
        async with self._reads.connect() as connection:
            found = await reoptimisations.orders(connection, skus=skus, after=after, most=ORDERS_AT_ONCE)
        self._round = _Round(skus, found[-1]) if len(found) == ORDERS_AT_ONCE else None
        if found:
            await self._look_at(found)

    async def _look_at(self, order_ids: Sequence[str]) -> None:
        async with self._engine.connect() as connection:
            orders = await reoptimisations.unbegun(connection, order_ids, self._now(), replaying=self._replaying)
            if not orders:
                return
            worlds, reference = await reoptimisation.worlds(connection, self._cache, orders)
        joints = await asyncio.to_thread(sweep, orders, worlds, reference.policy, reference.policy_version)
        for joint in joints:
            await self._change(joint, reference)

    async def _change(self, joint: Joint, reference: Reference) -> None:
        """Make a change. Orders somebody was busy with are looked at again; of stock that moved on the ledger tells."""
        try:
            async with self._engine.begin() as connection:
                await reoptimisation.change(connection, joint, reference.network)
        except stock.OutOfReach:
            _log.info("stock moved on before it was planned anew", orders=len(joint.changes))
        except reoptimisation.Outdated:
            self._moved |= dict.fromkeys(line.sku for each in joint.changes for line in each.order.demand.lines)
        else:
            _log.info("planned anew", orders=len(joint.changes), saving=joint.saving)
