"""Drafts of the OFL policy, by name: kept while they are worked on, published when they are ready."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from api.contract import responses
from api.http.answers import Json
from api.http.services import Use
from api.identity.scopes import needs
from api.policy import examples
from api.policy.models import (
    BasedOn,
    Comment,
    DraftDetail,
    DraftHead,
    DraftList,
    DraftName,
    DraftToPublish,
    PolicyPublished,
)
from api.policy.routes import answered
from api.policy.text import REQUEST_BODY, PolicyText
from dom.documents.findings import Finding, refused
from dom.shared.access import Principal, Scope
from dom.shared.errors import PolicyInvalid
from dom.sourcing.policy.checking import linted
from dom.sourcing.policy.reading import read
from services import policies
from store.policy import drafts
from store.policy.drafts import Draft

router = APIRouter(tags=["ofl"])

PATH = "/ofl/drafts"
HERE = PATH + "/{name}"


@router.get(
    PATH,
    summary="Drafts of the policy",
    operation_id="listDrafts",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=DraftList,
    responses={**responses.success(200, "Every draft.", examples.DRAFTS), **responses.problems()},
)
async def find(services: Use) -> Json:
    """The one that was written last comes first; they are few, so there is one page."""
    async with services.reads.connect() as connection:
        return Json({"items": [dict(row) for row in await drafts.everyone(connection)], "next_cursor": None})


@router.get(
    HERE,
    summary="A draft",
    operation_id="getDraft",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=DraftDetail,
    responses={
        **responses.success(200, "The draft.", examples.DRAFT),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def get(name: DraftName, services: Use) -> Json:
    """Its document, its text as it was written, and what is wrong with it as the network is now."""
    async with services.engine.connect() as connection:
        found = await drafts.get(connection, name)
        return Json(_shown(found, await _findings(connection, found)))


@router.put(
    HERE,
    summary="Create or replace a draft",
    operation_id="putDraft",
    response_model=DraftDetail,
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={
        **responses.success(200, "Replaced.", examples.DRAFT),
        **responses.success(201, "Created.", {**examples.DRAFT, "revision": 1}, DraftDetail),
        **responses.problems(
            "policy-invalid", "invalid-input", "not-found", "conflict", "body-too-large", "unsupported-media-type"
        ),
    },
)
async def put(
    name: DraftName,
    reading: PolicyText,
    services: Use,
    who: Annotated[Principal, needs(Scope.POLICY_WRITE)],
    *,
    comment: Comment = None,
    based_on: BasedOn = None,
    revision: Annotated[
        int | None, Query(ge=1, le=999_999_999, description="The revision you replace; absent for a new draft.")
    ] = None,
) -> Json:
    """What can be read as a policy can be kept, mistakes and all: `findings` names them. Without `based_on` it is begun
    from the live version, or from the one it was begun from before. A draft that somebody wrote since your `revision`
    is not written over.
    """
    if reading.document is None or reading.findings:
        raise refused(reading.findings, PolicyInvalid)
    async with services.engine.begin() as connection:
        found = await drafts.put(
            connection,
            name,
            reading.document,
            reading.placed.text,
            who.name,
            comment=comment or "",
            based_on=based_on,
            revision=revision,
        )
        return Json(_shown(found, await _findings(connection, found)), 201 if found.revision == 1 else 200)


@router.delete(
    HERE,
    summary="Throw a draft away",
    operation_id="deleteDraft",
    dependencies=[needs(Scope.POLICY_WRITE)],
    response_model=DraftHead,
    responses={
        **responses.success(200, "What it was.", examples.DRAFT_HEAD),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def delete(name: DraftName, services: Use) -> Json:
    """Published versions stay as they are."""
    async with services.engine.begin() as connection:
        return Json(_head(await drafts.delete(connection, name)))


@router.post(
    HERE + "/publish",
    status_code=201,
    summary="Publish a draft",
    operation_id="publishDraft",
    response_model=PolicyPublished,
    responses={
        **responses.success(201, "Published; it decides the next order.", examples.POLICY_PUBLISHED),
        **responses.success(
            200, "It was live already.", {**examples.POLICY_PUBLISHED, "published": False}, PolicyPublished
        ),
        **responses.problems("not-found", "policy-invalid", "conflict", "invalid-input"),
    },
)
async def publish(
    name: DraftToPublish, services: Use, who: Annotated[Principal, needs(Scope.POLICY_PUBLISH)], comment: Comment = None
) -> Json:
    """As publishing its text; the draft is gone then. Refused where another version went live since it was begun: look
    at the difference, and write the draft again with `based_on` that version.
    """
    async with services.engine.begin() as connection:
        return answered(await policies.publish_draft(connection, name, who.name, comment=comment))


async def _findings(connection: AsyncConnection, draft: Draft) -> tuple[Finding, ...]:
    return linted(read(draft.source), await policies.known(connection)).findings


def _head(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in DraftHead.model_fields}


def _shown(draft: Draft, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {**_head(draft), "document": draft.policy, "source": draft.source, "findings": findings}
