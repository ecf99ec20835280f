"""The catalogue of what is stocked."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity.scopes import needs
from api.network import examples
from api.network.models import SkuList
from dom.network import Sku
from dom.shared.access import Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from store.network import reference
from store.reports import lists

router = APIRouter(tags=["network"])

SkuId = Annotated[str, Path(max_length=64, description="The SKU's code.", examples=["85123A"])]
_ANY = "/skus/{sku_id:path}"  # a code may hold a slash


@router.get(
    "/skus",
    summary="Find SKUs",
    operation_id="listSkus",
    dependencies=[needs(Scope.SKUS_READ)],
    response_model=SkuList,
    responses={
        **responses.success(200, "A page of SKUs by code.", examples.SKU_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    q: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Part of a code or a description, in any case.")
    ] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """The catalogue. What is in stock of them, `/v1/availability` says."""
    after = cursor.decode(cursor_, 1)[0] if cursor_ else None
    async with services.reads.connect() as connection:
        found = await lists.list_skus(connection, part=q, after=after, limit=limit + 1)
    page, more = cursor.page(found, limit, lambda document: (document["id"],))
    return Json({"items": [Sku.model_validate(document) for document in page], "next_cursor": more})


@router.get(
    _ANY,
    summary="A SKU",
    operation_id="getSku",
    dependencies=[needs(Scope.SKUS_READ)],
    response_model=Sku,
    responses={**responses.success(200, "The SKU.", examples.SKU), **responses.problems("not-found")},
)
async def get(sku_id: SkuId, services: Use) -> Json:
    """Weight in grams, sides in millimetres."""
    async with services.reads.connect() as connection:
        return Json(await reference.get_sku(connection, sku_id))


@router.put(
    _ANY,
    summary="Create or replace a SKU",
    operation_id="putSku",
    dependencies=[needs(Scope.SKUS_WRITE)],
    response_model=Sku,
    responses={
        **responses.success(200, "Replaced; it counts for the next order.", examples.SKU),
        **responses.success(201, "Created.", examples.SKU, Sku),
        **responses.problems("invalid-input"),
    },
)
async def put(
    sku_id: Annotated[str, Path(max_length=64, description="The SKU's code.", examples=["EXAMPLE-1"])],
    sku: Annotated[Sku, AS_SEEN, Body(openapi_examples=responses.named(examples.SKU_REQUESTS))],
    services: Use,
) -> Json:
    """The `id` in the body is the one in the address."""
    if sku.id != sku_id:
        raise InvalidInput(f"the address says {sku_id}", field="id")
    async with services.engine.begin() as connection:
        created = await reference.put_skus(connection, [sku])
    return Json(sku, 201 if created else 200)
