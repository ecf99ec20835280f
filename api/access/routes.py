"""API keys are made, listed, rotated and revoked; the audit log is read."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from sqlalchemy import RowMapping

from api.access import examples
from api.access.credential_answers import CredentialAnswers
from api.access.models import ApiKey, ApiKeyList, AuditLog, KeyId, KeyRequest, KeyRotation, NewApiKey
from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.shared.access import Limits, Principal, Scope
from dom.shared.base import AS_SEEN, Utc
from services import api_keys
from services.api_keys import KEYS, NewKey
from store.access import audit

router = APIRouter(tags=["access"])


def _shown(row: RowMapping) -> dict[str, Any]:
    beside = {"name": row["subject"], "prefix": api_keys.prefix(row["id"])}
    return {name: beside.get(name) or row[name] for name in ApiKey.model_fields}


_answers = CredentialAnswers(KEYS, "/v1/access/keys", "key", _shown)


@router.post(
    "/access/keys",
    status_code=201,
    summary="Make an API key",
    operation_id="createApiKey",
    response_model=NewApiKey,
    responses={
        **responses.success(201, "The key, which is shown this once.", examples.NEW_API_KEY),
        **responses.problems("invalid-input"),
    },
)
async def create(
    asked: Annotated[KeyRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.KEY_REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)],
) -> Json:
    """A key may have no role, scope or limit that its maker does not have. Every call makes another."""
    new = NewKey(
        asked.name,
        asked.role,
        Limits.of(asked.channels, asked.nodes, asked.carriers),
        None if asked.scopes is None else frozenset(asked.scopes),
        asked.expires_at,
    )
    async with services.engine.begin() as connection:
        return _answers.issued(await KEYS.create(connection, who, new))


@router.get(
    "/access/keys",
    summary="Find API keys",
    operation_id="listApiKeys",
    response_model=ApiKeyList,
    responses={
        **responses.success(200, "A page of keys, the newest first.", examples.API_KEY_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)],
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Also those that have ended, without their secrets. Keys that the caller could not have made are left out, so that
    a page may be shorter than its limit.
    """
    return await _answers.page(services, who, cursor_, limit)


@router.get(
    "/access/keys/{key_id}",
    summary="An API key",
    operation_id="getApiKey",
    response_model=ApiKey,
    responses={**responses.success(200, "As it stands.", examples.API_KEY), **responses.problems("not-found")},
)
async def get(key_id: KeyId, services: Use, who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)]) -> Json:
    """Without its secret."""
    return await _answers.get(services, who, key_id)


@router.post(
    "/access/keys/{key_id}/rotate",
    status_code=201,
    summary="Replace an API key",
    operation_id="rotateApiKey",
    response_model=NewApiKey,
    responses={
        **responses.success(201, "The new key, which is shown this once.", examples.NEW_API_KEY),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def rotate(
    key_id: KeyId,
    services: Use,
    who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)],
    how: Annotated[
        KeyRotation, AS_SEEN, Body(openapi_examples=responses.named(examples.KEY_ROTATIONS))
    ] = KeyRotation(),
) -> Json:
    """The new key may do the same. The old one works for the overlap, so that callers can be given the new one."""
    answer = await _answers.rotate(services, who, key_id, how)
    services.keys.forget(key_id)
    return answer


@router.post(
    "/access/keys/{key_id}/revoke",
    summary="End an API key",
    operation_id="revokeApiKey",
    response_model=ApiKey,
    responses={
        **responses.success(200, "It has ended.", examples.REVOKED_API_KEY),
        **responses.problems("not-found"),
    },
)
async def revoke(key_id: KeyId, services: Use, who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)]) -> Json:
    """Other processes of the API may take it for five seconds more. Once is as good as twice."""
    answer = await _answers.revoke(services, who, key_id)
    services.keys.forget(key_id)
    return answer


@router.get(
    "/access/audit",
    summary="What callers changed, and were refused",
    operation_id="listAuditLog",
    response_model=AuditLog,
    responses={
        **responses.success(200, "A page of the audit log, the newest first.", examples.AUDIT_LOG),
        **responses.problems("invalid-input"),
    },
)
async def list_audit(
    services: Use,
    who: Annotated[Principal, needs(Scope.ACCESS_AUDIT)],
    *,
    principal: Annotated[str | None, Query(max_length=64, description="Only what this caller asked for.")] = None,
    request_id: Annotated[str | None, Query(max_length=64, description="Only this request.")] = None,
    route: Annotated[
        str | None,
        Query(max_length=audit.LONGEST, description="Only of this route.", examples=["/v1/orders/{order_id}/cancel"]),
    ] = None,
    object_: Annotated[
        str | None,
        Query(
            alias="object",
            max_length=audit.LONGEST,
            description="Only about this: what the path names, such as an order's id.",
            examples=["web-536365"],
        ),
    ] = None,
    since: Annotated[Utc | None, Query(description="Only from this time on.")] = None,
    until: Annotated[Utc | None, Query(description="Only before this time.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Every request that may change something, and every one that was refused with 403, but none of those that were
    one too many (429). For callers without limits
    alone: entries are of all channels and nodes.
    """
    visibility.no_limit(who, "the log is")
    wanted = audit.AuditFilter(principal, request_id, route, object_, since, until)
    before = cursor.decode_number(cursor_, cursor.LONGEST_SERIAL) if cursor_ else None
    async with services.reads.connect() as connection:
        found = await audit.page(connection, wanted, before=before, limit=limit + 1)
    page, more = cursor.page(found, limit, lambda row: (str(row["id"]),))
    return Json({"items": [dict(row) for row in page], "next_cursor": more})
