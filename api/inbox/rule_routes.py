"""Rules that people make of repairs: made, rehearsed on what came, published, retired."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from sqlalchemy import RowMapping

from api.contract import responses
from api.http import cursor
from api.http.answers import Json
from api.http.models import Cursor, Limit
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.inbox import correction_examples as examples
from api.inbox.correction_models import ChannelCorrectionRule, ChannelCorrectionRules, MakeCorrectionRule, RuleId
from api.inbox.routes import ToChannel, database
from dom.channels.correction_rules import RuleStatus
from dom.shared.access import Principal, Scope
from services import channel_rules
from services.channel_rules import RuleAsked
from store import channels
from store.inbox import correction_rules

router = APIRouter(tags=["inbox"])

PATH = "/channels/{channel_id}/correction-rules"


@router.get(
    PATH,
    summary="Rules by which a channel's messages are corrected",
    operation_id="listCorrectionRules",
    response_model=ChannelCorrectionRules,
    responses={
        **responses.success(200, "A page of rules, the newest first.", examples.RULES),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def find(
    channel_id: ToChannel,
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_READ)],
    status: Annotated[RuleStatus | None, Query(description="Only those that stand so.")] = None,
    limit: Limit = 50,
    cursor_: Annotated[Cursor, Query(alias="cursor")] = None,
) -> Json:
    """Rules that people made of repairs. `status=live` are those that act."""
    visibility.must_be_own(who, channel=channel_id)
    before = cursor.decode_number(cursor_, cursor.LONGEST_SERIAL) if cursor_ else None
    async with services.reads.connect() as connection:
        await channels.get(connection, channel_id)
        found = await correction_rules.find(connection, channel_id, status, before, limit + 1)
    page, more = cursor.page(found, limit, lambda row: (str(row["id"]),))
    return Json({"items": [_shown(row) for row in page], "next_cursor": more})


@router.post(
    PATH,
    status_code=201,
    summary="Make a rule of a repair",
    operation_id="makeCorrectionRule",
    response_model=ChannelCorrectionRule,
    responses={
        **responses.success(201, "Made; it does not act before it was rehearsed and published.", examples.RULE),
        **responses.problems("not-found", "invalid-input"),
    },
)
async def make(
    channel_id: ToChannel,
    asked: Annotated[MakeCorrectionRule, Body(openapi_examples=responses.named(examples.NEW_RULES))],
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_WRITE)],
) -> Json:
    """What stands in a field, and what is meant by it: an old SKU, a name for a country. Of a message in which the
    field was repaired both are known.
    """
    visibility.must_be_own(who, channel=channel_id)
    rule = RuleAsked(
        asked.field,
        asked.before,
        asked.after,
        has_after="after" in asked.model_fields_set,
        message_id=asked.message_id,
        comment=asked.comment,
    )
    async with services.engine.begin() as connection:
        await channels.get(connection, channel_id)
        made = await channel_rules.make(connection, channel_id, rule, who.name)
    return Json(_shown(made), 201)


@router.post(
    PATH + "/{rule_id}/rehearse",
    summary="Try a rule on what came",
    operation_id="rehearseCorrectionRule",
    response_model=ChannelCorrectionRule,
    responses={
        **responses.success(200, "What it would have done.", examples.REHEARSED),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def rehearse(
    channel_id: ToChannel,
    rule_id: RuleId,
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_WRITE)],
) -> Json:
    """Of the channel's messages of the last 30 days (10,000 at most, the newest first): what the rule would mend, where
    it agrees with what was taken in, and where it contradicts that. Nothing of them is changed.
    """
    visibility.must_be_own(who, channel=channel_id)
    return Json(_shown(await channel_rules.rehearse(database(services), channel_id, rule_id, who.name)))


@router.post(
    PATH + "/{rule_id}/publish",
    summary="Let a rule act",
    operation_id="publishCorrectionRule",
    response_model=ChannelCorrectionRule,
    responses={
        **responses.success(200, "It corrects the next message.", examples.LIVE),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def publish(
    channel_id: ToChannel,
    rule_id: RuleId,
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_WRITE)],
    despite_contradictions: Annotated[
        bool, Query(description="Whether it is meant although messages were taken in with another value.")
    ] = False,
) -> Json:
    """Only one that was rehearsed. Messages in quarantine wait until they are replayed."""
    visibility.must_be_own(who, channel=channel_id)
    async with services.engine.begin() as connection:
        rule = await channel_rules.publish(
            connection, channel_id, rule_id, who.name, despite_contradictions=despite_contradictions
        )
    return Json(_shown(rule))


@router.post(
    PATH + "/{rule_id}/retire",
    summary="Let a rule act no more",
    operation_id="retireCorrectionRule",
    response_model=ChannelCorrectionRule,
    responses={
        **responses.success(200, "It corrects nothing any more.", examples.RETIRED),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def retire(
    channel_id: ToChannel,
    rule_id: RuleId,
    services: Use,
    who: Annotated[Principal, needs(Scope.CHANNELS_WRITE)],
) -> Json:
    """What it corrected stays."""
    visibility.must_be_own(who, channel=channel_id)
    async with services.engine.begin() as connection:
        rule = await channel_rules.retire(connection, channel_id, rule_id, who.name)
    return Json(_shown(rule))


def _shown(row: RowMapping) -> dict[str, object]:
    return {name: row[name] for name in ChannelCorrectionRule.model_fields}
