"""Soft reservations: units held for a cart or a checkout until they become an order, are given back, or expire."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from sqlalchemy import RowMapping

from api.availability.routes import NOWHERE
from api.contract import responses
from api.http.answers import Json
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from api.reservations import examples
from api.reservations.models import Extension, Reservation, ReservationId, ReservationRequest
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import NotFound
from services.reservation_planning import SoftReservationLine, SoftReservationRequest

router = APIRouter(tags=["inventory"])

_SHOWN = ("channel", "owner", "reason", "status", "expires_at", "created_at", "units")


@router.post(
    "/reservations",
    status_code=201,
    summary="Reserve units for a cart",
    operation_id="holdUnits",
    response_model=Reservation,
    responses={
        **responses.success(201, "Held from now on.", examples.RESERVATION),
        **responses.success(200, "Made before, with the same key; as it stands.", examples.RESERVATION, Reservation),
        **responses.problems(
            "stock-conflict", "conflict", "unknown-channel", "unknown-sku", "unknown-node", "invalid-input"
        ),
    },
)
async def reserve(
    asked: Annotated[
        ReservationRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.RESERVATION_REQUESTS))
    ],
    services: Use,
    who: Annotated[Principal, needs(Scope.RESERVATIONS_WRITE)],
    key: IdempotencyKey = None,
) -> Json:
    """Plans the lines as an order of the channel would be planned and takes exactly those units, all or none; with 409,
    `data.lines` says how many of each line could be held.

    An owner has one reservation in a channel: asked again, the new one takes the place of the old one in one step, and
    what the owner holds already counts as free for him. It expires by itself. Name it as `reservation_id` in the order.

    A caller who is limited to nodes names them: in every line, or as `pickup_node`.
    """
    visibility.must_be_own(who, "channel", channel=asked.channel)
    named = ((f"lines[{index}].node_id", line.node_id) for index, line in enumerate(asked.lines))
    visibility.own_nodes(who, named if asked.pickup_node is None else [("pickup_node", asked.pickup_node)])
    await services.channels.check(asked.channel)
    wanted = SoftReservationRequest(
        channel=asked.channel,
        owner=asked.owner,
        reason=asked.reason,
        seconds=asked.seconds,
        lines=tuple(
            SoftReservationLine(line.sku, line.quantity, line.node_id, line.unit_price) for line in asked.lines
        ),
        country=asked.ship_to.country if asked.ship_to else NOWHERE,
        postal_code=asked.ship_to.postal_code if asked.ship_to else "",
        region=asked.ship_to.region if asked.ship_to else "",
        shipping_method=asked.method,
        pickup_node=asked.pickup_node,
        currency=asked.currency,
        tags=asked.tags,
        customer_class=asked.customer_class,
    )
    found, created = await services.reservations.reserve(wanted, key)
    shown = await _shown(services, found)
    return Json(shown, 201 if created else 200, headers={"Location": shown["links"]["self"]})


@router.get(
    "/reservations/{reservation_id}",
    summary="A reservation as it stands",
    operation_id="getReservation",
    response_model=Reservation,
    responses={
        **responses.success(200, "The reservation.", examples.RESERVATION),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def get(
    reservation_id: ReservationId, services: Use, who: Annotated[Principal, needs(Scope.RESERVATIONS_READ)]
) -> Json:
    """Its units, its expiry, what an order of it would be promised now, and the order it became.

    Where a node changed meanwhile (switched off, other hours, no pick-up) the promise is what the nodes give now, and
    `unfilled` says what they do not.
    """
    return Json(await _shown(services, await _own(services, who, reservation_id)))


@router.post(
    "/reservations/{reservation_id}/extend",
    summary="Reserve units for longer",
    operation_id="extendReservation",
    response_model=Reservation,
    responses={
        **responses.success(200, "With its new expiry.", examples.RESERVATION),
        **responses.problems("not-found", "reservation-ended", "invalid-input"),
    },
)
async def extend(
    reservation_id: ReservationId,
    extension: Annotated[Extension, AS_SEEN, Body(openapi_examples=responses.named(examples.RESERVATION_EXTENSIONS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.RESERVATIONS_WRITE)],
) -> Json:
    """Counted from now, never to an earlier moment than before. One that ended is not revived: ask for a new one."""
    await _own(services, who, reservation_id)
    return Json(await _shown(services, await services.reservations.extend(reservation_id, extension.seconds)))


@router.delete(
    "/reservations/{reservation_id}",
    summary="Release a reservation",
    operation_id="releaseReservation",
    response_model=Reservation,
    responses={
        **responses.success(200, "As it stands now.", examples.RESERVATION_RELEASED),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def release(
    reservation_id: ReservationId, services: Use, who: Annotated[Principal, needs(Scope.RESERVATIONS_WRITE)]
) -> Json:
    """One that has ended already, or became an order, stays as it is."""
    await _own(services, who, reservation_id)
    return Json(await _shown(services, await services.reservations.release(reservation_id)))


async def _own(services: Services, who: Principal, reservation_id: str) -> RowMapping:
    """The reservation. Raises NotFound, also for one of a channel that is not the caller's own, or of other nodes."""
    found = await services.reservations.get(reservation_id)
    elsewhere = not any(who.limits.allow(node=units["node_id"]) for units in found["units"])
    if not who.limits.allow(channel=found["channel"]) or (who.limits.nodes is not None and elsewhere):
        raise NotFound(f"there is no reservation {reservation_id}")
    return found


async def _shown(services: Services, found: RowMapping) -> dict[str, Any]:
    order_id, outcome = found["order_id"], await services.reservations.outcome(found)
    return {
        "reservation_id": found["id"],
        **{name: found[name] for name in _SHOWN},
        "promise": outcome.promise,
        "unfilled": [
            {
                "index": each.index,
                "sku": each.sku,
                "quantity": each.quantity,
                **({"cannot_be_sourced": True} if each.never else {}),
            }
            for each in outcome.lacking
        ],
        "links": {
            "self": f"/v1/reservations/{found['id']}",
            "order": None if order_id is None else f"/v1/orders/{order_id}",
        },
    }
