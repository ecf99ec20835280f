"""Reservations against what they are for: orders and their fulfilments, soft reservations' headers."""

from typing import Final

from sqlalchemy import RowMapping

from dom.orders.status import BEFORE_HAND_OVER, FINAL_ORDER, LEFT_NODE, NOTHING_RESERVED, FulfilmentStatus, OrderStatus
from store.database.parameters import listed
from store.enums import ReservationKind, ReservationStatus
from store.fulfilment.places import PLACE
from store.reconcile.differences import StockDifference, StockFault, Subject, SubjectKind, of_balance

_ENDED: Final = listed(NOTHING_RESERVED)
_OPEN: Final = listed(BEFORE_HAND_OVER)
_KNOWN: Final = listed(FulfilmentStatus)
_LEFT: Final = listed(LEFT_NODE)
_OVER: Final = listed(FINAL_ORDER)
_KINDS: Final = listed(ReservationKind)
_STATUSES: Final = listed(ReservationStatus)
_LET_GO: Final = listed(set(ReservationStatus) - {ReservationStatus.ACTIVE})


def stale_firm(place: str = "true") -> str:
    """Active firm reservations that do not stand for units of an open fulfilment, each with its fault.

    `wanted` is what the reservation should hold here. `gone`: the fulfilment's goods left the node, and no ledger entry
    says so; `left_at` is when.
    """
    return f"""
SELECT r.id, r.node_id, r.sku, r.quantity, r.order_id, r.fulfilment_id, r.line_id, o.id IS NOT NULL AS has_order,
       f.status AS fulfilment_status, f.updated_at AS left_at, v.fault,
       CASE WHEN v.fault = '{StockFault.FIRM_QUANTITY}' THEN greatest(coalesce(l.quantity, 0), 0) ELSE 0 END AS wanted,
       coalesce(v.fault = '{StockFault.FIRM_OF_ENDED_FULFILMENT}' AND f.status IN ({_LEFT}) AND NOT EXISTS (
           SELECT FROM stock_ledger e WHERE e.business_key = r.fulfilment_id || '/ship'
           AND e.node_id = r.node_id AND e.sku = r.sku), false) AS gone
FROM (SELECT *, row_number() OVER (PARTITION BY fulfilment_id, line_id, node_id, sku ORDER BY id) AS copy
      FROM reservations WHERE kind = 'firm' AND status = 'active' AND {place}) r
LEFT JOIN orders o ON o.id = r.order_id
LEFT JOIN fulfilments f ON f.id = r.fulfilment_id
LEFT JOIN fulfilment_lines l ON l.fulfilment_id = r.fulfilment_id AND l.line_id = r.line_id
CROSS JOIN LATERAL (SELECT CASE
    WHEN o.id IS NULL THEN '{StockFault.FIRM_OF_NO_ORDER}'
    WHEN f.id IS NULL THEN '{StockFault.FIRM_OF_NO_FULFILMENT}'
    WHEN f.status IN ({_ENDED}) THEN '{StockFault.FIRM_OF_ENDED_FULFILMENT}'
    WHEN o.status IN ({_OVER}) THEN '{StockFault.FIRM_OF_ENDED_ORDER}'
    WHEN coalesce(f.status NOT IN ({_KNOWN}), true) THEN NULL
    WHEN {PLACE} IS DISTINCT FROM r.node_id OR l.sku <> r.sku OR f.order_id IS DISTINCT FROM r.order_id
        THEN '{StockFault.FIRM_ELSEWHERE}'
    WHEN r.copy > 1 THEN '{StockFault.FIRM_TWICE}'
    WHEN r.quantity IS DISTINCT FROM l.quantity THEN '{StockFault.FIRM_QUANTITY}' END AS fault) v
WHERE v.fault IS NOT NULL ORDER BY r.node_id, r.sku, r.id"""


def missing_firm(place: str = "true") -> str:
    """Units of open fulfilments of orders that go on, for which nothing is reserved; the oldest work first.

    `left`: the ledger says that the fulfilment's goods went, so there is nothing to reserve.
    """
    return f"""
SELECT * FROM (
    SELECT {PLACE} AS node_id, l.sku, l.quantity, f.order_id, f.id AS fulfilment_id, l.line_id,
           f.status AS fulfilment_status, f.released_at, EXISTS (
               SELECT FROM stock_ledger e WHERE e.business_key = f.id || '/ship' AND e.node_id = {PLACE}
               AND e.sku = l.sku) AS left
    FROM fulfilments f JOIN orders o ON o.id = f.order_id JOIN fulfilment_lines l ON l.fulfilment_id = f.id
    WHERE f.status IN ({_OPEN}) AND l.quantity > 0 AND coalesce(o.status NOT IN ({_OVER}), true)
      AND NOT EXISTS (SELECT FROM reservations r WHERE r.fulfilment_id = f.id AND r.line_id = l.line_id
                      AND r.kind = 'firm' AND r.status = 'active')) missing
WHERE {place} ORDER BY node_id, sku, released_at, fulfilment_id, line_id"""


def stale_soft(place: str = "true") -> str:
    """Active soft reservations that hold units for nobody, and reservations of a kind or status nobody knows.

    What lapsed holds nothing and is no fault: the next reservation of the place reclaims it.
    """
    return f"""
SELECT r.id, r.node_id, r.sku, r.quantity, r.kind, r.status, r.soft_id, h.status AS header_status, v.fault
FROM (SELECT * FROM reservations WHERE {place}
      AND ((kind = 'soft' AND status = 'active') OR coalesce(kind NOT IN ({_KINDS}), true)
           OR coalesce(status NOT IN ({_STATUSES}), true))) r
LEFT JOIN soft_reservations h ON h.id = r.soft_id
CROSS JOIN LATERAL (SELECT CASE
    WHEN coalesce(r.kind NOT IN ({_KINDS}) OR r.status NOT IN ({_STATUSES}), true)
        THEN CASE WHEN r.status IN ({_LET_GO}) THEN NULL
                  ELSE '{StockFault.RESERVATION_UNKNOWN}' END
    WHEN r.expires_at IS NULL THEN '{StockFault.SOFT_WITHOUT_END}'
    WHEN coalesce(r.quantity <= 0, true) THEN '{StockFault.SOFT_QUANTITY}'
    WHEN r.expires_at <= statement_timestamp() THEN NULL
    WHEN h.id IS NULL THEN '{StockFault.SOFT_WITHOUT_HEADER}'
    WHEN h.status IS DISTINCT FROM 'active' THEN '{StockFault.SOFT_OF_ENDED_HEADER}' END AS fault) v
WHERE v.fault IS NOT NULL ORDER BY r.node_id, r.sku, r.id"""


UNKNOWN_STATUSES: Final = f"""
SELECT 'fulfilment' AS what, f.id, f.order_id, f.status FROM fulfilments f
WHERE coalesce(f.status NOT IN ({_KNOWN}), true)
UNION ALL
SELECT 'order', o.id, o.id, o.status FROM orders o WHERE coalesce(o.status NOT IN ({listed(OrderStatus)}), true)
ORDER BY 1, 2"""
"""Orders and fulfilments in a status that says nothing about what they hold."""

LAPSED: Final = """
SELECT count(*) FROM reservations r
WHERE r.kind = 'soft' AND r.status = 'active' AND r.expires_at <= statement_timestamp()"""

_WHY: Final = {
    StockFault.FIRM_OF_NO_ORDER: "there is no such order",
    StockFault.FIRM_OF_NO_FULFILMENT: "there is no such fulfilment",
    StockFault.FIRM_OF_ENDED_ORDER: "the order is over",
    StockFault.FIRM_TWICE: "the line is reserved already",
    StockFault.FIRM_ELSEWHERE: "the fulfilment's line is of another node, SKU or order",
    StockFault.SOFT_WITHOUT_HEADER: "there is no such soft reservation",
    StockFault.SOFT_WITHOUT_END: "it would never expire",
    StockFault.SOFT_QUANTITY: "it holds nothing",
}


def of_firm(row: RowMapping) -> StockDifference:
    """A row of `stale_firm` in words."""
    fault = StockFault(row["fault"])
    holds = f"{row['quantity']} reserved for {row['order_id']}"
    if fault is StockFault.FIRM_QUANTITY:
        detail, mend = f"{holds}, the line is for {row['wanted']}", _to_quantity(row)
    elif fault is StockFault.FIRM_OF_ENDED_FULFILMENT:
        detail = f"{holds}, the fulfilment is {row['fulfilment_status']}"
        mend = "consumed: the units left the node" if row["gone"] else "released"
    else:
        detail, mend = f"{holds}, {_WHY[fault]}", "released"
    about = f"{row['fulfilment_id']} line {row['line_id']}"
    return StockDifference(fault, of_balance(row["node_id"], row["sku"]), detail, mend, about)


def _to_quantity(row: RowMapping) -> str:
    more = row["wanted"] - max(row["quantity"] or 0, 0)
    return f"{more} more taken if they are free" if more > 0 else f"lowered to {row['wanted']}"


def of_missing(row: RowMapping) -> StockDifference:
    """A row of `missing_firm` in words."""
    detail = f"{row['quantity']} wanted by a fulfilment that is {row['fulfilment_status']}, none reserved"
    mend = "none: the ledger says that they left" if row["left"] else "taken if they are free"
    about = f"{row['fulfilment_id']} line {row['line_id']}"
    return StockDifference(StockFault.FIRM_MISSING, of_balance(row["node_id"], row["sku"]), detail, mend, about)


def of_soft(row: RowMapping) -> StockDifference:
    """A row of `stale_soft` in words."""
    fault = StockFault(row["fault"])
    if fault is StockFault.RESERVATION_UNKNOWN:
        detail = f"{row['quantity']} of kind {row['kind']}, status {row['status']}"
    elif fault is StockFault.SOFT_OF_ENDED_HEADER:
        detail = f"{row['quantity']} held, the soft reservation is {row['header_status']}"
    else:
        detail = f"{row['quantity']} held, {_WHY[fault]}"
    about = f"reservation {row['id']} of {row['soft_id'] or 'nobody'}"
    return StockDifference(fault, of_balance(row["node_id"], row["sku"]), detail, "released", about)


def of_unknown_status(row: RowMapping) -> StockDifference:
    """A row of `UNKNOWN_STATUSES` in words."""
    fault = StockFault.ORDER_STATUS_UNKNOWN if row["what"] == "order" else StockFault.FULFILMENT_STATUS_UNKNOWN
    subject = Subject(SubjectKind.ORDER, (row["order_id"],))
    return StockDifference(
        fault, subject, f"status {row['status']}", "none: a person must say what it is", row["id"] or "?"
    )
