"""What staff has done with work that no node has begun: it is moved to another node."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body
from sqlalchemy import RowMapping

from api.contract import responses
from api.fulfilment import examples
from api.fulfilment.models import FulfilmentMoved, MoveRequest
from api.http.answers import Json
from api.http.models import FulfilmentId
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.commands import MoveWork
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import moving
from services.change_orders import OrderChanged
from services.database import Database
from store.access.visibility import FULFILMENT
from store.fulfilment import fulfilments
from store.orders import orders

router = APIRouter(tags=["fulfilments"])

_ANYWHERE: Final = MoveRequest()


@router.post(
    "/fulfilments/{fulfilment_id}/move",
    summary="Move work to another node",
    operation_id="moveFulfilment",
    response_model=FulfilmentMoved,
    responses={
        **responses.success(200, "The units are reserved at the new place.", examples.MOVED),
        **responses.problems(
            "not-found", "step-not-possible", "on-hold", "unknown-node", "conflict", "invalid-input", "no-answer-yet"
        ),
    },
)
async def move(
    fulfilment_id: FulfilmentId,
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_DIRECT)],
    asked: Annotated[MoveRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.MOVES))] = _ANYWHERE,
    key: IdempotencyKey = None,
) -> Json:
    """Possible while no node has begun. The planner plans all of its units on the stock as it is, at that node or,
    without `node_id`, anywhere else; the live policy counts as always. Then stock and the day's capacity go over in one
    transaction. What cannot be done there is 409: `data.fence` says which fence of the policy the node fails; where it
    is null, the node has not all of the goods. Re-optimisation leaves work that was moved where it was put.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    visibility.own_nodes(who, [("node_id", asked.node_id)])
    told: dict[str, Any] = {}
    if key is not None:
        told["request"] = f"{fulfilment_id}/move/{key}"
        told["request_hash"] = asked.content_hash(f"move by {who.name}")
    command = MoveWork(
        fulfilment_id=fulfilment_id,
        node_id=asked.node_id,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        **told,
    )
    database = Database(engine=services.engine, reference=services.reference, webhooks=services.webhooks)
    moved = await moving.move(database, command)
    return Json(await _shown(services, moved, fulfilment_id))


async def _shown(services: Services, moved: OrderChanged, fulfilment_id: str) -> dict[str, Any]:
    order_id = moved.state.order_id
    async with services.engine.connect() as connection:
        living = await fulfilments.living(connection, order_id)
        order = await orders.find(connection, order_id)
    became = moved.data["fulfilments"]
    promise = order.promise if order is not None else None
    return {
        "order_id": order_id,
        "order_status": moved.state.status(),
        "fulfilment_id": fulfilment_id,
        "repeated": moved.repeated,
        "fulfilments": [_work(row) for row in living if row["id"] in became],
        "promise": None if promise is None else {"earliest": promise.earliest, "latest": promise.latest},
    }


def _work(row: RowMapping) -> dict[str, Any]:
    shown = {name: row[name] for name in ("id", "node_id", "status", "method", "carrier", "ship_by")}
    promise = {"earliest": row["promise_earliest"], "latest": row["promise_latest"]}
    return {**shown, "lines": row["lines"] or {}, "promise": promise}
