"""What stock is worth where it lies: shadow prices to look at, mark-downs to set."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from api.contract import responses
from api.http import problems
from api.http.answers import Json
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.stock import value_examples
from api.stock.value_models import MarkDownResults, MarkDowns, StockValues
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN, SkuId
from store.network import reference
from store.sourcing import stock_values
from store.sourcing.stock_values import MarkDown, MarkedDown

router = APIRouter(tags=["inventory"])


@router.get(
    "/inventory/values",
    summary="What a unit of a SKU is worth, by node",
    operation_id="listStockValues",
    response_model=StockValues,
    responses={
        **responses.success(200, "The SKU's values.", value_examples.STOCK_VALUES),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def of_sku(
    sku: Annotated[SkuId, Query(description="The SKU.", examples=["85123A"])],
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_READ)],
) -> Json:
    """Shadow prices are worked out in the background, where a strategy of the published policy has an opportunity
    weight or days of supply; they say what one unit more would save over the days to come. They fade with age, and
    sooner where stock moved otherwise than was expected: what counts in a decision is `opportunity`.
    """
    async with services.reads.connect() as connection:
        await reference.get_sku(connection, sku)
        currency = (await services.reference.now(connection)).policy.currency
        found = await stock_values.of_sku(connection, sku, currency)
    nodes = [
        {
            "node_id": row["node_id"],
            "opportunity": now.opportunity,
            "priced_opportunity": row["opportunity"],
            "priced_currency": row["currency"],
            "priced_at": row["priced_at"],
            "fades_at": row["fades_at"],
            "daily_demand": now.daily_demand,
            "mark_down": row["markdown"],
            "marked_by": row["marked_by"],
            "marked_at": row["marked_at"],
        }
        for row, now in found
        if who.limits.allow(node=row["node_id"])
    ]
    return Json({"sku": sku, "currency": currency, "nodes": nodes})


@router.put(
    "/inventory/mark-downs",
    summary="Set what stock loses by staying where it is",
    operation_id="putMarkDowns",
    response_model=MarkDownResults,
    responses={
        **responses.success(200, "What became of each, in sequence.", value_examples.MARK_DOWN_RESULTS),
        **responses.problems("invalid-input"),
    },
)
async def mark_down(
    asked: Annotated[MarkDowns, AS_SEEN, Body(openapi_examples=responses.named(value_examples.MARK_DOWNS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_PLAN)],
) -> Json:
    """A mark-down makes its node cheaper to the strategies that have a mark-down weight. It stands until it is set
    again; said twice it changes nothing, and of two for one node and SKU in one call the last one stands. Each stands
    for itself.
    """
    named = ((f"mark_downs[{index}].node_id", item.node_id) for index, item in enumerate(asked.mark_downs))
    visibility.own_nodes(who, named)
    marks = [MarkDown(item.node_id, item.sku, item.per_unit) for item in asked.mark_downs]
    async with services.engine.begin() as connection:
        found = await stock_values.mark_down(connection, marks, who.name)
    return Json({"results": [_said(index, result) for index, result in enumerate(found)]})


def _said(index: int, result: MarkedDown) -> dict[str, Any]:
    if result.error is None:
        return {"index": index, "status": result.outcome}
    problem = problems.as_dict(problems.of_error(result.error, f"mark_downs[{index}]."))
    return {"index": index, "status": result.outcome, "problem": problem}
