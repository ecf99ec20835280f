"""Secrets with which carriers sign what they report: made, listed, rotated and revoked."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from sqlalchemy import RowMapping

from api.access import secret_examples as examples
from api.access.models import KeyRotation
from api.access.secret_models import NewSigningSecret, SecretId, SecretRequest, SigningSecret, SigningSecretList
from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity.scopes import needs
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import signing_secrets
from services.signing_secrets import MadeSecret
from store.access import signing_secrets as rows

router = APIRouter(tags=["access"])

PATH = "/access/secrets"


@router.post(
    PATH,
    status_code=201,
    summary="Make a secret that a carrier signs with",
    operation_id="createSigningSecret",
    response_model=NewSigningSecret,
    responses={
        **responses.success(201, "The secret, which is shown this once.", examples.NEW_SIGNING_SECRET),
        **responses.problems("invalid-input"),
    },
)
async def create(
    asked: Annotated[SecretRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.SECRET_REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)],
) -> Json:
    """From now on what the carrier reports must be signed with it, after the Standard Webhooks specification. Every
    call makes another; all that have not ended count.
    """
    async with services.engine.begin() as connection:
        made = await signing_secrets.create(connection, who, asked.carrier, expires_at=asked.expires_at)
    return _made(made)


@router.get(
    PATH,
    summary="Find secrets that carriers sign with",
    operation_id="listSigningSecrets",
    response_model=SigningSecretList,
    responses={
        **responses.success(200, "A page of secrets, the newest first.", examples.SIGNING_SECRET_LIST),
        **responses.problems("invalid-input"),
    },
)
async def find(
    services: Use,
    who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)],
    carrier: Annotated[str | None, Query(max_length=40, description="Only this carrier's.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Also those that have ended, without the secrets themselves. What the caller could not have made is left out, so
    that a page may be shorter than its limit.
    """
    before = cursor.decode_moment(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        found = await rows.page(connection, carrier, before, limit + 1)
    page = found[:limit]
    more = cursor.encode(page[-1]["created_at"], page[-1]["id"]) if len(found) > limit else None
    seen = [_shown(row) for row in page if signing_secrets.may_see(who, row)]
    return Json({"items": seen, "next_cursor": more})


@router.get(
    PATH + "/{secret_id}",
    summary="A secret that a carrier signs with",
    operation_id="getSigningSecret",
    response_model=SigningSecret,
    responses={
        **responses.success(200, "As it stands.", examples.SIGNING_SECRET),
        **responses.problems("not-found"),
    },
)
async def get(secret_id: SecretId, services: Use, who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)]) -> Json:
    """Without the secret itself."""
    async with services.reads.connect() as connection:
        return Json(_shown(await signing_secrets.get(connection, who, secret_id)))


@router.post(
    PATH + "/{secret_id}/rotate",
    status_code=201,
    summary="Replace a secret that a carrier signs with",
    operation_id="rotateSigningSecret",
    response_model=NewSigningSecret,
    responses={
        **responses.success(201, "The new secret, which is shown this once.", examples.NEW_SIGNING_SECRET),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def rotate(
    secret_id: SecretId,
    services: Use,
    who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)],
    how: Annotated[
        KeyRotation, AS_SEEN, Body(openapi_examples=responses.named(examples.SECRET_ROTATIONS))
    ] = KeyRotation(),
) -> Json:
    """The old one counts for the overlap, so that the carrier can be given the new one; one that was stolen is replaced
    with `overlap_seconds` 0.
    """
    async with services.engine.begin() as connection:
        made = await signing_secrets.rotate(
            connection, who, secret_id, overlap_seconds=how.overlap_seconds, expires_at=how.expires_at
        )
    return _made(made)


@router.post(
    PATH + "/{secret_id}/revoke",
    summary="End a secret that a carrier signs with",
    operation_id="revokeSigningSecret",
    response_model=SigningSecret,
    responses={
        **responses.success(200, "It has ended.", examples.REVOKED_SIGNING_SECRET),
        **responses.problems("not-found"),
    },
)
async def revoke(secret_id: SecretId, services: Use, who: Annotated[Principal, needs(Scope.ACCESS_MANAGE)]) -> Json:
    """At once, in every process. A carrier whose last secret was revoked need not sign any more; one whose secrets have
    expired still must. Once is as good as twice.
    """
    async with services.engine.begin() as connection:
        row = await signing_secrets.revoke(connection, who, secret_id)
    return Json(_shown(row))


def _made(made: MadeSecret) -> Json:
    here = f"/v1{PATH}/{made.row['id']}"
    return Json({**_shown(made.row), "secret": made.secret}, 201, headers={"Location": here})


def _shown(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in SigningSecret.model_fields}
