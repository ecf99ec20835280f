"""How channels are connected to their platforms: set up, looked after, paused, read now."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path

from api.channels import connection_examples as examples
from api.channels.connection_models import (
    ConnectionStanding,
    ConnectionStandings,
    FeedName,
    PauseRequest,
    ReadRequest,
)
from api.contract import responses
from api.http.answers import Json
from api.http.services import Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.channels.connection import Connection, Feed
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from services import channel_addresses, channel_connections, channel_standing
from services.clock import utc_now
from store.connections import connections
from store.connections.connections import KeptConnection

router = APIRouter(tags=["channels"])

ToChannel = Annotated[str, Path(max_length=31, description="The channel's code.", examples=["web"])]
Reads = Annotated[Principal, needs(Scope.CHANNELS_READ)]
Writes = Annotated[Principal, needs(Scope.CHANNELS_WRITE)]
PATH = "/channels/{channel_id}/connection"


@router.get(
    "/channel-connections",
    summary="How all channels are connected",
    operation_id="listConnections",
    response_model=ConnectionStandings,
    responses=responses.success(200, "By channel.", examples.STANDINGS) | responses.problems(),
)
async def everyone(services: Use, who: Reads) -> Json:
    """Each with its health, its feeds and how far they are read, and what waits."""
    async with services.reads.connect() as connection:
        kept = await connections.everyone(connection)
    return Json({"items": [await _standing(services, each) for each in kept if who.limits.allow(channel=each.channel)]})


@router.get(
    PATH,
    summary="How a channel is connected",
    operation_id="getConnection",
    response_model=ConnectionStanding,
    responses={**responses.success(200, "How that goes.", examples.STANDING), **responses.problems("not-found")},
)
async def get(channel_id: ToChannel, services: Use, who: Reads) -> Json:
    """With its health, its feeds and how far they are read, and what waits. Secrets are not shown."""
    visibility.must_be_own(who, channel=channel_id)
    return Json(await _standing(services, await _kept(services, channel_id)))


@router.put(
    PATH,
    summary="Connect a channel",
    operation_id="putConnection",
    response_model=ConnectionStanding,
    responses={
        **responses.success(200, "It is connected so from now on.", examples.STANDING),
        **responses.success(201, "It was not connected before.", examples.STANDING, ConnectionStanding),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def put(
    channel_id: ToChannel,
    wanted: Annotated[Connection, AS_SEEN, Body(openapi_examples=responses.named(examples.REQUESTS))],
    services: Use,
    who: Writes,
) -> Json:
    """Its feeds begin with what changes from now on; what was before is read by a back-fill. Credentials are put into
    the secret store (`dom channels secret`), never here; once they are there, the channel's server is changed by
    `dom channels connect` alone. What a platform cannot do is refused with the field.
    """
    visibility.must_be_own(who, channel=channel_id)
    async with services.engine.begin() as connection:
        channel_addresses.must_be_below(services.files_folder, wanted)
        before = await connections.find(connection, channel_id)
        channel_addresses.must_stay(services.secrets, channel_id, before, wanted)
        is_new = await channel_connections.connect(connection, channel_id, wanted, utc_now())
    return Json(await _standing(services, await _kept(services, channel_id)), 201 if is_new else 200)


@router.delete(
    PATH,
    summary="Connect a channel no more",
    operation_id="deleteConnection",
    response_model=ConnectionStanding,
    responses={**responses.success(200, "As it was.", examples.STANDING), **responses.problems("not-found")},
)
async def delete(channel_id: ToChannel, services: Use, who: Writes) -> Json:
    """Nothing is read of it any more, and it is told nothing. Its cursors are forgotten; messages, orders and its
    mapping stay.
    """
    visibility.must_be_own(who, channel=channel_id)
    was = await _standing(services, await _kept(services, channel_id))
    async with services.engine.begin() as connection:
        await connections.delete(connection, channel_id)
    return Json(was)


@router.post(
    PATH + "/pause",
    summary="Pause a channel",
    operation_id="pauseConnection",
    response_model=ConnectionStanding,
    responses={**responses.success(200, "It is paused.", examples.STANDING), **responses.problems("not-found")},
)
async def pause(
    channel_id: ToChannel,
    asked: Annotated[PauseRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.PAUSES))],
    services: Use,
    who: Writes,
) -> Json:
    """Nothing is read of it and it is told nothing until it is resumed. What it sends is kept and taken in."""
    visibility.must_be_own(who, channel=channel_id)
    async with services.engine.begin() as connection:
        await connections.pause(connection, channel_id, who.name, asked.reason)
    return Json(await _standing(services, await _kept(services, channel_id)))


@router.post(
    PATH + "/resume",
    summary="Go on with a channel",
    operation_id="resumeConnection",
    response_model=ConnectionStanding,
    responses={**responses.success(200, "It goes on.", examples.STANDING), **responses.problems("not-found")},
)
async def resume(channel_id: ToChannel, services: Use, who: Writes) -> Json:
    """What changed meanwhile is read, and what is untold is told."""
    visibility.must_be_own(who, channel=channel_id)
    async with services.engine.begin() as connection:
        await channel_connections.resume(connection, channel_id, utc_now())
    return Json(await _standing(services, await _kept(services, channel_id)))


@router.post(
    PATH + "/feeds/{feed}/read",
    status_code=202,
    summary="Read a feed now",
    operation_id="readFeed",
    response_model=ConnectionStanding,
    responses={
        **responses.success(202, "It is read in a moment.", examples.STANDING),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def read(
    channel_id: ToChannel,
    feed: FeedName,
    asked: Annotated[ReadRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.READS))],
    services: Use,
    who: Writes,
) -> Json:
    """`orders`: what changed since the last look. `reconcile`: all orders of the last days. `stock`: what the channel
    shows. `backfill`: orders placed in the span that is given; one that runs begins anew.
    """
    visibility.must_be_own(who, channel=channel_id)
    async with services.engine.begin() as connection:
        await channel_connections.ask_for(connection, channel_id, feed, utc_now(), _span(feed, asked))
    return Json(await _standing(services, await _kept(services, channel_id)), 202)


def _span(feed: Feed, asked: ReadRequest) -> dict[str, Any] | None:
    if feed is not Feed.BACKFILL:
        if asked.since or asked.until:
            raise InvalidInput("only a back-fill has a span", field="since" if asked.since else "until")
        return None
    if asked.since is None:
        raise InvalidInput("say from when on orders are to be read", field="since")
    if asked.until is not None and asked.until <= asked.since:
        raise InvalidInput("it ends before it begins", field="until")
    return {"since": asked.since.isoformat(), **({"until": asked.until.isoformat()} if asked.until else {})}


async def _kept(services: Services, channel_id: str) -> KeptConnection:
    async with services.reads.connect() as connection:
        return await connections.get(connection, channel_id)


async def _standing(services: Services, kept: KeptConnection) -> dict[str, Any]:
    async with services.reads.connect() as connection:
        return await channel_standing.of(connection, services.secrets, kept)
