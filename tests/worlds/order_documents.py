"""A good order as a document, and changes of it."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from dom.orders.intake import OrderRequest

Change = Callable[[dict[str, Any]], object]
GOOD: dict[str, Any] = {
    "channel": "web",
    "external_id": "536365",
    "placed_at": "2010-12-01T08:26:00Z",
    "currency": "GBP",
    "customer": {"id": "C17850", "name": "Ada Fenn", "email": "ada@customer.example", "phone": "+447700900123"},
    "ship_to": {
        "name": "Ada Fenn",
        "lines": ["12 Mill Lane"],
        "city": "Leeds",
        "postal_code": "LS1 4AP",
        "country": "GB",
    },
    "lines": [
        {"line_id": "1", "sku": "85123A", "quantity": 6, "unit_price": 255},
        {"line_id": "2", "sku": "71053", "quantity": 1, "unit_price": 339},
    ],
}


def order(change: Change | None = None) -> OrderRequest:
    body = deepcopy(GOOD)
    if change:
        change(body)
    return OrderRequest.model_validate(body)


def put(path: str, value: object) -> Change:
    """A change of the good order: `put("lines.0.sku", "X")`."""

    def change(body: dict[str, Any]) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        target: Any = body
        for step in way:
            target = target[step]
        target[last] = value

    return change


def fields_at_fault(change: Change) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        order(change)
    return [".".join(map(str, error["loc"])) for error in refused.value.errors()]
