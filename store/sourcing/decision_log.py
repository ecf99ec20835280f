"""Recorded decisions, and what happened to them, in the sequence in which they were written down."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.delivery.tariffs import Tariff
from dom.network import Node
from dom.orders.events import EventKind
from dom.shared.access import OFL
from dom.sourcing.models import Demand, Outcome, Snapshot, SourcingDecision
from dom.sourcing.planning.snapshot_codec import unpack
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.recorded import Happened, Happening, Recorded
from dom.sourcing.rehearsal.span import Span
from store.database.parameters import listed

PAGE: Final = 100
"""Records that are read at a time."""
_NETWORKS_AT_MOST: Final = 8
"""Networks that are remembered at a time."""
_KINDS: Final[Mapping[str, Happening]] = {
    EventKind.FULFILMENT_REJECTED: Happening.REJECTED,
    EventKind.SOURCED_AGAIN: Happening.SOURCED_AGAIN,
    EventKind.FULFILMENT_LOST: Happening.LOST,
    EventKind.CANCELLED: Happening.CANCELLED,
}
_POLICY_ITSELF: Final = OFL
"""The actor of a cancellation that nobody asked for: the units had waited for too long."""


class Networks:
    """Nodes and tariffs by digest, the last few remembered."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[tuple[Node, ...], tuple[Tariff, ...]]] = OrderedDict()

    async def at(self, connection: AsyncConnection, digest: str) -> tuple[tuple[Node, ...], tuple[Tariff, ...]]:
        """The nodes and tariffs kept under the digest."""
        if digest not in self._known:
            document = await connection.scalar(
                text("SELECT document FROM networks WHERE digest = :digest"), {"digest": digest}
            )
            self._known[digest] = (
                tuple(Node.model_validate(node) for node in document["nodes"]),
                tuple(Tariff.model_validate(tariff) for tariff in document["tariffs"]),
            )
            while len(self._known) > _NETWORKS_AT_MOST:
                self._known.popitem(last=False)
        self._known.move_to_end(digest)
        return self._known[digest]


# An order belongs to the span by its first decision, and brings all its records along.
_CHOSEN: Final = """
WITH newest AS (SELECT max(decided_at) AS at FROM sourcing_decisions WHERE attempt = 1), chosen AS (
    SELECT order_id FROM sourcing_decisions, newest WHERE attempt = 1
    AND (CAST(:days AS int) IS NULL OR decided_at > newest.at - make_interval(days => :days))
    AND (CAST(:since AS timestamptz) IS NULL OR decided_at >= :since)
    AND (CAST(:before AS timestamptz) IS NULL OR decided_at < :before)
    ORDER BY decided_at DESC, order_id DESC LIMIT :orders
)
"""
# While a hold blocks sourcing, and before an order is planned anew with substitutes, no planner decides.
_PLANNED: Final = f"(d.snapshot IS NOT NULL OR d.document->'decision'->>'outcome' <> '{Outcome.HELD}')"
_COUNT = text(f"{_CHOSEN} SELECT count(*) FROM sourcing_decisions d JOIN chosen USING (order_id) WHERE {_PLANNED}")
_KEYS = text(f"""
{_CHOSEN}
SELECT d.recorded_at, d.order_id, d.attempt AS number, 'decision' AS kind
FROM sourcing_decisions d JOIN chosen USING (order_id) WHERE {_PLANNED}
UNION ALL
SELECT t.recorded_at, t.order_id, t.id, t.kind FROM timeline t JOIN chosen USING (order_id)
WHERE t.kind IN ({listed(_KINDS)}) OR t.data ? 'missing'
ORDER BY recorded_at, order_id, number
""")
_DECISIONS = text("""
SELECT d.order_id, d.attempt, d.cause, d.policy_version, d.first_fulfilment, d.recorded_at, d.document, d.snapshot,
       d.network
FROM sourcing_decisions d
JOIN unnest(CAST(:orders AS text[]), CAST(:numbers AS bigint[])) AS w (order_id, attempt)
    ON w.order_id = d.order_id AND w.attempt = d.attempt
""")
_EVENTS = text("""
SELECT id, order_id, kind, actor, data, recorded_at FROM timeline WHERE id = ANY(CAST(:ids AS bigint[]))
""")


def _parameters(span: Span) -> dict[str, Any]:
    return {"days": span.days, "since": span.since, "before": span.before, "orders": span.orders}


async def count(connection: AsyncConnection, span: Span) -> int:
    """How many decisions belong to the span."""
    return int(await connection.scalar(_COUNT, _parameters(span)) or 0)


async def policies(connection: AsyncConnection) -> dict[int, Policy]:
    """Every published version this release can read."""
    rows = await connection.execute(text("SELECT version, document FROM policies"))
    found = {}
    for version, document in rows:
        try:
            found[version] = Policy.model_validate(document)
        except ValidationError:
            continue
    return found


async def walk(engine: AsyncEngine, span: Span, page: int = PAGE) -> AsyncIterator[list[Recorded | Happened]]:
    """The records of the span, page by page, in the sequence in which they were written down."""
    networks = Networks()
    async with engine.connect() as connection:
        keys = (await connection.execute(_KEYS, _parameters(span))).all()
    for start in range(0, len(keys), page):
        async with engine.connect() as connection:
            found = await _read(connection, networks, keys[start : start + page])
        yield found


async def _read(connection: AsyncConnection, networks: Networks, keys: Sequence[Any]) -> list[Recorded | Happened]:
    decided = [key for key in keys if key.kind == "decision"]
    events = [key.number for key in keys if key.kind != "decision"]
    found: dict[tuple[str, int, bool], Recorded | Happened] = {}
    parameters = {"orders": [key.order_id for key in decided], "numbers": [key.number for key in decided]}
    for row in (await connection.execute(_DECISIONS, parameters)).mappings().all():
        found[row["order_id"], row["attempt"], True] = await recorded(connection, networks, row)
    if events:
        for row in (await connection.execute(_EVENTS, {"ids": events})).mappings():
            found[row["order_id"], row["id"], False] = _happened(row)
    in_sequence = [(key.order_id, key.number, key.kind == "decision") for key in keys]
    return [found[key] for key in in_sequence if key in found]


async def recorded(connection: AsyncConnection, networks: Networks, row: RowMapping) -> Recorded:
    """A row of decisions as what the walk reads."""
    snapshot = None
    if row["snapshot"] is not None and row["network"] is not None:
        nodes, tariffs = await networks.at(connection, row["network"])
        snapshot = _seen(row["snapshot"], nodes, tariffs)
    return Recorded(
        order_id=row["order_id"],
        attempt=row["attempt"],
        cause=row["cause"],
        policy_version=row["policy_version"],
        first_fulfilment=row["first_fulfilment"],
        recorded_at=row["recorded_at"],
        demand=Demand.model_validate(row["document"]["demand"]),
        decision=SourcingDecision.model_validate(row["document"]["decision"]),
        snapshot=snapshot,
    )


def _seen(document: dict[str, Any], nodes: tuple[Node, ...], tariffs: tuple[Tariff, ...]) -> Snapshot | None:
    """The snapshot; None if another release wrote it in a form this one does not know."""
    try:
        return unpack(document, nodes, tariffs)
    except (KeyError, TypeError, ValueError):
        return None


def _happened(row: RowMapping) -> Happened:
    data, kind = row["data"], _KINDS.get(row["kind"])
    lines: dict[str, int] = {}
    if kind is Happening.CANCELLED:
        lines = data["lines"]
        kind = Happening.GIVEN_UP if row["actor"] == _POLICY_ITSELF else kind
    elif kind is None:
        kind, lines = Happening.SHORT, data["missing"]
    fulfilment = str(data.get("fulfilment_id", "")).rpartition("-F")[2]
    number = int(fulfilment) if fulfilment.isdigit() else 0
    return Happened(row["order_id"], kind, row["recorded_at"], number, lines)
