"""Bodies of messages: how they are signed, told apart, and written where an order was asked for."""

import base64
import hashlib
import hmac
import json
from typing import Any


def document(body: bytes) -> Any:
    """What a body holds as JSON; None for what is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def as_body(order: Any) -> bytes:
    """An order that was asked for, as a message: the same order is the same bytes."""
    return json.dumps(order, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()


def as_header(text: str) -> str:
    """A text as a header can have it: what is not ASCII as JSON escapes it."""
    return json.dumps(text)[1:-1]


def is_hmac(given: str, secret: str, body: bytes) -> bool:
    """Whether a header holds the HMAC-SHA256 of the body in base64 (RFC 2104); compared in constant time."""
    wanted = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(wanted, given.encode())
