"""Mappings of channels: looked at for mistakes, tried on messages that came, published."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.convertors import StringConvertor, register_url_convertor

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.inbox import examples
from api.inbox.models import (
    MappingChecked,
    MappingDetail,
    MappingPreview,
    MappingSummary,
    MappingVersion,
    MappingVersions,
)
from api.inbox.routes import ToChannel
from api.inbox.text import REQUEST_BODY, MappingText
from dom.documents.findings import has_errors
from dom.shared.access import Principal, Scope
from services import channel_mappings
from store import channels
from store.inbox import mappings

router = APIRouter(tags=["inbox"])


class _VersionInPath(StringConvertor):
    """A version in an address; what has an address of its own there is none."""

    regex = "(?!(?:lint|preview)$)[^/]+"


register_url_convertor("mapping_version", _VersionInPath())

PATH = "/channels/{channel_id}/mappings"
_TEXT = ("invalid-input", "body-too-large", "unsupported-media-type")
Comment = Annotated[str | None, Query(max_length=1000, description="Why; kept with what is published.")]


@router.get(
    PATH,
    summary="Published versions of a channel's mapping",
    operation_id="listMappings",
    response_model=MappingVersions,
    responses={
        **responses.success(200, "Versions, newest first; the newest is live.", examples.VERSIONS),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def find(
    channel_id: ToChannel,
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_READ)],
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Who published what, when and why. None ever changes."""
    visibility.must_be_own(who, channel=channel_id)
    before = cursor.decode_number(cursor_) if cursor_ else None
    async with services.reads.connect() as connection:
        await channels.get(connection, channel_id)
        found = await mappings.versions(connection, channel_id, before, limit + 1)
    page, more = cursor.page(found, limit, lambda row: (str(row["version"]),))
    return Json({"items": [dict(row) for row in page], "next_cursor": more})


@router.get(
    PATH + "/{version:mapping_version}",
    summary="A version of a channel's mapping",
    operation_id="getMapping",
    response_model=MappingDetail,
    responses={
        **responses.success(200, "The version.", {**examples.VERSION, "document": examples.MAPPING, "source": "..."}),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def get(
    channel_id: ToChannel, version: MappingVersion, services: Use, who: Annotated[Principal, needs(Scope.CHANNELS_READ)]
) -> Json:
    """The document, the text it was written in, and who published it."""
    visibility.must_be_own(who, channel=channel_id)
    async with services.reads.connect() as connection:
        found = await mappings.get(connection, channel_id, version)
    summary = {name: getattr(found, name) for name in MappingSummary.model_fields if name != "name"}
    document = found.mapping.model_dump(mode="json", exclude_none=True)
    return Json({**summary, "name": found.mapping.name, "document": document, "source": found.source})


@router.post(
    PATH,
    status_code=201,
    summary="Publish a channel's mapping",
    operation_id="publishMapping",
    response_model=MappingSummary,
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={
        **responses.success(201, "Published; it reads the next message.", examples.VERSION),
        **responses.success(200, "It was live already.", examples.VERSION, MappingSummary),
        **responses.problems("not-found", "mapping-invalid", *_TEXT),
    },
)
async def publish(
    channel_id: ToChannel,
    checked: MappingText,
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_WRITE)],
    comment: Comment = None,
) -> Json:
    """One with mistakes is refused: `errors` names each with its line. Messages in quarantine wait until they are
    replayed.
    """
    visibility.must_be_own(who, channel=channel_id)
    async with services.engine.begin() as connection:
        await channels.get(connection, channel_id)
        published = await channel_mappings.publish(connection, channel_id, checked, who.name, comment or "")
    summary = {name: getattr(published.mapping, name) for name in MappingSummary.model_fields if name != "name"}
    return Json({**summary, "name": published.mapping.mapping.name}, 201 if published.is_new else 200)


@router.post(
    PATH + "/lint",
    summary="Look for mistakes in a mapping",
    operation_id="lintMapping",
    response_model=MappingChecked,
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={**responses.success(200, "What was found.", examples.CHECKED), **responses.problems(*_TEXT)},
)
async def lint(
    channel_id: ToChannel, checked: MappingText, who: Annotated[Principal, needs(Scope.CHANNELS_READ)]
) -> Json:
    """What publishing would say of it, each mistake with its line and a way to mend it. Nothing is kept."""
    visibility.must_be_own(who, channel=channel_id)
    return Json({"valid": not has_errors(checked.findings), "findings": checked.findings})


@router.post(
    PATH + "/preview",
    summary="Try a mapping on messages that came",
    operation_id="previewMapping",
    response_model=MappingPreview,
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={
        **responses.success(200, "What it makes of each.", examples.PREVIEW),
        **responses.problems("not-found", "mapping-invalid", *_TEXT),
    },
)
async def preview(
    channel_id: ToChannel,
    checked: MappingText,
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_READ)],
    messages: Annotated[int, Query(ge=1, le=200, description="The last so many messages.")] = 20,
) -> Json:
    """The channel's last messages, the newest first, read by a mapping that is not published. Nothing is kept."""
    visibility.must_be_own(who, channel=channel_id)
    mapping = checked.publishable()
    async with services.reads.connect() as connection:
        await channels.get(connection, channel_id)
        found = await channel_mappings.preview(connection, channel_id, mapping, messages)
    readable = sum([each.order is not None for each in found])
    shown = [{"id": each.message_id, "order": each.order, "faults": each.faults} for each in found]
    return Json({"readable": readable, "messages": shown})
