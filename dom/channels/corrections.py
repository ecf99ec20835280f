"""Corrections of what channels send: one value put in place of another by a rule, and from what confidence on it acts.

Confidences are per mille, whole numbers: of a thousand values that the rule changes so, how many it changes rightly.
They are measured (`python -m bench.corrections`), and stand in `dom.channels.correcting.confidence`.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from dom.shared.base import Value
from dom.shared.texts import keepable

DEFAULT_THRESHOLD: Final = 995
"""From this confidence on a correction is made; below it is a proposal. The one place where the default is set."""
SURE: Final = 1000
LEARNED: Final = "learned:"
"""How the names of rules begin that people made of repairs; the rule's number follows."""

Confidence = Annotated[int, Field(ge=0, le=SURE)]


class CorrectionRule(StrEnum):
    """What corrects. The value is stored and counted by; docs/channels.md says what each does."""

    NORMAL_FORM = "normal-form"
    MOJIBAKE = "mojibake"
    ENTITIES = "entities"
    LINE_BREAKS = "line-breaks"
    UNSEEN = "unseen"
    EMOJI = "emoji"
    WHITE_SPACE = "white-space"
    NOTHING = "nothing"
    CURRENCY = "currency"
    COUNTRY = "country"
    POSTAL_CODE = "postal-code"
    POSTAL_NONE = "postal-none"
    POSTAL_ZERO = "postal-zero"
    REGION = "region"
    LONG_LINE = "long-line"
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    EMAIL_DOMAIN = "email-domain"
    DUPLICATE_LINE = "duplicate-line"
    NUMBER_MARK = "number-mark"
    NUMBER_TOTAL = "number-total"
    SKU_FORM = "sku-form"
    SKU_SIMILAR = "sku-similar"
    SKU_HISTORY = "sku-history"


class CorrectionStatus(StrEnum):
    """What became of a correction."""

    APPLIED = "applied"
    """It was made by itself."""
    PROPOSED = "proposed"
    """It waits for a person, who accepts or rejects it."""
    ACCEPTED = "accepted"
    """A person took it: it became a repair."""
    REJECTED = "rejected"
    """A person says that it is wrong: it is not made, nor proposed, of this message any more."""


DECIDED: Final = frozenset({CorrectionStatus.ACCEPTED, CorrectionStatus.REJECTED})
"""What a person decided."""


class FieldCorrection(Value):
    """A value that a rule puts in place of another. Null stands for nothing: the message is taken not to say it."""

    field: str = Field(description="A field of the order as mappings fill it.")
    before: Any = Field(description="What stood there.")
    after: Any = Field(description="What is to stand there; null: nothing.")
    rule: str = Field(description="What corrects: a name of docs/channels.md, or `learned:` and a rule's number.")
    confidence: Confidence = Field(description="Per mille of such changes that are right, as measured.")
    why: str = Field(default="", description="Why, in words.")


class CorrectionSettings(Value):
    """From what confidence on the channel's messages are corrected, and when a person is told of its quarantine."""

    threshold: Annotated[int, Field(ge=500, le=SURE)] = Field(
        default=DEFAULT_THRESHOLD, description="per mille; corrections of lower confidence are proposals"
    )
    rules: dict[CorrectionRule, Annotated[int, Field(ge=500, le=SURE)] | Literal["never"]] = Field(
        default={}, description="another threshold for single rules; `never`: they only propose"
    )
    alert_percent: Annotated[int, Field(ge=1, le=100)] = Field(
        default=20, description="above so many percent of an hour's messages in quarantine a person is told"
    )
    alert_from: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=20, description="messages of an hour from which on that counts"
    )

    def acts(self, correction: FieldCorrection) -> bool:
        """Whether a correction is made by itself."""
        if correction.rule.startswith(LEARNED):
            return True
        own = self.rules.get(CorrectionRule(correction.rule), self.threshold)
        return own != "never" and correction.confidence >= own


USUAL: Final = CorrectionSettings()


def kept(value: Any) -> Any:
    """A value as it can be written down: texts without what PostgreSQL has no place for."""
    if isinstance(value, str):
        return keepable(value)
    return [kept(each) for each in value] if isinstance(value, list | tuple) else value
