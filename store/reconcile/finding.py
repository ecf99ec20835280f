"""Every difference, in one snapshot: what the system changes meanwhile cannot look like a fault."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.reconcile import balances, days, held, transit
from store.reconcile.differences import StockDifference, StockFault, Trust

LISTED: Final = 200
"""How many differences are kept to be shown; all are counted."""

Told = Callable[[RowMapping], Iterable[StockDifference]]

_SETTINGS: Final = ("SET TRANSACTION READ ONLY", "SET LOCAL work_mem = '64MB'", "SET LOCAL jit = off")


@dataclass(slots=True)
class Findings:
    """What was compared, and what differs: `listed` are the first, `counts` all of them by name.

    `lapsed` soft reservations wait to be reclaimed; that is no fault.
    """

    balances: int = 0
    entries: int = 0
    lapsed: int = 0
    counts: Counter[StockFault] = field(default_factory=Counter)
    listed: list[StockDifference] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many differences there are."""
        return self.counts.total()


async def find(
    engine: AsyncEngine,
    *,
    trust: Trust = Trust.LEDGER,
    limit: int = LISTED,
    visit: Callable[[StockDifference], None] | None = None,
) -> Findings:
    """Compare all books. `visit` hears of every difference, also of those beyond the limit."""
    findings = Findings()
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            for setting in _SETTINGS:
                await connection.execute(text(setting))
            async for difference in _all(connection, trust):
                findings.counts[difference.fault] += 1
                if len(findings.listed) < limit:
                    findings.listed.append(difference)
                if visit is not None:
                    visit(difference)
            findings.balances = await _count(connection, "SELECT count(*) FROM stock")
            findings.entries = await _count(connection, "SELECT count(*) FROM stock_ledger")
            findings.lapsed = await _count(connection, held.LAPSED)
    return findings


async def _all(connection: AsyncConnection, trust: Trust) -> AsyncIterator[StockDifference]:
    """Reservations first: their faults explain those of the balances."""
    compared: tuple[tuple[str, Told], ...] = (
        (held.stale_firm(), _one(held.of_firm)),
        (held.missing_firm(), _one(held.of_missing)),
        (held.stale_soft(), _one(held.of_soft)),
        (held.UNKNOWN_STATUSES, _one(held.of_unknown_status)),
        (balances.differing(), lambda row: balances.differences(row, trust)),
        (days.DIFFERING, _one(days.of_day)),
        (transit.DIFFERING, _one(transit.of_inbound)),
    )
    for query, told in compared:
        async with connection.stream(text(query)) as rows:
            async for row in rows.mappings():
                for difference in told(row):
                    yield difference


def _one(told: Callable[[RowMapping], StockDifference]) -> Told:
    return lambda row: (told(row),)


async def _count(connection: AsyncConnection, query: str) -> int:
    return int(await connection.scalar(text(query)) or 0)
