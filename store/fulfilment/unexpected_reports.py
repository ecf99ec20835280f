"""Reports out of turn: what nodes and carriers say that cannot be true of a fulfilment any more.

Each is kept once a fact, in the order's timeline, and put before a person with the units it is about, where they are,
and what it means for the node's balance.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.fulfilment.carrier_reports import fact, on_hand
from dom.orders.events import EventKind, UnexpectedReportData
from dom.orders.status import CarrierEventKind, FulfilmentStatus
from store import exceptions
from store.fulfilment.places import LAST_PLACE
from store.orders import timeline


@dataclass(frozen=True, slots=True)
class UnexpectedReport:
    """A node's step, or a carrier's report of a shipment (`shipment_id`).

    With `if_goods_moved` a person hears of it only if the node's balance is wrong if it is true; otherwise it stands in
    the timeline alone.
    """

    fulfilment_id: str
    report: str
    actor: str
    occurred_at: datetime
    shipment_id: str | None = None
    if_goods_moved: bool = False


# Units of a fulfilment that was cancelled are not in its lines any more: the ledger says what was given back.
_ABOUT = text(f"""
SELECT f.id, f.order_id, {LAST_PLACE} AS node_id, f.status, s.id AS shipment_id, s.tracking_number,
       s.status AS shipment_status,
       coalesce(s.booking->'units', (
           SELECT jsonb_object_agg(u.sku, u.units) FROM (
               SELECT g.sku, sum(g.units) AS units FROM (
                   SELECT l.sku, l.quantity AS units FROM fulfilment_lines l
                   WHERE l.fulfilment_id = f.id AND l.quantity > 0
                   UNION ALL
                   SELECT e.sku, -e.reserved_delta FROM timeline t
                   JOIN stock_ledger e ON e.business_key = f.id || ':' || t.business_key
                   WHERE t.order_id = f.order_id
                     AND t.kind IN ('{EventKind.CANCELLED}', '{EventKind.FULFILMENT_DELIVERED}',
                                    '{EventKind.FULFILMENT_READY}')) g
               GROUP BY g.sku) u), '{{}}') AS units,
       s.id IS NULL OR s.status <> 'voided' AND NOT EXISTS (
           SELECT FROM shipment_fulfilments o JOIN shipments later ON later.id = o.shipment_id
           WHERE o.fulfilment_id = f.id AND later.status <> 'voided' AND later.booked_at > s.booked_at) AS stands,
       (SELECT jsonb_agg(jsonb_build_object('fulfilment_id', r.id, 'node_id', r.node_id, 'status', r.status)
                         ORDER BY r.id)
        FROM fulfilments r WHERE r.order_id = f.order_id AND r.id <> f.id AND r.status <> ALL(:gone)
          AND EXISTS (SELECT FROM fulfilment_lines a JOIN fulfilment_lines b USING (line_id)
                      WHERE a.fulfilment_id = f.id AND b.fulfilment_id = r.id AND b.quantity > 0)) AS others
FROM fulfilments f LEFT JOIN shipments s ON s.id = CAST(:shipment_id AS text)
WHERE f.id = :fulfilment_id
""")
_ENDED_UNDELIVERED: Final = [
    FulfilmentStatus.REJECTED,
    FulfilmentStatus.CANCELLED,
    FulfilmentStatus.LOST,
    FulfilmentStatus.RETURNED,
    FulfilmentStatus.RECALLED,
]


async def note(connection: AsyncConnection, report: UnexpectedReport) -> bool:
    """Keep a report and open its exception. False if it was noted before, or is of nothing.

    For a transaction.
    """
    row = await _about(connection, report)
    if row is None:
        return False
    status = FulfilmentStatus(row["status"])
    about = _data(row, report, status)
    event = timeline.Event(
        row["order_id"],
        EventKind.REPORT_OUT_OF_TURN,
        _key(report, status),
        report.actor,
        report.occurred_at,
        UnexpectedReportData.model_validate(about),
    )
    if not await timeline.append(connection, event):
        return False
    if not report.if_goods_moved or about["on_hand"] != "unchanged":
        await exceptions.open_(
            connection,
            row["order_id"],
            ExceptionKind.REPORT_OUT_OF_TURN,
            event.business_key,
            _detail(report, about),
            about,
        )
    return True


async def _about(connection: AsyncConnection, report: UnexpectedReport) -> RowMapping | None:
    names = {"fulfilment_id": report.fulfilment_id, "shipment_id": report.shipment_id, "gone": _ENDED_UNDELIVERED}
    return (await connection.execute(_ABOUT, names)).mappings().one_or_none()


def _key(report: UnexpectedReport, status: FulfilmentStatus) -> str:
    """A carrier may report the same of the same booking many times, whatever became of the fulfilment meanwhile."""
    if report.shipment_id is None:
        return f"{report.fulfilment_id}:stray:{report.report}:{status}"
    return f"{report.fulfilment_id}:stray:{report.shipment_id}:{fact(CarrierEventKind(report.report))}"


def _data(row: RowMapping, report: UnexpectedReport, status: FulfilmentStatus) -> dict[str, Any]:
    about: dict[str, Any] = {
        "fulfilment_id": report.fulfilment_id,
        "report": report.report,
        "status": status,
        "node_id": row["node_id"],
        "units": row["units"],
        "on_hand": on_hand(status, report.report, stands=row["stands"]),
    }
    if row["shipment_id"] is not None:
        about |= {name: row[name] for name in ("shipment_id", "tracking_number", "shipment_status")}
    if _came_after_all(report, status) and row["others"]:
        about["replaced_by"] = row["others"]
    return about


def _came_after_all(report: UnexpectedReport, status: FulfilmentStatus) -> bool:
    return status is FulfilmentStatus.LOST and report.report == CarrierEventKind.DELIVERED


def _detail(report: UnexpectedReport, about: dict[str, Any]) -> str:
    parcel = f" (parcel {about['tracking_number']})" if "tracking_number" in about else ""
    said = [f"{report.actor} reported {report.report} for {report.fulfilment_id}{parcel}, which is {about['status']}"]
    if about.get("shipment_status") == "voided":
        said.append("the booking was taken back")
    units = ", ".join(f"{quantity} x {sku}" for sku, quantity in sorted(about["units"].items()))
    node = about["node_id"]
    if about["on_hand"] == "too high":
        said.append(f"if it is true, {node} counts {units} on hand that left: take them out with an adjustment")
    elif about["on_hand"] == "too low":
        said.append(f"if it is true, {units} are back at {node} and not counted: take them in with an adjustment")
    if replacements := about.get("replaced_by"):
        named = ", ".join(f"{each['fulfilment_id']} ({each['status']})" for each in replacements)
        said.append(
            f"{named} has units in its place; while they have not left, POST /v1/fulfilments/{report.fulfilment_id}"
            "/arrived takes them back and counts this parcel as delivered"
        )
    return "; ".join(said)
