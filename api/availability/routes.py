"""What can be promised, now and later."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import ValidationError

from api.availability import examples
from api.availability.models import (
    MAX_SKUS,
    MAX_SKUS_BY_NODE,
    MAX_SKUS_PLANNED,
    Availability,
    AvailabilityQuery,
    Destination,
    Detail,
    PromiseRequest,
    Promises,
)
from api.contract import responses
from api.http.answers import Json
from api.http.services import Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.channels import channel as channels
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN, GivenDay
from dom.shared.errors import Forbidden, InvalidInput, UnknownSku
from dom.shared.input_words import in_words
from dom.sourcing.models import Demand, DemandLine
from dom.sourcing.servable import Servable
from services import promises
from services.planning import SnapshotTerms
from services.promises import Promised, Target
from store.availability import availability
from store.availability.availability import AvailabilityAnswer, AvailabilityRequest, Found

router = APIRouter(tags=["inventory"])

NOWHERE = "ZZ"
"""The country of goods that are collected: none, for they do not travel."""
_SHOWN = (
    "node_id", "on_hand", "reserved", "safety_stock", "available", "reserved_soft", "damaged", "quarantine",
    "promise_safety",
)  # fmt: skip


@router.get(
    "/availability",
    summary="Units that can be promised, now and later",
    operation_id="getAvailability",
    response_model=Availability,
    responses={
        **responses.success(200, "By SKU and node.", examples.AVAILABILITY),
        **responses.problems("unknown-sku", "unknown-node", "unknown-channel", "invalid-input"),
    },
)
async def get_availability(  # noqa: PLR0917  each is a parameter of the query
    services: Use,
    who: Annotated[Principal, needs(Scope.AVAILABILITY_READ)],
    sku: Annotated[
        list[str], Query(min_length=1, max_length=MAX_SKUS, description="Repeatable.", examples=[["85123A"]])
    ],
    node: Annotated[str | None, Query(max_length=64, description="Only at this node.")] = None,
    channel: Annotated[
        str | None, Query(max_length=31, description="What this channel may be promised; absent: what is free.")
    ] = None,
    country: Annotated[
        str | None,
        Query(
            pattern="^[A-Z]{2}$",
            description="Where it would go: only what may be sent there counts. Adds when it would arrive.",
        ),
    ] = None,
    postal_code: Annotated[str, Query(max_length=20, description="Goes with `country`.")] = "",
    pickup_node: Annotated[
        str | None,
        Query(
            max_length=64,
            description="Where it would be collected, instead of `country`: only what is there counts, and what may be "
            "sent there where the policy has ship to store.",
        ),
    ] = None,
    day: Annotated[GivenDay | None, Query(description="Adds what can be promised for this day.")] = None,
    detail: Annotated[
        Detail | None, Query(description="Balances by node, or sums. Absent: by node for up to 200 SKUs.")
    ] = None,
) -> Json:
    """On hand less reserved (for orders, carts and waiting orders), safety and what is kept from the channel, at active
    nodes; later, with what is inbound. A SKU before its release has nothing now. Where a place is given, only nodes
    that may send or hand it out there count, and `cannot_be_sourced` says of a SKU that none may, whatever it holds.
    To a caller who is limited to nodes no others count.
    """
    if postal_code and country is None:
        raise InvalidInput("a postal code needs its country", field="country")
    if pickup_node is not None and country is not None:
        raise InvalidInput("give either a country or a pickup_node", field="pickup_node")
    query = AvailabilityQuery.model_construct(
        skus=tuple(dict.fromkeys(sku)),
        channel=visibility.own_channel(who, channel),
        node=node,
        ship_to=_destination(country, postal_code) if country else None,
        pickup_node=pickup_node,
        day=day,
        detail=detail,
    )
    try:
        return await _availability(services, who, query)
    except UnknownSku as error:
        raise UnknownSku(error.detail, field=f"sku[{sku.index(error.data['skus'][0])}]", data=_named(error)) from error


@router.post(
    "/availability/query",
    summary="Units of many SKUs that can be promised",
    operation_id="queryAvailability",
    response_model=Availability,
    responses={
        **responses.success(200, "By SKU and node.", examples.AVAILABILITY),
        **responses.problems("unknown-sku", "unknown-node", "unknown-channel", "invalid-input"),
    },
)
async def query_availability(
    query: Annotated[AvailabilityQuery, AS_SEEN, Body(openapi_examples=responses.named(examples.AVAILABILITY_QUERIES))],
    services: Use,
    who: Annotated[Principal, needs(Scope.AVAILABILITY_READ)],
) -> Json:
    """The same as the GET, for as many SKUs as a long address would not hold."""
    own = {"skus": tuple(dict.fromkeys(query.skus)), "channel": visibility.own_channel(who, query.channel)}
    try:
        return await _availability(services, who, query.model_copy(update=own))
    except UnknownSku as error:
        raise UnknownSku(
            error.detail, field=f"skus[{query.skus.index(error.data['skus'][0])}]", data=_named(error)
        ) from error


@router.post(
    "/availability/promise",
    summary="What a basket would be promised",
    operation_id="promiseAvailability",
    response_model=Promises,
    responses={
        **responses.success(200, "One plan for each method.", examples.PROMISES),
        **responses.problems("unknown-sku", "unknown-node", "unknown-channel", "invalid-input"),
    },
)
async def promise(
    basket: Annotated[PromiseRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.PROMISE_REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.AVAILABILITY_READ)],
) -> Json:
    """The plan an order of these lines would get now, by the same function, without reserving anything. A caller who is
    limited to nodes names one of them as `pickup_node`: what is sent may come from any.
    """
    visibility.must_be_own(who, "channel", channel=basket.channel)
    visibility.own_nodes(who, [("pickup_node", basket.pickup_node)])
    await services.channels.check(basket.channel)
    methods = basket.methods()
    lines = list(zip(basket.line_ids(), basket.lines, strict=True))
    demand = Demand(
        order_id="promise",
        channel=basket.channel,
        country=basket.ship_to.country if basket.ship_to else NOWHERE,
        place=None,
        region=basket.ship_to.region if basket.ship_to else "",
        shipping_method=methods[0],
        lines=tuple(
            DemandLine(line_id=line_id, sku=line.sku, quantity=line.quantity, unit_price=line.unit_price or 0)
            for line_id, line in lines
        ),
        as_of=datetime.now(UTC),
        pickup_node=basket.pickup_node,
        requested_by=basket.requested_by,
        currency=basket.currency,
        tags=basket.tags,
        customer_class=basket.customer_class,
        ship_complete=basket.ship_complete,
    )
    terms = SnapshotTerms(
        postal_code=basket.ship_to.postal_code if basket.ship_to else "",
        own=basket.reservation_id,
        promised=True,
        at_list_price=frozenset(line_id for line_id, line in lines if line.unit_price is None),
    )
    async with services.reads.connect() as connection:
        promised = await promises.promise(connection, services.reference, demand, terms, methods)
    return Json({"items": [_promised(each) for each in promised]})


def _named(error: UnknownSku) -> dict[str, Any]:
    return {"skus": error.data["skus"]}


def _destination(country: str, postal_code: str) -> Destination:
    try:
        return Destination(country=country, postal_code=postal_code)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise InvalidInput(in_words(wrong), field=str(wrong["loc"][0])) from error


async def _availability(services: Services, who: Principal, query: AvailabilityQuery) -> Json:
    now = datetime.now(UTC)
    if query.day is not None and query.day < now.date():
        raise InvalidInput(f"{query.day} is past", field="day")
    visibility.must_be_own(who, "node", node=query.node)
    visibility.must_be_own(who, "pickup_node", node=query.pickup_node)
    await services.channels.check(query.channel)
    async with services.reads.connect() as connection:
        ways = None
        nodes = who.limits.nodes if query.node is None else frozenset({query.node})
        planned = query.skus if len(query.skus) <= MAX_SKUS_PLANNED else ()
        if (to := _target(query, now)) is not None:
            ways = await promises.ways_to(connection, services.reference, to, planned, nodes)
        asked = AvailabilityRequest(
            skus=query.skus,
            at=now,
            channel=query.channel,
            nodes=nodes,
            by_node=_detail(who, query) is Detail.NODE,
            able=ways.servable.nodes if ways else None,
        )
        answer = await availability.look(connection, services.reference, asked)
    items = []
    for found in answer.found:
        item = _item(answer, found, asked, query)
        if ways is not None:
            item |= _impossible(found, ways.servable, query.node)
            if planned:
                item["earliest"] = await asyncio.to_thread(ways.earliest, found.sku)
        items.append(item)
    return Json({"items": items})


def _target(query: AvailabilityQuery, now: datetime) -> Target | None:
    """Where the goods would go, if that was said."""
    if query.pickup_node is not None:
        return Target(country=NOWHERE, at=now, channel=query.channel, pickup_node=query.pickup_node)
    place = query.ship_to
    if place is None:
        return None
    return Target(
        country=place.country, at=now, postal_code=place.postal_code, region=place.region, channel=query.channel
    )


def _impossible(found: Found, servable: Servable, node: str | None) -> dict[str, Any]:
    """What is said of a SKU that no node may ever give to the place, or not the one that was asked for."""
    able = servable.nodes(found.sku)
    if able is None or (node in able if node is not None else able):
        return {}
    reason = servable.why_none(found.sku, node if able else None)
    return {"cannot_be_sourced": True, "reason": reason} if reason else {}


def _detail(who: Principal, query: AvailabilityQuery) -> Detail:
    # Balances by node are the system's own: a channel hears what it may sell, of all nodes or of one it names.
    if not who.has(Scope.STOCK_READ):
        if query.detail is Detail.NODE:
            raise Forbidden(f"balances by node need the scope {Scope.STOCK_READ}", field="detail")
        return Detail.SKU
    if query.detail is not None:
        return query.detail
    return Detail.NODE if len(query.skus) <= MAX_SKUS_BY_NODE else Detail.SKU


def _item(
    answer: AvailabilityAnswer, found: Found, asked: AvailabilityRequest, query: AvailabilityQuery
) -> dict[str, Any]:
    outlook, sku = found.outlook, found.sku
    limit = sku.wait_limit(asked.today)
    item: dict[str, Any] = {
        "sku": sku.id,
        "available": outlook.now,
        "nodes": [{name: row[name] for name in _SHOWN} for row in found.balances],
        "level": channels.level(outlook.now, answer.channel),
        "later": [{"date": later.date, "quantity": later.quantity} for later in outlook.later(asked.today)],
        "release_on": sku.release_on,
        "waiting": found.waiting,
        "wait_limit": limit,
        "may_wait": None if limit is None else max(limit - found.waiting, 0),
    }
    if query.day is not None:
        item["on_day"] = outlook.on(query.day, asked.today)
    return item


def _promised(promised: Promised) -> dict[str, Any]:
    decision = promised.decision
    return {
        "method": promised.method,
        "complete": not decision.unfilled,
        "promise": decision.promise,
        "shipments": [
            {
                "node_id": shipment.node_id,
                "carrier": shipment.carrier,
                "lines": [_line(line) for line in shipment.lines],
                "ship_by": shipment.ship_by,
                "promise": shipment.promise,
            }
            for shipment in decision.shipments
        ],
        "unfilled": [
            {
                **_line(line),
                **({"cannot_be_sourced": True} if line.line_id in decision.cannot_be_sourced else {}),
                "available_on": promised.available_on.get(line.line_id),
            }
            for line in decision.unfilled
        ],
        "exact": decision.exact,
        "policy_version": decision.policy_version,
    }


def _line(line: DemandLine) -> dict[str, Any]:
    return line.model_dump(include={"line_id", "sku", "quantity"})
