"""What can be promised now."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api import contract, examples
from api.answers import Json
from api.models.feeds import Availability
from api.services import Use
from dom.errors import UnknownSku
from store import queries, stock

router = APIRouter(tags=["inventory"])


@router.get(
    "/availability",
    summary="Units that can be promised now",
    operation_id="getAvailability",
    response_model=Availability,
    responses={
        **contract.success(200, "By SKU and node.", examples.AVAILABILITY),
        **contract.problems("unknown-sku", "invalid-input"),
    },
)
async def get_availability(
    services: Use,
    sku: Annotated[list[str], Query(min_length=1, max_length=200, description="Repeatable.", examples=[["85123A"]])],
    node: Annotated[str | None, Query(max_length=64, description="Only at this node.")] = None,
) -> Json:
    """On hand less reserved less safety stock, at active nodes."""
    skus = list(dict.fromkeys(sku))
    async with services.reads.connect() as connection:
        rows = await stock.availability(connection, skus, node)
        stocked = {row["sku"] for row in rows}
        missing = [name for name in skus if name not in stocked]
        unknown = await queries.unknown_skus(connection, missing) if missing else []
    if unknown:
        raise UnknownSku(f"there is no SKU {unknown[0]}", field=f"sku[{sku.index(unknown[0])}]", data={"skus": unknown})
    items: dict[str, dict[str, Any]] = {name: {"sku": name, "available": 0, "nodes": []} for name in skus}
    for row in rows:
        item, at_node = items[row["sku"]], dict(row)
        del at_node["sku"]
        item["available"] += row["available"]
        item["nodes"].append(at_node)
    return Json({"items": list(items.values())})
