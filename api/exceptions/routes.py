"""Exceptions: what a person must look at, how many there are, and one with what was written about it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from api.contract import responses
from api.exceptions import examples
from api.exceptions.filtering import Asked, AskedExceptions, as_parameter
from api.exceptions.models import ExceptionCountsAnswer, ExceptionDetail, ExceptionList
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity.scopes import needs
from dom.exceptions import ACTIONS, info_of
from dom.exceptions.actions import possible
from dom.shared.access import Limits, Principal, Scope
from services.clock import utc_now
from services.exceptions_desk import no_such
from store.desk import queue
from store.desk.queue import ExceptionFilter
from store.enums import ExceptionStatus

router = APIRouter(tags=["exceptions"])

ExceptionId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The exception's number.", examples=[17])]


@router.get(
    "/exceptions",
    summary="Find exceptions",
    operation_id="listExceptions",
    response_model=ExceptionList,
    responses={
        **responses.success(200, "A page of exceptions, newest first.", examples.EXCEPTION_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    asked: Asked,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Open ones and closed ones, unless `status` says which."""
    before = cursor.decode_number(cursor_, cursor.LONGEST_SERIAL) if cursor_ else None
    async with services.reads.connect() as connection:
        rows = await queue.page(connection, asked.wanted, before=before, limit=limit + 1)
    page, more = cursor.page(rows, limit, lambda row: (str(row["id"]),))
    now = asked.wanted.now
    return Json({"items": [shown(row, now) for row in page], "next_cursor": more})


@router.get(
    "/exceptions/counts",
    summary="How many exceptions there are",
    operation_id="countExceptions",
    response_model=ExceptionCountsAnswer,
    responses={
        **responses.success(200, "The counts, with the list of each.", examples.EXCEPTION_COUNTS),
        **responses.problems("invalid-input"),
    },
)
async def count(services: Use, asked: Asked) -> Json:
    """By the parameters of the list; of open ones, unless `status` says which. Each count has the address of the list
    that it counts, and equals it.
    """
    if asked.wanted.status is None:
        of_open = replace(asked.wanted, status=ExceptionStatus.OPEN)
        asked = AskedExceptions(of_open, asked.parameters | {"status": ExceptionStatus.OPEN})
    async with services.reads.connect() as connection:
        found = await queue.count(connection, asked.wanted)
    answer: dict[str, Any] = {"total": {"value": None, "count": found.total, "list": asked.address()}}
    parts: dict[str, Mapping[Any, int]] = {
        "kind": found.kind, "severity": found.severity, "owner_role": found.owner_role, "owner": found.owner,
        "overdue": found.overdue, "snoozed": found.snoozed,
    }  # fmt: skip
    for name, counts in parts.items():
        answer[f"by_{name}"] = list(_counted(asked, name, counts))
    return Json(answer)


def _counted(asked: AskedExceptions, name: str, counts: Mapping[Any, int]) -> Iterator[dict[str, Any]]:
    for value, units in sorted(counts.items(), key=lambda each: (-each[1], str(each[0]))):
        only = {"unassigned": "true"} if value is None else {name: as_parameter(value)}
        yield {"value": value, "count": units, "list": asked.address(**only)}


@router.get(
    "/exceptions/{exception_id}",
    summary="An exception",
    operation_id="getException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "The exception, with comments.", examples.EXCEPTION),
        **responses.problems("not-found"),
    },
)
async def get(
    exception_id: ExceptionId, services: Use, who: Annotated[Principal, needs(Scope.EXCEPTIONS_READ)]
) -> Json:
    """What went wrong, who looks after it and until when, what can be done about it, and what people wrote."""
    async with services.reads.connect() as connection:
        return Json(await detail(connection, exception_id, who.limits))


async def detail(connection: AsyncConnection, exception_id: int, limits: Limits) -> dict[str, Any]:
    """An exception as it is answered. Raises NotFound for one that there is not, or that is not seen."""
    now = utc_now()
    row = await queue.one(connection, exception_id, ExceptionFilter(now, limits=limits))
    if row is None:
        raise no_such(exception_id)
    comments = await queue.comments(connection, exception_id)
    return {**shown(row, now), "comments": [dict(each) for each in comments]}


def shown(row: RowMapping, now: datetime) -> dict[str, Any]:
    """An exception of the queue, with what belongs to its kind."""
    info, is_open = info_of(row["kind"]), row["status"] == ExceptionStatus.OPEN
    actions = possible(info.actions, row["data"]) if is_open else ()
    lasted = (now if is_open else row["closed_at"] or now) - row["opened_at"]
    return {
        **row,
        "meaning": info.meaning,
        "next_steps": info.next_steps,
        "closes_itself": info.closes_itself,
        "actions": [
            {"action": each, "meaning": ACTIONS[each].meaning, "scope": ACTIONS[each].scope} for each in actions
        ],
        "age_minutes": max(int(lasted.total_seconds() // 60), 0),
    }
