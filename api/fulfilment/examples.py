"""Work lists and reports of nodes."""

from typing import Final

from api.contract.example import Example
from api.orders.examples import PROMISE, SHIP_TO
from dom.orders.status import FulfilmentStatus, FulfilmentStep

WORK_LIST: Final[Example] = {
    "items": [
        {
            "id": "web-EXAMPLE-1-F1",
            "order_id": "web-EXAMPLE-1",
            "node_id": "dc-daventry",
            "status": "booked",
            "method": "standard",
            "carrier": "northline",
            "ship_by": "2026-03-02T16:00:00Z",
            "ship_day": "2026-03-02",
            "promise": PROMISE,
            "lines": [{"line_id": "1", "sku": "85123A", "quantity": 6}],
            "channel": "web",
            "placed_at": "2026-03-02T09:26:00Z",
            "tracking_number": "NL123456785GB",
            "shipment_id": "web-EXAMPLE-1-F1-B1",
            "ship_to": SHIP_TO,
            "pickup_node": None,
            "collect_by": None,
            "code_required": False,
            "to_put_back": False,
            "units_to_put_back": [],
        }
    ],
    "next_cursor": None,
}
_PLAIN: Final[dict[str, Example]] = {
    "now": {},
    "earlier": {"occurred_at": "2026-03-02T10:15:00Z"},
}
STEPS: Final[dict[FulfilmentStep, dict[str, Example]]] = {
    **dict.fromkeys(FulfilmentStep, _PLAIN),
    FulfilmentStep.REJECT: {
        "with the reason": {"reason": "found broken"},
        "some are damaged": {"reason_code": "damaged", "lines": [{"line_id": "1", "quantity": 5}]},
    },
    FulfilmentStep.PICK: {
        "all found": {},
        "one missing": {"lines": [{"line_id": "1", "quantity": 5}]},
        "one damaged": {"lines": [{"line_id": "1", "quantity": 5}], "reason_code": "damaged"},
    },
    FulfilmentStep.COLLECT: {"with the customer's code": {"code": "7K4-QX9"}},
}
ARRIVALS: Final[dict[str, Example]] = {
    "the customer called": {"reason": "the customer has it"},
}
ARRIVED: Final[Example] = {
    "order_id": "web-536365",
    "fulfilment_id": "web-536365-F1",
    "status": "delivered",
    "taken_back": {"1": 6},
}
STEP_TAKEN: Final[Example] = {
    "fulfilment_id": "web-EXAMPLE-1-F1",
    "step": "accept",
    "status": "taken",
    "fulfilment_status": "accepted",
    "missing": {},
}
STATUS_AFTER: Final[dict[FulfilmentStep, FulfilmentStatus]] = {
    FulfilmentStep.ACCEPT: FulfilmentStatus.ACCEPTED,
    FulfilmentStep.REJECT: FulfilmentStatus.REJECTED,
    FulfilmentStep.PICK: FulfilmentStatus.PICKED,
    FulfilmentStep.PACK: FulfilmentStatus.PACKED,
    FulfilmentStep.HAND_OVER: FulfilmentStatus.HANDED_OVER,
    FulfilmentStep.COLLECT: FulfilmentStatus.COLLECTED,
}
SAID: Final[dict[str, dict[str, Example]]] = {
    "lost": {"the carrier says so": {"reason": "the carrier found nothing in its depot"}},
    "delivered": {"the customer called": {"reason": "a neighbour took it"}},
    "collected": {"the customer lost the code": {"reason": "passport, same name as the order"}},
    "receive-at-store": {"the carrier has not reported it": {"reason": "it came with the morning van"}},
    "reship": {"to the right address": {"reason": "the address was corrected"}},
}
_CORRECTED: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "order_status": "backordered",
    "fulfilment_id": "web-EXAMPLE-1-F1",
    "fulfilment_status": "lost",
    "repeated": False,
    "waiting": {"1": 6},
}
CORRECTED: Final[dict[str, Example]] = {
    "lost": _CORRECTED,
    "delivered": {**_CORRECTED, "order_status": "delivered", "fulfilment_status": "delivered", "waiting": {}},
    "collected": {**_CORRECTED, "order_status": "delivered", "fulfilment_status": "collected", "waiting": {}},
    "receive-at-store": {
        **_CORRECTED,
        "order_status": "shipped",
        "fulfilment_status": "ready_for_collection",
        "waiting": {},
    },
    "reship": {**_CORRECTED, "fulfilment_status": "returned_to_sender"},
}
_SAID_OF: Final[Example] = {"order_id": "web-EXAMPLE-1", "fulfilment_id": "web-EXAMPLE-1-F1", "repeated": False}
SHIPS: Final[dict[str, Example]] = {
    "one parcel": {"carrier": "colis-nord", "tracking_number": "CN4711FR"},
}
SHIPPED: Final[Example] = {**_SAID_OF, "order_status": "shipped", "fulfilment_status": "handed_over"}
KEEPS: Final[dict[str, Example]] = {
    "the customer is away": {"until": "2027-03-16T18:00:00Z", "reason": "the customer is away"},
}
KEPT: Final[Example] = {**_SAID_OF, "collect_by": "2027-03-16T18:00:00Z"}
PUTS_BACK: Final[dict[str, Example]] = {"all of it": {}}
PUT_BACK: Final[Example] = _SAID_OF
MOVES: Final[dict[str, Example]] = {
    "to a node": {"node_id": "dc-doncaster", "reason": "the first one is short of staff"},
    "anywhere else": {"reason": "the roof leaks"},
}
MOVED: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "order_status": "accepted",
    "fulfilment_id": "web-EXAMPLE-1-F1",
    "repeated": False,
    "fulfilments": [
        {
            "id": "web-EXAMPLE-1-F2",
            "node_id": "dc-doncaster",
            "status": "released",
            "method": "standard",
            "carrier": "northline",
            "ship_by": "2026-03-02T16:00:00Z",
            "lines": {"1": 6},
            "promise": PROMISE,
        }
    ],
    "promise": PROMISE,
}
SOURCES_AGAIN: Final[dict[str, Example]] = {
    "without its node": {"without_node": True, "reason": "the conveyor stands still"},
    "wherever it is best now": {"reason": "a nearer store has counted more"},
}
SOURCED_AGAIN: Final[Example] = {**MOVED, "waiting": {}}
SPLITS: Final[dict[str, Example]] = {
    "two ahead of the rest": {"lines": [{"line_id": "1", "quantity": 2}], "reason": "they go with the early van"},
}
SPLIT: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "order_status": "accepted",
    "fulfilment_id": "web-EXAMPLE-1-F1",
    "repeated": False,
    "made": "web-EXAMPLE-1-F2",
    "fulfilments": [
        {**MOVED["fulfilments"][0], "id": "web-EXAMPLE-1-F1", "lines": {"1": 4}},
        {**MOVED["fulfilments"][0], "lines": {"1": 2}},
    ],
}
MERGES: Final[dict[str, Example]] = {
    "what was split goes together again": {"merged": "web-EXAMPLE-1-F2", "reason": "the van is late"},
}
MERGED: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "order_status": "accepted",
    "fulfilment_id": "web-EXAMPLE-1-F1",
    "merged": "web-EXAMPLE-1-F2",
    "repeated": False,
    "made": "web-EXAMPLE-1-F3",
    "fulfilments": [{**MOVED["fulfilments"][0], "id": "web-EXAMPLE-1-F3", "lines": {"1": 6}}],
}
