"""Takes unbegun work away from nodes that cannot do it any more, and puts begun work there before a person.

A node that was switched off, or does not offer any more what the work needs, would keep it for good: nobody works
there. One whose calendar changed cannot do it on its day, and the promise is not kept. The orders' processes are told
as if the node had rejected the work, and source it anew.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from dom.orders.status import FulfilmentStep
from processes.signals import tell
from services.clock import utc_now
from store.database import reference_version
from store.database.engine import reading
from store.fulfilment import unable_nodes
from store.fulfilment.unable_nodes import ACTOR, Unable
from workflows.messages import NodeReport
from workflows.order.process import OrderWorkflow

_log = structlog.get_logger("keeper")


class Retiring:
    """Looks when nodes changed, and `everything_every` seconds in any case: work may have been planned meanwhile."""

    name: Final = "retiring_nodes"

    def __init__(
        self,
        engine: AsyncEngine,
        client: Client,
        *,
        every: float = 1.0,
        everything_every: float = 30.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine = engine
        self._reads = reading(engine)
        self._client = client
        self.every = every
        self._everything_every = everything_every
        self._everything_at = 0.0
        self._seen_version: int | None = None
        self._now = now

    async def run(self) -> bool:
        """One look takes all there is. Who was told and has not reacted yet is told again with the next one."""
        async with self._reads.connect() as connection:
            version = await reference_version.version(connection)
        now = asyncio.get_running_loop().time()
        if version == self._seen_version and now < self._everything_at:
            return False
        told = await self._take_away()
        async with self._engine.begin() as connection:
            at = await unable_nodes.moment(connection, self._now())
            await unable_nodes.open_exceptions(connection, at)
            await unable_nodes.close_exceptions(connection, at)
        self._seen_version = version
        self._everything_at = now + (self.every if told else self._everything_every)
        return False

    async def _take_away(self) -> bool:
        """Tell every order's process of its work; answers whether any was told."""
        after, told = "", False
        async with self._reads.connect() as connection:
            at = await unable_nodes.moment(connection, self._now())
        while True:
            async with self._reads.connect() as connection:
                found = await unable_nodes.unbegun(connection, at, after)
            if not found:
                return told
            after, told = found[-1].fulfilment_id, True
            while found:  # an order's works one after the other
                first = {each.order_id: each for each in reversed(found)}
                found = [each for each in found if first[each.order_id] is not each]
                await self._tell(first)

    async def _tell(self, work: dict[str, Unable]) -> None:
        at = self._now()
        reports = {
            order_id: NodeReport(
                fulfilment_id=each.fulfilment_id,
                step=FulfilmentStep.REJECT,
                occurred_at=at,
                actor=ACTOR,
                reason=each.why,
                if_unbegun=True,
            )
            for order_id, each in work.items()
        }
        _, gone = await tell(self._client, OrderWorkflow.node_report, reports)
        for order_id in gone:
            _log.warning("no process runs for an order whose node cannot do its work", order_id=order_id)
