"""The quarantine as a whole: messages with the same fault are replayed together, and a person is told when too much of
what a channel sends waits there.
"""

from collections.abc import Sequence
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
from store.inbox.quarantine import QuarantineShare

WATCHED: Final = timedelta(hours=1)
"""Of this while the share in quarantine is reckoned."""


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
    """Tell a person of each channel whose share in quarantine is above its limit, once a day at most after somebody
    resolved it; close what has fallen.
    """
    now = database.now()
    days = (f"{now:%Y-%m-%d}", f"{now - timedelta(days=1):%Y-%m-%d}")
    async with database.statement() as connection:
        found = await quarantine.shares(connection, now - WATCHED, days)
    await _tell(database, [each for each in found if each.is_above], days)
    fallen = [each for each in found if each.is_told and not each.is_above]
    if fallen:
        async with database.transaction() as connection:
            keys = [_key(each, day) for each in fallen for day in days]
            await exceptions.close_by_keys(connection, *keys)


async def _tell(database: Database, above: Sequence[QuarantineShare], days: tuple[str, str]) -> None:
    for each in above:
        if each.is_told:
            continue
        said = (
            f"{each.quarantined} of {each.messages} messages of {each.channel} of the last hour are in quarantine; "
            f"its limit is {each.settings.alert_percent} percent"
        )
        data = {"channel": each.channel, "messages": each.messages, "quarantined": each.quarantined}
        async with database.transaction() as connection:
            await exceptions.open_(
                connection,
                None,
                ExceptionKind.QUARANTINE_SHARE,
                _key(each, days[0]),
                said,
                data,
                reopening=Reopening.IF_CLOSED_BY_ITSELF,
            )


def _key(share: QuarantineShare, day: str) -> str:
    return f"quarantine:{share.channel}:{day}"
