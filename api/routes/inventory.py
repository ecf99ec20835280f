"""Stock that changes outside the order flow."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body

from api import contract, examples, problems
from api.answers import Json
from api.clock import not_in_the_future
from api.models.feeds import AdjustmentItem, AdjustmentResults, Adjustments
from api.services import Services, Use
from dom.errors import DomError
from store import adjustments, orders
from store.adjustments import Adjustment, Balance
from workflows.messages import StockArrived

router = APIRouter(tags=["inventory"])


@router.post(
    "/inventory/adjustments",
    summary="Change stock: receipts, counts, damage",
    operation_id="adjustInventory",
    response_model=AdjustmentResults,
    responses={
        **contract.success(200, "What became of each, in sequence.", examples.ADJUSTMENT_RESULTS),
        **contract.problems("invalid-input"),
    },
)
async def adjust(
    feed: Annotated[Adjustments, Body(openapi_examples=contract.named(examples.ADJUSTMENTS))], services: Use
) -> Json:
    """Each change stands for itself: one that is refused does not hold the others back, and each `idempotency_key`
    counts once for a node and SKU. Reserved units cannot go. What comes in wakes orders that wait for it, the oldest
    first.
    """
    results: list[dict[str, Any]] = []
    arrived: dict[str, datetime] = {}
    async with services.reads.connect() as connection:
        for index, item in enumerate(feed.adjustments):
            try:
                balance = await adjustments.apply(connection, _adjustment(item), feed.actor)
            except DomError as error:
                results.append(_refused(index, error))
                continue
            results.append(_applied(index, balance))
            if item.quantity > 0:
                at = not_in_the_future(item.occurred_at)
                arrived[item.sku] = max(at, arrived.get(item.sku, at))
    if arrived:
        await _wake(services, arrived)
    return Json({"results": results})


async def _wake(services: Services, arrived: dict[str, datetime]) -> None:
    skus = sorted(arrived)
    async with services.reads.connect() as connection:
        waiting = await orders.waiting_for(connection, skus)
    if waiting:
        news = StockArrived(skus=tuple(skus), occurred_at=max(arrived.values()))
        await services.orders.stock_arrived(waiting, news)


def _adjustment(item: AdjustmentItem) -> Adjustment:
    return Adjustment(
        node_id=item.node_id,
        sku=item.sku,
        quantity=item.quantity,
        reason=item.reason,
        idempotency_key=item.idempotency_key,
        occurred_at=not_in_the_future(item.occurred_at),
    )


def _applied(index: int, balance: Balance) -> dict[str, Any]:
    return {
        "index": index,
        "status": "repeated" if balance.repeated else "applied",
        "on_hand": balance.on_hand,
        "reserved": balance.reserved,
        "available": balance.available,
    }


def _refused(index: int, error: DomError) -> dict[str, Any]:
    problem = problems.as_dict(problems.of_error(error, f"adjustments[{index}]."))
    return {"index": index, "status": "refused", "problem": problem}
