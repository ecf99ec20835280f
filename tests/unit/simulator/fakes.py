"""A small API of the simulator's own, with the failures a real one has, and a sample for it."""

import json
import lzma
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from simulator.config import Config, Pace

Json = dict[str, Any]
Message = MutableMapping[str, Any]
PLACED = datetime(2010, 12, 1, 9, 0, tzinfo=UTC)
FINAL = {"delivered", "cancelled"}
ENDED = {"delivered", "collected", "rejected", "cancelled", "lost", "returned_to_sender"}
BEGUN = {"picked", "packed", "booked"}
REACHED = {"accept": "accepted", "pick": "picked", "reject": "rejected", "hand-over": "handed_over"}


class FakeApi:
    """An ASGI application that keeps orders in memory and does at once what the real system does in time."""

    def __init__(self, stock: dict[str, int] | None = None) -> None:
        self.stock = stock or {}
        self.orders: dict[str, Json] = {}
        self.fulfilments: dict[str, Json] = {}
        self.returns: dict[str, Json] = {}
        self.requests: dict[str, Json] = {}
        self.keys: dict[str, Json] = {}
        self.held: dict[str, Json] = {}
        self.holds = True
        self.calls: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.times: list[datetime] = []
        self.fails: Callable[[int], str] = lambda _: ""
        self.most_open = 0

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.calls["all"] += 1
        failure = self.fails(self.calls["all"])
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status = 503
        answer: Json = {}
        if failure != "before":
            status, answer = self.answer(scope, json.loads(body or b"{}"), headers)
        if failure == "after":
            status, answer = 500, {}
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def answer(self, scope: Message, body: Json, headers: Json) -> tuple[int, Json]:
        parts = scope["path"].split("/")[2:]
        query = httpx.QueryParams(scope["query_string"])
        if scope["method"] == "GET":
            return self.read(parts, query)
        if parts == ["orders"]:
            return self.capture(body)
        match parts:
            case ["orders", order_id, "cancel"]:
                return self.once(headers, lambda: self.cancel(self.orders[order_id], body))
            case ["fulfilments" | "cancellation-requests" as what, about, step]:
                asked = what == "cancellation-requests"
                return self.answered(about, step) if asked else self.step(self.fulfilments[about], step, body)
            case ["carriers", *_] | ["inventory", *_]:
                return self.feed(body)
            case ["returns" | "reservations" as what, *rest]:
                act = self.hold if what == "reservations" else partial(self.return_, rest)
                return self.once(headers, lambda: act(body))
        raise AssertionError(f"the simulator called {scope['method']} {scope['path']}")

    def hold(self, body: Json) -> tuple[int, Json]:
        self.held[body["owner"]] = body
        if not self.holds:
            return 409, {"title": "The stock does not allow it"}
        return 201, {"reservation_id": f"r-{body['owner']}"}

    def feed(self, body: Json) -> tuple[int, Json]:
        scans = [self.scan(event) for event in body.get("events", ())]
        return 200, {"results": scans + [self.adjust(item) for item in body.get("adjustments", ())]}

    def read(self, parts: list[str], query: httpx.QueryParams) -> tuple[int, Json]:
        match parts:
            case ["orders"]:
                wanted = query.get("status")
                return 200, {"items": [self.order(i) for i in self.orders if self.order(i)["status"] == wanted]}
            case ["orders", order_id]:
                return (200, self.order(order_id)) if order_id in self.orders else (404, {"title": "Not found"})
            case ["fulfilments"]:
                return self.work_list(query)
            case ["returns"]:
                back = [each for each in self.returns.values() if each["return_id"].startswith(query["order_id"])]
                return 200, {"items": [each for each in back if each["status"] == query["status"]]}
            case ["returns", return_id]:
                return 200, self.returns[return_id]
            case ["cancellation-requests"]:
                wanted = query.get("order")
                found = [each for each in self.requests.values() if wanted in {None, each["order_id"]}]
                return 200, {"items": [each for each in found if each["status"] == query["status"]]}
        raise AssertionError(f"the simulator asked for {parts}")

    def once(self, headers: Json, act: Callable[[], tuple[int, Json]]) -> tuple[int, Json]:
        """The same answer for the same Idempotency-Key."""
        key = headers["idempotency-key"]
        if key not in self.keys:
            status, answer = act()
            if status >= 300:
                return status, answer
            self.keys[key] = answer
        return 200, self.keys[key]

    def noted(self, body: Json) -> None:
        self.times.append(datetime.fromisoformat(body["occurred_at"]))

    def capture(self, body: Json) -> tuple[int, Json]:
        order_id = f"{body['channel']}-{body['external_id']}"
        known = self.orders.get(order_id)
        if known is None:
            units = {line["line_id"]: line["quantity"] for line in body["lines"]}
            self.orders[order_id] = {**body, "waiting": dict(units), "gone": Counter()}
            self.times.append(datetime.fromisoformat(body["placed_at"]))
            self.calls["captured"] += 1
            self.source(order_id)
            still_open = sum(self.order(order)["status"] not in FINAL | {"backordered"} for order in self.orders)
            self.most_open = max(self.most_open, still_open)
        elif any(known[name] != body[name] for name in body):
            return 409, {"title": "This order was captured with other content"}
        promise = {"earliest": body["placed_at"], "latest": self.late(body).isoformat()}
        status = self.order(order_id)["status"]
        return 200 if known else 201, {"order_id": order_id, "status": status, "promise": promise}

    def late(self, order: Json) -> datetime:
        return datetime.fromisoformat(order["placed_at"]) + timedelta(days=3)

    def source(self, order_id: str) -> None:
        order = self.orders[order_id]
        sku_of = {line["line_id"]: line["sku"] for line in order["lines"]}
        taken = {i: n for i, n in order["waiting"].items() if n and self.stock.get(sku_of[i], 10**6) >= n}
        if not taken:
            return
        for line_id, units in taken.items():
            self.stock[sku_of[line_id]] = self.stock.get(sku_of[line_id], 10**6) - units
            order["waiting"][line_id] = 0
        number = 1 + sum(f["order_id"] == order_id for f in self.fulfilments.values())
        placed_at = datetime.fromisoformat(order["placed_at"])
        fulfilment_id = f"{order_id}-F{number}"
        self.fulfilments[fulfilment_id] = {
            "id": fulfilment_id,
            "order_id": order_id,
            "node_id": "dc-one",
            "status": "released",
            "method": "pickup" if order.get("pickup_node") else "standard",
            "carrier": None if order.get("pickup_node") else "parcelco",
            "ship_by": (placed_at + timedelta(hours=8)).isoformat(),
            "promise": {
                "earliest": (placed_at + timedelta(days=1)).isoformat(),
                "latest": self.late(order).isoformat(),
            },
            "placed_at": order["placed_at"],
            "lines": [{"line_id": i, "sku": sku_of[i], "quantity": n} for i, n in taken.items()],
            "ship_to": order["ship_to"],
            "tracking_number": None,
        }

    def order(self, order_id: str) -> Json:
        order = self.orders[order_id]
        mine = [f for f in self.fulfilments.values() if f["order_id"] == order_id]
        lines = [
            {**line, "backordered": order["waiting"][line["line_id"]], "cancelled": order["gone"][line["line_id"]]}
            for line in order["lines"]
        ]
        living = [f for f in mine if f["status"] not in ENDED - {"delivered", "collected"}]
        if any(order["waiting"].values()):
            status = "part_shipped" if living else "backordered"
        elif not living:
            status = "cancelled"
        else:
            done = all(f["status"] in ENDED for f in living)
            status = "delivered" if done else "in_fulfilment"
        shown = [{"id": f["id"], "status": f["status"], "cost": 700, "collection_code": _code(f)} for f in mine]
        return {
            "order_id": order_id,
            "status": status,
            "placed_at": order["placed_at"],
            "lines": lines,
            "fulfilments": shown,
        }

    def cancel(self, order: Json, body: Json) -> tuple[int, Json]:
        self.noted(body)
        order_id = f"{order['channel']}-{order['external_id']}"
        mine = [f for f in self.fulfilments.values() if f["order_id"] == order_id]
        begun = next((f["id"] for f in mine if f["status"] in BEGUN), None)
        if body.get("mode") == "ask" and begun:
            return self.ask(order_id, begun, body)
        free = [f for f in mine if f["status"] not in ENDED | {"handed_over"}]
        for asked in body["lines"]:
            held = sum(n["quantity"] for f in free for n in f["lines"] if n["line_id"] == asked["line_id"])
            if held + order["waiting"][asked["line_id"]] < asked["quantity"]:
                return 409, {"title": "The units cannot be cancelled any more"}
        for asked in body["lines"]:
            order["gone"][asked["line_id"]] += asked["quantity"]
            left = asked["quantity"] - min(asked["quantity"], order["waiting"][asked["line_id"]])
            order["waiting"][asked["line_id"]] -= asked["quantity"] - left
            for fulfilment in free:
                for line in fulfilment["lines"]:
                    if left and line["line_id"] == asked["line_id"]:
                        line["quantity"] -= left
                        left = 0
                fulfilment["lines"] = [line for line in fulfilment["lines"] if line["quantity"]]
                if fulfilment["status"] in {"packed", "booked"}:
                    fulfilment["status"] = "picked"
                if not fulfilment["lines"]:
                    fulfilment["status"] = "cancelled"
        self.calls["cancelled"] += 1
        return 200, {"order_id": order_id}

    def ask(self, order_id: str, fulfilment_id: str, body: Json) -> tuple[int, Json]:
        request_id = f"{order_id}-C{len(self.requests) + 1}"
        units = {line["line_id"]: line["quantity"] for line in body["lines"]}
        known = {"request_id": request_id, "order_id": order_id, "fulfilment_id": fulfilment_id, "node_id": "dc-one"}
        self.requests[request_id] = {**known, "units": units, "body": body, "status": "asked"}
        left = [{"quantity": line["quantity"], "reason": "asked"} for line in body["lines"]]
        lines = [{**line, "left": [each]} for line, each in zip(body["lines"], left, strict=True)]
        return 200, {"order_id": order_id, "lines": lines}

    def answered(self, request_id: str, answer: str) -> tuple[int, Json]:
        request = self.requests[request_id]
        if request["status"] != "asked":
            return (200, dict(request)) if request["status"] == answer else (409, {"title": "It was answered before"})
        request["status"] = answer
        self.calls[answer] += 1
        if answer == "grant":
            return self.cancel(self.orders[request["order_id"]], {**request["body"], "mode": "all"})
        return 200, dict(request)

    def work_list(self, query: httpx.QueryParams) -> tuple[int, Json]:
        wanted = set(query.get_list("status"))
        rows = sorted((f for f in self.fulfilments.values() if f["status"] in wanted), key=lambda f: str(f["id"]))
        rest = [f for f in rows if f["id"] > query.get("cursor", "")]
        page = rest[:3]
        listed = json.loads(json.dumps(page))
        for fulfilment in page:
            if fulfilment["status"] == "packed":
                fulfilment["status"], fulfilment["tracking_number"] = "booked", f"T{fulfilment['id']}"
        return 200, {"items": listed, "next_cursor": page[-1]["id"] if len(rest) > len(page) else None}

    def step(self, fulfilment: Json, step: str, body: Json) -> tuple[int, Json]:
        self.noted(body)
        self.calls[step] += 1
        status = fulfilment["status"]
        if status in ENDED or (step == "hand-over" and status not in {"booked", "handed_over"}):
            return 409, {"title": "The step is not possible any more"}
        if step == "pack":
            fulfilment["status"] = "ready_for_collection" if fulfilment["method"] == "pickup" else "packed"
        elif step == "collect":
            if body.get("code") != _code(fulfilment):
                return 422, {"title": "The customer's code is needed"}
            fulfilment["status"] = "collected"
        else:
            fulfilment["status"] = REACHED[step]
        order = self.orders[fulfilment["order_id"]]
        if step == "pick" and body.get("lines"):
            found = {line["line_id"]: line["quantity"] for line in body["lines"]}
            for line in fulfilment["lines"]:
                order["waiting"][line["line_id"]] += line["quantity"] - found[line["line_id"]]
                line["quantity"] = found[line["line_id"]]
            self.source(fulfilment["order_id"])
        if step == "reject":
            self.give_up(fulfilment)
        return 200, {"status": "taken"}

    def give_up(self, fulfilment: Json) -> None:
        for line in fulfilment["lines"]:
            self.orders[fulfilment["order_id"]]["waiting"][line["line_id"]] += line["quantity"]
        self.source(fulfilment["order_id"])

    def scan(self, event: Json) -> Json:
        self.noted(event)
        self.events[event["event_id"]] += 1
        fulfilment = next(f for f in self.fulfilments.values() if f["tracking_number"] == event["tracking_number"])
        assert fulfilment["status"] != "booked", "a carrier cannot have what was not handed over"
        if fulfilment["status"] == "handed_over" and event["kind"] in ENDED:
            fulfilment["status"] = event["kind"]
            if event["kind"] == "lost":
                self.give_up(fulfilment)
            else:
                self.comes_back(fulfilment, event)
        return {"event_id": event["event_id"], "status": "recorded"}

    def comes_back(self, fulfilment: Json, event: Json) -> None:
        if event["kind"] != "returned_to_sender":
            return
        id_ = f"{fulfilment['order_id']}-R{len(self.returns)}"
        about = {"fulfilment_id": fulfilment["id"], "requested_at": event["occurred_at"], "lines": fulfilment["lines"]}
        self.returns[id_] = {"id": id_, "return_id": id_, "status": "requested", **about}

    def adjust(self, item: Json) -> Json:
        self.noted(item)
        if item["idempotency_key"] in self.keys:
            return {"status": "repeated"}
        self.keys[item["idempotency_key"]] = {}
        self.stock[item["sku"]] = self.stock.get(item["sku"], 10**6) + item["quantity"]
        for order_id in self.orders:
            self.source(order_id)
        return {"status": "applied"}

    def return_(self, rest: list[str], body: Json) -> tuple[int, Json]:
        self.noted(body)
        if not rest:
            return_id = f"{body['order_id']}-R{len(self.returns)}"
            known = {"id": return_id, "return_id": return_id, "fulfilment_id": None, "lines": body["lines"]}
            self.returns[return_id] = {**known, "status": "requested"}
            return 201, dict(self.returns[return_id])
        known = self.returns[rest[0]]
        if rest[1] == "receive":
            known["status"] = "received"
            return 200, dict(known)
        assert known["status"] == "received"
        assert Counter({x["line_id"]: x["quantity"] for x in body["lines"]}) == Counter(
            {x["line_id"]: x["quantity"] for x in known["lines"]}
        )
        known["status"] = "refunded"
        return 200, {**known, "refund": 500, "currency": "GBP"}


def order(number: int, *, sku: str = "A", quantity: int = 2, **more: Any) -> Json:
    placed_at = (PLACED + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
    return {
        "channel": "web" if number % 2 else "social",
        "external_id": str(536000 + number),
        "placed_at": placed_at,
        "currency": "GBP",
        "ship_to": {"name": "A B", "city": "Leeds", "postal_code": "LS1 4AP", "country": "GB"},
        "shipping_method": "standard",
        "lines": [{"line_id": "1", "sku": sku, "quantity": quantity, "unit_price": 100}],
        **more,
    }


def cancellation(of: Json, after: timedelta, quantity: int) -> Json:
    at = datetime.fromisoformat(of["placed_at"]) + after
    lines = [{"line_id": "1", "quantity": quantity}]
    return {
        "channel": of["channel"],
        "external_id": of["external_id"],
        "cancelled_at": at.isoformat(),
        "lines": lines,
        "source_invoice": f"C{of['external_id']}",
    }


RECEIPT: Json = {"node_id": "dc-one", "sku": "A", "quantity": 5, "received_at": PLACED.isoformat()}


def write_sample(
    folder: Path, orders: list[Json], cancelled: list[Json] | None = None, receipts: tuple[Json, ...] = (RECEIPT,)
) -> Path:
    node = {"id": "dc-one", "kind": "distribution_centre", "address": {"country": "GB"}, "ships_to": []}
    rows = {"orders": orders, "cancellations": cancelled or [], "receipts": receipts}
    for name, items in rows.items():
        text = "".join(json.dumps(item) + "\n" for item in items)
        (folder / f"{name}.jsonl.xz").write_bytes(lzma.compress(text.encode()))
    (folder / "network.json").write_text(json.dumps({"nodes": [node]}))
    (folder / "report.json").write_text(json.dumps({"rows": {"total": 9}, "reasons": {"no_price": 2}}))
    return folder


QUICK = Pace(
    look=0.02, idle_look=0.02, slowest_look=0.05, flush=0.01, silence=2.0, refused=0.1, look_again=0.05, supplied=0.1
)


def config(sample: Path, **more: Any) -> Config:
    return replace(Config(api_url="http://fake", sample=sample, patience=5.0, in_flight=10, pace=QUICK), **more)


def _code(fulfilment: Json) -> str | None:
    return f"C{fulfilment['id']}" if fulfilment["status"] == "ready_for_collection" else None
