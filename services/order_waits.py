"""What an order waits for and until when, read from the store."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.asked import AskedOf
from dom.orders.status import FINAL_ORDER, FulfilmentStatus, ReturnStatus
from dom.orders.waiting_for import (
    AnswerWaiting,
    CancellationWaiting,
    HoldWaiting,
    ReturnWaiting,
    UnitsWaiting,
    WaitsFor,
    WorkWaiting,
    waiting_for,
)
from dom.returns import EXPIRES_AFTER
from dom.sourcing.models import Outcome
from dom.sourcing.policy.document import Retry
from store.orders import customer_questions, resuming
from store.sourcing import decisions


async def read(connection: AsyncConnection, order: Mapping[str, Any], now: datetime) -> tuple[WaitsFor, ...]:
    """What an order waits for that was read by `store.orders.reads.order`."""
    units = {line["line_id"]: line["backordered"] for line in order["lines"] if line["backordered"]}
    return waiting_for(
        await _units(connection, order["order_id"], units, now) if units else None,
        [_work(each) for each in order["fulfilments"]],
        [_return(each) for each in order["returns"]],
        await _asked(connection, order["order_id"]) if order["status"] not in FINAL_ORDER else None,
        [_hold(each) for each in order["holds"]] if order["status"] not in FINAL_ORDER else [],
        [_cancellation(each, order["fulfilments"]) for each in order["cancellations_asked"]],
    )


def _hold(row: Mapping[str, Any]) -> HoldWaiting:
    until = row["release_at"] or row["due_at"] or row["placed_at"]
    return HoldWaiting(row["type"], datetime.fromisoformat(until), by_time=row["release_at"] is not None)


def _cancellation(row: Mapping[str, Any], fulfilments: Sequence[Mapping[str, Any]]) -> CancellationWaiting:
    asked_of = AskedOf(row["asked_of"])
    work = next(each for each in fulfilments if each["id"] == row["fulfilment_id"])
    place = work["pickup_node"] if work["status"] == FulfilmentStatus.READY else work["node_id"]
    return CancellationWaiting(
        fulfilment_id=row["fulfilment_id"],
        asked_of=asked_of,
        name=place if asked_of is AskedOf.NODE else work["carrier"],
        units=sum(row["units"].values()),
        answer_by=datetime.fromisoformat(row["answer_by"]),
    )


async def _asked(connection: AsyncConnection, order_id: str) -> AnswerWaiting | None:
    found = await customer_questions.open_of(connection, order_id)
    if found is None:
        return None
    return AnswerWaiting(found["question_id"], found["answer_by"], sum(found["units"].values()))


async def _units(connection: AsyncConnection, order_id: str, units: Mapping[str, int], now: datetime) -> UnitsWaiting:
    """What the last sourcing said, by how long ago that was: its own clock may be that of a replayed order."""
    last = await resuming.last_sourcing(connection, order_id)
    made = await decisions.decision(connection, order_id, last.number)
    decided_at, since = now - timedelta(seconds=last.decided_seconds), now - timedelta(seconds=last.waiting_seconds)
    decision = None if made is None else made[0]
    retry = Retry() if decision is None else decision.retry
    released_at = None
    if decision is not None and decision.next_release is not None:
        released_at = decided_at + (decision.next_release - decision.decided_at)
    return UnitsWaiting(
        units=units,
        look_again_at=decided_at + timedelta(minutes=retry.after_minutes),
        gives_up_at=since + timedelta(days=retry.cancel_after_days),
        released_at=released_at,
        never=frozenset() if decision is None else frozenset(decision.cannot_be_sourced),
        for_a_person=decision is not None and decision.outcome is Outcome.QUEUED,
    )


def _work(row: Mapping[str, Any]) -> WorkWaiting:
    """What a carrier brings to a store is waited for until it is to be ready there, not until it is kept."""
    brought = row["pickup_node"] is not None and row["pickup_node"] != row["node_id"]
    return WorkWaiting(
        id=row["id"],
        node_id=row["node_id"],
        carrier=next((each["carrier"] for each in reversed(row["shipments"]) if not each["ended_at"]), row["carrier"]),
        status=FulfilmentStatus(row["status"]),
        ship_by=datetime.fromisoformat(row["ship_by"]),
        promised=datetime.fromisoformat(row["collect_by"] or row["promise"]["earliest" if brought else "latest"]),
    )


def _return(row: Mapping[str, Any]) -> ReturnWaiting:
    expires_at = row["expires_at"]
    if expires_at is None:  # of an earlier release
        expires_at = datetime.fromisoformat(row["requested_at"]) + EXPIRES_AFTER
    else:
        expires_at = datetime.fromisoformat(expires_at)
    return ReturnWaiting(row["id"], row["node_id"], ReturnStatus(row["status"]), expires_at, row["fulfilment_id"])
