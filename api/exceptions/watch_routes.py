"""Watches: milestones that are to be reached in time. What is not opens an exception by itself."""

from typing import Annotated

from fastapi import APIRouter, Body, Path

from api.contract import responses
from api.exceptions import watch_examples as examples
from api.exceptions.watch_models import WatchList
from api.http.answers import Json
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from dom.watches import Watch
from services import watches as use_cases
from store.desk import watches

router = APIRouter(tags=["exceptions"])

WatchName = Annotated[str, Path(max_length=60, description="The watch's name.", examples=["example-watch"])]
Reader = Annotated[Principal, needs(Scope.EXCEPTIONS_READ)]
Writer = Annotated[Principal, needs(Scope.WATCHES_WRITE)]


@router.get(
    "/watches",
    summary="All watches",
    operation_id="listWatches",
    response_model=WatchList,
    responses=responses.success(200, "By name.", examples.WATCH_LIST) | responses.problems(),
)
async def everyone(services: Use, who: Reader) -> Json:  # noqa: ARG001  the scope is asked for
    """What is watched: "not at a milestone within so long of an event"."""
    async with services.reads.connect() as connection:
        return Json({"items": await watches.everyone(connection)})


@router.get(
    "/watches/{watch}",
    summary="A watch",
    operation_id="getWatch",
    response_model=Watch,
    responses={**responses.success(200, "The watch.", examples.WATCH), **responses.problems("not-found")},
)
async def get(watch: WatchName, services: Use, who: Reader) -> Json:  # noqa: ARG001  the scope is asked for
    """What it follows, how long that may take, and who hears of it then."""
    async with services.reads.connect() as connection:
        return Json(await watches.get(connection, watch))


@router.put(
    "/watches/{watch}",
    summary="Create or replace a watch",
    operation_id="putWatch",
    response_model=Watch,
    responses={
        **responses.success(200, "Replaced; it counts from the next look on.", examples.WATCH),
        **responses.success(201, "Created.", examples.WATCH, Watch),
        **responses.problems("invalid-input"),
    },
)
async def put(
    watch: WatchName,
    document: Annotated[Watch, AS_SEEN, Body(openapi_examples=responses.named(examples.WATCHES))],
    services: Use,
    who: Writer,
) -> Json:
    """The `name` in the body is the one in the address. A milestone that cannot come after one of the events, or that
    comes before it, is refused. Deadlines of the last seven days are looked at.
    """
    visibility.no_limit(who, "watches are")
    if document.name != watch:
        raise InvalidInput(f"the address says {watch}", field="name")
    async with services.engine.begin() as connection:
        created = await use_cases.put(connection, document, who.name)
    return Json(document, 201 if created else 200)


@router.delete(
    "/watches/{watch}",
    summary="Take a watch away",
    operation_id="deleteWatch",
    response_model=Watch,
    responses={**responses.success(200, "The watch as it was.", examples.WATCH), **responses.problems("not-found")},
)
async def delete(watch: WatchName, services: Use, who: Writer) -> Json:
    """What it opened closes by itself."""
    visibility.no_limit(who, "watches are")
    async with services.engine.begin() as connection:
        found = await watches.get(connection, watch)
        await watches.delete(connection, watch)
    return Json(found)
