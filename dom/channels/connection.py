"""How a channel is connected to its platform: what kind it is, what is read of it and when, and what it is told."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from dom.shared.base import Value

DAY_SECONDS: Final = 86_400


class Platform(StrEnum):
    """What a channel runs on; each has a connector."""

    WEBHOOK = "webhook"
    """Anything that posts JSON."""
    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    AMAZON = "amazon"
    VENDURE = "vendure"
    FILES = "files"
    """Files of orders in a folder: CSV, JSON Lines."""
    X12 = "x12"
    EDIFACT = "edifact"


class Feed(StrEnum):
    """What is read of a channel, each with a cursor of its own."""

    ORDERS = "orders"
    """Orders that changed since the last look."""
    RECONCILE = "reconcile"
    """All orders of the last days: what a platform changes without moving the time of the last change is found here."""
    BACKFILL = "backfill"
    """Orders of a span of time that a person names."""
    STOCK = "stock"
    """What the channel shows of the stock, compared with what it may sell."""


Setting = Annotated[str, Field(max_length=2_000)] | int | bool | dict[str, str]
Settings = Annotated[dict[Annotated[str, Field(max_length=60)], Setting], Field(max_length=40)]


class Connection(Value):
    """How a channel is connected. Its credentials are no part of it: the secret store has them, under its id."""

    platform: Platform = Field(description="What the channel runs on.")
    settings: Settings = Field(default={}, description="What the connector of the platform needs to know.")
    pull_seconds: Annotated[int, Field(ge=1, le=DAY_SECONDS)] | None = Field(
        default=None, description="Seconds between two looks for orders that changed; null: it is not asked."
    )
    overlap_seconds: Annotated[int, Field(ge=0, le=DAY_SECONDS)] = Field(
        default=120, description="Seconds by which each look reaches back before the end of the last one."
    )
    reconcile_hours: Annotated[int, Field(ge=1, le=168)] | None = Field(
        default=None, description="Hours between two comparisons of all orders of the last days; null: none."
    )
    reconcile_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=14, description="How many days back orders are compared."
    )
    tells: bool = Field(default=False, description="Whether the channel is told what became of its orders.")
    stock: bool = Field(default=False, description="Whether the channel is told what it may sell.")
    stock_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24, description="Hours between two comparisons of the stock that the channel shows."
    )
    stock_cap: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="The most units that the channel is told of; more are of no interest to it."
    )
