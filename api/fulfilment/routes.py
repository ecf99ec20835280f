"""Fulfilments: a node's work list, and what the node reports about its work."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Request, Response
from sqlalchemy import RowMapping

from api.contract import responses
from api.fulfilment import examples
from api.fulfilment.models import Arrival, StepReport, StepTaken, WorkList
from api.http import cursor
from api.http.answers import Json
from api.http.clock import not_in_the_future
from api.http.models import Cursor, FulfilmentId, Limit
from api.http.services import IdempotencyKey, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.network import ShippingMethod
from dom.orders.calls import ArrivedCall, ArrivedResult, StepLine
from dom.orders.commands import TakeNodeStep
from dom.orders.status import FulfilmentStatus, FulfilmentStep
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput, NotFound
from services import node_steps
from services.change_orders import OrderChanged
from store.access.visibility import FULFILMENT
from store.fulfilment.work_list import Position, WorkFilter, work_list
from store.orders import reads

router = APIRouter(tags=["fulfilments"])

_SHOWN = (
    "id", "order_id", "node_id", "status", "method", "ship_by", "ship_day", "lines", "channel", "placed_at",
    "tracking_number", "shipment_id", "ship_to", "collect_by", "code_required", "to_put_back",
    "units_to_put_back",
)  # fmt: skip
ANY_BYTES: Final = "application/octet-stream"
_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}
_AS_NOW: Final = StepReport()
_NAME_UNITS: Final = frozenset({FulfilmentStep.PICK, FulfilmentStep.REJECT})


@router.get(
    "/fulfilments",
    summary="A node's work list",
    operation_id="listFulfilments",
    response_model=WorkList,
    responses={
        **responses.success(200, "A page of fulfilments, open work first, by ship-by.", examples.WORK_LIST),
        **responses.problems("invalid-input"),
    },
)
async def list_fulfilments(
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_READ)],
    node: Annotated[str | None, Query(max_length=64, description="Only this node's.", examples=["dc-daventry"])] = None,
    status: Annotated[list[FulfilmentStatus] | None, Query(description="Any of these; repeatable.")] = None,
    order: Annotated[str | None, Query(max_length=900, description="Only this order's.")] = None,
    put_back: Annotated[
        bool,
        Query(description="Only what was ready for a customer, all or in part, and is to be put back on the shelf."),
    ] = False,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """What is to be picked, packed and handed over, with where it goes and, once booked, its tracking number.

    First what is not handed over yet, the earliest `ship_by` first; after it what left the node or ended otherwise. A
    store's list also has what a carrier brings it for customers to collect (`pickup_node`), from the hand-over on.
    """
    visibility.must_be_own(who, "node", node=node)
    after = Position(*cursor.decode_work(cursor_)) if cursor_ else None
    wanted = WorkFilter(node_id=node, statuses=status, order_id=order, put_back=put_back, limits=who.limits)
    async with services.reads.connect() as connection:
        rows = await work_list(connection, wanted, after=after, limit=limit + 1)
    page, more = cursor.page(rows, limit, _position)
    return Json({"items": [_work(row) for row in page], "next_cursor": more})


@router.get(
    "/fulfilments/{fulfilment_id}/label",
    summary="The carrier's label",
    operation_id="getFulfilmentLabel",
    response_class=Response,
    responses={
        200: {
            "description": "The label of the booking that stands.",
            "content": dict.fromkeys(("application/pdf", ANY_BYTES), _BYTES),
        },
        **responses.problems("not-found"),
    },
)
async def get_label(
    request: Request,
    fulfilment_id: FulfilmentId,
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_READ)],
) -> Response:
    """One page a parcel, to be printed and stuck on. There is none before a carrier is booked, nor for a pick-up.

    A PDF; with `Accept: application/octet-stream` it comes as plain bytes, for clients that know no PDF.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id, f"fulfilment {fulfilment_id} has no label")
    async with services.reads.connect() as connection:
        found = await reads.label(connection, fulfilment_id)
    if found is None:
        raise NotFound(f"fulfilment {fulfilment_id} has no label")
    media_type, content = found
    if request.headers.get("accept", "") == ANY_BYTES:
        media_type = ANY_BYTES
    return Response(content, media_type=media_type)


def _step(step: FulfilmentStep) -> Callable[..., Awaitable[Json]]:
    async def take(
        fulfilment_id: FulfilmentId,
        services: Use,
        who: Annotated[Principal, needs(Scope.FULFILMENTS_WORK)],
        report: Annotated[StepReport, AS_SEEN, Body(openapi_examples=responses.named(examples.STEPS[step]))] = _AS_NOW,
        key: IdempotencyKey = None,
    ) -> Json:
        await visibility.must_do(services, who, fulfilment_id, hands_out=step is FulfilmentStep.COLLECT)
        command = TakeNodeStep(
            fulfilment_id=fulfilment_id,
            step=step,
            at=not_in_the_future(report.occurred_at),
            actor=who.name,
            reason=report.reason,
            found=_found(report.lines),
            why=report.reason_code,
            code=report.code,
            request=f"{fulfilment_id}/{step}/{key}" if key else None,
            request_hash=report.content_hash(step) if key else None,
        )
        taken = await node_steps.take(services.engine, command, services.writing)
        return Json(
            {
                "fulfilment_id": fulfilment_id,
                "step": step,
                "status": "repeated" if taken.repeated else "taken",
                "fulfilment_status": taken.state.fulfilments[fulfilment_id].status,
                "missing": _not_found(taken, fulfilment_id) if step in _NAME_UNITS else {},
            }
        )

    return take


_STEPS: Final[dict[FulfilmentStep, tuple[str, str]]] = {
    FulfilmentStep.ACCEPT: ("The node takes the work on", "The goods stay reserved; picking may begin."),
    FulfilmentStep.REJECT: (
        "The node cannot do the work",
        (
            "Say why in `reason_code`, and in `reason` in words: people decide by it. `not_found` corrects the node's "
            "balance, `damaged` counts the units as damaged; where that is not true of all units, `lines` say how many "
            "of every line are as they should be. Possible until picking ends; the units are sourced anew elsewhere."
        ),
    ),
    FulfilmentStep.PICK: (
        "The goods are off the shelf",
        (
            "Without `lines` all were found. With them they say what was found of every line, 0 where nothing was; a "
            "line that is not named is 422, with `missing_lines` in `data`. Units that are missing are sourced anew, "
            "and leave on hand. What a pick found is not changed by another: 409, with `picked` in `data`."
        ),
    ),
    FulfilmentStep.PACK: (
        "The parcel is packed",
        "A carrier is booked next and the label made; what the customer collects is ready now.",
    ),
    FulfilmentStep.HAND_OVER: (
        "The carrier has the parcel",
        "Possible once a carrier is booked. The stock leaves the node's balance.",
    ),
    FulfilmentStep.COLLECT: (
        "The customer has collected the goods",
        (
            "For a pick-up that is ready, at the node where it is collected, with the code that the customer was sent; "
            "without one where the policy asks for none, and for what was ready before there were codes. A wrong code "
            "is counted (409 `wrong-code`, `tries_left` in `data`); after five no code counts any more "
            "(`collection-locked`) and support looks at it. The stock leaves the node's balance."
        ),
    ),
}

_REFUSED: Final = {FulfilmentStep.COLLECT: ("code-required", "wrong-code", "collection-locked")}
_OF_EACH: Final = (
    "Decided and written at once: refused with 409 if the work was cancelled, given to another node, or is behind or "
    "ahead of this step. A later step implies the earlier ones. A repeat changes nothing; under the same "
    "`Idempotency-Key` it is answered as taken whatever became of the work since."
)


def _example(step: FulfilmentStep) -> dict[str, Any]:
    return {**examples.STEP_TAKEN, "step": step, "fulfilment_status": examples.STATUS_AFTER[step]}


for _name, (_summary, _description) in _STEPS.items():
    router.add_api_route(
        f"/fulfilments/{{fulfilment_id}}/{_name}",
        _step(_name),
        methods=["POST"],
        summary=_summary,
        description=f"{_description}\n\n{_OF_EACH}",
        operation_id=f"{_name.replace('-', '_')}_fulfilment",
        response_model=StepTaken,
        responses={
            **responses.success(200, "The step is taken.", _example(_name)),
            **responses.problems(
                "not-found", "step-not-possible", "on-hold", "conflict", "invalid-input", *_REFUSED.get(_name, ())
            ),
        },
    )


@router.post(
    "/fulfilments/{fulfilment_id}/arrived",
    summary="A lost parcel arrived after all",
    operation_id="arrivedFulfilment",
    response_model=ArrivedResult,
    responses={
        **responses.success(200, "It counts as delivered.", examples.ARRIVED),
        **responses.problems("not-found", "step-not-possible", "invalid-input", "no-answer-yet"),
    },
)
async def arrived(
    fulfilment_id: FulfilmentId,
    services: Use,
    who: Annotated[Principal, needs(Scope.FULFILMENTS_CORRECT)],
    call: Annotated[Arrival, AS_SEEN, Body(openapi_examples=responses.named(examples.ARRIVALS))] = Arrival(),
) -> Json:
    """For support. What replaces its units is taken back from whoever has them, as long as they have not left, and the
    parcel counts as delivered; nothing happens where that is not possible for all of them. The carrier's own report
    does the same by itself while no node has begun on the replacement. Said again it changes nothing.
    """
    await visibility.see(services, who, FULFILMENT, fulfilment_id)
    at = not_in_the_future(call.occurred_at)
    asked = ArrivedCall(fulfilment_id=fulfilment_id, actor=who.name, reason=call.reason, occurred_at=at)
    return Json(await services.orders.arrived(asked))


def _found(lines: tuple[StepLine, ...] | None) -> dict[str, int] | None:
    if lines is None:
        return None
    found: dict[str, int] = {}
    for position, line in enumerate(lines):
        if line.line_id in found:
            raise InvalidInput(f"line {line.line_id} stands twice", field=f"lines[{position}].line_id")
        found[line.line_id] = line.quantity
    return found


def _not_found(taken: OrderChanged, fulfilment_id: str) -> dict[str, int]:
    return dict(taken.data.get("missing") or taken.state.fulfilments[fulfilment_id].missing)


def _position(row: RowMapping) -> cursor.Position:
    return cursor.WORK_PARTS[row["closed"]], row["ship_by"], row["id"]


def _work(row: RowMapping) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _SHOWN},
        "carrier": row["booked_carrier"] or row["carrier"],
        "lines": row["lines"] or [],
        "pickup_node": row["pickup_node"] or (row["node_id"] if row["method"] == ShippingMethod.PICKUP else None),
        "promise": {"earliest": row["promise_earliest"], "latest": row["promise_latest"]},
    }
