"""Inbound goods as callers announce and receive them, and as the API shows them."""

from datetime import date
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from api.http.models import Page
from dom.shared.base import GivenDay, GivenTime, Key, NodeId, Quantity, SkuId, Utc, Value
from store.enums import InboundKind, InboundStatus

MAX_LINES = 1000

NewReference = Annotated[
    str, Path(pattern="^[!-.0-~]{1,200}$", description="The sender's own number of it.", examples=["PO-4471"])
]
"""The number of goods that are announced: printable, without a slash."""
Reference = Annotated[str, Path(max_length=900, description="The number it was announced with.", examples=["PO-4471"])]

_Units = Annotated[int, Field(ge=0, le=1_000_000)]


class AnnouncedLine(Value):
    """Units of a SKU that are to come."""

    sku: SkuId
    quantity: Quantity


class InboundAnnouncement(Value):
    """What is to come. `confidence` is the percentage of the units that may be promised before they are here."""

    kind: InboundKind
    node_id: NodeId = Field(description="Where the units arrive.")
    origin_node: NodeId | None = Field(default=None, description="Of a transfer: where they leave.")
    due_on: GivenDay
    confidence: int = Field(default=100, ge=0, le=100)
    lines: tuple[AnnouncedLine, ...] = Field(min_length=1, max_length=MAX_LINES)


class InboundStep(Value):
    """When it was done; now if not said."""

    occurred_at: GivenTime | None = None


class CancelInbound(Value):
    """Nothing more needs to be said."""


class ReceivedLine(Value):
    """Units of a SKU that arrived: those that can be sold, those that are damaged, those that wait for a decision."""

    sku: SkuId
    quantity: _Units = Field(default=0, description="Units that can be sold.")
    damaged: _Units = 0
    quarantine: _Units = 0


class InboundReceipt(InboundStep):
    """What arrived. With `closed` nothing more will come, and `lines` may be empty."""

    idempotency_key: Key
    lines: tuple[ReceivedLine, ...] = Field(default=(), max_length=MAX_LINES)
    closed: bool = False
    node_id: NodeId | None = Field(
        default=None, description="Where it arrived, if not where it was to go: a transfer may come back to its origin."
    )


class InboundLine(BaseModel):
    """A SKU's units."""

    sku: str
    quantity: int = Field(description="Announced.")
    received: int = Field(description="Arrived, in any condition.")
    expected: int = Field(description="Still to come.")
    missing: int = Field(description="Did not come, now that it has ended.")
    surplus: int = Field(description="Arrived beyond what was announced.")


class InboundReceived(BaseModel):
    """One message of what arrived."""

    idempotency_key: str
    node_id: str
    lines: list[ReceivedLine]
    closed: bool
    actor: str
    occurred_at: Utc


class InboundHead(BaseModel):
    """Goods that are to come, without their lines. `actor` changed it last."""

    reference: str
    kind: InboundKind
    status: InboundStatus
    origin_node: str | None
    node_id: str
    due_on: date
    confidence: int
    actor: str
    created_at: Utc
    updated_at: Utc


class InboundSummary(InboundHead):
    """Goods that are to come, in a list: units announced and units received over all lines."""

    quantity: int
    received: int


class InboundList(Page):
    """A page of inbound goods, the next due first."""

    items: list[InboundSummary]


class InboundDetail(InboundHead):
    """Goods that are to come with their lines, and every receipt."""

    lines: list[InboundLine]
    receipts: list[InboundReceived]


class InboundReceiptAnswer(InboundDetail):
    """How it stands after a receipt; `repeated` if this receipt had been written before."""

    repeated: bool
