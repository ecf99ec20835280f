"""Messages in quarantine that have the same fault, and how full each channel's quarantine is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.channels.corrections import DEFAULT_THRESHOLD, SURE, USUAL, CorrectionSettings
from dom.channels.faults import FaultCode


@dataclass(frozen=True, slots=True)
class AlikeMessage:
    """A message in quarantine, and the fields of it that have the fault."""

    id: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuarantineShare:
    """How many of a channel's messages of a while wait in quarantine, and what the channel says of it."""

    channel: str
    messages: int
    quarantined: int
    settings: CorrectionSettings
    is_told: bool

    @property
    def is_above(self) -> bool:
        """Whether a person is to be told."""
        enough = self.messages >= self.settings.alert_from
        return enough and self.quarantined * 100 > self.settings.alert_percent * self.messages


_ALIKE: Final = text(r"""
SELECT m.id, f.fields FROM channel_messages m
CROSS JOIN LATERAL (
    SELECT array_agg(fault ->> 'field' ORDER BY fault ->> 'field') AS fields
    FROM jsonb_array_elements(m.faults) AS fault
    WHERE fault ->> 'code' = :code AND fault ->> 'value' = :value
      AND regexp_replace(fault ->> 'field', '\[[0-9]+\]', '[*]', 'g') = :field) f
WHERE m.channel = :channel AND m.outcome = 'quarantined' AND m.id > :after AND f.fields IS NOT NULL
ORDER BY m.id LIMIT :most
""")
_SHARES: Final = text("""
SELECT c.id AS channel, x.messages, x.quarantined, m.settings,
       EXISTS (SELECT FROM exceptions e WHERE e.business_key = ANY(ARRAY['quarantine:' || c.id || ':' || :today,
                                                                       'quarantine:' || c.id || ':' || :yesterday])
                                          AND e.status = 'open') AS is_told
FROM channels c
CROSS JOIN LATERAL (
    SELECT count(*) AS messages, count(*) FILTER (WHERE outcome = 'quarantined') AS quarantined
    FROM channel_messages WHERE channel = c.id AND received_at >= :since AND outcome <> 'received') x
LEFT JOIN LATERAL (
    SELECT document -> 'corrections' AS settings FROM channel_mappings WHERE channel = c.id
    ORDER BY version DESC LIMIT 1) m ON true
ORDER BY c.id
""")


@dataclass(frozen=True, slots=True)
class RuleShare:
    """How many corrections a rule made by itself of a channel's messages, and how many of them people rejected."""

    channel: str
    rule: str
    made: int
    rejected: int
    is_told: bool

    @property
    def is_above(self) -> bool:
        """Whether it is wrong more often than the default threshold lets it be, and not by chance alone."""
        return self.rejected >= _LEAST_REJECTED and self.rejected * SURE > (SURE - DEFAULT_THRESHOLD) * self.made


_LEAST_REJECTED: Final = 3
_RULES: Final = text("""
SELECT channel, rule, count(*) AS made, count(*) FILTER (WHERE status = 'rejected') AS rejected,
       EXISTS (SELECT FROM exceptions e
               WHERE e.business_key = ANY(ARRAY['corrections:' || channel || ':' || rule || ':' || :today,
                                                'corrections:' || channel || ':' || rule || ':' || :yesterday])
                 AND e.status = 'open') AS is_told
FROM channel_corrections WHERE by_itself AND found_at >= :since AND channel = ANY(:channels) GROUP BY 1, 2
""")


async def rules(
    connection: AsyncConnection, channels: Sequence[str], since: datetime, days: tuple[str, str]
) -> Sequence[RuleShare]:
    """What each rule made of the channels' messages since then; `days` as in `shares`."""
    asked = {"channels": list(channels), "since": since, "today": days[0], "yesterday": days[1]}
    return [RuleShare(**row) for row in (await connection.execute(_RULES, asked)).mappings()]


async def alike(
    connection: AsyncConnection, channel: str, code: FaultCode, field: str, value: str, *, after: int, most: int
) -> Sequence[AlikeMessage]:
    """Messages of a channel in quarantine with this fault in a field of this pattern, the oldest first."""
    asked: dict[str, Any] = {"channel": channel, "code": code, "field": field, "value": value}
    found = await connection.execute(_ALIKE, {**asked, "after": after, "most": most})
    return [AlikeMessage(row.id, tuple(row.fields)) for row in found]


async def shares(connection: AsyncConnection, since: datetime, days: tuple[str, str]) -> Sequence[QuarantineShare]:
    """Of each channel, what came since then. `days` are today and yesterday, as keys of exceptions have them."""
    found = await connection.execute(_SHARES, {"since": since, "today": days[0], "yesterday": days[1]})
    return [
        QuarantineShare(
            row.channel,
            row.messages,
            row.quarantined,
            CorrectionSettings.model_validate(row.settings) if row.settings else USUAL,
            row.is_told,
        )
        for row in found
    ]
