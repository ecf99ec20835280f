"""Channels, and what each may have of the stock."""

from typing import Annotated

from fastapi import APIRouter, Body, Path

from api.channels import examples
from api.channels.models import ChannelRequest, ChannelRules, Channels
from api.contract import responses
from api.http.answers import Json
from api.http.services import Services, Use
from api.identity import visibility
from api.identity.scopes import needs
from dom.channels.channel import Channel
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from dom.shared.errors import InvalidInput
from store import channels

router = APIRouter(tags=["network"])

NewChannelId = Annotated[str, Path(max_length=31, description="The channel's code.", examples=["example_shop"])]
ChannelId = Annotated[str, Path(max_length=31, description="The channel's code.", examples=["web"])]


@router.get(
    "/channels",
    summary="All channels",
    operation_id="listChannels",
    response_model=Channels,
    responses=responses.success(200, "Those served first first.", examples.CHANNELS) | responses.problems(),
)
async def everyone(services: Use, who: Annotated[Principal, needs(Scope.CHANNELS_READ)]) -> Json:
    """The channels that were registered. Orders of others are refused."""
    async with services.reads.connect() as connection:
        found = await channels.everyone(connection)
    return Json({"items": [each for each in found if who.limits.allow(channel=each.id)]})


@router.get(
    "/channels/{channel_id}",
    summary="A channel",
    operation_id="getChannel",
    response_model=Channel,
    responses={**responses.success(200, "The channel.", examples.CHANNEL), **responses.problems("not-found")},
)
async def get(channel_id: ChannelId, services: Use, who: Annotated[Principal, needs(Scope.CHANNELS_READ)]) -> Json:
    """Its place in the queue, and how it hears of changes. The webhook's secret is not shown."""
    visibility.must_be_own(who, channel=channel_id)
    async with services.reads.connect() as connection:
        return Json(await channels.get(connection, channel_id))


@router.put(
    "/channels/{channel_id}",
    summary="Create or replace a channel",
    operation_id="putChannel",
    response_model=Channel,
    responses={
        **responses.success(200, "Replaced; it counts for the next order.", examples.CHANNEL),
        **responses.success(201, "Created.", examples.CHANNEL, Channel),
        **responses.problems("invalid-input"),
    },
)
async def put(
    channel_id: NewChannelId,
    channel: Annotated[ChannelRequest, AS_SEEN, Body(openapi_examples=responses.named(examples.CHANNEL_REQUESTS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_WRITE)],
) -> Json:
    """The `id` in the body is the one in the address. A `webhook_url` needs a `webhook_secret`, now or from before."""
    visibility.must_be_own(who, channel=channel_id)
    if channel.id != channel_id:
        raise InvalidInput(f"the address says {channel_id}", field="id")
    async with services.engine.begin() as connection:
        created = await channels.put(connection, channel.channel(), channel.webhook_secret)
    return Json(channel.channel(), 201 if created else 200)


@router.get(
    "/channels/{channel_id}/rules",
    summary="What a channel may have",
    operation_id="getChannelRules",
    response_model=ChannelRules,
    responses={**responses.success(200, "All its rules.", examples.CHANNEL_RULES), **responses.problems("not-found")},
)
async def get_rules(
    channel_id: ChannelId, services: Use, who: Annotated[Principal, needs(Scope.CHANNELS_READ)]
) -> Json:
    """Where no rule is for a balance, the channel may have all that is free of it."""
    visibility.must_be_own(who, channel=channel_id)
    return Json({"rules": await _rules(services, channel_id)})


@router.put(
    "/channels/{channel_id}/rules",
    summary="Replace what a channel may have",
    operation_id="putChannelRules",
    response_model=ChannelRules,
    responses={
        **responses.success(200, "They count from now on.", examples.CHANNEL_RULES),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def put_rules(
    channel_id: NewChannelId,
    rules: Annotated[
        ChannelRules, AS_SEEN, Body(openapi_examples=responses.named({"a marketplace": examples.CHANNEL_RULES}))
    ],
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_WRITE)],
) -> Json:
    """All of them or, if one cannot be, none: `data.errors` then names each that is wrong. The SKUs whose availability
    may have changed appear in the feed of changes.
    """
    visibility.must_be_own(who, channel=channel_id)
    async with services.engine.begin() as connection:
        changed = await channels.replace_rules(connection, channel_id, rules.rules)
        visibility.own_nodes(who, [("rules", node) for node in changed])
    return Json({"rules": await _rules(services, channel_id)})


async def _rules(services: Services, channel_id: str) -> list[object]:
    async with services.reads.connect() as connection:
        await channels.get(connection, channel_id)
        return [*await channels.rules(connection, channel_id)]
