"""Changes of what a channel may be promised."""

from pydantic import BaseModel, Field

from dom.channels.channel import Level


class ChangedSku(BaseModel):
    """A SKU that changed, and what may be promised of it now."""

    sku: str
    quantity: int = Field(description="Units the channel may be promised now, over all nodes in use.")
    level: Level = Field(description="What that is called in the channel.")


class AvailabilityChanges(BaseModel):
    """SKUs that changed, each once, in the sequence of their last change."""

    items: list[ChangedSku]
    next_cursor: str = Field(description="Give it as `cursor` for what changes after this. It does not grow old.")
