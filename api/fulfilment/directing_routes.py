"""What staff has done with work that no node has begun: it is moved to another node, sourced again, split or merged."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body
from sqlalchemy import RowMapping

from api.contract import responses
from api.fulfilment import examples
from api.fulfilment.models import (
    FulfilmentMerged,
    FulfilmentMoved,
    FulfilmentSourcedAgain,
    FulfilmentSplit,
    MergeRequest,
    MoveRequest,
    SourceAgainRequest,
    SplitRequest,
)
from api.http.answers import Json
from api.http.asked_once import asked_once
from api.http.models import FulfilmentId
from api.http.services import IdempotencyKey, Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.orders.commands import MergeWork, MoveWork, SourceWorkAgain, SplitWork
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from services import merging, moving, sourcing_work_again, splitting
from services.change_orders import OrderChanged
from services.database import Database
from store.access.visibility import FULFILMENT
from store.fulfilment import fulfilments
from store.orders import orders

router = APIRouter(tags=["fulfilments"])

_ANYWHERE: Final = MoveRequest()
_ANEW: Final = SourceAgainRequest()


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
    without `node_id`, anywhere else but at nodes that failed the order, unless the policy asks these again at once; the
    live policy counts as always. Then stock and the day's capacity go over in one transaction. What cannot be done
    there is 409: `data.fence` says which fence of the policy the node fails; where it is null, the node has not all of
    the goods. Re-optimisation leaves work that was moved to a named node where it was put.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    visibility.own_nodes(who, [("node_id", asked.node_id)])
    command = MoveWork(
        fulfilment_id=fulfilment_id,
        node_id=asked.node_id,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        **asked_once(fulfilment_id, "move", asked, who, key),
    )
    moved = await moving.move(_database(services), command)
    return Json(await _shown(services, moved, fulfilment_id, moved.data["fulfilments"]))


@router.post(
    "/fulfilments/{fulfilment_id}/source-again",
    summary="Source work again",
    operation_id="sourceFulfilmentAgain",
    response_model=FulfilmentSourcedAgain,
    responses={
        **responses.success(200, "Its units were sourced anew.", examples.SOURCED_AGAIN),
        **responses.problems("not-found", "step-not-possible", "on-hold", "conflict", "invalid-input", "no-answer-yet"),
    },
)
async def source_again(
    fulfilment_id: FulfilmentId,
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_DIRECT)],
    asked: Annotated[
        SourceAgainRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.SOURCES_AGAIN))
    ] = _ANEW,
    key: IdempotencyKey = None,
) -> Json:
    """Possible while no node has begun. The work is recalled, and its units are sourced in the same transaction by the
    live policy on the stock as it is, together with whatever else of the order waits: at one node or several, its own
    among them unless `without_node` says otherwise, by substitutes where the order allows them. What no node has waits
    as after a rejection, and the customer is told. Where all of it has to go to one place, move it.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    visibility.no_limit_of_nodes(who)
    command = SourceWorkAgain(
        fulfilment_id=fulfilment_id,
        without_node=asked.without_node,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        **asked_once(fulfilment_id, "source-again", asked, who, key),
    )
    done = await sourcing_work_again.source_work_again(_database(services), command)
    async with services.engine.connect() as connection:
        made = await sourcing_work_again.became(connection, done)
    return Json(await _shown(services, done, fulfilment_id, made.fulfilments) | {"waiting": done.state.waiting})


@router.post(
    "/fulfilments/{fulfilment_id}/split",
    summary="Split work",
    operation_id="splitFulfilment",
    response_model=FulfilmentSplit,
    responses={
        **responses.success(200, "The units have a fulfilment of their own.", examples.SPLIT),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def split(
    fulfilment_id: FulfilmentId,
    asked: Annotated[SplitRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.SPLITS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_DIRECT)],
    key: IdempotencyKey = None,
) -> Json:
    """Possible while no node has begun. Some of its units become a fulfilment of their own at the same node, by the
    same day, service and promise, and take a place of their own in the node's day. Each part goes on by itself: it can
    be moved, picked and sent without the other.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    lines: dict[str, int] = {}
    for position, line in enumerate(asked.lines):
        if line.line_id in lines:
            raise InvalidInput(f"line {line.line_id} stands twice", field=f"lines[{position}].line_id")
        lines[line.line_id] = line.quantity
    command = SplitWork(
        fulfilment_id=fulfilment_id,
        lines=lines,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        **asked_once(fulfilment_id, "split", asked, who, key),
    )
    async with services.engine.begin() as connection:
        done = await splitting.split(connection, command, services.writing)
        living = await fulfilments.living(connection, done.state.order_id)
    parts = {fulfilment_id, done.data["made"]}
    return Json(
        {
            "order_id": done.state.order_id,
            "order_status": done.state.status(),
            "fulfilment_id": fulfilment_id,
            "repeated": done.repeated,
            "made": done.data["made"],
            "fulfilments": [_work(row) for row in living if row["id"] in parts],
        }
    )


@router.post(
    "/fulfilments/{fulfilment_id}/merge",
    summary="Merge work",
    operation_id="mergeFulfilment",
    response_model=FulfilmentMerged,
    responses={
        **responses.success(200, "The units of both have one fulfilment.", examples.MERGED),
        **responses.problems("not-found", "step-not-possible", "conflict", "invalid-input"),
    },
)
async def merge(
    fulfilment_id: FulfilmentId,
    asked: Annotated[MergeRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.MERGES))],
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_DIRECT)],
    key: IdempotencyKey = None,
) -> Json:
    """Possible while no node has begun either, at one node, by one service and carrier. Both are recalled, and become
    one fulfilment by the day and promise of the first, which must not be the later ones; it takes one place in the
    node's day.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    command = MergeWork(
        fulfilment_id=fulfilment_id,
        merged=asked.merged,
        actor=who.name,
        at=datetime.now(UTC),
        reason=asked.reason,
        **asked_once(fulfilment_id, "merge", asked, who, key),
    )
    async with services.engine.begin() as connection:
        done = await merging.merge(connection, command, services.writing)
        living = await fulfilments.living(connection, done.state.order_id)
    return Json(
        {
            "order_id": done.state.order_id,
            "order_status": done.state.status(),
            "fulfilment_id": fulfilment_id,
            "merged": asked.merged,
            "repeated": done.repeated,
            "made": done.data["made"],
            "fulfilments": [_work(row) for row in living if row["id"] == done.data["made"]],
        }
    )


def _database(services: Services) -> Database:
    return Database(engine=services.engine, reference=services.reference, webhooks=services.webhooks)


async def _shown(
    services: Services, moved: OrderChanged, fulfilment_id: str, became: Collection[str]
) -> dict[str, Any]:
    order_id = moved.state.order_id
    async with services.engine.connect() as connection:
        living = await fulfilments.living(connection, order_id)
        order = await orders.find(connection, order_id)
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
