"""A stub of Amazon: orders by the Orders API 2026-01-01, shipments, listings, ORDER_CHANGE notifications.

As documented: access tokens for an hour, a usage plan for each operation answered with 429 and without Retry-After,
orders that are pending without price and address, page tokens, notifications twice, late or never.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.platforms.manners import Bucket, Deliveries, Delivery

Body = dict[str, Any]


@dataclass
class SoldItem:
    """An item of an order: ordered, sent, and still to be sent."""

    id: str
    sku: str
    ordered: int
    price: str
    open: int
    sent: int = 0


@dataclass
class SoldOrder:
    """An order of the marketplace."""

    id: str
    created: datetime
    updated: datetime
    items: list[SoldItem]
    pending: bool = False
    cancelled: bool = False
    by: str = "MERCHANT"
    packages: list[Body] = field(default_factory=list)


def _plans() -> dict[str, Bucket]:
    return {"many": Bucket(20, 0.0056), "one": Bucket(30, 0.5), "ship": Bucket(10, 2), "listings": Bucket(10, 5)}


class AmazonStub:
    """A seller's account. `app` is the API; `deliveries` are notifications on their way."""

    def __init__(
        self,
        *,
        key: str = "hush",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        deliveries: Deliveries | None = None,
        plans: Mapping[str, Bucket] | None = None,
    ) -> None:
        self.orders: dict[str, SoldOrder] = {}
        self.offers: dict[str, int] = {}
        self.calls: list[str] = []
        self.down = False
        self.fails_after: set[str] = set()
        self.deliveries = deliveries or Deliveries()
        self._key, self._clock = key, clock
        self._plans = dict(plans or _plans())
        self._sent = 0
        orders, listings = "/orders/2026-01-01/orders", "/listings/2021-08-01/items"
        self.app = Starlette(
            routes=[
                Route("/auth/o2/token", self._token, methods=["POST"]),
                Route(orders, self._guarded("many", self._search)),
                Route(f"{orders}/{{id}}", self._guarded("one", self._get)),
                Route(
                    "/orders/v0/orders/{id}/shipmentConfirmation", self._guarded("ship", self._ship), methods=["POST"]
                ),
                Route(f"{listings}/{{seller}}", self._guarded("listings", self._offers)),
                Route(f"{listings}/{{seller}}/{{sku}}", self._guarded("listings", self._offer), methods=["PATCH"]),
            ]
        )

    # --- what happens in the marketplace -----------------------------------------------------------------------------

    def place(self, units: Mapping[str, int], *, number: str, price: str = "2.50", **fields: Any) -> SoldOrder:
        """A customer orders; the order stays pending if it says so."""
        at = self._now()
        items = [
            SoldItem(f"{number[-7:]}{n}", sku, count, price, count) for n, (sku, count) in enumerate(units.items())
        ]
        order = self.orders[number] = SoldOrder(number, at, at, items, **fields)
        self._notify(order)
        return order

    def pay(self, order: SoldOrder) -> None:
        """Its payment is authorised."""
        order.pending = False
        self._touch(order)

    def cancel(self, order: SoldOrder) -> None:
        """The customer cancels."""
        order.cancelled = True
        for item in order.items:
            item.open = 0
        self._touch(order)

    def drop(self, order: SoldOrder, place: int, count: int) -> None:
        """Units of an item are cancelled."""
        order.items[place].open -= count
        self._touch(order)

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _touch(self, order: SoldOrder) -> None:
        order.updated = max(self._now(), order.updated)
        self._notify(order)

    def _notify(self, order: SoldOrder) -> None:
        self._sent += 1
        change = {"AmazonOrderId": order.id, "OrderChangeType": "OrderStatusChange", "SellerId": "S"}
        told = {
            "NotificationVersion": "1.0",
            "NotificationType": "ORDER_CHANGE",
            "Payload": {"OrderChangeNotification": change},
            "NotificationMetadata": {"NotificationId": f"n-{self._sent}"},
        }
        headers = {"content-type": "application/json", "x-notification-key": self._key}
        self.deliveries.send(Delivery(headers, json.dumps(told).encode()))

    # --- the API -----------------------------------------------------------------------------------------------------

    async def _token(self, request: Request) -> Response:
        await request.body()
        return JSONResponse({"access_token": "Atza|stub", "token_type": "bearer", "expires_in": 3600})

    def _guarded(self, plan: str, answer: Callable[[Request, Body], Response]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if self.down:
                return JSONResponse({"errors": [{"code": "ServiceUnavailable"}]}, 503)
            if request.headers.get("x-amz-access-token") != "Atza|stub":
                return JSONResponse({"errors": [{"code": "Unauthorized"}]}, 401)
            if not self._plans[plan].take(1):
                return JSONResponse({"errors": [{"code": "QuotaExceeded"}]}, 429)
            self.calls.append(plan)
            given = await request.body()
            answered = answer(request, json.loads(given) if given else {})
            answered.headers["x-amzn-RateLimit-Limit"] = str(self._plans[plan].per_second)
            if plan in self.fails_after:
                self.fails_after.discard(plan)
                return JSONResponse({"errors": [{"code": "InternalFailure"}]}, 500)
            return answered

        return guarded

    def _search(self, request: Request, _: Body) -> Response:
        params = request.query_params
        by = "created" if "createdAfter" in params else "updated"
        name = "created" if by == "created" else "lastUpdated"
        since = datetime.fromisoformat(params[f"{name}After"])
        until = params.get(f"{name}Before")
        found = [each for each in self.orders.values() if getattr(each, by) >= since and each.by == "MERCHANT"]
        if until:
            found = [each for each in found if getattr(each, by) < datetime.fromisoformat(until)]
        found.sort(key=lambda each: (getattr(each, by), each.id))
        start, size = int(params.get("paginationToken", "0")), int(params["maxResultsPerPage"])
        page = [self._shown(each) for each in found[start : start + size]]
        more = {"pagination": {"nextToken": str(start + size)}} if start + size < len(found) else {}
        return JSONResponse({"orders": page, **more})

    def _get(self, request: Request, _: Body) -> Response:
        order = self.orders.get(request.path_params["id"])
        if order is None:
            return JSONResponse({"errors": [{"code": "NotFound"}]}, 404)
        return JSONResponse({"order": self._shown(order)})

    def _ship(self, request: Request, asked: Body) -> Response:
        order, package = self.orders[request.path_params["id"]], asked["packageDetail"]
        if any(each["packageReferenceId"] == package["packageReferenceId"] for each in order.packages):
            return Response(status_code=204)
        items = {item.id: item for item in order.items}
        for each in package["orderItems"]:
            item = items[each["orderItemId"]]
            if each["quantity"] > item.open:
                return JSONResponse({"errors": [{"code": "InvalidInput", "message": "more than is open"}]}, 400)
        for each in package["orderItems"]:
            items[each["orderItemId"]].open -= each["quantity"]
            items[each["orderItemId"]].sent += each["quantity"]
        order.packages.append({**package, "packageStatus": {"status": "SHIPPED"}})
        self._touch(order)
        return Response(status_code=204)

    def _offers(self, request: Request, _: Body) -> Response:
        skus, start = sorted(self.offers), int(request.query_params.get("pageToken", "0"))
        size = int(request.query_params["pageSize"])
        items = [
            {
                "sku": sku,
                "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": self.offers[sku]}],
            }
            for sku in skus[start : start + size]
        ]
        more = {"pagination": {"nextToken": str(start + size)}} if start + size < len(skus) else {}
        return JSONResponse({"items": items, **more})

    def _offer(self, request: Request, asked: Body) -> Response:
        sku = request.path_params["sku"]
        if sku not in self.offers:
            return JSONResponse({"errors": [{"code": "NotFound"}]}, 404)
        self.offers[sku] = asked["patches"][0]["value"][0]["quantity"]
        return JSONResponse({"sku": sku, "status": "ACCEPTED"})

    def _shown(self, order: SoldOrder) -> Body:
        sent, left = sum(item.sent for item in order.items), sum(item.open for item in order.items)
        status = "PARTIALLY_SHIPPED" if sent and left else "SHIPPED" if sent else "UNSHIPPED"
        status = "CANCELLED" if order.cancelled else "PENDING" if order.pending else status
        told: Body = {
            "orderId": order.id,
            "createdTime": order.created.isoformat().replace("+00:00", "Z"),
            "lastUpdatedTime": order.updated.isoformat().replace("+00:00", "Z"),
            "salesChannel": {"channelName": "AMAZON"},
            "fulfillment": {
                "fulfillmentStatus": status,
                "fulfilledBy": order.by,
                "fulfillmentServiceLevel": "STANDARD",
            },
            "orderItems": [self._item(item, order) for item in order.items],
            "packages": order.packages,
        }
        if order.pending:
            return told
        address = {"name": "Ada Young", "addressLine1": "12 Mill Lane", "city": "York", "postalCode": "YO1 7EP"}
        return {
            **told,
            "buyer": {"buyerName": "Ada Young", "buyerEmail": "a1b2@marketplace.example"},
            "recipient": {"deliveryAddress": {**address, "countryCode": "GB"}},
        }

    def _item(self, item: SoldItem, order: SoldOrder) -> Body:
        price = {} if order.pending else {"price": {"unitPrice": {"amount": item.price, "currencyCode": "GBP"}}}
        return {
            "orderItemId": item.id,
            "quantityOrdered": item.ordered,
            "product": {"sellerSku": item.sku, "title": item.sku, **price},
            "fulfillment": {"quantityFulfilled": item.sent, "quantityUnfulfilled": item.open},
        }
