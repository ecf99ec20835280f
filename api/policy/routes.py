"""The OFL policy: its published versions, what is wrong with one before it is, and the way back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.convertors import StringConvertor, register_url_convertor

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity.scopes import needs
from api.policy import examples
from api.policy.models import (
    BasedOnLive,
    Comment,
    PolicyChecked,
    PolicyDetail,
    PolicyDifference,
    PolicyPublished,
    PolicyVersions,
    Version,
    Which,
)
from api.policy.text import REQUEST_BODY, PolicyText
from dom.documents.findings import has_errors
from dom.shared.access import Principal, Scope
from dom.sourcing.policy import schema
from dom.sourcing.policy.checking import linted
from dom.sourcing.policy.comparing import compare
from dom.sourcing.policy.document import Policy
from services import policies as publishing
from services.policies import Published
from store.policy import drafts, policies
from store.policy.policies import PublishedPolicy

router = APIRouter(tags=["ofl"])


class _VersionInPath(StringConvertor):
    """A version in an address; what has an address of its own there is none."""

    regex = "(?!(?:lint|diff|schema)$)[^/]+"


register_url_convertor("policy_version", _VersionInPath())

PATH = "/ofl/policies"


@router.get(
    PATH,
    summary="Published versions of the policy",
    operation_id="listPolicies",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=PolicyVersions,
    responses={
        **responses.success(200, "Versions, newest first.", examples.POLICY_VERSIONS),
        **responses.problems("invalid-input"),
    },
)
async def find(services: Use, limit: Limit = 50, cursor_: Annotated[Cursor, Query(alias="cursor")] = None) -> Json:
    """Who published what, when and why. The newest is live; none ever changes."""
    before = cursor.decode_number(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        found = await policies.newest(connection, limit + 1, before)
    page, more = cursor.page(found, limit, lambda row: (str(row["version"]),))
    return Json({"items": [dict(row) for row in page], "next_cursor": more})


@router.post(
    PATH,
    status_code=201,
    summary="Publish a policy",
    operation_id="publishPolicy",
    response_model=PolicyPublished,
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={
        **responses.success(201, "Published; it decides the next order.", examples.POLICY_PUBLISHED),
        **responses.success(
            200, "It was live already.", {**examples.POLICY_PUBLISHED, "published": False}, PolicyPublished
        ),
        **responses.problems("policy-invalid", "invalid-input", "conflict", "body-too-large", "unsupported-media-type"),
    },
)
async def publish(
    reading: PolicyText,
    services: Use,
    who: Annotated[Principal, needs(Scope.POLICY_PUBLISH)],
    comment: Comment = None,
    based_on: BasedOnLive = None,
) -> Json:
    """It is looked at against the network as it is, and refused where it has errors: `errors` names each with its line.
    Warnings pass. Running orders keep what was decided for them.
    """
    async with services.engine.begin() as connection:
        found = await publishing.publish(connection, reading, who.name, comment=comment or "", based_on=based_on)
    return answered(found)


@router.post(
    PATH + "/lint",
    summary="Look for mistakes in a policy",
    operation_id="lintPolicy",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=PolicyChecked,
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={
        **responses.success(200, "What was found.", examples.POLICY_CHECKED),
        **responses.problems("invalid-input", "body-too-large", "unsupported-media-type"),
    },
)
async def lint(reading: PolicyText, services: Use) -> Json:
    """What publishing would say of it: unknown names, contradictions, strategies no order comes to, jumps that come
    back, expressions that cost too much; each with its line and a way to mend it. Nothing is kept.
    """
    async with services.engine.connect() as connection:
        known = await publishing.known(connection)
    findings = linted(reading, known).findings
    return Json({"valid": not has_errors(findings), "findings": findings})


@router.get(
    PATH + "/diff",
    summary="What changes between two policies",
    operation_id="diffPolicies",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=PolicyDifference,
    responses={
        **responses.success(200, "The changes.", examples.POLICY_DIFFERENCE),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def difference(from_: Annotated[Which, Query(alias="from")], to: Which, services: Use) -> Json:
    """Each field that differs, by its place and in words. Strategies are matched by name: added, removed, renamed,
    moved and changed ones are told apart.
    """
    async with services.reads.connect() as connection:
        changes = compare(await _policy(connection, from_), await _policy(connection, to))
    return Json({"from": from_, "to": to, "changes": changes})


@router.get(
    PATH + "/schema",
    summary="The JSON Schema of the policy document",
    operation_id="getPolicySchema",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=dict[str, Any],
    responses={**responses.success(200, "The schema (2020-12).", examples.POLICY_SCHEMA), **responses.problems()},
)
async def document_schema() -> Json:
    """Give it to an editor, and it completes and checks while you write."""
    return Json(schema.json_schema())


@router.get(
    PATH + "/{version:policy_version}",
    summary="A published version",
    operation_id="getPolicy",
    dependencies=[needs(Scope.POLICY_READ)],
    response_model=PolicyDetail,
    responses={
        **responses.success(200, "The version.", examples.POLICY),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def get(version: Version, services: Use) -> Json:
    """The document, the text it was written in, and who published it."""
    async with services.engine.connect() as connection:
        live = await policies.get(connection)
        found = live if version == "live" else await policies.get(connection, int(version))
    return Json(_shown(found, live=found.version == live.version))


@router.post(
    PATH + "/{version}/restore",
    status_code=201,
    summary="Bring an earlier version back",
    operation_id="restorePolicy",
    response_model=PolicyPublished,
    responses={
        **responses.success(201, "Published again, as the next version.", examples.POLICY_RESTORED),
        **responses.success(
            200, "It was live already.", {**examples.POLICY_RESTORED, "published": False}, PolicyPublished
        ),
        **responses.problems("not-found", "policy-invalid", "invalid-input"),
    },
)
async def restore(
    version: Version, services: Use, who: Annotated[Principal, needs(Scope.POLICY_PUBLISH)], comment: Comment = None
) -> Json:
    """The next version says what that one said, and names it in `restores`. It is refused where the network has moved
    on from it: `errors` says what it names that is not there any more.
    """
    async with services.engine.begin() as connection:
        number = (await policies.get(connection)).version if version == "live" else int(version)
        found = await publishing.restore(connection, number, who.name, comment=comment or "")
    return answered(found)


def answered(found: Published) -> Json:
    """What came of publishing, as the answer to it."""
    content = {
        "version": found.version,
        "name": found.name,
        "published": found.is_new,
        "findings": found.findings,
    }
    return Json(content, 201 if found.is_new else 200, headers={"Location": f"/v1{PATH}/{found.version}"})


async def _policy(connection: AsyncConnection, which: str) -> Policy:
    name = which.removeprefix("draft:")
    if name != which:
        return (await drafts.get(connection, name)).policy
    return (await policies.get(connection, None if which == "live" else int(which))).policy


def _shown(found: PublishedPolicy, *, live: bool) -> dict[str, Any]:
    return {
        "version": found.version,
        "name": found.policy.name,
        "live": live,
        "comment": found.comment,
        "restores": found.restores,
        "published_by": found.published_by,
        "published_at": found.published_at,
        "document": found.policy,
        "source": publishing.text_of(found.policy, found.source),
    }
