"""Safety stocks: what is kept back of each balance."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from api.contract import responses
from api.http import problems
from api.http.answers import Json
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.stock import safety_examples
from api.stock.safety_models import SafetyStockItem, SafetyStockResults, SafetyStocks
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from store.stock import safety
from store.stock.safety import SafetySetting, SettingResult

router = APIRouter(tags=["inventory"])


@router.put(
    "/inventory/safety-stocks",
    summary="Set safety stocks",
    operation_id="putSafetyStocks",
    response_model=SafetyStockResults,
    responses={
        **responses.success(200, "What became of each, in sequence.", safety_examples.SAFETY_STOCK_RESULTS),
        **responses.problems("invalid-input"),
    },
)
async def put(
    asked: Annotated[SafetyStocks, AS_SEEN, Body(openapi_examples=responses.named(safety_examples.SAFETY_STOCKS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_PLAN)],
) -> Json:
    """`safety_stock` is what OFL never takes of a balance, `promise_safety` what is never promised to a channel; the
    greater of the two limits a promise. Each setting stands for itself, and each `idempotency_key` counts once for a
    node and SKU. A SKU that was never at the node gets a balance with nothing on hand.

    Settings of which one names a node that is not the caller's own are refused whole.
    """
    named = ((f"safety_stocks[{index}].node_id", item.node_id) for index, item in enumerate(asked.safety_stocks))
    visibility.own_nodes(who, named)
    settings = [_setting(item) for item in asked.safety_stocks]
    async with services.engine.begin() as connection:
        found = await safety.put(connection, settings, who.name)
    return Json({"results": [_said(index, result) for index, result in enumerate(found)]})


def _setting(item: SafetyStockItem) -> SafetySetting:
    return SafetySetting(
        node_id=item.node_id,
        sku=item.sku,
        safety_stock=item.safety_stock,
        promise_safety=item.promise_safety,
        reason=item.reason,
        idempotency_key=item.idempotency_key,
    )


def _said(index: int, result: SettingResult) -> dict[str, Any]:
    if result.error is not None:
        problem = problems.as_dict(problems.of_error(result.error, f"safety_stocks[{index}]."))
        return {"index": index, "status": result.outcome, "problem": problem}
    return {
        "index": index,
        "status": result.outcome,
        "on_hand": result.on_hand,
        "safety_stock": result.safety_stock,
        "promise_safety": result.promise_safety,
    }
