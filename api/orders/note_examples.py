"""Notes of orders."""

from typing import Any, Final

from api.contract.example import Example

_LINK: Final = {"url": "https://files.example/claims/4711.jpg", "title": "photo of the carton"}
NOTES: Final = {
    "after a call": {"text": "The customer asks for a call before the delivery."},
    "with a photo": {"text": "The carton came crushed.", "links": [_LINK]},
}
NOTE: Final[Example] = {
    "id": 4711,
    "text": "The carton came crushed.",
    "links": [_LINK],
    "author": "ada",
    "written_at": "2026-03-02T12:05:00Z",
}
_NOTES: Final[list[dict[str, Any]]] = [NOTE]
ORDER_NOTES: Final[Example] = {"order_id": "web-EXAMPLE-1", "notes": _NOTES}
