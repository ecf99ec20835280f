"""A carrier's scans: written down, each event id once, and carried out for the orders that they concern."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dom.fulfilment.carrier_reports import ParcelReport, concerns
from dom.orders.status import FulfilmentStatus
from dom.shared import ids
from dom.shared.errors import DomError, NotFound
from services import carrier_reports
from services.change_orders import Writing
from store.delivery import shipments
from store.delivery.shipments import ParcelScan
from store.enums import ShipmentStatus
from store.fulfilment import unexpected_reports

AT_ONCE: Final = 4
"""Orders that reports are carried out for at the same time; those of one order in their sequence."""


async def take_in(
    engine: AsyncEngine, carrier: str, scans: Mapping[int, ParcelScan], writing: Writing
) -> dict[int, bool | DomError]:
    """Write scans down in one transaction, then carry out what they report, in one for each order.

    Answers, by the number each scan was given, whether it is new (False: a repeat) or why it is refused: NotFound for a
    parcel that is not ours, Conflict for an event id that stands for another scan.
    """
    taken: dict[int, bool | DomError] = {}
    untold: list[int] = []
    reports: list[ParcelReport] = []
    async with engine.begin() as connection:
        parcels, event_ids = {s.tracking_number for s in scans.values()}, {s.event_id for s in scans.values()}
        await shipments.hold(connection, carrier, parcels, event_ids)
        for number, scan in _in_sequence(scans):
            try:
                row = await _write(connection, scan)
            except DomError as error:
                taken[number] = error
                continue
            taken[number] = row["fresh"]
            # Of a repeat too: the first may have been written by a process that died before it could carry it out.
            if not row["told"]:
                untold.append(row["event"])
                reports += await _reports(connection, row, scan)
        if not reports:
            await shipments.mark_notified(connection, untold)
    if reports:
        await _carry_out(engine, reports, writing)
        async with engine.begin() as connection:
            await shipments.mark_notified(connection, untold)
    return taken


def _in_sequence(scans: Mapping[int, ParcelScan]) -> Iterator[tuple[int, ParcelScan]]:
    """In the sequence in which they happened. Of those with one event id the one that was sent first comes first."""
    first: dict[str, int] = {}
    for number, scan in scans.items():
        first.setdefault(scan.event_id, number)
    again = {number: first[scan.event_id] != number for number, scan in scans.items()}
    return iter(sorted(scans.items(), key=lambda each: (again[each[0]], each[1].occurred_at, each[0])))


async def _write(connection: AsyncConnection, scan: ParcelScan) -> dict[str, Any]:
    row = await shipments.scan(connection, scan)
    if row is None:
        raise NotFound(f"{scan.carrier} has no shipment {scan.tracking_number} of ours", field="tracking_number")
    return row


async def _reports(connection: AsyncConnection, row: Mapping[str, Any], scan: ParcelScan) -> list[ParcelReport]:
    """What orders have to hear of a scan. What it says of a booking that was taken back is written down here."""
    reports: list[ParcelReport] = []
    after_its_loss = row["shipment_status"] == ShipmentStatus.LOST and scan.occurred_at > row["ended_at"]
    for fulfilment in row["concerned"]:
        report = ParcelReport(
            fulfilment_id=fulfilment["id"],
            kind=scan.kind,
            actor=scan.carrier,
            at=scan.occurred_at,
            shipment_id=row["shipment_id"],
            event_id=scan.event_id,
        )
        if not fulfilment["stands"]:
            await unexpected_reports.note(connection, carrier_reports.unexpected(report))
        elif concerns(FulfilmentStatus(fulfilment["status"]), scan.kind, after_its_loss=after_its_loss):
            reports.append(report)
    return reports


async def _carry_out(engine: AsyncEngine, reports: Sequence[ParcelReport], writing: Writing) -> None:
    by_order: defaultdict[str, list[ParcelReport]] = defaultdict(list)
    for report in reports:
        by_order[ids.order_of(report.fulfilment_id)].append(report)
    at_once = asyncio.Semaphore(AT_ONCE)

    async def of_order(order_id: str) -> None:
        async with at_once, engine.begin() as connection:
            for report in by_order[order_id]:
                await carrier_reports.heed(connection, order_id, report, writing)

    outcomes = await asyncio.gather(*map(of_order, by_order), return_exceptions=True)
    for outcome in outcomes:  # all have ended: what went wrong for one order holds no other one up
        if outcome is not None:
            raise outcome
