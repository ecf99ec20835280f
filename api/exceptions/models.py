"""What a person must look at."""

from pydantic import BaseModel, Field

from api.http.models import Page
from dom.exceptions import ExceptionKind, ExceptionSeverity, OwnerRole
from dom.shared.base import Utc
from store.enums import ExceptionStatus


class ExceptionSummary(BaseModel):
    """What a person must look at, or has looked at."""

    id: int = Field(description="Counts up with every exception opened.")
    order_id: str | None = Field(description="Null where it is about a node's or a feed's trouble, not an order's.")
    kind: ExceptionKind | str = Field(description="What kind of trouble it is; decide by it. Others may be added.")
    severity: ExceptionSeverity = Field(description="How bad it is.")
    owner_role: OwnerRole = Field(description="Who looks at this kind.")
    meaning: str = Field(description="What this kind means.")
    next_steps: str = Field(description="What to do about this kind.")
    detail: str = Field(description="What went wrong and for which goods, in a sentence.")
    status: ExceptionStatus = Field(description="Whether somebody still has to look at it.")
    owner: str | None = Field(description="Who looks after it; null while nobody does.")
    opened_at: Utc
    closed_at: Utc | None = Field(
        description="When somebody closed it, or what it was about was over, in UTC; null while it is open."
    )


class ExceptionList(Page):
    """A page of exceptions, newest first."""

    items: list[ExceptionSummary]
