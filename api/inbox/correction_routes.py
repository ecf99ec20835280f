"""Corrections: proposals are accepted and rejected, messages alike are replayed together, and rates are told."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from api.contract import responses
from api.http.answers import Json
from api.http.services import Use
from api.identity import visibility
from api.identity.scopes import needs
from api.inbox import correction_examples as examples
from api.inbox.correction_models import CorrectionId, CorrectionRates, MessageTried, ReplayAlike, ReplayedMessages
from api.inbox.examples import DETAIL, REPLAYS
from api.inbox.models import ChannelMessageDetail, InboxId, Replay
from api.inbox.routes import channels_of, database, detail
from dom.shared.access import Principal, Scope
from dom.shared.base import AS_SEEN
from services import channel_corrections, channel_quarantine
from services.channel_quarantine import FaultAlike
from services.clock import utc_now
from store.inbox import corrections, messages

router = APIRouter(tags=["inbox"])

PATH = "/inbox/{inbox_id}/corrections/{correction_id}"


@router.post(
    "/inbox/replay",
    summary="Take messages with the same fault in once more",
    operation_id="replayAlike",
    response_model=ReplayedMessages,
    responses={
        **responses.success(200, "What became of each.", examples.REPLAYED_ALIKE),
        **responses.problems("unknown-channel", "invalid-input"),
    },
)
async def replay_alike(
    asked: Annotated[ReplayAlike, Body(openapi_examples=responses.named(examples.ALIKE))],
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_WORK)],
) -> Json:
    """Messages of a channel that are in quarantine for the same fault, with the same value in the same field. Each is
    replayed by itself: one that cannot be says why, and holds up no other.
    """
    visibility.must_be_own(who, channel=asked.channel)
    await services.channels.check(asked.channel)
    fault = FaultAlike(asked.channel, asked.code, asked.field, asked.value)
    repair = (asked.repair,) if "repair" in asked.model_fields_set else ()
    done = await channel_quarantine.replay_alike(
        database(services), fault, repair, after=asked.after, limit=asked.limit
    )
    items = [{"id": each.id, "outcome": each.outcome, "problem": each.problem} for each in done.items]
    return Json({"items": items, "more": done.more})


@router.post(
    "/inbox/{inbox_id}/check",
    summary="Read a message with repairs, and change nothing",
    operation_id="checkChannelMessage",
    response_model=MessageTried,
    responses={
        **responses.success(200, "What it would be read as.", examples.TRIED),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def check(
    inbox_id: InboxId,
    asked: Annotated[Replay, AS_SEEN, Body(openapi_examples=responses.named(REPLAYS))],
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_READ)],
) -> Json:
    """By the mapping and the rules that are live now, with what is given in place of fields beside earlier repairs:
    what is wrong then, corrected and proposed. Whether the order can be captured is known only when it is.
    """
    async with services.reads.connect() as connection:
        row = await messages.get(connection, inbox_id, channels_of(who, None))
    tried = await channel_corrections.try_out(database(services), row, asked.repairs)
    found = {name: getattr(tried, name) for name in MessageTried.model_fields}
    return Json(found)


@router.get(
    "/inbox/corrections/rates",
    summary="How often messages are corrected, and by what",
    operation_id="getCorrectionRates",
    response_model=CorrectionRates,
    responses={
        **responses.success(200, "By channel, day and rule.", examples.RATES),
        **responses.problems("invalid-input"),
    },
)
async def rates(
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_READ)],
    days: Annotated[int, Query(ge=1, le=366, description="So many days, today among them.")] = 7,
    channel: Annotated[str | None, Query(max_length=31, description="Only this channel's.")] = None,
) -> Json:
    """What each rule corrected and proposed, what people made of it, and what share of the messages waits in
    quarantine. Rejected ones tell how precise a rule is.
    """
    since = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    async with services.reads.connect() as connection:
        shares = await corrections.shares(connection, since, channels_of(who, channel))
        found = await corrections.rates(connection, since, channels_of(who, channel))
    by_day: dict[tuple[Any, str], dict[str, Any]] = {}
    for row in shares:
        day = {"channel": row["channel"], "day": str(row["day"]), "messages": row["messages"], "rules": []}
        share = row["quarantined"] * 1000 // row["messages"]
        by_day[row["day"], row["channel"]] = {**day, "quarantined": row["quarantined"], "quarantine_share": share}
    for row in found:
        none = {"channel": row["channel"], "day": str(row["day"]), "messages": 0, "quarantined": 0}
        day = by_day.setdefault((row["day"], row["channel"]), {**none, "quarantine_share": 0, "rules": []})
        day["rules"].append({name: row[name] for name in ("rule", "applied", "proposed", "accepted", "rejected")})
    return Json({"items": [by_day[key] for key in sorted(by_day, key=lambda key: (-key[0].toordinal(), key[1]))]})


@router.post(
    PATH + "/accept",
    summary="Accept a proposed correction",
    operation_id="acceptCorrection",
    response_model=ChannelMessageDetail,
    responses={
        **responses.success(200, "It is a repair now, and the message has its turn.", DETAIL),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def accept(
    inbox_id: InboxId,
    correction_id: CorrectionId,
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_WORK)],
) -> Json:
    """It becomes a repair of the message, which is replayed. An order that was captured is not changed by it: that is
    `POST /v1/orders/{order_id}/changes`.
    """
    await detail(services, who, inbox_id)
    await channel_corrections.accept(database(services), inbox_id, correction_id, who.name)
    return Json(await detail(services, who, inbox_id))


@router.post(
    PATH + "/reject",
    summary="Reject a correction",
    operation_id="rejectCorrection",
    response_model=ChannelMessageDetail,
    responses={
        **responses.success(200, "It is counted as wrong.", DETAIL),
        **responses.problems("not-found", "conflict", "invalid-input"),
    },
)
async def reject(
    inbox_id: InboxId,
    correction_id: CorrectionId,
    services: Use,
    who: Annotated[Principal, needs(Scope.INBOX_WORK)],
) -> Json:
    """A proposal, or one that was made: it counts as wrong, and is not made of this message any more. An order that was
    captured with it stays as it is.
    """
    await detail(services, who, inbox_id)
    await channel_corrections.reject(database(services), inbox_id, correction_id, who.name)
    return Json(await detail(services, who, inbox_id))
