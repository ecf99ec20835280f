"""An order's priority for scarce stock."""

from typing import Any, Final

from api.contract.example import Example

PRIORITIES: Final[dict[str, Any]] = {
    "ahead of others": {"priority": 5, "reason": "a gift for Saturday"},
}
PRIORITISED: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "order_status": "backordered",
    "repeated": False,
    "priority": 5,
    "waiting": {"1": 2},
}
