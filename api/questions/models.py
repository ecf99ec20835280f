"""Questions to customers, as staff and channels see them, and as the customer does."""

from typing import Any

from pydantic import BaseModel, Field

from api.http.models import Page
from dom.orders.calls import Reason, Request
from dom.orders.questions import CustomerChoice, QuestionStatus, Withdrawal
from dom.shared.base import Utc
from dom.shared.money import Money

_SEEN: Any = Field(description="What the question says and offers, for the `seen` of an answer.")


class ChoiceRequest(Request):
    """What the customer chose."""

    answer: CustomerChoice = Field(description="One of the question's `choices`.")
    reason: Reason = ""
    seen: str | None = Field(
        default=None,
        max_length=64,
        description="The question's `seen`, as it was shown: if the question says something else by now, the answer is "
        "refused (`stale`). Without it the answer is to what the question says when it comes.",
    )


class SwapOffered(BaseModel):
    """Units of a line go as units of another SKU."""

    line_id: str
    units: int
    sku: str
    quantity: int = Field(description="Units of the other SKU.")
    unit_price: int = Field(description="What one of them costs the customer, in minor units of the order's currency.")


class CustomerQuestion(BaseModel):
    """What a customer is asked because what was promised comes later, and what came of it."""

    question_id: str = Field(description="It is answered under this id.")
    order_id: str
    status: QuestionStatus
    units: dict[str, int] = Field(description="Late units by line.")
    promised: Utc = Field(description="The earliest day that was told of these lines, in UTC.")
    expected: Utc | None = Field(description="When the last of them come; null: some wait, and nobody knows.")
    choices: list[CustomerChoice] = Field(description="What may be chosen; of an open question, at the last look.")
    swap: list[SwapOffered] = Field(description="What `swap` would come to.")
    silence: CustomerChoice = Field(description="What is done if nobody answers until `answer_by`.")
    asked_at: Utc = Field(description="When it was asked first, in UTC.")
    answer_by: Utc = Field(description="Until when the customer has time.")
    mails: int = Field(description="How often the customer was told: again where the day has moved.")
    answer: CustomerChoice | None = Field(description="What was chosen, or what silence came to.")
    ended_by: str | None = Field(description="Who answered: `customer:link` is the customer himself.")
    ended_at: Utc | None
    reason: str
    withdrawal: Withdrawal | None = Field(
        description="Why it was withdrawn: the day is `kept` after all, or the units are `gone`."
    )
    seen: str = _SEEN


class CustomerQuestionList(Page):
    """A page of questions, the oldest first."""

    items: list[CustomerQuestion]


class AskedLine(BaseModel):
    """Units of an article."""

    description: str = Field(description="What it is called; its SKU if it has no name.")
    sku: str
    quantity: int = Field(description="So many units of it.")


class AskedSwap(BaseModel):
    """Units of an article go as units of another, at a price each."""

    instead_of: AskedLine = Field(description="What is not sent then.")
    article: AskedLine = Field(description="What is sent then.")
    unit_price: Money = Field(description="What one of them costs the customer.")


class QuestionForCustomer(BaseModel):
    """What the customer sees behind his link, and nothing else of the order."""

    status: QuestionStatus
    order_number: str = Field(description="The shop's own number of the order.")
    lines: list[AskedLine] = Field(description="What comes later than was told.")
    promised: Utc = Field(description="By when the customer was told that they come, in UTC.")
    expected: Utc | None = Field(description="By when they come now; null: nobody knows.")
    choices: list[CustomerChoice] = Field(description="What may be chosen; empty once the question has ended.")
    swap: list[AskedSwap] = Field(description="What `swap` would come to.")
    silence: CustomerChoice = Field(description="What is done if the customer does not answer.")
    answer_by: Utc = Field(description="Until when the customer has time, in UTC.")
    answer: CustomerChoice | None = Field(description="What was chosen, or what silence came to.")
    says: str = Field(description="Where things stand, in a sentence for the customer.")
    seen: str = _SEEN
