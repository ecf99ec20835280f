"""What people do with exceptions: take, hand on, put off, comment, resolve, reopen, and act in one call."""

from typing import Annotated, Final

from fastapi import APIRouter, Body, Path
from sqlalchemy.ext.asyncio import AsyncConnection

from api.contract import responses
from api.exceptions import examples
from api.exceptions.models import (
    ExceptionDetail,
    NewComment,
    NewOwner,
    Resolution,
    Seen,
    Snoozing,
)
from api.exceptions.routes import ExceptionId, detail
from api.http.answers import Json
from api.http.services import IdempotencyKey, Services, Use
from api.identity.scopes import needs
from dom.exceptions import ExceptionAction
from dom.exceptions.desk import Assign, DeskCommand, HandOn, Reopen, Resolve, Snooze
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from services import exceptions_desk
from services.clock import utc_now
from services.exceptions_desk import Asked

router = APIRouter(tags=["exceptions"])

Worker = Annotated[Principal, needs(Scope.EXCEPTIONS_WORK)]
Action = Annotated[
    ExceptionAction, Path(description="One of the exception's `actions`.", examples=[ExceptionAction.ARRIVED])
]
_PROBLEMS: Final = ("not-found", "stale", "step-not-possible", "invalid-input")


@router.post(
    "/exceptions/{exception_id}/assign",
    summary="Give an exception to a person or a role",
    operation_id="assignException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "The exception after it.", examples.EXCEPTION),
        **responses.problems(*_PROBLEMS),
    },
)
async def assign(
    exception_id: ExceptionId,
    asked: Annotated[NewOwner, AS_SEEN, Body(openapi_examples=responses.named(examples.ASSIGNMENTS))],
    services: Use,
    who: Worker,
) -> Json:
    """Either `owner` or `owner_role`. What stands already is answered as it is."""
    if (asked.owner is None) == (asked.owner_role is None):
        raise InvalidInput("give either a person or a role", field="owner")
    command = HandOn(asked.owner_role) if asked.owner_role is not None else Assign(asked.owner)
    return await _change(services, who, exception_id, asked, command)


@router.post(
    "/exceptions/{exception_id}/take",
    summary="Take an exception",
    operation_id="takeException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "The exception after it.", examples.EXCEPTION),
        **responses.problems(*_PROBLEMS),
    },
)
async def take(
    exception_id: ExceptionId,
    asked: Annotated[Seen, AS_SEEN, Body(openapi_examples=responses.named(examples.SEEN))],
    services: Use,
    who: Worker,
) -> Json:
    """The caller looks after it from now on. Of two who take it at once the second is answered 409 `stale`."""
    return await _change(services, who, exception_id, asked, Assign(who.name))


@router.post(
    "/exceptions/{exception_id}/give-back",
    summary="Give an exception back to its queue",
    operation_id="giveBackException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "The exception after it.", {**examples.EXCEPTION, "owner": None}),
        **responses.problems(*_PROBLEMS),
    },
)
async def give_back(
    exception_id: ExceptionId,
    asked: Annotated[Seen, AS_SEEN, Body(openapi_examples=responses.named(examples.SEEN))],
    services: Use,
    who: Worker,
) -> Json:
    """Nobody looks after it any more; it stays in its role's queue."""
    return await _change(services, who, exception_id, asked, Assign(None))


@router.post(
    "/exceptions/{exception_id}/snooze",
    summary="Put an exception off",
    operation_id="snoozeException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "The exception after it.", examples.EXCEPTION_SNOOZED),
        **responses.problems(*_PROBLEMS),
    },
)
async def snooze(
    exception_id: ExceptionId,
    asked: Annotated[Snoozing, AS_SEEN, Body(openapi_examples=responses.named(examples.SNOOZES))],
    services: Use,
    who: Worker,
) -> Json:
    """It comes back by itself. Until then it is not overdue, and `snoozed=false` leaves it out of lists."""
    return await _change(services, who, exception_id, asked, Snooze(asked.until))


@router.post(
    "/exceptions/{exception_id}/comments",
    summary="Write a comment on an exception",
    operation_id="commentException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "The exception with the comment.", examples.EXCEPTION),
        **responses.problems("not-found", "stale", "conflict", "invalid-input"),
    },
)
async def comment(
    exception_id: ExceptionId,
    asked: Annotated[NewComment, AS_SEEN, Body(openapi_examples=responses.named(examples.COMMENTS))],
    services: Use,
    who: Worker,
    key: IdempotencyKey = None,
) -> Json:
    """Also on one that is closed; the version stays. Under an `Idempotency-Key` it is written once."""
    async with services.engine.begin() as connection:
        await exceptions_desk.comment(connection, _asked(who, exception_id, asked), asked.text, key)
        return await _answer(connection, who, exception_id)


@router.post(
    "/exceptions/{exception_id}/resolve",
    summary="Resolve an exception",
    operation_id="resolveException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "The exception after it.", examples.EXCEPTION_RESOLVED),
        **responses.problems(*_PROBLEMS),
    },
)
async def resolve(
    exception_id: ExceptionId,
    asked: Annotated[Resolution, AS_SEEN, Body(openapi_examples=responses.named(examples.RESOLUTIONS))],
    services: Use,
    who: Worker,
) -> Json:
    """It is dealt with, and says how. A kind that `closes_itself` need not be resolved: it ends with its cause."""
    return await _change(services, who, exception_id, asked, Resolve(asked.resolution, who.name))


@router.post(
    "/exceptions/{exception_id}/reopen",
    summary="Open an exception again",
    operation_id="reopenException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "The exception after it.", examples.EXCEPTION),
        **responses.problems(*_PROBLEMS),
    },
)
async def reopen(
    exception_id: ExceptionId,
    asked: Annotated[Seen, AS_SEEN, Body(openapi_examples=responses.named(examples.SEEN))],
    services: Use,
    who: Worker,
) -> Json:
    """It is not dealt with after all. It counts its age anew, and is due anew."""
    return await _change(services, who, exception_id, asked, Reopen())


@router.post(
    "/exceptions/{exception_id}/actions/{action}",
    summary="Do something about an exception in one call",
    operation_id="actOnException",
    response_model=ExceptionDetail,
    responses={
        **responses.success(200, "Done; the exception after it.", examples.EXCEPTION_ACTED),
        **responses.problems(
            *_PROBLEMS, "stock-conflict", "unknown-node", "unknown-sku", "no-process", "no-answer-yet"
        ),
    },
)
async def act(
    exception_id: ExceptionId,
    action: Action,
    asked: Annotated[Seen, AS_SEEN, Body(openapi_examples=responses.named(examples.SEEN))],
    services: Use,
    who: Worker,
) -> Json:
    """One of its `actions`, whose `scope` the caller needs too. If that ends the trouble at once the exception is
    resolved; else it closes itself when the trouble ends. Sent again with the same version it is not done again.
    """
    await services.exception_actions.carry_out(_asked(who, exception_id, asked), action, who)
    async with services.reads.connect() as connection:
        return await _answer(connection, who, exception_id)


async def _change(services: Services, who: Principal, exception_id: int, asked: Seen, command: DeskCommand) -> Json:
    async with services.engine.begin() as connection:
        await exceptions_desk.change(connection, _asked(who, exception_id, asked), command)
        return await _answer(connection, who, exception_id)


def _asked(who: Principal, exception_id: int, asked: Seen) -> Asked:
    return Asked(exception_id, asked.version, who.name, utc_now(), who.limits)


async def _answer(connection: AsyncConnection, who: Principal, exception_id: int) -> Json:
    return Json(await detail(connection, exception_id, who.limits))
