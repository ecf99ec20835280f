"""Examples of the contract. Each is checked against its model by a test, so that none says what is not true."""

from api.examples.feeds import (
    ADJUSTMENT_RESULTS,
    ADJUSTMENTS,
    AVAILABILITY,
    CARRIER_EVENTS,
    CARRIER_RESULTS,
)
from api.examples.fulfilments import STEP_TAKEN, STEPS, WORK_LIST
from api.examples.network import ALIVE, NODE, PROBLEM_MEANING, READY, SKU
from api.examples.orders import (
    CANCELLED,
    CANCELS,
    ORDER,
    ORDER_CAPTURED,
    ORDER_LIST,
    ORDERS,
    SOURCING,
    TIMELINE,
)
from api.examples.returns import (
    INSPECTS,
    RECEIVES,
    RETURN,
    RETURN_LIST,
    RETURN_OPENED,
    RETURN_RECEIVED,
    RETURN_REFUNDED,
    RETURN_REQUESTS,
)

__all__ = [
    "ADJUSTMENTS",
    "ADJUSTMENT_RESULTS",
    "ALIVE",
    "AVAILABILITY",
    "CANCELLED",
    "CANCELS",
    "CARRIER_EVENTS",
    "CARRIER_RESULTS",
    "INSPECTS",
    "NODE",
    "ORDER",
    "ORDERS",
    "ORDER_CAPTURED",
    "ORDER_LIST",
    "PROBLEM_MEANING",
    "READY",
    "RECEIVES",
    "RETURN",
    "RETURN_LIST",
    "RETURN_OPENED",
    "RETURN_RECEIVED",
    "RETURN_REFUNDED",
    "RETURN_REQUESTS",
    "SKU",
    "SOURCING",
    "STEPS",
    "STEP_TAKEN",
    "TIMELINE",
    "WORK_LIST",
]
