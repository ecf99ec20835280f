"""The planner's snapshot, read in one statement."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.shared.errors import UnknownSku
from dom.sourcing.models import Place, Snapshot
from dom.stock.atp import sendable
from store.network.postal_codes import lookup_codes
from store.network.reference import Reference, ReferenceCache
from store.sourcing import stock_values
from store.stock import terms

HORIZON_DAYS = 45
"""How far ahead nodes' used capacity is read."""


def _snapshot(free: str) -> TextClause:
    """The statement that reads the world, with what counts as free; the asker's own soft reservation does."""
    own = """CASE WHEN CAST(:own AS text) IS NULL THEN 0 ELSE coalesce((
        SELECT sum(o.quantity) FROM reservations o WHERE o.soft_id = :own AND o.status = 'active'
        AND o.expires_at > statement_timestamp() AND o.node_id = s.node_id AND o.sku = s.sku), 0) END"""
    allowed = terms.allowed(f"({free} + own.units)")
    return text(f"""
SELECT (SELECT version FROM reference_state) AS version,
       (SELECT jsonb_object_agg(id, document) FROM skus WHERE id = ANY(:skus)) AS skus,
       (SELECT jsonb_agg(jsonb_build_array(node_id, sku, units)) FROM (
            SELECT s.node_id, s.sku, greatest(own.units, {allowed}) AS units
            FROM stock s CROSS JOIN LATERAL (SELECT {own} AS units) own {terms.rules()} WHERE s.sku = ANY(:skus)) free
        WHERE units > 0) AS available,
       (SELECT jsonb_agg(jsonb_build_array(node_id, day, service, used))
        FROM node_days WHERE day BETWEEN :first_day AND :last_day) AS used,
       {stock_values.OF_SKUS} AS worth,
       (SELECT jsonb_build_array(latitude, longitude) FROM places
        WHERE country = :country AND code = ANY(:codes) ORDER BY length(code) DESC LIMIT 1) AS place
""")


_FOR_OFL = _snapshot(terms.FREE_FOR_OFL)
_TO_PROMISE = _snapshot(terms.FREE_TO_PROMISE)


async def snapshot(
    connection: AsyncConnection,
    cache: ReferenceCache,
    *,
    channel: str,
    skus: Sequence[str],
    country: str,
    postal_code: str,
    first_day: date,
    last_day: date,
    taken_at: datetime,
    own: str | None = None,
    promised: bool = False,
) -> tuple[Snapshot, Reference, Place | None]:
    """The world as the planner sees it, the reference data it came with, and where the customer is.

    Free is what OFL may take for the channel, or (`promised`) what the channel may be promised; live units of the soft
    reservation `own` are free too.

    Raises UnknownSku, with the positions in `skus` of all that the catalogue does not hold.
    """
    row = (
        await connection.execute(
            _TO_PROMISE if promised else _FOR_OFL,
            {
                "own": own,
                "channel": channel,
                "skus": list(skus),
                "country": country,
                "codes": lookup_codes(country, postal_code),
                "first_day": first_day,
                "last_day": last_day,
            },
        )
    ).one()
    reference = await cache.at(connection, row.version)
    known = row.skus or {}
    if not known.keys() >= set(skus):
        raise _unknown(skus, known)
    catalogue = {sku: cache.sku(document) for sku, document in known.items()}
    free = {(node, sku): units for node, sku, units in row.available or ()}
    world = Snapshot.model_construct(
        taken_at=taken_at,
        nodes=reference.nodes,
        skus=catalogue,
        available=sendable(free, catalogue, reference.nodes, taken_at),
        capacity_used={(node, date.fromisoformat(day), service): used for node, day, service, used in row.used or ()},
        tariffs=reference.tariffs,
        values=stock_values.seen(row.worth or (), reference.policy.currency),
    )
    place = Place(latitude=row.place[0], longitude=row.place[1]) if row.place else None
    return world, reference, place


def _unknown(skus: Sequence[str], known: Mapping[str, Any]) -> UnknownSku:
    named = list(dict.fromkeys(sku for sku in skus if sku not in known))
    fields = {f"lines[{n}].sku": f"there is no SKU {sku}" for n, sku in enumerate(skus) if sku not in known}
    data = {"sku": named[0], "skus": named, "fields": fields}
    return UnknownSku(f"there is no SKU {', '.join(named)}", field=next(iter(fields)), data=data)
