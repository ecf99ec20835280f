"""Saved views as the API shows them."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from api.http.models import Page
from dom.orders.search_filter import OrderFilter
from dom.shared.base import Utc, Value

ViewId = Annotated[str, Path(max_length=64, description="The view's id.", examples=["v-0f6b1c2d3e4f"])]


class SavedViewRequest(Value):
    """A filter of the order list to be kept under a name."""

    name: str = Field(min_length=1, max_length=100, description="What it is called; one of its owner's has it.")
    filter: OrderFilter = Field(description="As the parameters of the order list.")
    shared: bool = Field(
        default=False,
        description="Whether others see it: the merchant's own people those of each other, callers of a channel those "
        "of its other callers. Each finds by it what he may see.",
    )


class SavedView(BaseModel):
    """A filter of the order list under a name."""

    id: str = Field(description="Give it as `view` to the order list.")
    name: str
    owner: str = Field(description="The caller who made it, by name.")
    filter: OrderFilter = Field(description="Which orders it shows; what it leaves open is null.")
    shared: bool = Field(description="Whether others see it.")
    created_at: Utc
    updated_at: Utc


class SavedViewList(Page):
    """A page of views, by name."""

    items: list[SavedView]
