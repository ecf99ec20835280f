"""Rules that people make of repairs: made, rehearsed on what came, published, retired."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels import intake
from dom.channels.correcting import engine
from dom.channels.correcting.learned import LearnedRule, pattern_of
from dom.channels.correction_rules import RehearsedKind, RehearsedMessage, RuleRehearsal, RuleStatus
from dom.channels.corrections import LEARNED
from dom.channels.mapping import paths
from dom.channels.mapping.applying import Mapped, apply
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.channels.outcomes import MessageOutcome
from dom.shared.errors import Conflict, InvalidInput
from services.database import Database
from store.inbox import correction_rules, mappings, messages

REHEARSED_DAYS: Final = 30
MOST_REHEARSED: Final = 10_000
"""Messages that are looked at in one rehearsal, the newest first."""
_AT_ONCE: Final = 500
_EXAMPLES: Final = 20
_NOT_BY_RULES: Final = frozenset({"number", "channel_id", "version", "placed_at", "lines[*].line_id", "state", "test"})
"""What an order is told by, and whether anybody means it: no rule says that."""
_TAKEN: Final = frozenset({MessageOutcome.CAPTURED, MessageOutcome.CHANGED, MessageOutcome.UNCHANGED})


@dataclass(frozen=True, slots=True)
class RuleAsked:
    """A rule as a person asks for it. What stood there and what is meant come from a repaired message unless given."""

    field: str
    before: str | None = None
    after: Any = None
    has_after: bool = False
    message_id: int | None = None
    comment: str = ""


async def make(connection: AsyncConnection, channel: str, asked: RuleAsked, by: str) -> RowMapping:
    """A rule that does not act yet. Raises InvalidInput for a field that no rule may fill, NotFound for a message that
    the channel did not send.
    """
    pattern = pattern_of(asked.field)
    if pattern in _NOT_BY_RULES or intake.type_of(pattern) in {None, "list"}:
        raise InvalidInput(f"no rule can fill {asked.field}", field="field")
    before, after, has_after = asked.before, asked.after, asked.has_after
    if asked.message_id is not None:
        row = await messages.get(connection, asked.message_id, [channel])
        if before is None:
            before = await _stood(connection, channel, row, asked.field)
        if not has_after and asked.field in row["repairs"]:
            after, has_after = row["repairs"][asked.field], True
    if not before or not before.strip():
        raise InvalidInput("say what stands there: of nothing, no rule can tell what is meant", field="before")
    if not has_after:
        raise InvalidInput("say what is meant, or name a message in which the field was repaired", field="after")
    after = intake.as_field(asked.field, after)
    if str(after) == before.strip():
        raise InvalidInput("it would change nothing", field="after")
    return await correction_rules.make(
        connection,
        channel,
        field=pattern,
        before=before.strip(),
        after=after,
        message_id=asked.message_id,
        comment=asked.comment,
        by=by,
    )


async def _stood(connection: AsyncConnection, channel: str, row: RowMapping, field: str) -> str | None:
    mapping = await mappings.live(connection, channel)
    mapped = None if mapping is None else _read(mapping.mapping, row["fetched"] or row["body"])
    if mapped is None:
        return None
    found = paths.at(mapped.order, field)
    if found is None:
        found = next((fault.value for fault in mapped.faults if fault.field == field), None)
    return None if found is None else str(found)


def _read(mapping: ChannelMapping, body: bytes) -> Mapped | None:
    try:
        return apply(mapping, json.loads(body))
    except (ValueError, RecursionError):
        return None


async def rehearse(database: Database, channel: str, rule_id: int, by: str) -> RowMapping:
    """Look what the rule would have done to the messages of the last 30 days. Nothing of them is changed; a draft can
    be published then. Raises NotFound, Conflict for a retired rule, or a channel without a mapping.
    """
    async with database.statement() as connection:
        row = await correction_rules.locked(connection, channel, rule_id)
        mapping = await mappings.live(connection, channel)
    if row["status"] == RuleStatus.RETIRED:
        raise Conflict("the rule is retired; make it anew")
    if mapping is None:
        raise Conflict("the channel has no published mapping: nothing can be read")
    rule = LearnedRule(row["id"], row["field"], row["before"], row["after"])
    since = database.now() - timedelta(days=REHEARSED_DAYS)
    found: list[RehearsedMessage] = []
    looked_at, below, more = 0, None, True
    while more and looked_at < MOST_REHEARSED:
        async with database.statement() as connection:
            came = await correction_rules.came(connection, channel, since, below, _AT_ONCE)
        found += await asyncio.to_thread(_tried, mapping.mapping, rule, came)
        looked_at += len(came)
        more = len(came) == _AT_ONCE
        below = came[-1]["id"] if came else None
    counts = Counter(each.kind for each in found)
    first = sorted(found, key=lambda each: (each.kind is not RehearsedKind.CONTRADICTS, -each.id))
    told = RuleRehearsal(
        since=since, looked_at=looked_at, complete=not more, counts=dict(counts), examples=tuple(first[:_EXAMPLES])
    )
    async with database.transaction() as connection:
        await correction_rules.locked(connection, channel, rule_id)
        return await correction_rules.put_rehearsal(connection, rule_id, told, by, database.now())


def _tried(mapping: ChannelMapping, rule: LearnedRule, came: Sequence[RowMapping]) -> list[RehearsedMessage]:
    found = []
    for row in came:
        mapped = _read(mapping, bytes(row["body"]))
        if mapped is None:
            continue
        correcting = engine.begin(mapped, mapping=mapping)
        correcting.tidy([rule])
        for made in correcting.applied:
            if made.rule == f"{LEARNED}{rule.id}":
                found.append(_meant(row, made.field, rule.after))
                break
    return found


def _meant(row: RowMapping, field: str, after: Any) -> RehearsedMessage:
    outcome = MessageOutcome(row["outcome"])
    known: Mapping[str, Any] | None = row["known"]
    kind, taken = RehearsedKind.CHANGES_NOTHING, None
    if outcome is MessageOutcome.QUARANTINED:
        kind = RehearsedKind.MENDS
        if field in row["repairs"] and row["repairs"][field] != after:
            kind, taken = RehearsedKind.CONTRADICTS, str(row["repairs"][field])
    elif outcome in _TAKEN and known is not None:
        stands = paths.at(known, field)
        taken = None if stands is None else str(stands)
        agrees = stands == after or (after is None and stands in ("", [], None))
        kind = RehearsedKind.AGREES if agrees else RehearsedKind.CONTRADICTS
    return RehearsedMessage(id=row["id"], kind=kind, outcome=outcome, field=field, taken=taken)


async def publish(
    connection: AsyncConnection, channel: str, rule_id: int, by: str, *, despite_contradictions: bool
) -> RowMapping:
    """Let a rule act from the next message on. One that is live stays so.

    Raises NotFound, Conflict for one that was not rehearsed, is retired or contradicts what was taken in (unless that
    is meant), or where another live rule is about the same value.
    """
    row = await correction_rules.locked(connection, channel, rule_id)
    if row["status"] == RuleStatus.LIVE:
        return row
    if row["status"] != RuleStatus.REHEARSED:
        said = "rehearse it first" if row["status"] == RuleStatus.DRAFT else "it is retired; make it anew"
        raise Conflict(f"the rule is {row['status']}: {said}", data={"status": row["status"]})
    against = RuleRehearsal.model_validate_json(json.dumps(row["rehearsal"])).contradictions
    if against and not despite_contradictions:
        said = f"{against} messages were taken in with another value; look at them, then say that it is meant"
        raise Conflict(said, data={"contradictions": against})
    other = await correction_rules.same_live(connection, row)
    if other is not None:
        raise Conflict(f"rule {other} is live for the same value: retire it first", data={"rule": other})
    return await correction_rules.put_status(connection, rule_id, RuleStatus.LIVE, by)


async def retire(connection: AsyncConnection, channel: str, rule_id: int, by: str) -> RowMapping:
    """Let a rule act no more; what it corrected stays. Raises NotFound."""
    row = await correction_rules.locked(connection, channel, rule_id)
    if row["status"] == RuleStatus.RETIRED:
        return row
    return await correction_rules.put_status(connection, rule_id, RuleStatus.RETIRED, by)
