"""Rules of a channel that people made of repairs: how they come to act, and what rehearsing one tells."""

from enum import StrEnum

from pydantic import Field

from dom.channels.outcomes import MessageOutcome
from dom.shared.base import Utc, Value


class RuleStatus(StrEnum):
    """Where a rule stands. It acts while it is live, and can be live only after it was rehearsed."""

    DRAFT = "draft"
    REHEARSED = "rehearsed"
    LIVE = "live"
    RETIRED = "retired"


class RehearsedKind(StrEnum):
    """What a rule would have meant for a message that came."""

    MENDS = "mends"
    """It waits in quarantine, and would be corrected."""
    AGREES = "agrees"
    """It was taken in with the value of the rule: a person or another rule put it there."""
    CONTRADICTS = "contradicts"
    """It was taken in with another value than the rule's."""
    CHANGES_NOTHING = "changes_nothing"
    """It became no order: a draft, a later state was known."""


class RehearsedMessage(Value):
    """A message that a rule is about; `taken` is the value that it was taken in with, where it was."""

    id: int = Field(description="The message's number.")
    kind: RehearsedKind
    outcome: MessageOutcome = Field(description="What became of it.")
    field: str = Field(description="The field that the rule would change.")
    taken: str | None = Field(default=None, description="The value with which it was taken in; null: it was not.")


class RuleRehearsal(Value):
    """What a rule would have done to the messages of the last days. `complete`: all of them were looked at."""

    since: Utc = Field(description="Messages from then on were looked at.")
    looked_at: int = Field(description="How many messages were looked at, the newest first.")
    complete: bool = Field(description="False where there were more than are looked at at once.")
    counts: dict[RehearsedKind, int] = Field(description="Messages that the rule is about, by what it means for them.")
    examples: tuple[RehearsedMessage, ...] = Field(description="Some of them, contradictions first.")

    @property
    def contradictions(self) -> int:
        """Messages that were taken in with another value."""
        return self.counts.get(RehearsedKind.CONTRADICTS, 0)
