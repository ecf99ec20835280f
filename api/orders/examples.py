"""Orders."""

from typing import Final

from api.contract.example import Example

CUSTOMER: Final[Example] = {
    "id": "C17850",
    "name": "Ada Byrne",
    "email": "ada@customer.example",
    "phone": "+447700900123",
}
SHIP_TO: Final[Example] = {
    "name": "Ada Byrne",
    "lines": ["12 Mill Lane"],
    "city": "Leeds",
    "region": "",
    "postal_code": "LS1 4AP",
    "country": "GB",
}
PROMISE: Final[Example] = {"earliest": "2026-03-04T08:00:00Z", "latest": "2026-03-05T20:00:00Z"}
LINKS: Final[Example] = {
    "self": "/v1/orders/web-EXAMPLE-1",
    "timeline": "/v1/orders/web-EXAMPLE-1/timeline",
    "sourcing": "/v1/orders/web-EXAMPLE-1/sourcing",
}

_SHIPPED: Final[Example] = {
    "channel": "web",
    "external_id": "EXAMPLE-1",
    "placed_at": "2026-03-02T09:26:00Z",
    "currency": "GBP",
    "customer": CUSTOMER,
    "ship_to": SHIP_TO,
    "lines": [{"line_id": "1", "sku": "85123A", "quantity": 6, "unit_price": 255}],
    "shipping_method": "standard",
    "payment": {"method": "card", "amount": 1530, "reference": "pay_7Q2"},
    "tags": ["gift"],
}
ORDERS: Final[dict[str, Example]] = {
    "one line, to a home": _SHIPPED,
    "to be collected at a store": {
        **_SHIPPED,
        "external_id": "EXAMPLE-2",
        "shipping_method": "pickup",
        "pickup_node": "store-manchester",
        "requested_by": "2036-03-06T18:00:00+00:00",
        "payment": None,
        "tags": [],
    },
}
ORDER_CAPTURED: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "status": "accepted",
    "promise": PROMISE,
    "links": LINKS,
}
ORDER_LIST: Final[Example] = {
    "items": [
        {
            "order_id": "web-EXAMPLE-1",
            "channel": "web",
            "external_id": "EXAMPLE-1",
            "customer_id": "C17850",
            "customer_name": "Ada Byrne",
            "country": "GB",
            "status": "shipped",
            "currency": "GBP",
            "goods_total": 1530,
            "goods_total_living": 1530,
            "lines": 1,
            "units": 6,
            "units_waiting": 0,
            "placed_at": "2026-03-02T09:26:00Z",
            "captured_at": "2026-03-02T09:26:01.204Z",
            "promise": PROMISE,
        }
    ],
    "next_cursor": "WyIyMDI2LTAzLTAyVDA5OjI2OjAxLjIwNCswMDowMCIsIndlYi01MzYzNjUiXQ",
}
ORDER: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "channel": "web",
    "external_id": "EXAMPLE-1",
    "status": "shipped",
    "currency": "GBP",
    "goods_total": 1530,
    "goods_total_living": 1530,
    "units_waiting": 0,
    "placed_at": "2026-03-02T09:26:00Z",
    "captured_at": "2026-03-02T09:26:01.204Z",
    "finished_at": None,
    "promise": PROMISE,
    "customer": CUSTOMER,
    "ship_to": SHIP_TO,
    "shipping_method": "standard",
    "pickup_node": None,
    "requested_by": None,
    "payment": {"method": "card", "amount": 1530, "reference": "pay_7Q2"},
    "tags": ["gift"],
    "lines": [
        {
            "line_id": "1",
            "sku": "85123A",
            "unit_price": 255,
            "ordered": 6,
            "cancelled": 0,
            "backordered": 0,
            "allocated": 6,
            "delivered": 0,
            "returned": 0,
        }
    ],
    "fulfilments": [
        {
            "id": "web-EXAMPLE-1-F1",
            "node_id": "dc-daventry",
            "pickup_node": None,
            "status": "handed_over",
            "method": "standard",
            "carrier": "northline",
            "ship_by": "2026-03-02T16:00:00Z",
            "ship_day": "2026-03-02",
            "promise": PROMISE,
            "cost": 684,
            "reason": "",
            "collect_by": None,
            "collection_code": None,
            "released_at": "2026-03-02T09:26:01Z",
            "updated_at": "2026-03-02T15:41:00Z",
            "lines": [{"line_id": "1", "sku": "85123A", "quantity": 6}],
            "shipments": [
                {
                    "id": "web-EXAMPLE-1-F1-B1",
                    "carrier": "northline",
                    "method": "standard",
                    "tracking_number": "NL123456785GB",
                    "status": "in_transit",
                    "parcels": 1,
                    "weight_grams": 2150,
                    "price": 489,
                    "currency": "GBP",
                    "booked_at": "2026-03-02T14:10:00Z",
                    "ended_at": None,
                    "events": [{"kind": "picked_up", "place": "Daventry", "occurred_at": "2026-03-02T15:40:00Z"}],
                }
            ],
        }
    ],
    "messages": [
        {
            "id": 4711,
            "message_key": "accepted",
            "kind": "order_confirmed",
            "medium": "mail",
            "recipient": "ada@customer.example",
            "status": "sent",
            "error": "",
            "created_at": "2026-03-02T09:26:01Z",
            "sent_at": "2026-03-02T09:26:02Z",
        }
    ],
    "returns": [],
    "refunds": [],
    "exceptions": [],
    "holds": [],
    "waits_for": [
        {
            "what": "delivery",
            "who": "carrier",
            "name": "northline",
            "until": PROMISE["latest"],
            "gives_up_at": None,
            "units": None,
            "fulfilment_id": "web-EXAMPLE-1-F1",
            "return_id": None,
        }
    ],
    "links": LINKS,
}
TIMELINE: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "events": [
        {
            "id": 1,
            "kind": "accepted",
            "actor": "web",
            "reason": "",
            "data": {"fulfilments": ["web-EXAMPLE-1-F1"]},
            "occurred_at": "2026-03-02T09:26:01Z",
            "recorded_at": "2026-03-02T09:26:01.204Z",
        }
    ],
}
CANCELS: Final[dict[str, Example]] = {
    "the whole order": {"reason": "ordered twice"},
    "two units of a line": {"lines": [{"line_id": "1", "quantity": 2}], "reason": "too many"},
    "what is still possible": {"mode": "possible", "reason": "changed mind"},
    "ask who has picked it": {"mode": "ask", "reason": "changed mind"},
}
CANCELLED: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "status": "part_shipped",
    "cancelled": {"1": 4},
    "lines": [
        {
            "line_id": "1",
            "asked": 6,
            "cancelled": 4,
            "left": [{"quantity": 2, "reason": "handed_over", "fulfilment_id": "web-EXAMPLE-1-F1"}],
        }
    ],
}
SOURCING: Final[Example] = {
    "order_id": "web-EXAMPLE-1",
    "decisions": [
        {
            "attempt": 1,
            "cause": "order captured",
            "policy_version": 1,
            "first_fulfilment": 1,
            "decided_at": "2026-03-02T09:26:01Z",
            "demand": {
                "order_id": "web-EXAMPLE-1",
                "channel": "web",
                "as_of": "2026-03-02T09:26:01Z",
                "country": "GB",
                "place": {"latitude": 53.796, "longitude": -1.547},
                "shipping_method": "standard",
                "lines": [{"line_id": "1", "sku": "85123A", "quantity": 6, "unit_price": 255}],
                "pickup_node": None,
                "requested_by": None,
                "excluded_nodes": [],
                "currency": "GBP",
            },
            "decision": {
                "order_id": "web-EXAMPLE-1",
                "policy_version": 1,
                "decided_at": "2026-03-02T09:26:01Z",
                "currency": "GBP",
                "shipments": [
                    {
                        "node_id": "dc-daventry",
                        "lines": [{"line_id": "1", "sku": "85123A", "quantity": 6, "unit_price": 255}],
                        "carrier": "northline",
                        "service": "standard",
                        "ship_by": "2026-03-02T16:00:00Z",
                        "ship_day": "2026-03-02",
                        "promise": PROMISE,
                        "weight_grams": 2150,
                        "costs": {"freight": 489, "handling": 180, "distance": 7, "priority": 10},
                    }
                ],
                "unfilled": [],
                "candidates": [
                    {
                        "node_id": "dc-daventry",
                        "distance_km": 178.2,
                        "fences": [],
                        "units": 6,
                        "lines_in_full": 1,
                        "alone_cost": 686,
                    },
                    {
                        "node_id": "store-manchester",
                        "distance_km": 57.3,
                        "fences": [
                            {"fence": "active", "passed": False, "expected": "in use", "actual": "switched off"}
                        ],
                        "units": 2,
                        "lines_in_full": 0,
                        "alone_cost": None,
                    },
                    {
                        "node_id": "wh-venlo",
                        "distance_km": 561.9,
                        "fences": [],
                        "units": 6,
                        "lines_in_full": 1,
                        "alone_cost": 1320,
                    },
                ],
                "runner_up": {
                    "node_ids": ["wh-venlo"],
                    "cost": 1320,
                    "costs": {"freight": 1098, "handling": 180, "distance": 22, "priority": 20},
                    "freight": {"wh-venlo": 1098},
                },
                "exact": True,
                "plans_compared": 3,
                "reasons": [
                    (
                        "Daventry sends all 6 units, at a cost of 6.86 GBP: 4.89 GBP for freight, 1.80 GBP for "
                        "handling, 0.07 GBP for distance and 0.10 GBP for the rank of the place."
                    ),
                    (
                        "It leaves Daventry on Monday 2 March with northline, and arrives between Wednesday 4 March "
                        "and Thursday 5 March."
                    ),
                    "Manchester is nearer (57 km against 178 km), but is switched off.",
                    "The next best way, from Venlo, would cost 6.34 GBP more, mostly for freight.",
                ],
                "strategy": "standard",
                "tried": [{"strategy": "standard", "relaxed": [], "filled": 6, "cost": 686}],
                "outcome": "planned",
                "others": {"stock": 13},
                "planner": 1,
            },
            "snapshot": {
                "taken_at": "2026-03-02T09:26:01Z",
                "network": "3f1c0a5e7d2b8f4961a0c3d5e7f90b2d4f6a8c0e1b3d5f7092a4c6e8f0b1d3f5",
                "available": {"85123A": {"dc-daventry": 120, "store-manchester": 2, "wh-venlo": 40}},
                "capacity_used": [{"node_id": "dc-daventry", "day": "2026-03-02", "service": "", "used": 318}],
                "values": {},
            },
            "to_win": [
                {
                    "kind": "freight",
                    "node_id": "wh-venlo",
                    "now": 1098,
                    "needed": 464,
                    "wins": ["wh-venlo"],
                    "confirmed": False,
                    "sentence": "Venlo would win if freight from Venlo were less than 4.64 GBP; it is 10.98 GBP.",
                }
            ],
            "explanation": None,
        }
    ],
}
