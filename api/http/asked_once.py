"""What a caller asks for under an `Idempotency-Key`: by which request of its own a command is known."""

from typing import Any

from dom.orders.calls import Request
from dom.shared.access import Principal


def asked_once(about: str, verb: str, asked: Request, who: Principal, key: str | None) -> dict[str, Any]:
    """`request` and `request_hash` of the command to do something (`verb`) to what the key counts for; nothing without
    a key. Another caller's request under the same key stands for another one.
    """
    if key is None:
        return {}
    return {"request": f"{about}/{verb}/{key}", "request_hash": asked.content_hash(f"{verb} by {who.name}")}
