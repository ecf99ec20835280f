"""Saved views: filters of the order list under a name, one's own or shared."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from sqlalchemy import RowMapping

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity.scopes import needs
from api.orders import view_examples as examples
from api.orders.view_models import SavedView, SavedViewList, SavedViewRequest, ViewId
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import saved_views
from store.orders import saved_views as rows
from store.orders.saved_views import ViewContent

router = APIRouter(tags=["orders"])

PATH = "/orders/views"
HERE = PATH + "/{view_id}"


@router.post(
    PATH,
    status_code=201,
    summary="Keep a view",
    operation_id="createSavedView",
    response_model=SavedView,
    responses={
        **responses.success(201, "Kept now.", examples.SAVED_VIEW),
        **responses.success(200, "Kept before, with the same content.", examples.SAVED_VIEW, SavedView),
        **responses.problems("conflict", "invalid-input"),
    },
)
async def create(
    asked: Annotated[SavedViewRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.SAVED_VIEWS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_READ)],
) -> Json:
    """Its owner is the caller. It shows each who uses it the orders that he may see."""
    async with services.engine.begin() as connection:
        made, is_new = await saved_views.create(connection, who, _content(asked))
    here = f"/v1{PATH}/{made['id']}"
    return Json(_shown(made), 201 if is_new else 200, headers={"Location": here})


@router.get(
    PATH,
    summary="Saved views",
    operation_id="listSavedViews",
    response_model=SavedViewList,
    responses={
        **responses.success(200, "A page of views, by name.", examples.SAVED_VIEW_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_READ)],
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """The caller's own, and those that are shared with him."""
    after = None
    if cursor_:
        name, view_id = cursor.decode(cursor_, 2)
        after = (name, view_id)
    async with services.reads.connect() as connection:
        found = await rows.page(connection, saved_views.viewer(who), after, limit + 1)
    more = cursor.encode(found[limit - 1]["name"], found[limit - 1]["id"]) if len(found) > limit else None
    return Json({"items": [_shown(row) for row in found[:limit]], "next_cursor": more})


@router.get(
    HERE,
    summary="A saved view",
    operation_id="getSavedView",
    response_model=SavedView,
    responses={**responses.success(200, "As it stands.", examples.SAVED_VIEW), **responses.problems("not-found")},
)
async def get(view_id: ViewId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_READ)]) -> Json:
    """Give its id as `view` to the order list."""
    async with services.reads.connect() as connection:
        return Json(_shown(await saved_views.get(connection, who, view_id)))


@router.put(
    HERE,
    summary="Change a saved view",
    operation_id="putSavedView",
    response_model=SavedView,
    responses={
        **responses.success(200, "Changed.", examples.SAVED_VIEW),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def put(
    view_id: ViewId,
    asked: Annotated[SavedViewRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.SAVED_VIEWS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_READ)],
) -> Json:
    """Name, filter and sharing, as a whole; only by its owner."""
    async with services.engine.begin() as connection:
        return Json(_shown(await saved_views.replace(connection, who, view_id, _content(asked))))


@router.delete(
    HERE,
    summary="Delete a saved view",
    operation_id="deleteSavedView",
    response_model=SavedView,
    responses={**responses.success(200, "What it was.", examples.SAVED_VIEW), **responses.problems("not-found")},
)
async def delete(view_id: ViewId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_READ)]) -> Json:
    """By its owner; a shared one also by who may manage access (`access:manage`)."""
    async with services.engine.begin() as connection:
        return Json(_shown(await saved_views.delete(connection, who, view_id)))


def _content(asked: SavedViewRequest) -> ViewContent:
    return ViewContent(asked.name, asked.filter, asked.shared)


def _shown(view: RowMapping) -> dict[str, Any]:
    return {**view, "filter": saved_views.filter_of(view)}
