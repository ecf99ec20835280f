"""The quarantine as a whole: messages with the same fault are replayed together, and a person is told when too much of
what a channel sends waits there.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from dom.channels.correcting.learned import pattern_of
from dom.channels.faults import FaultCode
from dom.channels.outcomes import MessageOutcome
from dom.exceptions import ExceptionKind
from dom.shared.errors import DomError
from services import channel_inbox
from services.database import Database
from store import exceptions
from store.exceptions import Reopening
from store.inbox import quarantine
from store.inbox.quarantine import QuarantineShare, RuleShare

WATCHED: Final = timedelta(hours=1)
"""Of this while the share in quarantine is reckoned."""
RULES_WATCHED: Final = timedelta(days=7)
"""Of this while it is reckoned how many of a rule's corrections people rejected."""


@dataclass(frozen=True, slots=True)
class FaultAlike:
    """A fault that several messages of a channel have: its code, its field (`lines[*].sku` of any line), what stood
    there.
    """

    channel: str
    code: FaultCode
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class AlikeResult:
    """What became of one of them: its outcome, or why it could not be replayed."""

    id: int
    outcome: MessageOutcome | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ReplayedAlike:
    """What became of each, the oldest first; `more` says whether others are left after the last of them."""

    items: tuple[AlikeResult, ...]
    more: bool


async def replay_alike(
    database: Database, fault: FaultAlike, repair: tuple[Any, ...], *, after: int, limit: int
) -> ReplayedAlike:
    """Replay messages with the same fault, each in a transaction of its own. `repair` holds the value that is put into
    the field at fault, or nothing: they are read again as they are.
    """
    async with database.statement() as connection:
        found = await quarantine.alike(
            connection,
            fault.channel,
            fault.code,
            pattern_of(fault.field),
            fault.value,
            after=after,
            most=limit + 1,
        )
    items = []
    for each in found[:limit]:
        repairs = dict.fromkeys(each.fields, repair[0]) if repair else {}
        try:
            replayed = await channel_inbox.replay(database, each.id, repairs)
        except DomError as error:  # somebody else replayed it meanwhile
            items.append(AlikeResult(each.id, None, error.detail))
        else:
            items.append(AlikeResult(each.id, replayed.outcome))
    return ReplayedAlike(tuple(items), len(found) > limit)


async def watch(database: Database) -> None:
    """Tell a person of each channel whose share in quarantine is above its limit, and of each rule that people reject
    too often: once, and once a day at most after somebody resolved it. Close what has fallen.
    """
    now = database.now()
    days = (f"{now:%Y-%m-%d}", f"{now - timedelta(days=1):%Y-%m-%d}")
    async with database.statement() as connection:
        shares = await quarantine.shares(connection, now - WATCHED, days)
        channels = [each.channel for each in shares]
        rules = await quarantine.rules(connection, channels, now - RULES_WATCHED, days)
    for share in shares:
        await _tell(database, _of_share(share), days, is_above=share.is_above, is_told=share.is_told)
    for rule in rules:
        await _tell(database, _of_rule(rule), days, is_above=rule.is_above, is_told=rule.is_told)


@dataclass(frozen=True, slots=True)
class _Alert:
    kind: ExceptionKind
    key: str
    detail: str
    data: dict[str, Any]


def _of_share(share: QuarantineShare) -> _Alert:
    said = (
        f"{share.quarantined} of {share.messages} messages of {share.channel} of the last hour are in quarantine; "
        f"its limit is {share.settings.alert_percent} percent"
    )
    data = {"channel": share.channel, "messages": share.messages, "quarantined": share.quarantined}
    return _Alert(ExceptionKind.QUARANTINE_SHARE, f"quarantine:{share.channel}", said, data)


def _of_rule(rule: RuleShare) -> _Alert:
    said = (
        f"people rejected {rule.rejected} of {rule.made} corrections that {rule.rule} made of {rule.channel}'s messages"
    )
    data = {"channel": rule.channel, "rule": rule.rule, "made": rule.made, "rejected": rule.rejected}
    return _Alert(ExceptionKind.CORRECTIONS_REJECTED, f"corrections:{rule.channel}:{rule.rule}", said, data)


async def _tell(database: Database, alert: _Alert, days: tuple[str, str], *, is_above: bool, is_told: bool) -> None:
    if is_above == is_told:
        return
    async with database.transaction() as connection:
        if is_told:
            await exceptions.close_by_keys(connection, *(f"{alert.key}:{day}" for day in days))
            return
        again = Reopening.IF_CLOSED_BY_ITSELF
        key = f"{alert.key}:{days[0]}"
        await exceptions.open_(connection, None, alert.kind, key, alert.detail, alert.data, reopening=again)
