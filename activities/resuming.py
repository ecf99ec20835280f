"""Going on with an order whose process is gone: what the store holds of it, as a new process needs it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import Field
from sqlalchemy import RowMapping
from temporalio import activity

from activities.boundary import Database
from activities.sourcing import Sourced, sourced
from dom.orders.events import EventKind, ProcessRevivedData
from dom.orders.order import Promise
from dom.orders.status import NETWORK, CarrierEventKind, FulfilmentStatus, SourcingCause
from dom.shared import ids
from dom.shared.base import Value
from store import backorders
from store.orders import orders, processes, resuming, timeline
from store.sourcing import decisions, reoptimisation

_CANCELLED: Final = re.compile(r"cancelled:(\d+)")
_STEP: Final = re.compile(r"(?P<fulfilment>.+-F\d+):(?P<number>\d+):[a-z_]+")
_S = FulfilmentStatus
_HAS_A_BOOKING: Final = frozenset({_S.PACKED, _S.BOOKED, _S.HANDED_OVER, _S.DELIVERED, _S.LOST, _S.RETURNED})
_UNKNOWN_OR_BOOKED: Final = frozenset({None, "booked"})


class ResumeOrder(Value):
    """Read an order for a process that begins anew. `revived_by`: who asked for that, `run_id`: the process."""

    order_id: str
    revived_by: str | None
    run_id: str


class Milestone(Value):
    """What a carrier reported of the booking that stands; not `told` if no process was there to hear it."""

    kind: CarrierEventKind
    tracking_number: str
    occurred_at: datetime
    actor: str
    shipment_id: str | None = None
    event_id: str | None = None
    told: bool = True


class ResumedFulfilment(Value):
    """A fulfilment as it stands. `steps` were written, `bookings` begun; `to_void` are bookings nobody needs."""

    fulfilment_id: str
    node_id: str
    pickup: bool
    lines: dict[str, int]
    status: FulfilmentStatus
    steps: int
    bookings: int
    tracking: str
    to_void: tuple[int, ...]
    milestones: tuple[Milestone, ...]


class ResumedLine(Value):
    """Units of a line that are cancelled, and that wait for stock."""

    line_id: str
    cancelled: int
    backordered: int


class ResumedOrder(Value):
    """An order as it stands in the store, with the numbers from which its business keys go on.

    `sourced` is what the last sourcing said of units that wait, `cause` why some that lost their node were not sourced
    again yet. `done` are units by line that were cancelled for a caller, by its `Idempotency-Key`; `done_requests` the
    hashes of what was asked under those keys. `captured_here`: the process that asks captured it, and was interrupted.
    """

    lines: tuple[ResumedLine, ...]
    fulfilments: tuple[ResumedFulfilment, ...]
    promise: Promise | None
    sourced: Sourced
    sourcings: int
    cause: SourcingCause | None
    failed_nodes: frozenset[str]
    waiting_seconds: int
    as_of: datetime
    cancellations: int
    done: dict[str, dict[str, int]]
    done_requests: dict[str, str] = Field(default={})
    looks: int
    captured_here: bool = False


@dataclass(frozen=True, slots=True)
class Resuming:
    """Orders that go on."""

    database: Database

    @activity.defn(name="resume_order")
    async def resume_order(self, request: ResumeOrder) -> ResumedOrder | None:
        """The order as the store holds it; None if it does not. What told a person that its process is gone is closed.

        Changes nothing of the order. Second looks it answers count as taken in.
        """
        async with self.database.transaction() as connection:
            await backorders.undisturbed(connection, request.order_id)
            known = await orders.find(connection, request.order_id)
            if known is None:
                return None
            found = await resuming.read(connection, request.order_id)
            made = await decisions.decision(connection, request.order_id, found.sourcing)
            if made is None:
                return None
            await reoptimisation.taken_in(connection, request.order_id, 0)
            await processes.lives_again(connection, request.order_id)
            if request.revived_by is not None:
                await timeline.append(connection, self._revived(request))
        resumed = _resumed(found, _as_of_now(sourced(*made), found.decided_seconds))
        return resumed.model_copy(update={"captured_here": _captured_by(found.events) == request.run_id})

    def _revived(self, request: ResumeOrder) -> timeline.Event:
        return timeline.Event(
            order_id=request.order_id,
            kind=EventKind.PROCESS_REVIVED,
            business_key=f"process_revived:{request.run_id}",
            actor=request.revived_by or "",
            occurred_at=self.database.now(),
            data=ProcessRevivedData(),
            reason="the order's process was gone, or did not agree with the store",
        )


def _captured_by(events: Sequence[RowMapping]) -> str | None:
    """The run of the order's process that captured it; None if that was not noted."""
    return next((event["data"].get("run_id") for event in events if event["kind"] == EventKind.ACCEPTED), None)


def _as_of_now(said: Sourced, seconds_ago: int) -> Sourced:
    """What a sourcing said, with its spans counted from now."""
    if said.release_seconds is None:
        return said
    return said.model_copy(update={"release_seconds": max(said.release_seconds - seconds_ago, 0)})


def _resumed(found: resuming.Underway, said: Sourced) -> ResumedOrder:
    nodes = {row["id"]: row["node_id"] for row in found.fulfilments}
    failures = _failures([event for event in found.events if event["actor"] != NETWORK])
    numbers = [int(match[1]) for row in found.events if (match := _CANCELLED.fullmatch(row["business_key"]))]
    return ResumedOrder(
        lines=tuple(ResumedLine.model_validate(dict(row)) for row in found.lines),
        fulfilments=tuple(_fulfilment(row, found.events) for row in found.fulfilments),
        promise=Promise(earliest=found.promise[0], latest=found.promise[1]) if found.promise else None,
        sourced=said,
        sourcings=found.sourcing,
        cause=_not_sourced_since(found.events),
        failed_nodes=frozenset(nodes[each] for each, why in failures if why is not SourcingCause.LOST),
        waiting_seconds=found.waiting_seconds,
        as_of=max(row["occurred_at"] for row in found.events),
        cancellations=max(numbers, default=0),
        done={
            row["data"]["request"]: row["data"]["lines"]
            for row in found.events
            if row["kind"] == EventKind.CANCELLED and "request" in row["data"]
        },
        done_requests={
            row["data"]["request"]: row["data"]["request_hash"]
            for row in found.events
            if row["kind"] == EventKind.CANCELLED and row["data"].get("request_hash")
        },
        looks=found.looks,
    )


def _fulfilment(row: RowMapping, events: Sequence[RowMapping]) -> ResumedFulfilment:
    mine = [event for event in events if event["data"].get("fulfilment_id") == row["id"]]
    steps = [
        int(m["number"]) for e in mine if (m := _STEP.fullmatch(e["business_key"])) and m["fulfilment"] == row["id"]
    ]
    status = FulfilmentStatus(row["status"])
    packed = sum(event["kind"] == EventKind.FULFILMENT_PACKED for event in mine)
    stands = packed if status in _HAS_A_BOOKING else None
    return ResumedFulfilment(
        fulfilment_id=row["id"],
        node_id=row["node_id"],
        pickup=row["pickup"],
        lines=row["lines"],
        status=status,
        steps=max(steps, default=0),
        # A parcel that is packed is booked under the number of that packing, whether that was tried before or not.
        bookings=packed - 1 if status is FulfilmentStatus.PACKED else packed,
        tracking=row["tracking"] or "",
        to_void=tuple(n for n in range(1, packed + 1) if n != stands and _is_open(row, n)),
        milestones=tuple(Milestone.model_validate(each) for each in row["milestones"]),
    )


def _is_open(row: RowMapping, attempt: int) -> bool:
    """Whether a booking stands, or may have been made at the carrier without our having heard of it."""
    status: Mapping[str, Any] = row["bookings"]
    return status.get(ids.booking_key(row["id"], attempt)) in _UNKNOWN_OR_BOOKED


def _failures(events: Sequence[RowMapping]) -> list[tuple[str, SourcingCause]]:
    """Fulfilments that lost units which have to be sourced again, and why."""
    causes = {EventKind.FULFILMENT_REJECTED: SourcingCause.REJECTED, EventKind.FULFILMENT_LOST: SourcingCause.LOST}
    found = []
    for event in events:
        cause = causes.get(event["kind"]) or (SourcingCause.SHORT_PICK if event["data"].get("missing") else None)
        if cause is not None and "fulfilment_id" in event["data"]:
            found.append((event["data"]["fulfilment_id"], cause))
    return found


def _not_sourced_since(events: Sequence[RowMapping]) -> SourcingCause | None:
    """Why units lost their node after the last sourcing; None if they did not."""
    last = max(
        (at for at, event in enumerate(events) if event["kind"] in {EventKind.ACCEPTED, EventKind.SOURCED}), default=-1
    )
    failures = _failures(events[last + 1 :])
    return failures[-1][1] if failures else None
