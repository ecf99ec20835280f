"""Shadows: drafts of the policy that decide beside the live one, without effect."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Query
from sqlalchemy import RowMapping

from api.contract import responses
from api.http.answers import Json
from api.http.services import Use
from api.identity.scopes import needs
from api.rehearsal import examples
from api.rehearsal.models import ShadowDetail, ShadowList, ShadowName, ShadowRequest
from api.rehearsal.routes import named, sees_everything
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from store.rehearsal import shadows
from store.rehearsal.shadows import Shadow

router = APIRouter(tags=["ofl"], dependencies=[Depends(sees_everything)])

PATH = "/ofl/shadows"
NAMED_AT_MOST: Final = 200
"""Differing decisions of one answer."""


@router.get(
    PATH,
    summary="Shadows that run or ran",
    operation_id="listShadows",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=ShadowList,
    responses={**responses.success(200, "Shadows, the newest first.", examples.SHADOW_LIST), **responses.problems()},
)
async def find(services: Use) -> Json:
    """The newest 200."""
    async with services.reads.connect() as connection:
        return Json({"items": [_shown(each) for each in await shadows.everyone(connection)]})


@router.post(
    PATH + "/{name}",
    status_code=201,
    summary="Let a draft decide beside the live policy",
    operation_id="startShadow",
    response_model=ShadowDetail,
    responses={
        **responses.success(201, "It decides every order from now on; nothing comes of it.", examples.SHADOW),
        **responses.problems("invalid-input", "not-found", "conflict"),
    },
)
async def start(
    name: ShadowName,
    asked: Annotated[ShadowRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.SHADOW_REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.POLICY_WRITE)],
) -> Json:
    """The draft is kept as it stands now. It decides a moment after the live policy, on what that one saw; orders,
    stock and promises know nothing of it.
    """
    async with services.engine.begin() as connection:
        which = asked.which if asked.which or asked.policy else f"draft:{name}"
        policy, _ = await named(connection, which, asked.policy)
        assert policy is not None  # noqa: S101  one of the two is given
        await shadows.start(connection, name, policy, who.name)
        found = await shadows.get(connection, name)
    return Json(_shown(found, []), 201, headers={"Location": f"/v1{PATH}/{name}"})


@router.get(
    PATH + "/{name}",
    summary="What a shadow would have decided otherwise",
    operation_id="getShadow",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=ShadowDetail,
    responses={
        **responses.success(200, "The shadow of that name that was started last.", examples.SHADOW),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def get(
    name: ShadowName,
    services: Use,
    limit: Annotated[int, Query(ge=0, le=NAMED_AT_MOST, description="Differing decisions to name.")] = 50,
) -> Json:
    """Each decision stands for itself: the shadow sees the stock the live policy left, not what it would have left."""
    async with services.reads.connect() as connection:
        found = await shadows.get(connection, name)
        rows = await shadows.differing(connection, found.id, limit)
    return Json(_shown(found, [_difference(row) for row in rows]))


@router.delete(
    PATH + "/{name}",
    summary="Stop a shadow",
    operation_id="stopShadow",
    response_model=ShadowDetail,
    responses={
        **responses.success(200, "It decides no longer.", examples.SHADOW_STOPPED),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def stop(name: ShadowName, services: Use, who: Annotated[Principal, needs(Scope.POLICY_WRITE)]) -> Json:
    """What it decided stays to be read."""
    async with services.engine.begin() as connection:
        await shadows.stop(connection, name, who.name)
        found = await shadows.get(connection, name)
    return Json(_shown(found))


def _shown(found: Shadow, differences: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    values = asdict(found)
    del values["id"]
    return {**values, "running": found.ended_at is None, "differences": differences}


def _difference(row: RowMapping) -> dict[str, Any]:
    names = ("order_id", "attempt", "decided_at")
    document = {name: value for name, value in row["document"].items() if name != "differs"}
    return {**{name: row[name] for name in names}, **document}
