"""What stock is worth where it lies: shadow prices as they were worked out, mark-downs as planners set them.

Whoever plans sees them faded (`dom.sourcing.valuation.decay`); nothing here decides on the age of a price.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.errors import DomError, UnknownNode, UnknownSku
from dom.sourcing.models import StockValue
from dom.sourcing.valuation.decay import Priced, decayed
from store.database.parameters import to_rows
from store.enums import ItemOutcome
from store.stock import terms

_DAY: Final = 86_400.0

_ROWS: Final = f"""
SELECT v.node_id, v.sku, v.opportunity, v.currency, v.units, v.outflow, v.daily_demand, v.markdown,
       extract(epoch FROM statement_timestamp() - v.priced_at)::float8 AS age,
       extract(epoch FROM v.fades_at - v.priced_at)::float8 AS lifetime,
       coalesce({terms.FREE_FOR_OFL}, 0) AS free, v.priced_at, v.fades_at, v.marked_by, v.marked_at
FROM stock_values v LEFT JOIN stock s ON s.node_id = v.node_id AND s.sku = v.sku
"""

OF_SKUS: Final = f"(SELECT jsonb_agg(to_jsonb(w)) FROM ({_ROWS} WHERE v.sku = ANY(:skus)) w)"
"""For the planner's snapshot: everything known of the SKUs `:skus`, as `seen` takes it."""


def seen(rows: Iterable[Mapping[str, Any]], currency: str) -> dict[tuple[str, str], StockValue]:
    """Values by (node, SKU) as they count now, in minor units of `currency`; what is worth nothing is left out.

    A price worked out in another currency counts for nothing, and so does a forecast whose price has faded.
    """
    found = {}
    for row in rows:
        value = _now(row, currency)
        if value.opportunity or value.markdown or value.daily_demand:
            found[row["node_id"], row["sku"]] = value
    return found


def _now(row: Mapping[str, Any], currency: str) -> StockValue:
    if row["age"] is None or row["age"] >= row["lifetime"]:
        return StockValue(markdown=row["markdown"])
    priced = Priced(row["opportunity"], row["units"], row["outflow"])
    price = decayed(priced, row["free"], row["age"] / _DAY, row["lifetime"] / _DAY)
    return StockValue(
        opportunity=price if row["currency"] == currency else 0,
        markdown=row["markdown"],
        daily_demand=row["daily_demand"],
    )


_OF_SKU = text(f"{_ROWS} WHERE v.sku = :sku ORDER BY v.node_id")


async def of_sku(connection: AsyncConnection, sku: str, currency: str) -> list[tuple[RowMapping, StockValue]]:
    """What is known of a SKU by node: as it was worked out and set, and as it counts now."""
    rows = (await connection.execute(_OF_SKU, {"sku": sku})).mappings().all()
    return [(row, _now(dict(row), currency)) for row in rows]


@dataclass(frozen=True, slots=True)
class MarkDown:
    """What a unit of a SKU at a node loses by staying there, in minor units of the policy's currency."""

    node_id: str
    sku: str
    per_unit: int


@dataclass(frozen=True, slots=True)
class MarkedDown:
    """What became of a mark-down."""

    outcome: ItemOutcome
    error: DomError | None = None


_ITEMS: Final = "jsonb_to_recordset(CAST(:rows AS jsonb)) AS i (no int, node_id text, sku text, per_unit bigint)"
_MARK = text(f"""
WITH item AS MATERIALIZED (
    SELECT i.*, CASE WHEN n.id IS NULL THEN 'unknown-node' WHEN k.id IS NULL THEN 'unknown-sku' END AS problem
    FROM {_ITEMS} LEFT JOIN nodes n ON n.id = i.node_id LEFT JOIN skus k ON k.id = i.sku
), marked AS (
    INSERT INTO stock_values AS v (sku, node_id, markdown, marked_by, marked_at)
    SELECT sku, node_id, per_unit, :actor, now() FROM item WHERE problem IS NULL ORDER BY sku, node_id
    ON CONFLICT (sku, node_id) DO UPDATE SET markdown = EXCLUDED.markdown, marked_by = EXCLUDED.marked_by,
        marked_at = EXCLUDED.marked_at WHERE v.markdown <> EXCLUDED.markdown
    RETURNING sku, node_id
)
SELECT i.no, i.node_id, i.sku, i.problem, m.sku IS NOT NULL AS changed
FROM item i LEFT JOIN marked m USING (sku, node_id)
""")


async def mark_down(connection: AsyncConnection, marks: Sequence[MarkDown], actor: str) -> list[MarkedDown]:
    """Set mark-downs; zero takes one back. The last one of a call for a (node, SKU) stands. For a transaction.

    One that is refused (UnknownNode, UnknownSku) holds back none of the others.
    """
    last = {(mark.node_id, mark.sku): number for number, mark in enumerate(marks)}
    rows = [
        {"no": number, "node_id": marks[number].node_id, "sku": marks[number].sku, "per_unit": marks[number].per_unit}
        for number in last.values()
    ]
    found = await connection.execute(_MARK, {"rows": to_rows(rows), "actor": actor})
    results = {row["no"]: _result(row) for row in found.mappings()}
    return [results.get(number, MarkedDown(ItemOutcome.REPLACED)) for number in range(len(marks))]


def _result(row: RowMapping) -> MarkedDown:
    node_id, sku = row["node_id"], row["sku"]
    if row["problem"] == UnknownNode.type:
        error: DomError = UnknownNode(f"there is no node {node_id}", field="node_id", data={"node_id": node_id})
        return MarkedDown(ItemOutcome.REFUSED, error)
    if row["problem"] == UnknownSku.type:
        error = UnknownSku(f"there is no SKU {sku}", field="sku", data={"sku": sku})
        return MarkedDown(ItemOutcome.REFUSED, error)
    return MarkedDown(ItemOutcome.APPLIED if row["changed"] else ItemOutcome.REPEATED)


@dataclass(frozen=True, slots=True)
class Price:
    """A shadow price to be written, with what it was worked out of."""

    node_id: str
    sku: str
    opportunity: int
    units: int
    outflow: float
    daily_demand: float


_PRICES: Final = """
jsonb_to_recordset(CAST(:rows AS jsonb))
AS i (node_id text, sku text, opportunity bigint, units int, outflow float8, daily_demand float8)
"""
_WRITE = text(f"""
WITH forgotten AS (
    UPDATE stock_values v SET opportunity = 0, units = 0, outflow = 0, daily_demand = 0, priced_at = NULL,
        fades_at = NULL
    WHERE v.sku = ANY(:skus) AND v.priced_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM {_PRICES} WHERE i.node_id = v.node_id AND i.sku = v.sku)
)
INSERT INTO stock_values (sku, node_id, opportunity, currency, units, outflow, daily_demand, priced_at, fades_at)
SELECT sku, node_id, opportunity, :currency, units, outflow, daily_demand, statement_timestamp(),
       statement_timestamp() + CAST(:lifetime AS interval) FROM {_PRICES} ORDER BY sku, node_id
ON CONFLICT (sku, node_id) DO UPDATE SET opportunity = EXCLUDED.opportunity, currency = EXCLUDED.currency,
    units = EXCLUDED.units, outflow = EXCLUDED.outflow, daily_demand = EXCLUDED.daily_demand,
    priced_at = EXCLUDED.priced_at, fades_at = EXCLUDED.fades_at
""")


async def write(
    connection: AsyncConnection, skus: Sequence[str], prices: Sequence[Price], currency: str, lifetime: timedelta
) -> None:
    """Replace all prices of these SKUs, as of now. For a transaction."""
    rows = to_rows({name: getattr(price, name) for name in Price.__slots__} for price in prices)
    await connection.execute(_WRITE, {"skus": list(skus), "rows": rows, "currency": currency, "lifetime": lifetime})


_FADING = text("""
SELECT sku FROM stock_values
WHERE priced_at IS NOT NULL AND fades_at < statement_timestamp() + CAST(:within AS interval)
GROUP BY sku ORDER BY min(fades_at), sku LIMIT :most
""")


async def fading(connection: AsyncConnection, within: timedelta, most: int) -> list[str]:
    """SKUs with a price that will have faded out by then, the oldest first."""
    return list((await connection.execute(_FADING, {"within": within, "most": most})).scalars())
