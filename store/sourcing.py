"""The planner's snapshot, read in one statement, and the decisions that were made."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.atp import sendable
from dom.errors import UnknownSku
from dom.ofl.models import Demand, Place, Policy, Snapshot, SourcingDecision
from store.places import lookup_codes
from store.reference import Reference, ReferenceCache
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

    Raises UnknownSku, with the position of the SKU in `skus`, for one the catalogue does not hold.
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
    for position, sku in enumerate(skus):
        if sku not in known:
            raise UnknownSku(f"there is no SKU {sku}", field=f"lines[{position}].sku", data={"sku": sku})
    catalogue = {sku: cache.sku(document) for sku, document in known.items()}
    free = {(node, sku): units for node, sku, units in row.available or ()}
    world = Snapshot.model_construct(
        taken_at=taken_at,
        nodes=reference.nodes,
        skus=catalogue,
        available=sendable(free, catalogue, reference.nodes, taken_at),
        capacity_used={(node, date.fromisoformat(day), service): used for node, day, service, used in row.used or ()},
        tariffs=reference.tariffs,
    )
    place = Place(latitude=row.place[0], longitude=row.place[1]) if row.place else None
    return world, reference, place


_DECIDED = text("""
INSERT INTO sourcing_decisions (order_id, attempt, policy_version, cause, first_fulfilment, document, decided_at)
VALUES (:order_id, :attempt, :policy_version, :cause, :first_fulfilment,
        jsonb_build_object('demand', CAST(:demand AS jsonb), 'decision', CAST(:decision AS jsonb)), :decided_at)
""")


async def record(
    connection: AsyncConnection,
    demand: Demand,
    decision: SourcingDecision,
    *,
    attempt: int,
    cause: str,
    first_fulfilment: int,
) -> None:
    """Keep a decision with what was asked. Fulfilments are numbered from `first_fulfilment` in its sequence."""
    await connection.execute(
        _DECIDED,
        {
            "order_id": decision.order_id,
            "attempt": attempt,
            "policy_version": decision.policy_version,
            "cause": cause,
            "first_fulfilment": first_fulfilment,
            "demand": demand.model_dump_json(),
            "decision": decision.model_dump_json(),
            "decided_at": decision.decided_at,
        },
    )


async def decision(
    connection: AsyncConnection, order_id: str, attempt: int
) -> tuple[SourcingDecision, Policy, int] | None:
    """A decision made before, the policy it used, and the number of its first fulfilment; or None."""
    row = (
        await connection.execute(
            text("""
            SELECT d.document->'decision' AS decision, p.document AS policy, first_fulfilment
            FROM sourcing_decisions d JOIN policies p ON p.version = d.policy_version
            WHERE order_id = :order_id AND attempt = :attempt
            """),
            {"order_id": order_id, "attempt": attempt},
        )
    ).one_or_none()
    if row is None:
        return None
    made = SourcingDecision.model_validate(row.decision)
    return made, Policy.model_validate(row.policy), row.first_fulfilment


async def of_order(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """Every decision made for an order, in sequence."""
    rows = await connection.execute(
        text("""
        SELECT attempt, cause, policy_version, first_fulfilment, document, decided_at FROM sourcing_decisions
        WHERE order_id = :order_id ORDER BY attempt
        """),
        {"order_id": order_id},
    )
    return rows.mappings().all()
