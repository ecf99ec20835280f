"""Watches as the API shows them."""

from pydantic import BaseModel

from dom.watches import Watch


class WatchList(BaseModel):
    """Every watch, by name."""

    items: list[Watch]
