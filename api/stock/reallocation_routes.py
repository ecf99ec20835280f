"""Re-allocation, as staff asks for it: a preview, or a run."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from api.contract import responses
from api.http.answers import Json
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.stock import reallocation_examples as examples
from api.stock.reallocation_models import ReallocationRequest, Reallocations
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import reallocation
from services.database import Database

router = APIRouter(tags=["inventory"])


@router.post(
    "/inventory/reallocations",
    summary="Give stock of orders that can wait to dearer ones in danger",
    operation_id="reallocateStock",
    response_model=Reallocations,
    responses={
        **responses.success(200, "What was made, or would be.", examples.REALLOCATIONS),
        **responses.problems("invalid-input", "unknown-sku"),
    },
)
async def reallocate(
    asked: Annotated[
        ReallocationRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.REALLOCATION_REQUESTS))
    ],
    services: Use,
    who: Annotated[Principal, needs(Scope.STOCK_PLAN)],
) -> Json:
    """By the terms of the live policy (`reallocation`), also where its `enabled` is off, which is about the background
    job. A preview, unless `preview` is false. Made again at once, it finds nothing more. Only for callers without
    limits.
    """
    visibility.no_limit(who, "stock is re-allocated")
    database = Database(engine=services.engine, reference=services.reference, webhooks=services.webhooks)
    now, again = datetime.now(UTC), frozenset[str]()
    if asked.preview:
        looked = await reallocation.look(database, now, asked.skus)
        made = looked.found
    else:
        done = await reallocation.run(database, now, asked.skus, who.name)
        looked, made, again = done.found, done.made, done.again
    return Json(
        {
            "preview": asked.preview,
            "waiting": looked.endangered,
            "made": [reallocation.shown(each) for each in made],
            "again": sorted(again),
            "not_helped": reallocation.shown_left(looked),
        }
    )
