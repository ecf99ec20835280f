"""Answers that are built by us and need no second check: times as ISO 8601 in UTC, as everywhere."""

from typing import Any

from pydantic_core import to_json
from starlette.responses import Response


class Json(Response):
    """JSON of plain values, rows, times and models; FastAPI's own answers check and copy what is right already."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The content as compact JSON."""
        return to_json(content)
