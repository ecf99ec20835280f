"""Holds of orders: put on, released, shown."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query

from api.contract import responses
from api.holds import examples
from api.holds.models import HoldList, HoldPlaced, HoldReleased, HoldRequest, OrderHolds, ReleaseRequest
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit, OrderId
from api.http.services import IdempotencyKey, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.commands import PlaceHold, ReleaseHold
from dom.orders.holds import BlockedStep
from dom.orders.status import UNBEGUN
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from services import holds
from services.change_orders import OrderChanged
from store.access.visibility import ORDER
from store.holds import holds as rows

router = APIRouter(tags=["holds"])

HoldId = Annotated[str, Path(max_length=900, description="The hold's id.", examples=["web-EXAMPLE-1-H1"])]
_AS_RESOLVED = ReleaseRequest()


@router.post(
    "/orders/{order_id}/holds",
    status_code=201,
    summary="Put a hold on an order",
    operation_id="placeHold",
    response_model=HoldPlaced,
    responses={
        **responses.success(201, "The hold stands.", examples.PLACED),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def place(
    order_id: OrderId,
    asked: Annotated[HoldRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_HOLD)],
    key: IdempotencyKey = None,
) -> Json:
    """Blocks the steps its type names, until it is released by a person, a rule or time. Only those steps wait: an
    order whose release is blocked stays planned, and its stock reserved. One hold of each type stands at a time.
    """
    await visibility.see(services, who, ORDER, order_id)
    now = datetime.now(UTC)
    for field in ("due_at", "release_at"):
        moment = getattr(asked, field)
        if moment is not None and moment <= now:
            raise InvalidInput(f"{moment.isoformat()} is over", field=field)
    command = PlaceHold(
        type=asked.type,
        blocks=frozenset(asked.blocks or ()),
        actor=who.name,
        at=now,
        reason=asked.reason,
        owner=asked.owner or "",
        due_at=asked.due_at,
        release_at=asked.release_at,
        **_request(key, asked, "place"),
    )
    async with services.engine.begin() as connection:
        changed = await holds.place(connection, order_id, command, services.writing)
        shown = await rows.of_order(connection, order_id)
    state, blocks = changed.state, frozenset(changed.data["blocks"])
    begun = [f.id for f in state.living if f.status not in UNBEGUN] if BlockedStep.RELEASE in blocks else []
    return Json({"hold": _one(shown, changed), "not_blocked": begun}, 201)


@router.post(
    "/orders/{order_id}/holds/{hold_id}/release",
    summary="Release a hold",
    operation_id="releaseHold",
    response_model=HoldReleased,
    responses={
        **responses.success(200, "It is released.", examples.RELEASED),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def release(
    order_id: OrderId,
    hold_id: HoldId,
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_HOLD)],
    asked: Annotated[ReleaseRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.RELEASES))] = _AS_RESOLVED,
    key: IdempotencyKey = None,
) -> Json:
    """What no other hold blocks goes on at once. Who may release it, its type says (403 otherwise)."""
    await visibility.see(services, who, ORDER, order_id)
    command = ReleaseHold(
        hold_id=hold_id, actor=who.name, at=datetime.now(UTC), reason=asked.reason, **_request(key, asked, "release")
    )
    async with services.engine.begin() as connection:
        changed = await holds.release(connection, order_id, command, services.writing, who.roles)
        shown = await rows.of_order(connection, order_id)
    return Json({"hold": _one(shown, changed), "recalled": sorted(changed.data.get("recalled") or ())})


@router.get(
    "/orders/{order_id}/holds",
    summary="An order's holds",
    operation_id="listOrderHolds",
    response_model=OrderHolds,
    responses={
        **responses.success(200, "All of them, also those released.", examples.OF_ORDER),
        **responses.problems("not-found"),
    },
)
async def of_order(order_id: OrderId, services: Use, who: Annotated[Principal, needs(Scope.ORDERS_READ)]) -> Json:
    """In the sequence in which they were put on; what stands has no `released_at`."""
    await visibility.see(services, who, ORDER, order_id)
    async with services.reads.connect() as connection:
        await holds.must_exist(connection, order_id)
        shown = await rows.of_order(connection, order_id)
    return Json({"order_id": order_id, "holds": [dict(row) for row in shown]})


@router.get(
    "/holds",
    summary="Holds that stand",
    operation_id="listHolds",
    response_model=HoldList,
    responses={
        **responses.success(200, "A page of holds, the oldest first.", examples.STANDING),
        **responses.problems("invalid-input"),
    },
)
async def standing(
    services: Use,
    who: Annotated[Principal, needs(Scope.ORDERS_READ)],
    *,
    type_: Annotated[str | None, Query(alias="type", max_length=64, description="Only of this type.")] = None,
    owner: Annotated[str | None, Query(max_length=64, description="Only this person's or role's.")] = None,
    overdue: Annotated[bool | None, Query(description="Only those that are past `due_at`, or only others.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """What waits for somebody, over all orders."""
    wanted = rows.HoldFilter(type=type_, owner=owner, overdue=overdue, limits=who.limits)
    after = cursor.decode_moment(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        found = await rows.standing(connection, wanted, after=after, limit=limit + 1)
    page = [dict(row) for row in found[:limit]]
    more = cursor.encode(page[-1]["placed_at"], page[-1]["hold_id"]) if len(found) > limit else None
    return Json({"items": page, "next_cursor": more})


def _request(key: str | None, asked: HoldRequest | ReleaseRequest, verb: str) -> dict[str, str]:
    return {} if key is None else {"request": f"hold/{verb}/{key}", "request_hash": asked.content_hash(f"hold {verb}")}


def _one(shown: Any, changed: OrderChanged) -> Mapping[str, Any]:
    return dict(next(row for row in shown if row["hold_id"] == changed.data["hold_id"]))
