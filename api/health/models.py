"""Whether the API lives and can serve."""

from typing import Literal

from pydantic import BaseModel


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class Ready(BaseModel):
    """Everything the API needs answers."""

    status: Literal["ready"]
    postgresql: Literal["ready"]
    temporal: Literal["ready"]
