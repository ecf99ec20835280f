"""Stock that changes outside the order flow: changes and counts, each item with an answer of its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body

from api.contract import responses
from api.http import items, problems
from api.http.answers import Json
from api.http.clock import not_in_the_future
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.stock import examples
from api.stock.models import AdjustmentItem, AdjustmentResults, Adjustments, CountItem, CountResults, Counts
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import DomError
from services import stock_updates
from store.enums import ItemOutcome
from store.stock.adjustments import Adjustment
from store.stock.counts import Count
from store.stock.item_results import ItemResult

router = APIRouter(tags=["inventory"])

Item = TypeVar("Item")
Made = TypeVar("Made")


@router.post(
    "/inventory/adjustments",
    summary="Change stock: receipts, damage, losses",
    operation_id="adjustInventory",
    response_model=AdjustmentResults,
    responses={
        **responses.success(200, "What became of each, in sequence.", examples.ADJUSTMENT_RESULTS),
        **responses.problems("invalid-input"),
    },
)
async def adjust(
    feed: Annotated[Adjustments, AS_SEEN, Body(openapi_examples=responses.named(examples.ADJUSTMENTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_WRITE)],
) -> Json:
    """Each change stands for itself: one that is refused does not hold the others back, and each `idempotency_key`
    counts once for a node and SKU. Reserved units cannot go. What happened before the node's last count was seen by it,
    and is `superseded`. What comes in goes to the orders that wait for it, by priority and age, before anybody else.
    """
    _check_nodes(who, "adjustments", feed.adjustments)
    changes, refused = _made(items.readable(feed.adjustments), _adjustment)
    async with services.engine.begin() as connection:
        done = await stock_updates.adjust(connection, list(changes.values()), who.name)
    results = refused | dict(zip(changes, done, strict=True))
    return _answer("adjustments", feed.adjustments, results, "damaged", "quarantine")


@router.post(
    "/inventory/counts",
    summary="Say how many units nodes hold",
    operation_id="countInventory",
    response_model=CountResults,
    responses={
        **responses.success(200, "What became of each, in sequence.", examples.COUNT_RESULTS),
        **responses.problems("invalid-input"),
    },
)
async def count(
    feed: Annotated[Counts, AS_SEEN, Body(openapi_examples=responses.named(examples.COUNTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_WRITE)],
) -> Json:
    """Absolute counts of sellable units, reserved ones among them, as of when they were taken: what was reserved,
    shipped or received since is not lost. A count that comes twice, late or out of sequence changes nothing. One below
    what is reserved takes soft reservations back, the youngest first, and leaves on hand what orders have reserved.
    """
    _check_nodes(who, "counts", feed.counts)
    taken, refused = _made(items.readable(feed.counts), _count)
    async with services.engine.begin() as connection:
        done = await stock_updates.count(connection, list(taken.values()), feed.source, who.name)
    return _answer("counts", feed.counts, refused | dict(zip(taken, done, strict=True)), "shortfall")


def _check_nodes(who: Principal, list_: str, given: Sequence[Any]) -> None:
    named = items.readable(given)
    visibility.own_nodes(who, ((f"{list_}[{index}].node_id", item.node_id) for index, item in named.items()))


def _made(given: Mapping[int, Item], make: Callable[[Item], Made]) -> tuple[dict[int, Made], dict[int, ItemResult]]:
    """The items as the store takes them, by index, and those that are wrong already."""
    made: dict[int, Made] = {}
    refused: dict[int, ItemResult] = {}
    for index, item in given.items():
        try:
            made[index] = make(item)
        except DomError as error:
            refused[index] = ItemResult(ItemOutcome.REFUSED, error=error)
    return made, refused


def _adjustment(item: AdjustmentItem) -> Adjustment:
    return Adjustment(**dict(item) | {"occurred_at": not_in_the_future(item.occurred_at)})


def _count(item: CountItem) -> Count:
    not_in_the_future(item.as_of, "as_of")
    return Count(**dict(item))


def _answer(list_: str, given: Sequence[Any], results: dict[int, ItemResult], *further: str) -> Json:
    told = {index: _result(list_, index, result, further) for index, result in results.items()}
    told |= items.refused(given, list_)
    return Json({"results": [told[index] for index in sorted(told)]})


def _result(list_: str, index: int, result: ItemResult, further: Iterable[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"index": index, "status": result.outcome}
    if result.error is not None:
        problem = problems.of_error(result.error, f"{list_}[{index}].")
        return told | {"problem": problems.as_dict(problem)}
    names = ("on_hand", "reserved", "available", *further)
    return told | {name: getattr(result, name) for name in names}
