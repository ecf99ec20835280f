"""Changes of availability, read from the stock ledger: each at least once, in the sequence of the log.

What is read ends before the oldest transaction that still runs: nothing can be committed later to a place before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels import channel as channels
from dom.channels.channel import Level
from store.availability import availability
from store.availability.availability import AvailabilityRequest
from store.ledger.cursors import Cursor
from store.network.reference import ReferenceCache

ENTRIES: Final = 5000
"""Entries of the ledger one reading looks at, at most."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A SKU whose balances changed, and its last change among those that were read."""

    sku: str
    place: Cursor


@dataclass(frozen=True, slots=True)
class Changes:
    """SKUs in the sequence of their last change. `more`: the log goes on; `cursor`: from there."""

    skus: tuple[Changed, ...]
    cursor: Cursor
    more: bool


@dataclass(frozen=True, slots=True)
class News:
    """What a channel may be promised of a SKU that changed, and the change's place in the log."""

    sku: str
    quantity: int
    level: Level
    place: Cursor


_READ = text("""
SELECT transaction, id, sku FROM stock_ledger
WHERE (transaction, id) > (:transaction, :entry)
  AND transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY transaction, id LIMIT :most
""")


async def read(connection: AsyncConnection, after: Cursor, limit: int, entries: int = ENTRIES) -> Changes:
    """The next `limit` SKUs at most, each once, that changed after the cursor, from so many entries of the ledger."""
    place = {"transaction": after.transaction, "entry": after.entry, "most": entries + 1}
    found = (await connection.execute(_READ, place)).all()
    last: dict[str, Cursor] = {}
    for entry in found[:entries]:
        last.pop(entry.sku, None)
        last[entry.sku] = Cursor(entry.transaction, entry.id)
    skus = tuple(Changed(sku, last[sku]) for sku in islice(last, limit))
    more = len(found) > entries or len(last) > limit
    return Changes(skus, skus[-1].place if skus else after, more)


async def now(
    connection: AsyncConnection, cache: ReferenceCache, channel: str | None, changed: Sequence[Changed]
) -> list[News]:
    """What the channel may be promised of each SKU now, in the sequence given. At least as new as the changes are."""
    if not changed:
        return []
    skus = [each.sku for each in changed]
    answer = await availability.look(connection, cache, AvailabilityRequest(skus, datetime.now(UTC), channel))
    quantities = {found.sku.id: found.outlook.now for found in answer.found}
    return [
        News(each.sku, quantities[each.sku], channels.level(quantities[each.sku], answer.channel), each.place)
        for each in changed
    ]
