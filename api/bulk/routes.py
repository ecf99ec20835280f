"""Bulk runs: asked for, previewed, followed, stopped and resumed."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from api.bulk import examples
from api.bulk.models import BulkDetail, BulkId, BulkItemList, BulkList, BulkPreview, BulkRequest, ItemState
from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import IdempotencyKey, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.bulk import BulkStatus
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import bulk_runs
from services.clock import utc_now
from store.orders import bulk_runs as rows
from store.orders.bulk_runs import BulkRun

router = APIRouter(tags=["bulk"])

PATH = "/bulk"
HERE = PATH + "/{bulk_id}"
_SHOWN_OF_A_PREVIEW = 20


@router.post(
    PATH,
    status_code=202,
    summary="Do one thing to many orders",
    operation_id="startBulk",
    response_model=BulkDetail,
    responses={
        **responses.success(202, "Written down; it is carried out now.", examples.RUN),
        **responses.success(200, "Written down before, under the same key.", examples.RUN, BulkDetail),
        **responses.problems("forbidden", "not-found", "stale", "conflict", "invalid-input"),
    },
)
async def start(
    asked: Annotated[BulkRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_BULK)],
    key: IdempotencyKey = None,
) -> Json:
    """Each order is changed in a transaction of its own, as the call for one order would change it, and once; the items
    say what became of each. The orders are those that are found now: `POST /v1/bulk-preview` says how many that are.
    Beside `orders:bulk` it needs the scope of what it does.
    """
    _own_names(who, asked)
    async with services.engine.begin() as connection:
        run, is_new = await bulk_runs.ask(connection, who, _request(asked, key), utc_now())
    if not run.ended:
        await services.work.bulk_asked(run.id)
    content = _shown(run)
    return Json(content, 202 if is_new else 200, headers={"Location": content["links"]["self"]})


@router.post(
    "/bulk-preview",
    summary="Which orders a bulk run would be about",
    operation_id="previewBulk",
    response_model=BulkPreview,
    responses={
        **responses.success(200, "How many orders, and the first of them.", examples.PREVIEW),
        **responses.problems("forbidden", "not-found", "invalid-input"),
    },
)
async def preview(
    asked: Annotated[BulkRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_BULK)],
) -> Json:
    """Nothing is written. Give the number as `expected` to the run, so that nothing is done to orders nobody saw."""
    _own_names(who, asked)
    async with services.engine.begin() as connection:
        found = await bulk_runs.select(connection, who, _request(asked, None), utc_now())
    there = [order_id for order_id in found.orders if order_id not in found.missing]
    return Json({"orders": len(there), "first": there[:_SHOWN_OF_A_PREVIEW], "not_found": sorted(found.missing)})


@router.get(
    PATH,
    summary="Bulk runs",
    operation_id="listBulk",
    response_model=BulkList,
    responses={
        **responses.success(200, "A page of runs, the newest first.", examples.LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_BULK)],
    status: Annotated[list[BulkStatus] | None, Query(description="Repeatable.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Who is limited to channels or nodes sees the runs of those who are limited to some of them."""
    before = cursor.decode_moment(cursor_) if cursor_ else None
    found = await rows.find(services.reads, status or [], before, limit + 1, who.limits)
    page, more = cursor.page(found, limit, lambda each: (each.created_at, each.id))
    return Json({"items": [_listed(each) for each in page], "next_cursor": more})


@router.get(
    HERE,
    summary="A bulk run and how far it is",
    operation_id="getBulk",
    response_model=BulkDetail,
    responses={**responses.success(200, "The run.", examples.DONE), **responses.problems("not-found")},
)
async def get(bulk_id: BulkId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_BULK)]) -> Json:
    """Orders by what became of them, and how many are open."""
    async with services.reads.connect() as connection:
        return Json(_shown(await rows.get(connection, bulk_id, who.limits)))


@router.get(
    HERE + "/items",
    summary="What became of each order",
    operation_id="listBulkItems",
    response_model=BulkItemList,
    responses={
        **responses.success(200, "A page of orders, in their sequence.", examples.ITEMS),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def items(
    bulk_id: BulkId,
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_BULK)],
    outcome: Annotated[list[ItemState] | None, Query(description="Repeatable.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """All orders, or those with one of these outcomes."""
    after = cursor.decode_number(cursor_) if cursor_ else 0
    async with services.reads.connect() as connection:
        await rows.get(connection, bulk_id, who.limits)
        found = await rows.items(connection, bulk_id, outcome or [], after, limit + 1)
    page, more = cursor.page(found, limit, lambda each: (str(each["position"]),))
    return Json(
        {"items": [{**each, "outcome": each["outcome"] or ItemState.OPEN} for each in page], "next_cursor": more}
    )


@router.post(
    HERE + "/stop",
    summary="Stop a bulk run",
    operation_id="stopBulk",
    response_model=BulkDetail,
    responses={
        **responses.success(200, "It is stopped.", examples.STOPPED),
        **responses.problems("not-found", "conflict"),
    },
)
async def stop(bulk_id: BulkId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_BULK)]) -> Json:
    """No order is begun any more; the few that are under way are ended. What was done stays done."""
    async with services.engine.begin() as connection:
        return Json(_shown(await bulk_runs.stop(connection, who, bulk_id)))


@router.post(
    HERE + "/resume",
    summary="Resume a bulk run",
    operation_id="resumeBulk",
    response_model=BulkDetail,
    responses={
        **responses.success(200, "It goes on.", examples.RUN),
        **responses.problems("not-found", "forbidden", "conflict"),
    },
)
async def resume(bulk_id: BulkId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_BULK)]) -> Json:
    """It goes on with the orders that are open, in the name of who asked for it."""
    async with services.engine.begin() as connection:
        run = await bulk_runs.resume(connection, who, bulk_id)
    if not run.ended:
        await services.work.bulk_asked(run.id)
    return Json(_shown(run))


def _own_names(who: Principal, asked: BulkRequest) -> None:
    if asked.selection.filter is not None:
        visibility.own_filter(who, asked.selection.filter)


def _request(asked: BulkRequest, key: str | None) -> bulk_runs.BulkCall:
    return bulk_runs.BulkCall(
        action=asked.action,
        selection=asked.selection,
        reason=asked.reason,
        expected=asked.expected,
        request=key,
        request_hash=asked.content_hash("bulk"),
    )


def _listed(run: BulkRun) -> dict[str, Any]:
    """In a list, of orders that are named only the first: there may be thousands of each run."""
    shown, named = _shown(run), run.selection.get("orders")
    return shown if named is None else {**shown, "selection": {"orders": named[:_SHOWN_OF_A_PREVIEW]}}


def _shown(run: BulkRun) -> dict[str, Any]:
    own = f"/v1{PATH}/{run.id}"
    seconds = None if run.started_at is None else ((run.finished_at or utc_now()) - run.started_at).total_seconds()
    counts = run.status in {BulkStatus.RUNNING, BulkStatus.DONE} and seconds
    return {
        "id": run.id,
        "status": run.status,
        "action": run.action,
        "selection": run.selection,
        "reason": run.reason,
        "orders": run.orders,
        "outcomes": run.outcomes,
        "open": run.orders - run.done,
        "orders_per_second": round(run.done / seconds, 1) if counts and seconds else None,
        "requested_by": run.requested_by,
        "stopped_by": run.stopped_by,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "links": {"self": own, "items": f"{own}/items"},
    }
