"""An order's units as the store holds them: what `dom.orders.transitions` decides on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.asked import AskedOf, OpenCancellation
from dom.orders.events import EventKind
from dom.orders.holds import BlockedStep, Hold
from dom.orders.lifecycle import FulfilmentState, LineState, OrderState
from dom.orders.pickup import Pickup
from dom.orders.status import FulfilmentStatus

# The keys of fulfilments' steps are <fulfilment>:<number>:<status>, those of cancellations cancelled:<number>.
COLUMNS: Final = rf"""
       (SELECT jsonb_agg(jsonb_build_array(line_id, sku, quantity, unit_price, cancelled, backordered)
                         ORDER BY position)
        FROM order_lines WHERE order_id = :id) AS lines,
       (SELECT jsonb_agg(jsonb_build_object(
                'id', f.id, 'node_id', f.node_id, 'pickup', f.method = 'pickup', 'status', f.status,
                'ship_by', f.ship_by, 'pickup_node', f.pickup_node,
                'comes_back', EXISTS (SELECT FROM returns r WHERE r.fulfilment_id = f.id), 'lines', (
                    SELECT jsonb_object_agg(l.line_id, l.quantity) FROM fulfilment_lines l
                    WHERE l.fulfilment_id = f.id)) ORDER BY length(f.id), f.id)
        FROM fulfilments f WHERE f.order_id = :id) AS fulfilments,
       (SELECT jsonb_object_agg(c.fulfilment_id, to_jsonb(c)) FROM collections c
        WHERE c.order_id = :id) AS collections,
       (SELECT jsonb_object_agg(id, steps) FROM (
            SELECT substring(business_key FROM '^(.+-F[0-9]+):[0-9]+:[a-z_]+$') AS id,
                   max(substring(business_key FROM ':([0-9]+):[a-z_]+$')::int) AS steps
            FROM timeline WHERE order_id = :id AND kind LIKE 'fulfilment\_%' GROUP BY 1) s
        WHERE id IS NOT NULL) AS steps,
       (SELECT jsonb_object_agg(id, packings) FROM (
            SELECT data->>'fulfilment_id' AS id, count(*) AS packings
            FROM timeline WHERE order_id = :id AND kind = 'fulfilment_packed' GROUP BY 1) p) AS packings,
       (SELECT jsonb_object_agg(data->>'fulfilment_id', data) FROM timeline
        WHERE order_id = :id AND kind = '{EventKind.FULFILMENT_PICKED}') AS picks,
       (SELECT jsonb_agg(data->>'fulfilment_id') FROM timeline
        WHERE order_id = :id AND kind = '{EventKind.RESHIPPED}') AS reshipped,
       (SELECT coalesce(max(substring(business_key FROM '^cancelled:([0-9]+)$')::int), 0)
        FROM timeline WHERE order_id = :id AND kind = '{EventKind.CANCELLED}') AS cancellations,
       (SELECT jsonb_agg(jsonb_build_object('id', id, 'type', type, 'blocks', blocks, 'due_at', due_at,
                                            'release_at', release_at, 'overdue', overdue) ORDER BY length(id), id)
        FROM order_holds WHERE order_id = :id AND released_at IS NULL) AS holds,
       (SELECT count(*) FROM order_holds WHERE order_id = :id) AS holds_placed,
       (SELECT revision FROM orders WHERE id = :id) AS revision,
       (SELECT priority FROM orders WHERE id = :id) AS priority,
       (SELECT jsonb_agg(jsonb_build_object('id', id, 'fulfilment_id', fulfilment_id, 'units', units,
                                            'answer_by', answer_by, 'reason', reason,
                                            'asked_of', asked_of) ORDER BY length(id), id)
        FROM cancellation_requests WHERE order_id = :id AND status = 'asked') AS asked,
       (SELECT count(*) FROM cancellation_requests WHERE order_id = :id) AS ever_asked"""
"""What a statement has to select of the order `:id` for `of_row`."""
_READ: Final = text(f"SELECT {COLUMNS}")


async def read(connection: AsyncConnection, order_id: str) -> OrderState:
    """The order's units as they stand, fulfilments in the sequence in which they were made; no lines if there is no
    such order. Lock the order first, if anything is to follow from them.
    """
    return of_row(order_id, (await connection.execute(_READ, {"id": order_id})).one())


def of_row(order_id: str, row: Row[Any]) -> OrderState:
    """The order's units of a row with `COLUMNS`."""
    steps, packings, picks = row.steps or {}, row.packings or {}, row.picks or {}
    collections = row.collections or {}
    lines = [LineState(*line) for line in row.lines or ()]
    fulfilments = [
        FulfilmentState(
            id=each["id"],
            node_id=each["node_id"],
            pickup=each["pickup"],
            lines=each["lines"] or {},
            status=FulfilmentStatus(each["status"]),
            steps=steps.get(each["id"], 0),
            packings=packings.get(each["id"], 0),
            found=picks.get(each["id"], {}).get("found"),
            missing=picks.get(each["id"], {}).get("missing", {}),
            reshipped=each["id"] in (row.reshipped or ()),
            comes_back=each["comes_back"],
            ship_by=_moment(each["ship_by"]),
            collection=_collection(collections.get(each["id"])),
            put_back=_put_back(collections.get(each["id"])),
            pickup_node=each["pickup_node"],
        )
        for each in row.fulfilments or ()
    ]
    return OrderState(
        order_id,
        {line.line_id: line for line in lines},
        {fulfilment.id: fulfilment for fulfilment in fulfilments},
        row.cancellations,
        {each["id"]: _hold(each) for each in row.holds or ()},
        row.holds_placed,
        row.revision or 0,
        {each["id"]: _asked(each) for each in row.asked or ()},
        row.ever_asked,
        row.priority,
    )


def _collection(each: Mapping[str, Any] | None) -> Pickup | None:
    if each is None or each["ended_at"] is not None:
        return None
    return Pickup.model_validate({name: each[name] for name in Pickup.model_fields})


def _put_back(each: Mapping[str, Any] | None) -> bool | None:
    if each is None or each["put_back_at"] is not None:
        return None if each is None else True
    return False if each["to_put_back"] else None


def _hold(each: Mapping[str, Any]) -> Hold:
    return Hold(
        id=each["id"],
        type=each["type"],
        blocks=frozenset(map(BlockedStep, each["blocks"])),
        due_at=_moment(each["due_at"]),
        release_at=_moment(each["release_at"]),
        overdue=each["overdue"],
    )


def _asked(each: Mapping[str, Any]) -> OpenCancellation:
    return OpenCancellation(
        id=each["id"],
        fulfilment_id=each["fulfilment_id"],
        units=each["units"],
        answer_by=datetime.fromisoformat(each["answer_by"]),
        reason=each["reason"],
        asked_of=AskedOf(each["asked_of"]),
    )


def _moment(text_: str | None) -> datetime | None:
    return None if text_ is None else datetime.fromisoformat(text_)
