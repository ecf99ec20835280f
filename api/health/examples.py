"""The API's own state, and what a problem means."""

from typing import Final

from api.contract.example import Example

ALIVE: Final[Example] = {"status": "alive"}


READY: Final[Example] = {"status": "ready", "postgresql": "ready", "temporal": "ready"}


PROBLEM_MEANING: Final[Example] = {
    "type": "/problems/unknown-sku",
    "title": "A SKU is not known",
    "status": 422,
    "meaning": "An order line names a SKU that the catalogue does not hold.",
}
