"""What a person must look at, and what may be done about it."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from api.http.models import Page
from dom.exceptions import ExceptionAction, ExceptionKind, ExceptionSeverity, OwnerRole
from dom.shared.access import Scope
from dom.shared.base import Utc, Value
from dom.shared.texts import visible
from store.enums import ExceptionStatus

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
_SEEN = "The version that was seen. If it has changed since, nothing is done, and 409 `stale` says what it is now."


def _says_something(words: str) -> str:
    if not visible(words):
        raise ValueError("say something")
    return words


Words = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_says_something)]


class PossibleAction(BaseModel):
    """What can be done about an exception in one call."""

    action: ExceptionAction = Field(description="The last part of the address that does it.")
    meaning: str = Field(description="What it does.")
    scope: Scope = Field(description="What a caller needs for it, beside `exceptions:work`.")


class ExceptionSummary(BaseModel):
    """What a person must look at, or has looked at."""

    id: int = Field(description="Counts up with every exception opened.")
    order_id: str | None = Field(description="Null where it is about a node's or a feed's trouble, not an order's.")
    kind: ExceptionKind | str = Field(description="What kind of trouble it is; decide by it. Others may be added.")
    severity: ExceptionSeverity = Field(description="How bad it is.")
    owner_role: OwnerRole = Field(description="In which role's queue it stands: the kind's, until it is handed on.")
    meaning: str = Field(description="What this kind means.")
    next_steps: str = Field(description="What to do about this kind.")
    closes_itself: bool = Field(description="Whether it closes itself once its cause is gone.")
    actions: list[PossibleAction] = Field(description="What can be done about it in one call, while it is open.")
    detail: str = Field(description="What went wrong and for which goods, in a sentence.")
    data: dict[str, Any] = Field(description="What the detail says, for programs.")
    status: ExceptionStatus = Field(description="Whether somebody still has to look at it.")
    version: int = Field(description="Counts every change. Give it with what is to be done about it.")
    owner: str | None = Field(description="Who looks after it; null while nobody does.")
    opened_at: Utc = Field(description="When it was opened, or opened again, in UTC.")
    age_minutes: int = Field(description="Minutes since then; of one that is closed, until it was.")
    due_at: Utc = Field(description="Until when it is to be dealt with, in UTC.")
    overdue: bool = Field(description="Whether it is open, that time is over, and it is not put off.")
    snoozed_until: Utc | None = Field(description="Until when it is put off, in UTC; null if it is not.")
    snoozed: bool = Field(description="Whether it is put off now.")
    closed_at: Utc | None = Field(
        description="When somebody closed it, or what it was about was over, in UTC; null while it is open."
    )
    resolution: str | None = Field(description="What was done about it; null while it is open, or if it closed itself.")
    resolved_by: str | None = Field(description="Who resolved it; null like the resolution.")


class ExceptionList(Page):
    """A page of exceptions, newest first."""

    items: list[ExceptionSummary]


class ExceptionComment(BaseModel):
    """What somebody wrote about an exception."""

    id: int
    author: str = Field(description="The name of the caller who wrote it.")
    text: str = Field(description="What was written.")
    written_at: Utc = Field(description="When, in UTC.")


class ExceptionDetail(ExceptionSummary):
    """An exception, with what was written about it."""

    comments: list[ExceptionComment] = Field(description="Comments, oldest first.")


class ExceptionCount(BaseModel):
    """How many exceptions have a value, and the list of them."""

    value: str | bool | None = Field(description="What they have in common; null: nobody looks after them.")
    count: int = Field(description="How many there are.")
    list: str = Field(description="The address of the list of just these.")


class ExceptionCountsAnswer(BaseModel):
    """How many exceptions a filter finds, in all and by what divides the queue. Values that none has are left out."""

    total: ExceptionCount = Field(description="All that the filter finds.")
    by_kind: list[ExceptionCount] = Field(description="By kind.")
    by_severity: list[ExceptionCount] = Field(description="By how bad they are.")
    by_owner_role: list[ExceptionCount] = Field(description="By the role in whose queue they stand.")
    by_owner: list[ExceptionCount] = Field(description="By who looks after them.")
    by_overdue: list[ExceptionCount] = Field(description="By whether they are overdue.")
    by_snoozed: list[ExceptionCount] = Field(description="By whether they are put off.")


class Seen(Value):
    """What is bound to the version that was seen, and nothing else."""

    version: Version = Field(description=_SEEN)


class NewOwner(Seen):
    """Who is to look after it: a person by name, or a role's queue, where it then has nobody's name."""

    owner: Annotated[str, Field(max_length=64)] | None = Field(default=None, description="The name of a caller.")
    owner_role: OwnerRole | None = Field(default=None, description="The role whose queue it goes to.")


class Snoozing(Seen):
    """Until when it is put off; it comes back by itself."""

    until: Utc | None = Field(
        default=None, description="In UTC, at most 90 days away; null or absent: it is not put off any more."
    )


class NewComment(Seen):
    """What is to be written about it."""

    text: Words = Field(description="The comment.")


class Resolution(Seen):
    """What was done about it."""

    resolution: Words = Field(description="What was done, in words.")
