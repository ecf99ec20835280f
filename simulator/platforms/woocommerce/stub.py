"""A stub of WooCommerce: orders, refunds and products by the REST API v3, and webhooks that are never sent again.

As documented: times in whole seconds, `modified_after` exclusive, a webhook switched off after five failures in a row,
an unsigned ping when it is saved, refunds that name units as negative numbers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.platforms.manners import Deliveries, Delivery

Body = dict[str, Any]
_ROOT = "/wp-json/wc/v3"


class WooCommerceStub:
    """A shop. `app` is its API; `deliveries` are its webhooks on their way."""

    def __init__(
        self,
        *,
        secret: str = "hush",  # noqa: S107 - of a stub
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        deliveries: Deliveries | None = None,
    ) -> None:
        self.orders: dict[int, Body] = {}
        self.refunds: dict[int, list[Body]] = {}
        self.stock: dict[str, int] = {}
        self.calls: list[str] = []
        self.down = False
        self.fails_after: set[str] = set()
        """Kinds of requests, as `PUT orders`, that are carried out and whose answer is lost: once each."""
        self.deliveries = deliveries or Deliveries()
        self._secret, self._clock, self._sent = secret, clock, 0
        one = f"{_ROOT}/orders/{{id:int}}"
        self.app = Starlette(
            routes=[
                Route(f"{_ROOT}/orders", self._guarded("orders", self._list)),
                Route(one, self._guarded("orders", self._get)),
                Route(one, self._guarded("orders", self._put), methods=["PUT"]),
                Route(f"{one}/refunds", self._guarded("refunds", self._refunds)),
                Route(f"{one}/refunds", self._guarded("refunds", self._refund), methods=["POST"]),
                Route(f"{_ROOT}/products", self._guarded("products", self._products)),
                Route(f"{_ROOT}/products/batch", self._guarded("products", self._batch), methods=["POST"]),
            ]
        )

    # --- what customers and staff do ---------------------------------------------------------------------------------

    def place(self, units: Mapping[str, int], *, number: int, price: str = "2.50", **fields: Any) -> Body:
        """A customer orders."""
        at, address = self._now(), {
            "first_name": "Ada", "last_name": "Young", "company": "", "address_1": "12 Mill Lane", "address_2": "",
            "city": "York", "state": "", "postcode": "YO1 7EP", "country": "GB",
        }  # fmt: skip
        lines = [
            {
                "id": number * 10 + n,
                "sku": sku,
                "name": sku,
                "quantity": count,
                "price": float(price),
                "total_tax": "0",
            }
            for n, (sku, count) in enumerate(units.items())
        ]
        order = self.orders[number] = {
            "id": number, "number": str(number), "status": "processing", "currency": "GBP", "prices_include_tax": True,
            "date_created_gmt": at, "date_modified_gmt": at, "customer_id": 7, "customer_note": "",
            "billing": {**address, "email": "ada@customer.example", "phone": ""}, "shipping": address,
            "shipping_total": "3.95", "shipping_tax": "0", "discount_total": "0", "shipping_lines": [],
            "line_items": lines, "meta_data": [], "total": str(sum(Decimal(price) * n for n in units.values())),
            **fields,
        }  # fmt: skip
        self._notify("order.created", order)
        return order

    def set_status(self, order: Body, status: str) -> None:
        """Staff, or a payment, move the order."""
        order["status"] = status
        self._touch(order)

    def take_off(self, order: Body, place: int, count: int, reason: str = "by staff") -> None:
        """Staff refund units, which takes them off the order."""
        line = {"id": order["line_items"][place]["id"], "quantity": count}
        self._add_refund(order, {"reason": reason, "amount": "0", "line_items": [line]})

    def _now(self) -> str:
        return self._clock().astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")

    def _touch(self, order: Body) -> None:
        order["date_modified_gmt"] = max(self._now(), order["date_modified_gmt"])
        self._notify("order.updated", order)

    def _notify(self, topic: str, order: Body) -> None:
        self._sent += 1
        body = json.dumps(self._shown(order)).encode()
        signature = base64.b64encode(hmac.new(self._secret.encode(), body, hashlib.sha256).digest()).decode()
        headers = {
            "content-type": "application/json",
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-delivery-id": f"wc-{self._sent}",
            "x-wc-webhook-signature": signature,
        }
        self.deliveries.send(Delivery(headers, body))

    # --- the API -----------------------------------------------------------------------------------------------------

    def _guarded(self, kind: str, answer: Callable[[Request, Body], Response]) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if self.down:
                return Response("Briefly unavailable for scheduled maintenance", 503)
            if not request.headers.get("authorization", "").startswith("Basic "):
                return JSONResponse({"code": "woocommerce_rest_cannot_view"}, 401)
            given = await request.body()
            asked = f"{request.method} {kind}"
            self.calls.append(asked)
            answered = answer(request, json.loads(given) if given else {})
            if asked in self.fails_after:
                self.fails_after.discard(asked)
                return Response("gateway timeout", 504)
            return answered

        return guarded

    def _list(self, request: Request, _: Body) -> Response:
        params = request.query_params
        field = "date_created_gmt" if params["orderby"] == "date" else "date_modified_gmt"
        since = params.get("after") or params.get("modified_after") or ""
        until = params.get("before") or params.get("modified_before") or "9999"
        without = {int(each) for each in params.get("exclude", "").split(",") if each}
        found = [each for each in self.orders.values() if since < each[field] < until and each["id"] not in without]
        found.sort(key=lambda each: (each[field], each["id"]))
        return JSONResponse([self._shown(each) for each in found[: int(params["per_page"])]])

    def _get(self, request: Request, _: Body) -> Response:
        order = self.orders.get(request.path_params["id"])
        if order is None:
            return JSONResponse({"code": "woocommerce_rest_shop_order_invalid_id"}, 404)
        return JSONResponse(self._shown(order))

    def _put(self, request: Request, asked: Body) -> Response:
        order = self.orders[request.path_params["id"]]
        for each in asked.get("meta_data", ()):
            order["meta_data"] = [kept for kept in order["meta_data"] if kept["key"] != each["key"]] + [each]
        if "status" in asked:
            order["status"] = asked["status"]
        self._touch(order)
        return JSONResponse(self._shown(order))

    def _refunds(self, request: Request, _: Body) -> Response:
        return JSONResponse(self.refunds.get(request.path_params["id"], []))

    def _refund(self, request: Request, asked: Body) -> Response:
        return JSONResponse(self._add_refund(self.orders[request.path_params["id"]], asked), 201)

    def _add_refund(self, order: Body, asked: Body) -> Body:
        made = self.refunds.setdefault(order["id"], [])
        lines = [
            {"quantity": -each["quantity"], "meta_data": [{"key": "_refunded_item_id", "value": str(each["id"])}]}
            for each in asked.get("line_items", ())
        ]
        refund = {"id": order["id"] * 100 + len(made), "reason": asked["reason"], "amount": asked["amount"]}
        made.append({**refund, "line_items": lines})
        self._touch(order)
        return made[-1]

    def _products(self, request: Request, _: Body) -> Response:
        params = request.query_params
        named = params.get("sku", "").split(",") if params.get("sku") else sorted(self.stock)
        size, page = int(params["per_page"]), int(params.get("page", "1"))
        found = [
            {"id": number, "sku": sku, "parent_id": 0, "manage_stock": True, "stock_quantity": self.stock[sku]}
            for number, sku in enumerate(sorted(self.stock), 1)
            if sku in named
        ]
        return JSONResponse(found[(page - 1) * size : page * size])

    def _batch(self, _: Request, asked: Body) -> Response:
        skus = sorted(self.stock)
        for each in asked["update"]:
            self.stock[skus[each["id"] - 1]] = each["stock_quantity"]
        return JSONResponse({"update": asked["update"]})

    def _shown(self, order: Body) -> Body:
        made = self.refunds.get(order["id"], [])
        return {**order, "refunds": [{"id": each["id"], "reason": each["reason"], "total": "0"} for each in made]}
