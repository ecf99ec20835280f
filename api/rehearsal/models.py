"""Rehearsals and shadows as callers see them."""

from typing import Annotated, Self

from fastapi import Path
from pydantic import BaseModel, Field, model_validator

from api.http.models import Page
from dom.shared.base import Utc, Value
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.figures import Figures
from dom.sourcing.rehearsal.report import Report
from dom.sourcing.rehearsal.span import EXAMPLES
from store.enums import RehearsalStatus

RehearsalId = Annotated[
    str, Path(max_length=64, description="The rehearsal's id.", examples=["rehearsal-0f6b1c2d3e4f5a6b7c8d"])
]
ShadowName = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", description="The shadow's name.", examples=["cheaper-splits"])
]
Which = Annotated[
    str,
    Field(
        pattern=r"^(live|[1-9][0-9]{0,8}|draft:[a-z0-9][a-z0-9-]{0,59})$",
        description="A version's number, `live`, or `draft:` and a draft's name.",
        examples=["draft:cheaper-splits"],
    ),
]


class _OnePolicy(Value):
    """A policy, given as a document or by name."""

    which: Which | None = None
    policy: Policy | None = Field(default=None, description="The policy itself, in place of `which`.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.which is not None and self.policy is not None:
            raise ValueError("name a policy by `which` or give it as `policy`, not both")
        return self


class RehearsalRequest(_OnePolicy):
    """A rehearsal to be run. Without a policy each decision is made again under its own version."""

    orders: str = Field(
        default="last-30-days",
        max_length=80,
        description=f"Which orders, by their first decision: {EXAMPLES}. Days count back from the newest decision.",
        examples=["last-30-days"],
    )


class ShadowRequest(_OnePolicy):
    """A draft that is to decide beside the live policy; without a policy the draft of the shadow's name."""


class RehearsalFigures(BaseModel):
    """The figures of both sides as a whole; the report has them by channel, strategy and node."""

    orders_changed: int = Field(description="Orders with another plan under the draft.")
    decisions_the_same: int = Field(description="Recorded decisions that came out the same when made again.")
    baseline: Figures
    draft: Figures


class RehearsalDetail(BaseModel):
    """A rehearsal, and how far it is."""

    id: str
    status: RehearsalStatus = Field(
        description="`queued`, `running`, then `done`; `failed`, `cancelled` with a `detail`."
    )
    policy_name: str
    orders: str
    total: int = Field(description="Decisions to be made again; 0 until it has begun.")
    done: int
    detail: str
    asked_by: str
    created_at: Utc
    started_at: Utc | None = None
    finished_at: Utc | None = None
    figures: RehearsalFigures | None = Field(default=None, description="Once it is done; not in lists.")
    links: dict[str, str]


class RehearsalList(Page):
    """Rehearsals, the newest first."""

    items: list[RehearsalDetail]


class RehearsalReport(Report):
    """A rehearsal's outcome in full."""


class ShadowDifference(BaseModel):
    """A decision the shadow would have made otherwise. Costs are minor units, each at its own policy's prices."""

    order_id: str
    attempt: int
    decided_at: Utc
    live_nodes: list[str]
    nodes: list[str]
    live_strategy: str
    strategy: str
    live_cost: int
    live_currency: str = Field(default="", description="Of `live_cost`.")
    cost: int
    live_unfilled: int
    unfilled: int
    problem: str = Field(description="Why the shadow decided nothing; empty if it did.")


class ShadowDetail(BaseModel):
    """A shadow and what it came to. Sums are minor units and units, both over the decisions that it made too."""

    name: str
    running: bool
    started_by: str
    started_at: Utc
    ended_by: str | None = None
    ended_at: Utc | None = None
    currency: str
    live_currency: str = Field(description="Of `live_cost`.")
    decisions: int
    undecided: int = Field(description="Of the decisions: it made none here, and they are in neither sum.")
    differs: int
    cost: int
    live_cost: int
    unfilled: int
    live_unfilled: int
    differences: list[ShadowDifference] | None = Field(
        default=None, description="The newest decisions it would have made otherwise; not in lists."
    )


class ShadowList(BaseModel):
    """Shadows, the newest first."""

    items: list[ShadowDetail]
