"""Shapes that several resources share."""

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, Field

from dom.shared.base import Utc

Limit = Annotated[int, Query(ge=1, le=200, description="Rows of one page.")]
"""How many rows one page holds."""

Cursor = Annotated[
    str | None, Query(max_length=1000, description="`next_cursor` of the page before; absent for the first page.")
]
"""Where a list goes on."""

OrderId = Annotated[str, Path(max_length=900, description="The order's id.", examples=["web-EXAMPLE-1"])]
FulfilmentId = Annotated[str, Path(max_length=900, description="The fulfilment's id.", examples=["web-EXAMPLE-1-F1"])]
ReturnId = Annotated[str, Path(max_length=900, description="The return's id.", examples=["web-EXAMPLE-1-RK3QZ5A"])]


class Window(BaseModel):
    """When the goods arrive or, for pick-up, can be collected."""

    earliest: Utc
    latest: Utc


class Page(BaseModel):
    """What every list says beside its items."""

    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class ItemProblem(BaseModel):
    """Why one item of a list was refused; the same members as a problem."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    data: dict[str, Any] | None = None
