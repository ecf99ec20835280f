"""What stock is priced on: free units, what is due, and the orders that asked for it, read in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import Node
from dom.sourcing.models import Place
from dom.sourcing.valuation.demand import Bought, region_of
from dom.sourcing.valuation.terms import PricingTerms
from dom.sourcing.valuation.value import ValuationInput
from store.network.reference import ReferenceCache
from store.stock import terms

# Where a customer is, the first sourcing decision of the order knows; the clock is the system's own, not the channel's.
_OUTLOOK = text(f"""
WITH asked AS (
    SELECT l.order_id, l.sku, sum(l.quantity) AS units,
           greatest(0, extract(epoch FROM statement_timestamp() - o.captured_at) / 86400)::int AS days_ago
    FROM order_lines l JOIN orders o ON o.id = l.order_id
    WHERE l.sku = ANY(:skus) AND o.captured_at > statement_timestamp() - make_interval(days => :history_days)
    GROUP BY l.order_id, l.sku, o.captured_at
), bought AS (
    SELECT a.order_id, min(a.days_ago) AS days_ago, jsonb_agg(jsonb_build_array(a.sku, a.units) ORDER BY a.sku) AS lines
    FROM asked a GROUP BY a.order_id
)
SELECT (SELECT version FROM reference_state) AS version,
       (SELECT jsonb_object_agg(id, document) FROM skus WHERE id = ANY(:skus)) AS skus,
       (SELECT jsonb_agg(jsonb_build_array(s.node_id, s.sku, {terms.FREE_FOR_OFL})) FROM stock s
        WHERE s.sku = ANY(:skus)) AS free,
       (SELECT jsonb_agg(jsonb_build_array(node_id, sku, units)) FROM (
            SELECT i.node_id, l.sku, sum((l.quantity - l.received) * i.confidence / 100) AS units
            FROM inbound_lines l JOIN inbound i USING (reference)
            WHERE l.sku = ANY(:skus) AND i.status IN ('announced', 'in_transit') AND l.quantity > l.received
              AND i.due_on <= current_date + CAST(:horizon_days AS int)
            GROUP BY i.node_id, l.sku) due) AS due,
       (SELECT jsonb_agg(jsonb_build_array(b.days_ago, d.document #> '{{demand,country}}',
                         d.document #> '{{demand,place}}', b.lines,
                         (SELECT count(DISTINCT l.sku) FROM order_lines l WHERE l.order_id = b.order_id))
                         ORDER BY b.order_id)
        FROM bought b JOIN sourcing_decisions d ON d.order_id = b.order_id AND d.attempt = 1) AS history,
       (SELECT ceil(extract(epoch FROM statement_timestamp() - min(captured_at)) / 86400)::int FROM orders) AS days
""")


@dataclass(frozen=True, slots=True)
class Read:
    """An outlook, and the free units by (node, SKU) it was read with."""

    outlook: ValuationInput
    free: Mapping[tuple[str, str], int]


async def read(
    connection: AsyncConnection,
    cache: ReferenceCache,
    skus: Sequence[str],
    pricing: PricingTerms,
) -> Read:
    """The outlook of SKUs; ones the catalogue does not hold are left out."""
    row = (
        await connection.execute(
            _OUTLOOK, {"skus": list(skus), "history_days": pricing.history_days, "horizon_days": pricing.horizon_days}
        )
    ).one()
    reference = await cache.at(connection, row.version)
    catalogue = [cache.sku(document) for _, document in sorted((row.skus or {}).items())]
    nodes = tuple(sorted((node for node in reference.nodes if node.active), key=lambda node: node.id))
    active = {node.id for node in nodes}
    free = {(node, sku): int(units) for node, sku, units in row.free or () if node in active}
    due = {(node, sku): float(units) for node, sku, units in row.due or ()}
    supply = {at: max(0, units) + due.get(at, 0.0) for at, units in free.items()}
    outlook = ValuationInput(
        nodes=nodes,
        skus=tuple(catalogue),
        tariffs=reference.tariffs,
        policy=reference.policy,
        supply=supply,
        history=_history(row.history or (), {sku.id: number for number, sku in enumerate(catalogue)}, nodes),
        history_days=max(1, min(pricing.history_days, row.days or 1)),
        horizon_days=pricing.horizon_days,
        margin_percent=pricing.margin_percent,
    )
    return Read(outlook, free)


def _history(rows: Sequence[Any], skus: Mapping[str, int], nodes: Sequence[Node]) -> tuple[Bought, ...]:
    regions: dict[tuple[str, float | None, float | None], int] = {}
    found = []
    for days_ago, country, place, lines, lines_in_order in rows if nodes else ():
        at = (country, place["latitude"], place["longitude"]) if place else (country, None, None)
        if at not in regions:
            regions[at] = region_of(nodes, country, Place.model_validate(place) if place else None)
        wanted = tuple((skus[sku], int(units)) for sku, units in lines)
        found.append(Bought(days_ago, regions[at], wanted, lines_in_order))
    return tuple(found)
