"""Secrets with which carriers sign what they report: made, listed, rotated and revoked."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from sqlalchemy import RowMapping

from api.access import secret_examples as examples
from api.access.credential_answers import CredentialAnswers
from api.access.models import KeyRotation
from api.access.secret_models import NewSigningSecret, SecretId, SecretRequest, SigningSecret, SigningSecretList
from api.contract import responses
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity.scopes import needs
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services.signing_secrets import SECRETS

router = APIRouter(tags=["access"])

PATH = "/access/secrets"


def _shown(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in SigningSecret.model_fields}


_answers = CredentialAnswers(SECRETS, f"/v1{PATH}", "secret", _shown)


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
        made = await SECRETS.create(connection, who, asked.carrier, expires_at=asked.expires_at)
    return _answers.issued(made)


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
    return await _answers.page(services, who, cursor_, limit, carrier=carrier)


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
    return await _answers.get(services, who, secret_id)


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
    return await _answers.rotate(services, who, secret_id, how)


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
    return await _answers.revoke(services, who, secret_id)
