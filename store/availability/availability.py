"""What may be promised of SKUs, now and later: the answer behind `GET /v1/availability`.

Few statements however many SKUs and nodes: what is known of the SKUs, their balances (summed in the database unless
they are asked for by node), and what is inbound. Balances are read before what is inbound, so that units received
between the two are missed for a moment and never counted twice.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels import channel as channels
from dom.channels.channel import Channel
from dom.network import Node, Sku
from dom.shared.errors import UnknownSku
from dom.stock.atp import ExpectedArrival, StockProjection
from store.inbound import terms as inbound
from store.network.reference import Reference, ReferenceCache
from store.stock import terms


@dataclass(frozen=True, slots=True)
class AvailabilityRequest:
    """SKUs somebody asks for. Without a channel the answer is what is free to promise to any; `nodes` narrows it.

    `by_node` asks for each balance instead of their sum. `able` says which nodes may give a SKU where it is to go
    (None: any): what others hold or get is not available there.
    """

    skus: Sequence[str]
    at: datetime
    channel: str | None = None
    nodes: frozenset[str] | None = None
    by_node: bool = False
    able: Callable[[Sku], frozenset[str] | None] | None = None

    @property
    def today(self) -> date:
        """The day later days are counted from, in UTC."""
        return self.at.date()


@dataclass(frozen=True, slots=True)
class Found:
    """One SKU: what may be promised of it, the units orders wait for, its balances."""

    sku: Sku
    outlook: StockProjection
    waiting: int
    balances: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class AvailabilityAnswer:
    """Every SKU asked for, in sequence, and the channel it was looked at for."""

    channel: Channel
    reference: Reference
    found: tuple[Found, ...]


async def look(connection: AsyncConnection, cache: ReferenceCache, asked: AvailabilityRequest) -> AvailabilityAnswer:
    """What may be promised of the SKUs at nodes in use. Raises UnknownSku, with those that are not known as `data`."""
    about = await _about(connection, asked)
    reference = await cache.at(connection, about.version)
    skus = [cache.sku(about.skus[code]) for code in asked.skus]
    nodes = [node for node in reference.nodes if node.active and (asked.nodes is None or node.id in asked.nodes)]
    able = {sku.id: asked.able(sku) if asked.able else None for sku in skus}
    rows_of = await _balances(connection, asked, skus, nodes, able, about.ruled)
    arrivals = defaultdict[str, list[ExpectedArrival]](list)
    scope = _scope(asked, skus, nodes)
    for row in (await connection.execute(_STATEMENTS[_ARRIVALS, about.ruled], scope)).mappings():
        if _may(able[row["sku"]], row["node_id"]):
            arrivals[row["sku"]].append(_arrival(row))
    found = []
    for sku in skus:
        rows = rows_of[sku.id]
        waiting, claimed = about.waiting.get(sku.id, (0, 0))
        outlook = StockProjection(
            now=sum(row["available"] for row in rows),
            stock=sum(row["stock"] for row in rows),
            claimed=claimed,
            arrivals=tuple(arrivals[sku.id]),
            release_on=sku.release_on,
        )
        found.append(Found(sku, outlook, waiting, rows if asked.by_node else ()))
    return AvailabilityAnswer(about.channel, reference, tuple(found))


async def _balances(
    connection: AsyncConnection,
    asked: AvailabilityRequest,
    skus: Sequence[Sku],
    nodes: Sequence[Node],
    able: Mapping[str, frozenset[str] | None],
    ruled: bool,
) -> Mapping[str, list[Mapping[str, Any]]]:
    """The rows of each SKU: its balances, or their sum over the nodes that may give it.

    Sums take a statement for all SKUs that the same nodes may give: they are few that differ.
    """
    rows_of = defaultdict[str, list[Mapping[str, Any]]](list)
    if asked.by_node:
        for row in (await connection.execute(_STATEMENTS[_BALANCES, ruled], _scope(asked, skus, nodes))).mappings():
            none = {} if _may(able[row["sku"]], row["node_id"]) else {"available": 0, "stock": 0}
            rows_of[row["sku"]].append({**row, **none})
        return rows_of
    groups = defaultdict[frozenset[str] | None, list[Sku]](list)
    for sku in skus:
        groups[able[sku.id]].append(sku)
    for may, alike in groups.items():
        there = [node for node in nodes if _may(may, node.id)]
        for row in (await connection.execute(_STATEMENTS[_SUMS, ruled], _scope(asked, alike, there))).mappings():
            rows_of[row["sku"]].append(dict(row))
    return rows_of


def _may(able: frozenset[str] | None, node_id: str) -> bool:
    return able is None or node_id in able


def _arrival(row: RowMapping) -> ExpectedArrival:
    return ExpectedArrival(row["node_id"], row["due_on"], row["units"], row["free"], row["buffer"], row["share"])


# --- what is known of the SKUs ----------------------------------------------------------------------------------------

_ABOUT = text("""
SELECT (SELECT version FROM reference_state) AS version,
       (SELECT document FROM channels WHERE id = CAST(:channel AS text)) AS channel,
       EXISTS (SELECT FROM channel_rules WHERE channel = CAST(:channel AS text)) AS ruled,
       (SELECT jsonb_object_agg(id, document) FROM skus WHERE id = ANY(:skus)) AS skus,
       (SELECT jsonb_agg(jsonb_build_array(sku, waiting, claimed)) FROM (
            SELECT sku, sum(units) AS waiting, sum(greatest(units - allocated, 0)) AS claimed FROM (
                SELECT l.sku, sum(l.backordered) AS units, coalesce((
                    SELECT sum(r.quantity) FROM soft_reservations h JOIN reservations r ON r.soft_id = h.id
                    WHERE h.backorder_of = l.order_id AND r.sku = l.sku AND r.status = 'active'
                    AND r.expires_at > statement_timestamp()), 0) AS allocated
                FROM order_lines l WHERE l.sku = ANY(:skus) AND l.backordered > 0 GROUP BY l.sku, l.order_id) of_order
            GROUP BY sku) of_sku) AS waiting
""")


@dataclass(frozen=True, slots=True)
class _About:
    version: int
    channel: Channel
    ruled: bool
    skus: Mapping[str, dict[str, Any]]
    waiting: Mapping[str, tuple[int, int]]
    """(units orders wait for, those of them that nothing is allocated to) by SKU."""


async def _about(connection: AsyncConnection, asked: AvailabilityRequest) -> _About:
    row = (await connection.execute(_ABOUT, {"skus": list(asked.skus), "channel": asked.channel})).one()
    known = row.skus or {}
    missing = [code for code in asked.skus if code not in known]
    if missing:
        position = list(asked.skus).index(missing[0])
        raise UnknownSku(f"there is no SKU {missing[0]}", field=f"sku[{position}]", data={"skus": missing})
    return _About(
        version=row.version,
        channel=Channel.model_validate(row.channel) if row.channel else channels.unknown(asked.channel or ""),
        ruled=row.ruled,
        skus=known,
        waiting={sku: (waiting, claimed) for sku, waiting, claimed in row.waiting or ()},
    )


# --- balances ---------------------------------------------------------------------------------------------------------

_FREE = f"({terms.FREE_TO_PROMISE})::int"  # a sum of soft units is a bigint
# The rules for all of a SKU and for all of a node are found once each and not for every balance; they go by the names
# under which `terms` looks for them. OFFSET 0 makes each SKU an index scan of its own, however many the planner guesses
# are asked for, and works out each balance's units once. A join over all of them turns into a nested loop over the
# lists, in seconds, once PostgreSQL keeps a generic plan.
_SCOPE = """
WITH node AS MATERIALIZED (
    SELECT n.*{columns} FROM unnest(CAST(:nodes AS text[]), CAST(:days AS date[]))
        AS n (node_id, today) {rules_of_node}
), wanted AS MATERIALIZED (
    SELECT k.*{columns} FROM unnest(CAST(:skus AS text[]), CAST(:releases AS date[])) AS k (sku, release_on)
        {rules_of_sku}
)
"""
_ROWS = """
SELECT s.sku, s.node_id, s.on_hand, s.damaged, s.quarantine, s.reserved, s.reserved_soft, s.safety_stock,
       s.promise_safety, {units} AS units,
       rule_3.today >= coalesce(rule_2.release_on, rule_3.today) AS released
FROM wanted rule_2 CROSS JOIN LATERAL (SELECT * FROM stock WHERE stock.sku = rule_2.sku OFFSET 0) s
JOIN node rule_3 ON rule_3.node_id = s.node_id {rules} OFFSET 0
"""
_BALANCES = f"""{_SCOPE}
SELECT sku, node_id, on_hand, damaged, quarantine, reserved, reserved_soft, safety_stock, promise_safety,
       CASE WHEN released THEN units ELSE 0 END AS available, units AS stock
FROM ({_ROWS}) balance ORDER BY sku, node_id
"""
_SUMS = f"""{_SCOPE}
SELECT sku, coalesce(sum(units) FILTER (WHERE released), 0)::bigint AS available, sum(units)::bigint AS stock
FROM ({_ROWS}) balance GROUP BY sku
"""
# A transfer that has not left yet is still on hand where it starts from.
_ARRIVALS = f"""{_SCOPE}, due AS (
    SELECT sku, node_id, due_on, sum(counted)::int AS units FROM (
        SELECT l.sku, i.node_id, {inbound.COUNTED} AS counted, {inbound.COUNTED_FROM} AS due_on
        FROM wanted k JOIN inbound_lines l ON l.sku = k.sku AND l.received < l.quantity
        JOIN inbound i ON i.reference = l.reference JOIN node n ON n.node_id = i.node_id
        WHERE {inbound.OPEN} AND (i.kind <> 'transfer' OR i.status = 'in_transit')) line
    WHERE counted > 0 AND due_on IS NOT NULL GROUP BY sku, node_id, due_on
)
SELECT d.sku, d.node_id, d.due_on, d.units, coalesce({_FREE}, 0) AS free, {{buffer}} AS buffer, {{share}} AS share
FROM due d LEFT JOIN stock s ON s.sku = d.sku AND s.node_id = d.node_id {{rules_of_due}}
ORDER BY d.sku, d.due_on, d.node_id
"""
_UNRULED = {
    "columns": "",
    "rules_of_node": "",
    "rules_of_sku": "",
    "rules": "",
    "rules_of_due": "",
    "units": terms.allowed(_FREE, "0", "100"),
    "buffer": "0",
    "share": "100",
}
_RULE = "LEFT JOIN channel_rules {0} ON {0}.channel = CAST(:channel AS text) AND {0}.sku = {1} AND {0}.node_id = {2}"
_RULED = {
    "columns": ", r.buffer, r.share, r.excluded",
    "rules_of_node": _RULE.format("r", "''", "n.node_id"),
    "rules_of_sku": _RULE.format("r", "k.sku", "''"),
    "rules": _RULE.format("rule_1", "s.sku", "s.node_id") + "\n" + _RULE.format("rule_4", "''", "''"),
    "rules_of_due": terms.rules(row="d"),
    "units": terms.allowed(_FREE),
    "buffer": terms.BUFFER,
    "share": terms.SHARE,
}
_STATEMENTS = {
    (form, ruled): text(form.format(**parts))
    for form in (_BALANCES, _SUMS, _ARRIVALS)
    for ruled, parts in ((False, _UNRULED), (True, _RULED))
}
"""Each statement without and with a channel's rules, which most channels do not have."""


def _scope(asked: AvailabilityRequest, skus: Sequence[Sku], nodes: Sequence[Node]) -> dict[str, Any]:
    """The parameters of all three. A SKU is released at a node by the day of the node's own calendar."""
    return {
        "channel": asked.channel,
        "nodes": [node.id for node in nodes],
        "days": [asked.at.astimezone(node.zone).date() for node in nodes],
        "skus": [sku.id for sku in skus],
        "releases": [sku.release_on for sku in skus],
    }
