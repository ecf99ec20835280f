"""Carriers move what was handed over and report it, many shipments in one call."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator import chance
from simulator.api import Api
from simulator.board import Board, Fulfilment
from simulator.cases import Case
from simulator.clock import Clock, stamp
from simulator.config import Pace

REPORT = "POST /carriers/{carrier}/events"
EVENTS_A_CALL = 200

LATE = 0.04
LOST = 0.002
SENT_BACK = 0.003
SUNDAY = 6
DELIVERY_HOURS = 12
FOUND_LOST_AFTER = timedelta(days=3)
BACK_AFTER = timedelta(days=5)
FOUND_AFTER = timedelta(days=1)


_LOST = frozenset({Case.LOST, Case.BROUGHT_BACK})


@dataclass(frozen=True, slots=True)
class CarrierScan:
    """What a carrier reports about a shipment."""

    kind: str
    at: datetime
    place: str


def fate(fulfilment: Fulfilment) -> CarrierScan:
    """How the journey ends: delivered (some late), lost, or back at the sender."""
    if fulfilment.case in _LOST or chance.happens(LOST, "lost", fulfilment.id):
        return CarrierScan("lost", fulfilment.latest + FOUND_LOST_AFTER, "depot")
    if chance.happens(SENT_BACK, "sent back", fulfilment.id):
        return CarrierScan("returned_to_sender", fulfilment.latest + BACK_AFTER, fulfilment.node_id)
    return CarrierScan(
        "delivered", max(_delivery(fulfilment), fulfilment.ship_by + timedelta(hours=2)), fulfilment.city
    )


def journey(fulfilment: Fulfilment) -> list[CarrierScan]:
    """Every event of the shipment, in order of time; they take the time between hand-over and the end."""
    end = fate(fulfilment)
    way = end.at - fulfilment.ship_by
    events = [
        CarrierScan("picked_up", fulfilment.ship_by + min(way / 4, timedelta(minutes=30)), fulfilment.node_id),
        CarrierScan("in_transit", fulfilment.ship_by + way / 2, "depot"),
    ]
    if end.kind == "delivered":
        out = timedelta(hours=1 + 3 * chance.draw("tour", fulfilment.id))
        events.append(CarrierScan("out_for_delivery", end.at - min(way / 4, out), fulfilment.city))
    return [*events, end]


def _delivery(fulfilment: Fulfilment) -> datetime:
    """Within the promised window in daytime, or for some a day or two behind it; nobody delivers on a Sunday."""
    hours = timedelta(hours=DELIVERY_HOURS * chance.draw("hour", fulfilment.id))
    if chance.happens(LATE, "late", fulfilment.id):
        days = 1 + round(chance.draw("days late", fulfilment.id))
        at = fulfilment.latest + timedelta(days=days) - hours
        return at + timedelta(days=1) if at.weekday() == SUNDAY else at
    more_days = max(0, (fulfilment.latest - fulfilment.earliest).days)
    at = fulfilment.earliest + timedelta(days=int(chance.draw("day", fulfilment.id) * (more_days + 1))) + hours
    at = min(at, fulfilment.latest)
    if at.weekday() != SUNDAY:
        return at
    next_day = at + timedelta(days=1)
    return next_day if next_day <= fulfilment.latest else max(at - timedelta(days=1), fulfilment.earliest)


@dataclass(slots=True)
class Carriers:
    """All carriers. Events wait a moment for those of other shipments, then leave in one call a carrier."""

    api: Api
    board: Board
    clock: Clock
    pace: Pace
    _outbox: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    async def carry(self, fulfilment: Fulfilment) -> None:
        """Reports the whole journey of what was handed over."""
        events = journey(fulfilment)
        for event in events:
            if not fulfilment.at_once:
                await self.clock.until(event.at)
            self._outbox[fulfilment.carrier].append(_message(fulfilment, event))
            self.board.note(f"{fulfilment.id}: {event.kind.replace('_', ' ')}, says {fulfilment.carrier}")
        end = events[-1]
        if end.kind == "delivered":
            fulfilment.arrived_at = end.at
        else:
            self._went_wrong(fulfilment, end)
        if fulfilment.case is Case.BROUGHT_BACK:
            await self._find(fulfilment, end)

    async def _find(self, fulfilment: Fulfilment, lost: CarrierScan) -> None:
        """A lost parcel turns up and comes back, when its units have been sourced again already."""
        while not fulfilment.ended:
            fulfilment.news.clear()
            await fulfilment.news.wait()
        found = CarrierScan("returned_to_sender", lost.at + FOUND_AFTER, fulfilment.city)
        self._outbox[fulfilment.carrier].append(_message(fulfilment, found))
        self.board.say(f"{fulfilment.id}: turned up and came back, says {fulfilment.carrier}")

    async def report(self) -> None:
        """Sends what waits, again and again."""
        while True:
            await asyncio.sleep(self.pace.flush)
            for carrier, waiting in list(self._outbox.items()):
                while waiting:
                    batch = waiting[:EVENTS_A_CALL]
                    await self._send(carrier, batch)
                    del waiting[: len(batch)]

    async def _send(self, carrier: str, batch: list[dict[str, Any]]) -> None:
        answer = await self.api.post(REPORT, f"/carriers/{carrier}/events", {"events": batch})
        if not answer.ok:
            self.board.tally.refusals[f"{REPORT}: {answer.problem}"] += len(batch)
            return
        for result in answer.body["results"]:
            if result["status"] == "refused":
                why = (result.get("problem") or {}).get("title", "")
                self.board.tally.refusals[f"{REPORT}: {why}"] += 1

    def _went_wrong(self, fulfilment: Fulfilment, end: CarrierScan) -> None:
        if fulfilment.spoiled:
            return
        fulfilment.spoiled = True
        if end.kind == "lost":
            self.board.tally.lost += 1
        else:
            self.board.tally.sent_back += 1
        self.board.say(f"{fulfilment.id}: {end.kind.replace('_', ' ')} by {fulfilment.carrier}")


def _message(fulfilment: Fulfilment, event: CarrierScan) -> dict[str, Any]:
    return {
        "event_id": f"{fulfilment.tracking_number}-{event.kind}",
        "tracking_number": fulfilment.tracking_number,
        "kind": event.kind,
        "occurred_at": stamp(event.at),
        "place": event.place,
    }
