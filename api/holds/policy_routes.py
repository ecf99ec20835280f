"""The hold policy: which types of holds there are, and the rules that put them on and release them."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from api.contract import responses
from api.holds import examples
from api.holds.models import HoldPolicyVersions, LiveHoldPolicy
from api.http.answers import Json
from api.http.models import Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.holds.policy import HoldPolicy
from dom.shared.access import Principal, Scope
from services import holds
from store.holds import policies

router = APIRouter(tags=["holds"])


@router.get(
    "/holds/policy",
    summary="The hold policy",
    operation_id="getHoldPolicy",
    dependencies=[needs(Scope.ORDERS_READ)],
    response_model=LiveHoldPolicy,
    responses={
        **responses.success(200, "The policy.", examples.POLICY),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def get(
    services: Use,
    version: Annotated[
        int | None, Query(ge=0, le=999_999_999, description="An earlier version; absent: the live one.")
    ] = None,
) -> Json:
    """Types with the steps they block, and rules. Version 0 is what stands until one is written."""
    async with services.reads.connect() as connection:
        found, policy = await holds.policy_of(connection, version)
    return Json({"version": found, "policy": policy})


@router.put(
    "/holds/policy",
    summary="Write the hold policy",
    operation_id="putHoldPolicy",
    response_model=LiveHoldPolicy,
    responses={
        **responses.success(200, "It counts from the next order on.", examples.POLICY),
        **responses.problems("invalid-input", "conflict"),
    },
)
async def put(
    policy: Annotated[HoldPolicy, Body(openapi_examples=responses.named(examples.POLICIES))],
    services: Use,
    who: Annotated[Principal, needs(Scope.POLICY_PUBLISH)],
    comment: Annotated[str, Query(max_length=1000, description="Why; kept with the version.")] = "",
    based_on: Annotated[
        int | None,
        Query(ge=0, le=999_999_999, description="The version it began from; refused if another is live."),
    ] = None,
) -> Json:
    """The whole policy, as the next version. Unknown types, expressions with mistakes and rules that lead back to where
    they began are refused; `errors` names each with its place. Holds that stand stay as they are.
    """
    visibility.no_limit(who, "the hold policy is")
    async with services.engine.begin() as connection:
        version = await holds.write_policy(connection, policy, by=who.name, comment=comment, based_on=based_on)
    return Json({"version": version, "policy": policy})


@router.get(
    "/holds/policy/versions",
    summary="Versions of the hold policy",
    operation_id="listHoldPolicies",
    dependencies=[needs(Scope.ORDERS_READ)],
    response_model=HoldPolicyVersions,
    responses={
        **responses.success(200, "The versions, newest first.", examples.POLICY_VERSIONS),
        **responses.problems("invalid-input"),
    },
)
async def versions(services: Use, limit: Limit = 50) -> Json:
    """Who wrote which, when and why."""
    async with services.reads.connect() as connection:
        found = await policies.versions(connection, limit)
    return Json({"items": [dict(row) for row in found]})
