"""Holds as callers put them on, release them and see them."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.http.models import Page
from dom.holds.policy import HoldCode, HoldPolicy
from dom.orders.calls import Request
from dom.orders.holds import BlockedStep
from dom.orders.status import OrderStatus
from dom.shared.base import GivenTime, Utc

Reason = Annotated[str, Field(max_length=500)]


class HoldRequest(Request):
    """Put a hold on the order. What is not given is as the type says."""

    type: HoldCode
    reason: Reason = ""
    blocks: Annotated[tuple[BlockedStep, ...], Field(min_length=1, max_length=4)] | None = Field(
        default=None, description="the steps that wait"
    )
    owner: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="the person or role that looks at it"
    )
    due_at: GivenTime | None = Field(default=None, description="when an exception is opened, if it still stands")
    release_at: GivenTime | None = Field(default=None, description="when it is released by itself")


class ReleaseRequest(Request):
    """Release a hold."""

    reason: Reason = Field(default="", description="how it was resolved")


class PlacedHold(BaseModel):
    """A hold of an order."""

    hold_id: str
    order_id: str
    type: str
    blocks: list[BlockedStep] = Field(description="The steps that wait for its release.")
    purpose: str = Field(description="Why it was put on.")
    owner: str = Field(description="The person or role that looks at it.")
    placed_by: str
    placed_at: Utc
    due_at: Utc | None = Field(description="When an exception is opened, if it still stands.")
    release_at: Utc | None = Field(description="When it is released by itself.")
    overdue: bool = Field(description="Whether that exception was opened.")
    released_by: str | None = Field(description="Null while it stands.")
    released_at: Utc | None
    resolution: str | None


class OrderHolds(BaseModel):
    """All holds of an order, in the sequence in which they were put on."""

    order_id: str
    holds: list[PlacedHold]


class StandingHold(PlacedHold):
    """A hold that stands, with its order."""

    channel: str
    order_status: OrderStatus
    promise_latest: Utc | None


class HoldList(Page):
    """A page of holds that stand, the oldest first."""

    items: list[StandingHold]


class HoldPlaced(BaseModel):
    """The hold, and what of the order goes on all the same."""

    hold: PlacedHold
    not_blocked: list[str] = Field(
        description="Fulfilments that are past the blocked steps: their node has begun, or the goods have left."
    )


class HoldReleased(BaseModel):
    """The hold as it was released."""

    hold: PlacedHold
    recalled: list[str] = Field(
        description="Fulfilments whose day passed meanwhile: their units are sourced again, at once."
    )


class LiveHoldPolicy(BaseModel):
    """A version of the hold policy; 0 is what stands until one is written."""

    version: int
    policy: HoldPolicy = Field(description="The types of holds, and the rules.")


class HoldPolicyVersion(BaseModel):
    """Who wrote a version, when and why."""

    version: int
    comment: str
    written_by: str
    written_at: Utc


class HoldPolicyVersions(BaseModel):
    """The versions, newest first."""

    items: list[HoldPolicyVersion]
