"""A run of the allocation: lock what there is, serve the queue, allocate units. One transaction, one run at a time.

Runs take turns by an advisory lock that lasts as long as the transaction. Within a run balances are locked first, in
the one order, then the orders that are served, without waiting for any: whoever moves an order's units has locked the
order before its balances, and a run leaves that order out and says so.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.access import ALLOCATION
from dom.stock.allocation import Allocation, Balance, Grant, WaitingOrder
from store.backorders import allocations, notices, queue
from store.backorders.queue import InLine

_TURN: Final = 0x77616974
"""The number of the advisory lock that makes runs take turns: "wait"."""
_AT_ONCE: Final = 200
"""Orders that are locked and read at once."""


@dataclass(frozen=True, slots=True)
class AllocationOutcome:
    """Who was granted units, and the SKUs to look at again because an order in line was busy right then."""

    granted: tuple[str, ...] = ()
    again: frozenset[str] = frozenset()


@asynccontextmanager
async def arriving(connection: AsyncConnection, balances: Iterable[Balance]) -> AsyncIterator[None]:
    """Goods come into these balances (node, SKU) within the block: waiting orders get them before anybody else can.

    Put it around what books the goods in, in a transaction that has locked no balance yet and books nothing but these.
    If no order waits for the SKUs it costs one look. The orders are told a moment after the commit.
    """
    coming = sorted(set(balances))
    waited = await queue.reach(connection, [sku for _, sku in coming])
    if waited:
        await take_turn(connection)
        await queue.lock_balances(connection, waited, also=coming)
    yield
    if waited:
        await allocate(connection, waited)


async def allocate(connection: AsyncConnection, skus: Iterable[str]) -> AllocationOutcome:
    """Deal out what there is of the SKUs to the orders that wait for them, in the order of their places.

    Idempotent: a second run finds nothing to do. The transaction must have locked no balance yet, but by `arriving`.
    """
    waited = await queue.reach(connection, skus)
    if not waited or not await queue.anything_free(connection, waited):
        return AllocationOutcome()
    await take_turn(connection)
    balances = await queue.lock_balances(connection, waited)
    if not balances:
        return AllocationOutcome()
    return await _Run(connection, waited, balances).deal()


async def take_turn(connection: AsyncConnection) -> None:
    """From here to the end of the transaction the queue is served by nobody else."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})


class _Run:
    def __init__(self, connection: AsyncConnection, skus: Sequence[str], balances: Sequence[Balance]) -> None:
        self._connection = connection
        self._skus = skus
        self._balances = balances
        self._nodes = sorted({node for node, _ in balances})
        self._busy = False

    async def deal(self) -> AllocationOutcome:
        line = await queue.in_line(self._connection, self._skus)
        free = await queue.free(self._connection, self._balances)
        limits = await queue.limits(self._connection, self._balances, {each.channel for each in line})
        now = (await self._connection.execute(text("SELECT statement_timestamp()"))).scalar_one()
        allocation = Allocation(free, limits, now)
        anew = await self._still([each.order_id for each in line if each.dealt_anew])
        for each in anew.values():
            allocation.put_back(each.order)
        granted = await self._serve([each.order_id for each in line], allocation, anew)
        await self._write(granted)
        ids = tuple(each.order.order_id for each, _ in granted)
        return AllocationOutcome(ids, frozenset(self._skus) if self._busy else frozenset())

    async def _serve(
        self, line: Sequence[str], allocation: Allocation, anew: dict[str, InLine]
    ) -> list[tuple[InLine, Grant]]:
        """Everybody in line while there is anything left; those whose units were put back in any case."""
        granted = []
        for start in range(0, len(line), _AT_ONCE):
            part = line[start : start + _AT_ONCE]
            if allocation.is_over:
                part = [order_id for order_id in part if order_id in anew]
            found = anew | await self._still([order_id for order_id in part if order_id not in anew])
            for each in (found[order_id] for order_id in part if order_id in found):
                grant = allocation.serve(each.order)
                if grant.units != each.order.allocated or (grant.units and grant.ready != each.ready):
                    granted.append((each, grant))
        return granted

    async def _still(self, order_ids: Sequence[str]) -> dict[str, InLine]:
        if not order_ids:
            return {}
        found = await queue.still(self._connection, order_ids, self._skus, self._nodes)
        self._busy = self._busy or len(found) < len(order_ids)
        return found

    async def _write(self, granted: Sequence[tuple[InLine, Grant]]) -> None:
        shares = []
        for each, grant in granted:
            had = dict(each.order.allocated)
            if any(units > grant.units.get(balance, 0) for balance, units in had.items()):
                await allocations.give_up(
                    self._connection, each.order.order_id, reason="dealt out anew", actor=ALLOCATION
                )
                had = {}
            if grant.units:
                shares.append(_share(each.order, grant, had))
        if shares:
            await allocations.add(self._connection, shares)
            await notices.write(self._connection, [share.order_id for share in shares if share.ready])


def _share(order: WaitingOrder, grant: Grant, had: dict[Balance, int]) -> allocations.AllocationShare:
    added = {balance: units - had.get(balance, 0) for balance, units in sorted(grant.units.items())}
    return allocations.AllocationShare(
        order.order_id, order.channel, {b: units for b, units in added.items() if units}, grant.ready
    )
