"""A stub of Shopify: orders and stock behind the Admin GraphQL API, and signed webhooks.

It answers the operations that our connector asks, by their names, as shopify.dev documents them: times in whole
seconds, points of a bucket, `THROTTLED` with status 200, quantities that must be named to be changed, and a fulfilment
order without lines that is fulfilled whole.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.platforms.manners import Bucket, Deliveries, Delivery
from simulator.platforms.shopify.orders import GID, Body, ShopLine, ShopOrder, node

_REQUESTED = {"ListOrders": 20.0, "GetOrder": 40.0, "ListVariants": 40.0}


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class ShopifyStub:
    """A shop. `app` is its API; `deliveries` are the webhooks that it sends."""

    def __init__(
        self,
        *,
        secret: str = "hush",  # noqa: S107 - of a stub
        token: str = "shpat_stub",  # noqa: S107 - of a stub
        clock: Callable[[], datetime] = _wall_clock,
        deliveries: Deliveries | None = None,
        bucket: Bucket | None = None,
        currency: str = "GBP",
    ) -> None:
        self.orders: dict[int, ShopOrder] = {}
        self.stock: dict[str, int] = {}
        self.calls: list[str] = []
        self.down = False
        self.fails_after: set[str] = set()
        """Operations that are carried out, and whose answer is lost: once each."""
        self.deliveries = deliveries or Deliveries()
        self._secret, self._token, self._clock, self._currency = secret, token, clock, currency
        self._bucket = bucket or Bucket(2000.0, 100.0)
        self._next = 1000
        self._sent = 0
        self._idempotent: dict[str, Body] = {}
        self._changes = 0
        self._sorted: dict[str, tuple[int, list[ShopOrder]]] = {}
        path = "/admin/api/{version}/graphql.json"
        self.app = Starlette(routes=[Route(path, self._graphql, methods=["POST"])])

    # --- what customers and staff do in the shop ---------------------------------------------------------------------

    def place(
        self, units: Mapping[str, int], *, price: str = "2.50", number: int | None = None, **fields: Any
    ) -> ShopOrder:
        """A customer orders; the shop numbers it, or it has this number."""
        self._next = self._next + 1 if number is None else number
        at = self._now()
        lines = [
            ShopLine(self._next * 100 + place, sku, count, Decimal(price), count)
            for place, (sku, count) in enumerate(units.items(), 1)
        ]
        address = {
            "name": "Ada Lovelace",
            "company": None,
            "address1": "12 Mill Lane",
            "address2": None,
            "city": "Leeds",
            "provinceCode": "ENG",
            "zip": "LS1 4AP",
            "countryCodeV2": "GB",
            "phone": None,
        }
        said = {"email": "ada@customer.example", "first_name": "Ada", "last_name": "Lovelace", "address": address}
        order = ShopOrder(self._next, at, at, lines, **{**said, **fields})
        self.orders[order.id] = order
        self._changes += 1
        self._notify("orders/create", order)
        return order

    def edit(self, order: ShopOrder, place: int, count: int) -> None:
        """Staff change the units of a line. The webhook tells of the edit, and names the order by its id alone."""
        order.lines[place].current = count
        self._touch(order)
        self._send("orders/edited", {"order_edit": {"id": order.id * 10, "order_id": order.id}})

    def move(self, order: ShopOrder, **address: Any) -> None:
        """Staff change the address."""
        order.address |= address
        self._touch(order)
        self._notify("orders/updated", order)

    def cancel(self, order: ShopOrder) -> None:
        """Staff, or the customer, cancel the order."""
        order.cancelled = self._now()
        for line in order.lines:
            line.current = line.fulfilled - line.given_back
        self._touch(order)
        self._notify("orders/cancelled", order)

    def sell(self, sku: str, count: int = 1) -> None:
        """Stock that is sold in the shop's own way, as a till does."""
        self.stock[sku] -= count

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _touch(self, order: ShopOrder) -> None:
        order.updated = max(self._now(), order.updated)
        self._changes += 1

    # --- webhooks ----------------------------------------------------------------------------------------------------

    def _notify(self, topic: str, order: ShopOrder) -> None:
        payload = {
            "id": order.id,
            "admin_graphql_api_id": f"{GID}Order/{order.id}",
            "name": order.name,
            "created_at": order.created.isoformat(),
            "updated_at": order.updated.isoformat(),
            "cancelled_at": order.cancelled.isoformat() if order.cancelled else None,
            "line_items": [{"id": line.id, "sku": line.sku, "quantity": line.quantity} for line in order.lines],
        }
        self._send(topic, payload)

    def _send(self, topic: str, payload: Body) -> None:
        self._sent += 1
        body = json.dumps(payload).encode()
        digest = hmac.new(self._secret.encode(), body, hashlib.sha256).digest()
        headers = {
            "content-type": "application/json",
            "x-shopify-topic": topic,
            "x-shopify-webhook-id": f"wh-{self._sent}",
            "x-shopify-event-id": f"ev-{self._sent}",
            "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
        }
        self.deliveries.send(Delivery(headers, body))

    # --- the API -----------------------------------------------------------------------------------------------------

    async def _graphql(self, request: Request) -> Response:
        if self.down:
            return Response("down for maintenance", 503)
        if request.headers.get("x-shopify-access-token") != self._token:
            return JSONResponse({"errors": "[API] Invalid API key or access token"}, 401)
        asked = await request.json()
        operation, variables = asked["operationName"], asked["variables"]
        self.calls.append(operation)
        cost = _REQUESTED.get(operation, 10.0)
        if not self._bucket.take(cost):
            said = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return JSONResponse({"errors": [said], "extensions": self._cost(cost)})
        data = getattr(self, f"_{operation}")(variables)
        if operation in self.fails_after:
            self.fails_after.discard(operation)
            return Response("gateway timeout", 504)
        return JSONResponse({"data": data, "extensions": self._cost(cost)})

    def _cost(self, cost: float) -> Body:
        status = {
            "maximumAvailable": self._bucket.size,
            "currentlyAvailable": int(self._bucket.points),
            "restoreRate": self._bucket.per_second,
        }
        return {"cost": {"requestedQueryCost": cost, "actualQueryCost": cost, "throttleStatus": status}}

    def _of(self, gid: str) -> ShopOrder | None:
        return self.orders.get(int(gid.rpartition("/")[2]))

    def _GetOrder(self, asked: Body) -> Body:  # noqa: N802 - named as it is asked
        order = self._of(asked["id"])
        return {"order": None if order is None else node(order, self._currency)}

    def _OpenWork(self, asked: Body) -> Body:  # noqa: N802
        return self._GetOrder(asked)

    def _ListOrders(self, asked: Body) -> Body:  # noqa: N802
        by = "created" if asked["sortKey"] == "CREATED_AT" else "updated"
        found, first, last = self._in_sequence(by), 0, None
        for mark, text in re.findall(r":(>=|<)'([^']+)'", asked["query"]):
            place = bisect_left(found, datetime.fromisoformat(text), key=lambda each: getattr(each, by))
            first, last = (place, last) if mark == ">=" else (first, place)
        if asked["after"]:
            at, order_id = json.loads(asked["after"])
            behind = (datetime.fromisoformat(at), order_id)
            first = max(first, bisect_right(found, behind, key=lambda each: (getattr(each, by), each.id)))
        found = found[first : last if last is None else max(last, first)]
        page, rest = found[: asked["first"]], found[asked["first"] :]
        end = json.dumps([getattr(page[-1], by).isoformat(), page[-1].id]) if page else None
        info = {"hasNextPage": bool(rest), "endCursor": end}
        return {"orders": {"nodes": [node(each, self._currency) for each in page], "pageInfo": info}}

    def _in_sequence(self, by: str) -> list[ShopOrder]:
        """All orders by a time; sorted anew once something changed."""
        known = self._sorted.get(by)
        if known is None or known[0] != self._changes:
            made = sorted(self.orders.values(), key=lambda order: (getattr(order, by), order.id))
            known = self._sorted[by] = self._changes, made
        return known[1]

    def _AddTags(self, asked: Body) -> Body:  # noqa: N802
        order = self._of(asked["id"])
        if order is None:
            return {"tagsAdd": {"userErrors": [{"field": ["id"], "message": "order does not exist"}]}}
        order.tags += [tag for tag in asked["tags"] if tag not in order.tags]
        self._touch(order)
        self._notify("orders/updated", order)
        return {"tagsAdd": {"userErrors": []}}

    def _Fulfil(self, asked: Body) -> Body:  # noqa: N802
        given = asked["fulfillment"]
        order_id = int(given["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderId"].rpartition("/")[2])
        order = self.orders[order_id]
        units = {
            int(item["id"].rpartition("/")[2]): item["quantity"]
            for part in given["lineItemsByFulfillmentOrder"]
            for item in part.get("fulfillmentOrderLineItems") or ()
        } or {line.id: line.unfulfilled for line in order.lines}
        for line in order.lines:
            if units.get(line.id, 0) > line.unfulfilled:
                said = {"field": ["fulfillment"], "message": "Invalid fulfillment order line item quantity requested."}
                return {"fulfillmentCreate": {"fulfillment": None, "userErrors": [said]}}
        for line in order.lines:
            line.fulfilled += units.get(line.id, 0)
        tracking = given.get("trackingInfo")
        made = {
            "id": f"{GID}Fulfillment/{order.id * 100 + len(order.fulfilments)}",
            "status": "SUCCESS",
            "displayStatus": "FULFILLED",
            "trackingInfo": [tracking] if tracking else [],
            "units": units,
        }
        order.fulfilments.append(made)
        self._touch(order)
        self._send("fulfillments/create", {"id": order.id * 100, "order_id": order.id, "name": f"{order.name}.1"})
        return {"fulfillmentCreate": {"fulfillment": {"id": made["id"]}, "userErrors": []}}

    def _FulfilmentEvent(self, asked: Body) -> Body:  # noqa: N802
        event = asked["event"]
        for order in self.orders.values():
            for each in order.fulfilments:
                if each["id"] == event["fulfillmentId"]:
                    each["displayStatus"] = event["status"]
                    each["events"] = each.get("events", 0) + 1
        made = {"id": f"{event['fulfillmentId']}/event"}
        return {"fulfillmentEventCreate": {"fulfillmentEvent": made, "userErrors": []}}

    def _CancelOrder(self, asked: Body) -> Body:  # noqa: N802
        order = self._of(asked["orderId"])
        if order is None or order.cancelled is not None:
            said = {"field": ["orderId"], "message": "cannot be cancelled", "code": "INVALID"}
            return {"orderCancel": {"job": None, "orderCancelUserErrors": [said]}}
        self.cancel(order)
        return {"orderCancel": {"job": {"id": f"{GID}Job/{order.id}"}, "orderCancelUserErrors": []}}

    def _Refund(self, asked: Body) -> Body:  # noqa: N802
        if asked["key"] in self._idempotent:
            return self._idempotent[asked["key"]]
        given = asked["input"]
        order = self._of(given["orderId"])
        assert order is not None  # noqa: S101 - the stub's own
        for item in given["refundLineItems"]:
            line = next(each for each in order.lines if item["lineItemId"].endswith(f"/{each.id}"))
            line.current -= item["quantity"]
            if item["restockType"] != "CANCEL":
                line.given_back += item["quantity"]
        lines = [
            {
                "quantity": item["quantity"],
                "restockType": item["restockType"],
                "lineItem": {"id": item["lineItemId"]},
            }
            for item in given["refundLineItems"]
        ]
        amount = sum((Decimal(each["amount"]) for each in given["transactions"]), Decimal(0))
        made = {
            "id": f"{GID}Refund/{order.id * 100 + len(order.refunds)}",
            "note": given["note"],
            "amount": amount,
            "lines": lines,
        }
        order.refunds.append(made)
        self._touch(order)
        self._send("refunds/create", {"id": order.id * 100, "order_id": order.id})
        answer = {"refundCreate": {"refund": {"id": made["id"]}, "userErrors": []}}
        self._idempotent[asked["key"]] = answer
        return answer

    def _ListVariants(self, asked: Body) -> Body:  # noqa: N802
        named = re.findall(r'sku:"([^"]+)"', asked["query"] or "")
        skus = sorted(sku for sku in self.stock if (not named or sku in named) and sku > (asked["after"] or ""))
        page, rest = skus[: asked["first"]], skus[asked["first"] :]
        nodes = [
            {
                "sku": sku,
                "inventoryItem": {
                    "id": f"{GID}InventoryItem/{sku}",
                    "inventoryLevel": {"quantities": [{"name": "available", "quantity": self.stock[sku]}]},
                },
            }
            for sku in page
        ]
        info = {"hasNextPage": bool(rest), "endCursor": page[-1] if page else None}
        return {"productVariants": {"nodes": nodes, "pageInfo": info}}

    def _SetQuantities(self, asked: Body) -> Body:  # noqa: N802
        quantities = [(each["inventoryItemId"].rpartition("/")[2], each) for each in asked["input"]["quantities"]]
        stale = [sku for sku, each in quantities if self.stock[sku] != each["compareQuantity"]]
        if stale:
            said = {"code": "COMPARE_QUANTITY_STALE", "field": ["input"], "message": "the quantity has changed"}
            return {"inventorySetQuantities": {"userErrors": [said]}}
        self.stock |= {sku: each["quantity"] for sku, each in quantities}
        return {"inventorySetQuantities": {"userErrors": []}}
