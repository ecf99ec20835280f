"""Channels: what each may see and take of the stock, and how it wants to hear of changes."""

from enum import StrEnum

from pydantic import Field

from dom.shared.base import ChannelId, NodeId, SkuId, Text, Value
from dom.shared.urls import HttpUrl

DEFAULT_PRIORITY = 100


class Publish(StrEnum):
    """What a channel is told of a SKU: how many units, or only whether there are many, few or none."""

    QUANTITY = "quantity"
    LEVEL = "level"


class Level(StrEnum):
    """How much a channel may still sell of a SKU."""

    IN_STOCK = "in_stock"
    LOW = "low"
    OUT = "out"


class Channel(Value):
    """Where orders come from. A lower `priority` is served first; `low_at` is the most units that are called low."""

    id: ChannelId
    name: Text
    priority: int = Field(default=DEFAULT_PRIORITY, ge=0, le=1000)
    webhook_url: HttpUrl | None = None
    publish: Publish = Publish.QUANTITY
    low_at: int = Field(default=5, ge=0, le=1_000_000)


class ChannelRule(Value):
    """What a channel may have of balances: `share` percent of what is free beyond `buffer` units; nothing if excluded.

    It holds for one SKU, one node, both or, where neither is named, for every balance. Of several the most specific
    counts: SKU and node, SKU, node, neither. The share and the buffer are taken of each balance, not of their sum.
    """

    sku: SkuId | None = None
    node_id: NodeId | None = None
    buffer: int = Field(default=0, ge=0, le=1_000_000)
    share: int = Field(default=100, ge=0, le=100)
    excluded: bool = False


def unknown(channel_id: str) -> Channel:
    """A channel nobody has described: it may have what is free, and stands where most do."""
    return Channel.model_construct(id=channel_id, name=channel_id)


def level(quantity: int, channel: Channel) -> Level:
    """What so many units are called in the channel."""
    if quantity <= 0:
        return Level.OUT
    return Level.LOW if quantity <= channel.low_at else Level.IN_STOCK
