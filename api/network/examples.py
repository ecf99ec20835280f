"""Nodes and SKUs."""

from typing import Final

from api.contract.example import Example

NODE: Final[Example] = {
    "id": "dc-daventry",
    "name": "Daventry distribution centre",
    "kind": "distribution_centre",
    "address": {
        "lines": ["4 Royal Oak Way"],
        "city": "Daventry",
        "region": "",
        "postal_code": "NN11 8PQ",
        "country": "GB",
    },
    "latitude": 52.258,
    "longitude": -1.179,
    "time_zone": "Europe/London",
    "opening_hours": "Mo-Fr 06:00-20:00; Sa 08:00-14:00",
    "cut_off": "16:00:00",
    "daily_capacity": 400,
    "service_capacity": {"express": 120},
    "handling_cost": {"fixed": 120, "per_unit": 10},
    "currency": "GBP",
    "priority": 10,
    "services": ["economy", "standard", "express"],
    "ships_to": [],
    "pickup": False,
    "handles": ["hazmat", "cold", "oversize"],
    "active": True,
}
SKU: Final[Example] = {
    "id": "85123A",
    "description": "White hanging heart T-light holder",
    "weight_grams": 330,
    "length_mm": 140,
    "width_mm": 120,
    "height_mm": 90,
    "hazmat": False,
    "cold": False,
    "oversize": False,
    "list_price": 255,
    "currency": "GBP",
    "attributes": {"season": "all year"},
    "release_on": None,
    "preorder_limit": None,
    "backorder_limit": 500,
    "substitutes": [{"sku": "85123B", "units": 1, "price": "lower"}],
}
NODE_REQUESTS: Final[dict[str, Example]] = {
    "a node of its own, without new work": {**NODE, "id": "example-node", "name": "An example", "active": False}
}
SKU_REQUESTS: Final[dict[str, Example]] = {"a SKU of its own": {**SKU, "id": "EXAMPLE-1", "description": "An example"}}


NODE_LIST: Final[Example] = {"items": [NODE], "next_cursor": None}


SKU_LIST: Final[Example] = {"items": [SKU], "next_cursor": "WyI4NTEyM0EiXQ"}
