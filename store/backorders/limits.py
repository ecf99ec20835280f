"""How many units may wait for a SKU: counted exactly, for those who count stand in line."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import Sku


@dataclass(frozen=True, slots=True)
class Overrun:
    """A SKU for which more units wait than may: the limit and what waits, both in units."""

    limit: int
    waiting: int


# Not FOR UPDATE: order lines refer to SKUs, so that two orders whose lines stand would wait for each other.
_STAND_IN_LINE = text("""
SELECT document FROM skus WHERE id = ANY(:skus)
AND (document->>'preorder_limit' IS NOT NULL OR document->>'backorder_limit' IS NOT NULL)
ORDER BY id FOR NO KEY UPDATE
""")
_WAITING = text("""
SELECT sku, sum(backordered) AS units FROM order_lines WHERE sku = ANY(:skus) AND backordered > 0 GROUP BY sku
""")


async def overruns(connection: AsyncConnection, skus: Collection[str], day: date) -> dict[str, Overrun]:
    """The SKUs for which more units wait than may on a day, the lines of this transaction among them.

    Whoever asks for the same limited SKU waits until this transaction ends; so ask after the lines are written and
    before stock is locked, and end the transaction without them if the answer is not empty.
    """
    rows = await connection.execute(_STAND_IN_LINE, {"skus": list(skus)})
    limits = {}
    for (document,) in rows:
        sku = Sku.model_validate(document)
        limit = sku.wait_limit(day)
        if limit is not None:
            limits[sku.id] = limit
    if not limits:
        return {}
    # A statement of its own: it sees what those before us committed while we stood in line.
    waiting = await connection.execute(_WAITING, {"skus": list(limits)})
    return {row.sku: Overrun(limits[row.sku], row.units) for row in waiting if row.units > limits[row.sku]}
