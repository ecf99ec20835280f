"""Orders: taken from channels, shown to people, cancelled before hand-over."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Set
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import RowMapping
from sqlalchemy.exc import SQLAlchemyError

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.clock import not_in_the_future
from api.http.models import Cursor, Limit, OrderId
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import caller, needs
from api.orders import examples
from api.orders.models import CancelRequest, OrderCaptured, OrderDetail, OrderList, Sourcing, Timeline
from api.orders.search_parameters import FilterParameters
from api.orders.sourcing import stored_decision
from dom.orders.calls import CancelCall, CancelResult, OrderAnswer
from dom.orders.events import FOR_STAFF, INTERNAL
from dom.orders.intake import OrderRequest, as_captured_before
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput, NotFound
from services import order_waits, saved_views
from services.clock import utc_now
from store.access.visibility import ORDER
from store.orders import orders as order_rows
from store.orders import reads, search, timeline
from store.sourcing import explanations


class _Orders(APIRoute):
    """An order that an earlier release captured, and that today's rules would refuse, is answered as it was."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As every endpoint's; a refusal of the body is looked at once more."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                sent = as_captured_before(error.body) if self.endpoint is capture else None
                if sent is None or not caller(request).limits.allow(channel=sent.channel):
                    raise
                services: Services = request.app.state.services
                try:
                    known = await services.orders.captured(sent.order_id, (sent.content_hash(),))
                except (SQLAlchemyError, OSError):  # it is refused without a database too
                    known = None
                if known is None:
                    raise
                return _captured(known)

        return answer


router = APIRouter(tags=["orders"], route_class=_Orders)

_FROM_DOCUMENT = ("customer", "ship_to", "shipping_method", "pickup_node", "requested_by", "payment", "tags")


@router.post(
    "/orders",
    status_code=201,
    summary="Hand over an order",
    operation_id="captureOrder",
    response_model=OrderCaptured,
    responses={
        **responses.success(201, "Captured now.", examples.ORDER_CAPTURED),
        **responses.success(200, "Captured before, with the same content.", examples.ORDER_CAPTURED, OrderCaptured),
        **responses.problems("order-conflict", "unknown-sku", "unknown-channel", "invalid-input", "no-answer-yet"),
    },
)
async def capture(
    order: Annotated[OrderRequest, Body(openapi_examples=responses.named(examples.ORDERS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_WRITE)],
) -> Json:
    """Captures the order exactly once, plans it, reserves its stock, and answers with its id, status and promise.

    The id is made of `channel` and `external_id`. The same order sent again, at once or years later, gets the same
    answer with 200; other content under the same number is refused with 409. After 503 or 504 send the same again.

    Harmless oddities are corrected: spaces around texts, a postal code as forms write it, a phone number as it is
    dialled at home, "n/a" for nothing. The first event of the timeline lists each as `data.corrections`; the order as
    corrected is its content. The channel must be registered, and `placed_at` may not be still to come.
    """
    visibility.must_be_own(who, "channel", channel=order.channel)
    visibility.own_nodes(who, [("pickup_node", order.pickup_node)])
    try:
        await services.channels.check(order.channel)
        not_in_the_future(order.placed_at, "placed_at")
    except InvalidInput:
        # What was captured before this was asked for is answered as it was.
        answer = await services.orders.captured(order.order_id, order.hashes())
        if answer is None:
            raise
    else:
        answer = await services.orders.capture(order)
    return _captured(answer)


def _captured(answer: OrderAnswer) -> Json:
    links = _links(answer.order_id)
    content = {
        "order_id": answer.order_id,
        "status": answer.status,
        "promise": answer.promise,
        "waiting": [
            {"line_id": line_id, "quantity": units, "cannot_be_sourced": line_id in answer.cannot_be_sourced}
            for line_id, units in answer.waiting.items()
        ],
        "links": links,
    }
    return Json(content, 201 if answer.created else 200, headers={"Location": links["self"]})


@router.get(
    "/orders",
    summary="Find orders",
    operation_id="listOrders",
    response_model=OrderList,
    responses={
        **responses.success(
            200, "A page of orders, newest capture first unless `sort` says otherwise.", examples.ORDER_LIST
        ),
        **responses.problems("invalid-input", "not-found"),
    },
)
async def list_orders(
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_READ)],
    asked: Annotated[FilterParameters, Depends()],
    view: Annotated[
        str | None,
        Query(max_length=64, description="A saved view, by its id: its filter counts beside the others."),
    ] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Filters combine; one that is absent does not matter. Orders that come in meanwhile shift no page.

    A channel or node that is named must be the caller's own. Of a view's channels and nodes those that are not his are
    as if nothing were there. A page after the first wants the same filters and the same view as it.
    """
    given = asked.filter()
    visibility.own_filter(who, given)
    after = cursor.decode_moment(cursor_) if cursor_ else None
    async with services.engine.connect() as connection:
        kept = [saved_views.filter_of(await saved_views.get(connection, who, view, "view"))] if view is not None else []
        wanted = search.Search((*kept, given), datetime.now(UTC), who.limits, after, limit + 1)
        found = await search.find(connection, wanted)
        rows = await reads.summaries(connection, [order_id for _, order_id in found[:limit]])
    more = cursor.encode(*found[limit - 1]) if len(found) > limit else None
    return Json({"items": [_with_promise(row) for row in rows], "next_cursor": more})


@router.get(
    "/orders/{order_id}",
    summary="An order with everything about it",
    operation_id="getOrder",
    responses={**responses.success(200, "The order.", examples.ORDER), **responses.problems("not-found")},
)
async def get(order_id: OrderId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_READ)]) -> OrderDetail:
    """Lines with where their units are, fulfilments with shipments, messages, returns, refunds, open exceptions, and
    what the order waits for and until when.
    """
    await visibility.see(services, who, ORDER, order_id)
    async with services.reads.connect() as connection:
        found = await reads.order(connection, order_id)
        if found is None:
            raise _no(order_id)
        waits = await order_waits.read(connection, found, utc_now())
    if not visibility.sees_costs(who):
        _hide_costs(found)
    if not visibility.sees_codes(who):
        for work in found["fulfilments"]:
            work["collection_code"] = None
    document = found.pop("document")
    told = {name: document[name] for name in _FROM_DOCUMENT}
    return OrderDetail.model_validate({**_with_promise(found), **told, "waits_for": waits, "links": _links(order_id)})


@router.get(
    "/orders/{order_id}/timeline",
    summary="What happened to an order",
    operation_id="getOrderTimeline",
    response_model=Timeline,
    responses={
        **responses.success(200, "All events, oldest first.", examples.TIMELINE),
        **responses.problems("not-found"),
    },
)
async def get_timeline(order_id: OrderId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_READ)]) -> Json:
    """Append-only: who did what, when and why, with the data of each step. Notes are for who may read them."""
    await visibility.see(services, who, ORDER, order_id)
    async with services.reads.connect() as connection:
        events = await timeline.of_order(connection, order_id)
        if not events and await order_rows.find(connection, order_id) is None:
            raise _no(order_id)
    hidden = frozenset() if visibility.sees_costs(who) else INTERNAL
    private = frozenset[str]() if who.has(Scope.ORDERS_NOTE) else FOR_STAFF
    shown = [{**each, "data": _without(each["data"], hidden)} for each in events if each["kind"] not in private]
    return Json({"order_id": order_id, "events": shown})


@router.get(
    "/orders/{order_id}/sourcing",
    summary="Why an order is sourced as it is",
    operation_id="getOrderSourcing",
    response_model=Sourcing,
    responses={
        **responses.success(200, "Every decision, in sequence.", examples.SOURCING),
        **responses.problems("not-found"),
    },
)
async def get_sourcing(
    order_id: OrderId,
    services: Use,
    who: Annotated[Principal, needs(Scope.SOURCING_READ)],
    full: Annotated[
        bool, Query(description="Make each decision again on what the planner saw, and show every fence and cost.")
    ] = False,
) -> Json:
    """Each decision as it was made: the stock it saw, the nodes that held goods and why they were left out, costs by
    term, the runner-up, what would have to change for it to win, the policy version, and the reasons in words.
    """
    await visibility.see(services, who, ORDER, order_id)
    async with services.reads.connect() as connection:
        kept = await explanations.kept(connection, order_id, snapshots=full)
        if not kept and await order_rows.find(connection, order_id) is None:
            raise _no(order_id)
    shown = await asyncio.to_thread(lambda: [stored_decision(each, full=full) for each in kept])
    return Json({"order_id": order_id, "decisions": shown})


@router.post(
    "/orders/{order_id}/cancel",
    summary="Cancel an order, whole or by line",
    operation_id="cancelOrder",
    response_model=CancelResult,
    responses={
        **responses.success(200, "What was cancelled; its stock is free again.", examples.CANCELLED),
        **responses.problems("not-found", "conflict", "cannot-cancel", "invalid-input", "no-answer-yet"),
    },
)
async def cancel(
    order_id: OrderId,
    asked: Annotated[CancelRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.CANCELS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_CANCEL)],
    key: IdempotencyKey = None,
) -> Json:
    """Possible for units that are not handed over. Everything asked is cancelled, or nothing is; with `mode` `possible`
    what can be cancelled is, and `lines` of the answer say why the rest is left. Where nothing can be it is refused.
    With `ask` what a node has picked is not taken from it: the node is asked, and `lines` name the request.

    Without `lines` the whole order; a line without `quantity` means every unit of it.
    """
    await visibility.see(services, who, ORDER, order_id)
    not_in_the_future(asked.occurred_at)
    call = CancelCall(
        lines=asked.lines,
        mode=asked.mode,
        reason=asked.reason,
        actor=who.name,
        occurred_at=asked.occurred_at,
        nodes=None if who.limits.nodes is None else tuple(sorted(who.limits.nodes)),
    )
    return Json(await services.orders.cancel(order_id, call, key))


def _links(order_id: str) -> dict[str, str]:
    own = f"/v1/orders/{order_id}"
    return {"self": own, "timeline": f"{own}/timeline", "sourcing": f"{own}/sourcing"}


def _with_promise(row: RowMapping | dict[str, Any]) -> dict[str, Any]:
    shown = dict(row)
    earliest, latest = shown.pop("promise_earliest"), shown.pop("promise_latest")
    return {**shown, "promise": None if earliest is None else {"earliest": earliest, "latest": latest}}


def _hide_costs(order: dict[str, Any]) -> None:
    for fulfilment in order["fulfilments"]:
        fulfilment["cost"] = None
        for shipment in fulfilment["shipments"]:
            shipment["price"] = None


def _without(data: Mapping[str, Any], hidden: Set[str]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in hidden}


def _no(order_id: str) -> NotFound:
    return NotFound(f"there is no order {order_id}")
