"""Changes of what can be promised."""

from typing import Final

from api.contract.example import Example

_ITEMS = [
    {"sku": "22423", "quantity": 0, "level": "out"},
    {"sku": "85123A", "quantity": 114, "level": "in_stock"},
]
AVAILABILITY_CHANGES: Final[Example] = {"items": _ITEMS, "next_cursor": "WyI5ODEiLCI0MDcxIl0"}
AVAILABILITY_EVENT: Final[Example] = {
    "id": "WyI5ODEiLCI0MDcxIl0",
    "event": "availability",
    "data": '{"items":[{"sku":"22423","quantity":0,"level":"out"},{"sku":"85123A","quantity":114,"level":"in_stock"}]}',
}
