"""Second looks: unbegun work as the database knows it, the change of it, and what the orders' processes are told.

A change is one transaction over all orders it concerns. It waits for nobody: an order or a fulfilment that somebody
else is busy with, or that was begun or cancelled meanwhile, makes the whole change void, and it is tried another time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom import ids
from dom.network import ShippingMethod
from dom.ofl.models import Demand, DemandLine, Snapshot
from dom.ofl.second_look import Change, Held, Joint, Unbegun
from dom.orders import REPLAY_TAG
from dom.status import UNBEGUN, SourcingCause
from store import decisions, exceptions, fulfilments, sourcing, stock, timeline
from store.networks import Network
from store.planning import Planned
from store.reference import Reference, ReferenceCache
from store.rows import listed, to_json
from store.waiting import queue

_UNBEGUN_WORK: Final = listed(UNBEGUN)
TELL_AGAIN_SECONDS: Final = 60
"""A process that was told and has not taken the change in for so long is told again: it may have been away."""
_TOLD_AT_ONCE: Final = 200


class Outdated(Exception):
    """The work is not any more what the change was made for, or somebody is busy with it."""


# --- what is looked at -----------------------------------------------------------------------------------------------

# What the customer collects stays where it is to be collected. An order whose process has not taken in the last change
# is left alone until it has.
_ORDERS = text(f"""
SELECT f.order_id FROM fulfilments f
WHERE f.status IN ({_UNBEGUN_WORK}) AND f.method <> 'pickup' AND f.order_id > :after
  AND (CAST(:skus AS text[]) IS NULL OR EXISTS (
      SELECT FROM fulfilment_lines l WHERE l.fulfilment_id = f.id AND l.quantity > 0 AND l.sku = ANY(:skus)))
  AND NOT EXISTS (SELECT FROM second_looks s WHERE s.order_id = f.order_id AND s.taken_in_at IS NULL)
GROUP BY f.order_id ORDER BY f.order_id LIMIT :most
""")


async def orders(
    connection: AsyncConnection, *, skus: Iterable[str] | None, after: str = "", most: int = 100
) -> list[str]:
    """Orders with work that no node has begun, by id: those with one of the SKUs in it, or (None) all of them."""
    asked = None if skus is None else sorted(skus)
    return list(await connection.scalars(_ORDERS, {"skus": asked, "after": after, "most": most}))


_UNBEGUN = text(f"""
SELECT o.id, d.demand, x.excluded,
       jsonb_agg(jsonb_build_object(
           'id', f.id, 'node_id', f.node_id, 'ship_day', f.ship_day, 'method', f.method, 'latest', f.promise_latest,
           'lines', l.lines) ORDER BY f.id) AS held
FROM orders o
JOIN fulfilments f ON f.order_id = o.id AND f.status IN ({_UNBEGUN_WORK}) AND f.method <> 'pickup'
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(fl.line_id, fl.sku, fl.quantity, ol.unit_price) ORDER BY fl.line_id) AS lines
    FROM fulfilment_lines fl JOIN order_lines ol USING (order_id, line_id)
    WHERE fl.fulfilment_id = f.id AND fl.quantity > 0) l
CROSS JOIN LATERAL (
    SELECT document->'demand' AS demand FROM sourcing_decisions WHERE order_id = o.id ORDER BY attempt DESC LIMIT 1) d
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT n.node) AS excluded FROM sourcing_decisions e
    CROSS JOIN LATERAL jsonb_array_elements_text(e.document->'demand'->'excluded_nodes') AS n (node)
    WHERE e.order_id = o.id) x
WHERE o.id = ANY(:ids) AND l.lines IS NOT NULL
GROUP BY o.id, d.demand, x.excluded ORDER BY o.id
""")


async def unbegun(
    connection: AsyncConnection, order_ids: Sequence[str], now: datetime, *, replaying: bool = False
) -> list[Unbegun]:
    """The orders' unbegun work, asked for again as of now; what is replayed, as of its own time."""
    rows = (await connection.execute(_UNBEGUN, {"ids": list(order_ids)})).mappings()
    return [_unbegun(row, now, replaying) for row in rows]


def _unbegun(row: RowMapping, now: datetime, replaying: bool) -> Unbegun:
    known = Demand.model_validate(row["demand"])
    lines: dict[str, DemandLine] = {}
    for each in row["held"]:
        for line_id, sku, quantity, unit_price in each["lines"]:
            units = quantity + (lines[line_id].quantity if line_id in lines else 0)
            lines[line_id] = DemandLine(line_id=line_id, sku=sku, quantity=units, unit_price=unit_price)
    asked = {
        "as_of": known.as_of if replaying and REPLAY_TAG in known.tags else now,
        "lines": tuple([lines[line_id] for line_id in sorted(lines)]),
        "excluded_nodes": frozenset(row["excluded"] or ()),
        "deliver_by": max([datetime.fromisoformat(each["latest"]) for each in row["held"]]),
    }
    demand = Demand.model_validate({**dict(known), **asked})
    return Unbegun(demand, tuple([_held(each) for each in row["held"]]))


def _held(document: Mapping[str, Any]) -> Held:
    units: dict[str, int] = {}
    for _, sku, quantity, _ in document["lines"]:
        units[sku] = units.get(sku, 0) + quantity
    day = datetime.fromisoformat(document["ship_day"]).date()
    return Held(document["id"], document["node_id"], day, ShippingMethod(document["method"]), units)


async def worlds(
    connection: AsyncConnection, cache: ReferenceCache, orders: Sequence[Unbegun]
) -> tuple[dict[str, Snapshot], Reference]:
    """What the planner may see for the orders, by channel, and the reference data it came with."""
    skus = sorted({line.sku for order in orders for line in order.demand.lines})
    moments = [order.demand.as_of for order in orders]
    found: dict[str, Snapshot] = {}
    for demand in (order.demand for order in orders):
        if demand.channel not in found:
            found[demand.channel], reference, _ = await sourcing.snapshot(
                connection,
                cache,
                channel=demand.channel,
                skus=skus,
                country=demand.country,
                postal_code="",
                first_day=(min(moments) - timedelta(days=1)).date(),
                last_day=(max(moments) + timedelta(days=sourcing.HORIZON_DAYS)).date(),
                taken_at=max(moments),
            )
    return found, reference


# --- the change ------------------------------------------------------------------------------------------------------

_LOCK_ORDERS = text("SELECT id FROM orders WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED")
# Whoever advances a fulfilment holds its row before the order's, so nobody waits here.
_LOCK_WORK = text(f"""
SELECT id, released_at FROM fulfilments WHERE id = ANY(:ids) AND status IN ({_UNBEGUN_WORK})
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
""")
_UNITS = text("""
SELECT fulfilment_id, line_id, sku, quantity FROM fulfilment_lines
WHERE fulfilment_id = ANY(:ids) AND quantity > 0 ORDER BY fulfilment_id, line_id
""")
_RECALL = text("UPDATE fulfilments SET status = 'recalled', reason = :reason, updated_at = now() WHERE id = ANY(:ids)")
_WRITE = text("""
INSERT INTO second_looks (order_id, number, document, saving)
VALUES (:order_id, :number, CAST(:document AS jsonb), :saving)
""")
_NUMBER = text("SELECT coalesce(max(number), 0) + 1 FROM second_looks WHERE order_id = :order_id")
_REASON: Final = "a second look found a better plan"


async def change(connection: AsyncConnection, joint: Joint, network: Network) -> None:
    """Make the changes, all in this transaction. Raises Outdated or OutOfReach; the transaction must then end."""
    recalled = [held.fulfilment_id for each in joint.changes for held in each.order.held]
    await _lock(connection, joint, recalled)
    rows = (await connection.execute(_LOCK_WORK, {"ids": recalled})).all()
    units = (await connection.execute(_UNITS, {"ids": recalled})).all()
    if len(rows) < len(recalled) or not _as_planned(joint, units):
        raise Outdated
    await queue.lock_balances(connection, [], also=_balances(joint))
    for each in joint.changes:
        await _let_go(connection, each, units)
    await connection.execute(_RECALL, {"ids": recalled, "reason": _REASON})
    released_at = {row.id: row.released_at for row in rows}
    for each in joint.changes:
        await _put(connection, each, network, min([released_at[held.fulfilment_id] for held in each.order.held]))


async def _lock(connection: AsyncConnection, joint: Joint, recalled: Sequence[str]) -> None:
    order_ids = [each.order.order_id for each in joint.changes]
    locked = list(await connection.scalars(_LOCK_ORDERS, {"ids": order_ids}))
    if len(locked) < len(order_ids) or not recalled:
        raise Outdated


def _as_planned(joint: Joint, units: Sequence[Row[Any]]) -> bool:
    """Whether the fulfilments hold exactly what the change was planned for."""
    there: dict[tuple[str, str], int] = {}
    for row in units:
        key = (row.fulfilment_id, row.sku)
        there[key] = there.get(key, 0) + row.quantity
    return there == {
        (held.fulfilment_id, sku): count
        for each in joint.changes
        for held in each.order.held
        for sku, count in held.units.items()
    }


def _balances(joint: Joint) -> list[tuple[str, str]]:
    old = {balance for each in joint.changes for balance in each.order.units}
    new = {(s.node_id, line.sku) for each in joint.changes for s in each.decision.shipments for line in s.lines}
    return sorted(old | new)


async def _let_go(connection: AsyncConnection, change: Change, units: Sequence[Row[Any]]) -> None:
    """What the order's fulfilments hold becomes free, for this transaction to deal out."""
    at = change.order.demand.as_of
    for held in change.order.held:
        await stock.release(
            connection,
            change.order.order_id,
            held.fulfilment_id,
            {row.line_id: row.quantity for row in units if row.fulfilment_id == held.fulfilment_id},
            business_key=f"{held.fulfilment_id}:recalled",
            reason=_REASON,
            actor="ofl",
            at=at,
        )
        await stock.give_day_back(connection, stock.WorkDay(held.node_id, held.ship_day, held.service))


async def _put(connection: AsyncConnection, change: Change, network: Network, released_at: datetime) -> None:
    """The order's new fulfilments with their units, and all that is told of them.

    They are released when the ones they replace would have been, or at once.
    """
    order_id, decision, at = change.order.order_id, change.decision, change.order.demand.as_of
    first = await fulfilments.next_number(connection, order_id)
    number = int(await connection.scalar(_NUMBER, {"order_id": order_id}) or 1)
    key = decisions.second_look_key(number)
    hold = max(released_at - at, timedelta())
    await fulfilments.release(connection, decision, first, at, hold)
    planned = Planned(change.order.demand, change.snapshot, network, decision, hold)
    await decisions.record(
        connection, planned, business_key=key, cause=SourcingCause.SECOND_LOOK, first_fulfilment=first
    )
    document = _told(change, first)
    await timeline.append(
        connection, timeline.Event(order_id, "second_look", key, "ofl", at, "", _story(change, first))
    )
    await connection.execute(
        _WRITE,
        {"order_id": order_id, "number": number, "document": to_json(document), "saving": change.saving},
    )
    units = fulfilments.planned_units(decision, first)
    days = [stock.WorkDay(s.node_id, s.ship_day, s.service) for s in decision.shipments]
    await stock.reserve(connection, order_id, change.order.demand.channel, units, days, at, dict(change.order.units))


def _told(change: Change, first: int) -> dict[str, Any]:
    """What the order's process is told: the fulfilments taken back, and the new ones with their units by line."""
    return {
        "recalled": [held.fulfilment_id for held in change.order.held],
        "released": [
            {
                "fulfilment_id": ids.fulfilment_id(change.order.order_id, number),
                "node_id": shipment.node_id,
                "pickup": False,
                "lines": {line.line_id: line.quantity for line in shipment.lines},
            }
            for number, shipment in enumerate(change.decision.shipments, first)
        ],
    }


def _story(change: Change, first: int) -> dict[str, Any]:
    told = _told(change, first)
    return {
        "policy_version": change.decision.policy_version,
        "cost": change.decision.cost,
        "before": change.before,
        "saving": change.saving,
        "currency": change.decision.currency,
        "recalled": {held.fulfilment_id: held.node_id for held in change.order.held},
        "fulfilments": {each["fulfilment_id"]: each["node_id"] for each in told["released"]},
    }


# --- telling the orders' processes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class News:
    """An order's process is to be told that its work was changed; `number` is the last change."""

    order_id: str
    number: int


_UNTOLD = text("""
SELECT order_id, max(number) AS number FROM second_looks
WHERE taken_in_at IS NULL
  AND coalesce(told_at <= statement_timestamp() - make_interval(secs => :again), true)
GROUP BY order_id ORDER BY min(told_at) NULLS FIRST, order_id LIMIT :most
""")
_TOLD = text("""
UPDATE second_looks SET told_at = statement_timestamp() WHERE order_id = ANY(:ids) AND taken_in_at IS NULL
""")
_TAKE_IN = text("""
UPDATE second_looks SET taken_in_at = coalesce(taken_in_at, statement_timestamp())
WHERE order_id = :order_id AND number > :after RETURNING number, document
""")


async def untold(connection: AsyncConnection, again: float = TELL_AGAIN_SECONDS) -> list[News]:
    """Processes that are to be told now; at most 200 at once."""
    rows = await connection.execute(_UNTOLD, {"again": again, "most": _TOLD_AT_ONCE})
    return [News(row.order_id, row.number) for row in rows]


async def told(connection: AsyncConnection, order_ids: Sequence[str]) -> None:
    """They were told."""
    if order_ids:
        await connection.execute(_TOLD, {"ids": list(order_ids)})


async def taken_in(connection: AsyncConnection, order_id: str, after: int) -> list[tuple[int, dict[str, Any]]]:
    """The changes after that number in their sequence, which the order's process has from now on."""
    rows = await connection.execute(_TAKE_IN, {"order_id": order_id, "after": after})
    return sorted([(row.number, row.document) for row in rows], key=lambda found: found[0])


async def gone(connection: AsyncConnection, order_id: str) -> None:
    """No process runs for the order: a person has to look at it."""
    for number, _ in await taken_in(connection, order_id, 0):
        key = f"{order_id}:{decisions.second_look_key(number)}"
        detail = "the order's work was given to other nodes, but no process runs for the order"
        await exceptions.open_(connection, order_id, "second_look_gone", key, detail)
