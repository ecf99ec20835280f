"""The simulator against a small API of its own, with the failures a real one has."""

import asyncio
import json
import lzma
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from simulator import carriers, chance, nodes
from simulator.api import Api, ApiGone, Calls
from simulator.board import Board, Fulfilment, Order
from simulator.clock import Clock, stamp
from simulator.config import Config, Pace
from simulator.demo import run
from simulator.sample import MARGIN, Cancellation, Sample, whole_weeks
from simulator.summary import days_taken, percentile, promises_kept, split_share, summarise

Json = dict[str, Any]
PLACED = datetime(2010, 12, 1, 9, 0, tzinfo=UTC)
FINAL = {"delivered", "cancelled"}
ENDED = {"delivered", "collected", "rejected", "cancelled", "lost", "returned_to_sender"}
REACHED = {"accept": "accepted", "pick": "picked", "reject": "rejected", "hand-over": "handed_over"}


class FakeApi:
    """An ASGI application that keeps orders in memory and does at once what the real system does in time."""

    def __init__(self, stock: dict[str, int] | None = None) -> None:
        self.stock = stock or {}
        self.orders: dict[str, Json] = {}
        self.fulfilments: dict[str, Json] = {}
        self.returns: dict[str, Json] = {}
        self.keys: dict[str, Json] = {}
        self.calls: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.times: list[datetime] = []
        self.fails: Callable[[int], str] = lambda _: ""
        self.most_open = 0

    async def __call__(
        self, scope: Json, receive: Callable[[], Awaitable[Json]], send: Callable[[Json], Awaitable[None]]
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
        status, answer = 503, {}
        if failure != "before":
            status, answer = self.answer(scope, json.loads(body or b"{}"), headers)
        if failure == "after":
            status, answer = 500, {}
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def answer(self, scope: Json, body: Json, headers: Json) -> tuple[int, Json]:
        parts = scope["path"].split("/")[2:]
        query = httpx.QueryParams(scope["query_string"])
        if scope["method"] == "GET":
            return self.read(parts, query)
        if parts == ["orders"]:
            return self.capture(body)
        match parts:
            case ["orders", order_id, "cancel"]:
                return self.once(headers, lambda: self.cancel(self.orders[order_id], body))
            case ["fulfilments", fulfilment_id, step]:
                return self.step(self.fulfilments[fulfilment_id], step, body)
            case ["carriers", *_] | ["inventory", *_]:
                return self.feed(body)
            case ["returns", *rest]:
                return self.once(headers, lambda: self.return_(rest, body))
        raise AssertionError(f"the simulator called {scope['method']} {scope['path']}")

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
        costs = [{"status": f["status"], "cost": 700} for f in mine]
        return {
            "order_id": order_id,
            "status": status,
            "placed_at": order["placed_at"],
            "lines": lines,
            "fulfilments": costs,
        }

    def cancel(self, order: Json, body: Json) -> tuple[int, Json]:
        self.noted(body)
        order_id = f"{order['channel']}-{order['external_id']}"
        mine = [f for f in self.fulfilments.values() if f["order_id"] == order_id]
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
        return 202, {"status": "accepted for processing"}

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
        return {"event_id": event["event_id"], "status": "recorded"}

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
            self.returns[return_id] = {"return_id": return_id, "status": "requested", "lines": body["lines"]}
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
        "ship_to": {"name": "A B", "city": "Leeds", "country": "GB"},
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


def write_sample(folder: Path, orders: list[Json], cancelled: list[Json] | None = None) -> Path:
    node = {"id": "dc-one", "kind": "distribution_centre", "address": {"country": "GB"}, "ships_to": []}
    receipt = {"node_id": "dc-one", "sku": "A", "quantity": 5, "received_at": PLACED.isoformat()}
    rows = {"orders": orders, "cancellations": cancelled or [], "receipts": [receipt]}
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


class TestTimeShift:
    @pytest.mark.parametrize("days", range(0, 400, 13))
    def test_keeps_the_weekday_and_ends_just_before_the_margin(self, days: int) -> None:
        now = datetime(2026, 3, 29, 0, 30, tzinfo=UTC) + timedelta(days=days)
        last = datetime(2011, 2, 28, 17, 1, tzinfo=UTC)

        moved = last + whole_weeks(last, now)

        assert moved.weekday() == last.weekday()
        assert moved.time() == last.time()
        assert timedelta(0) <= now - MARGIN - moved < timedelta(weeks=1)

    def test_nothing_is_ever_stamped_in_the_future(self) -> None:
        assert datetime.fromisoformat(stamp(datetime.now(UTC) + timedelta(days=3))) <= datetime.now(UTC)
        assert stamp(PLACED) == "2010-12-01T09:00:00Z"

    def test_the_real_sample_is_in_time_order_and_in_the_past(self) -> None:
        sample = Sample(Config().sample)
        shift = whole_weeks(sample.last_moment(), datetime.now(UTC))

        placed = [datetime.fromisoformat(o["placed_at"]) for o in sample.orders(len(sample), shift, "")]

        assert len(placed) >= 2000
        assert placed == sorted(placed)
        assert placed[-1] <= datetime.now(UTC) - MARGIN

    def test_a_tag_renames_orders_and_their_cancellations_alike(self, tmp_path: Path) -> None:
        sold = order(1)
        sample = Sample(write_sample(tmp_path, [sold], [cancellation(sold, timedelta(days=9), 1)]))

        (renamed,) = sample.orders(1, timedelta(weeks=3), "-r2")
        cancellations = sample.cancellations(timedelta(weeks=3), "-r2")

        assert renamed["external_id"] == "536001-r2"
        at = PLACED + timedelta(weeks=3, days=9, minutes=1)
        assert cancellations == {("web", "536001-r2"): [Cancellation(at, {"1": 1}, "C536001")]}


class TestChance:
    def test_falls_the_same_way_every_time(self) -> None:
        assert [chance.draw("x", i) for i in range(9)] == [chance.draw("x", i) for i in range(9)]
        assert chance.draw("ab", "c") != chance.draw("a", "bc")

    @pytest.mark.parametrize("share", [0.0, 0.004, 0.04, 0.5, 1.0])
    def test_happens_in_its_share_of_the_cases(self, share: float) -> None:
        count = sum(chance.happens(share, "late", i) for i in range(20_000))

        assert count / 20_000 == pytest.approx(share, abs=4 * (share * (1 - share) / 20_000) ** 0.5)

    def test_chooses_each_outcome_in_its_share(self) -> None:
        chosen = Counter(chance.choose({"a": 0.7, "b": 0.3}, i) for i in range(10_000))

        assert chosen["a"] / 10_000 == pytest.approx(0.7, abs=0.02)
        assert set(chosen) == {"a", "b"}


def fulfilment(number: int = 1, **more: Any) -> Fulfilment:
    placed_at = PLACED + timedelta(minutes=number % 60)
    fields: Json = {
        "id": f"web-{number}-F1",
        "order_id": f"web-{number}",
        "node_id": "dc-one",
        "pickup": False,
        "carrier": "parcelco",
        "ship_by": placed_at + timedelta(hours=6),
        "earliest": datetime(2010, 12, 2, 8, tzinfo=UTC),
        "latest": datetime(2010, 12, 6, 20, tzinfo=UTC),
        "placed_at": placed_at,
        "city": "Leeds",
        "units": {"1": 2},
        "status": "released",
    }
    return Fulfilment(**(fields | more))


class TestJourney:
    def test_runs_forward_from_hand_over_to_the_end(self) -> None:
        for number in range(3000):
            one = fulfilment(number)
            times = [one.ship_by, *(event.at for event in carriers.journey(one))]
            assert times == sorted(times)
            assert len(set(times)) == len(times)

    def test_misses_the_promise_in_the_stated_share_and_never_comes_on_a_sunday(self) -> None:
        ends = [(carriers.fate(one), one) for one in map(fulfilment, range(5000))]
        delivered = [(end, one) for end, one in ends if end.kind == "delivered"]

        late = sum(end.at > one.latest for end, one in delivered) / len(delivered)

        assert late == pytest.approx(carriers.LATE, abs=0.01)
        assert all(end.at.weekday() != 6 for end, _ in delivered)
        assert all(end.at >= one.earliest for end, one in delivered)
        kinds = Counter(end.kind for end, _ in ends)
        assert 0 < kinds["lost"] < 25
        assert 0 < kinds["returned_to_sender"] < 35

    def test_a_node_works_forward_in_time_even_when_the_order_came_at_the_cut_off(self) -> None:
        for wait in (timedelta(0), timedelta(minutes=3), timedelta(days=4)):
            one = fulfilment(3, ship_by=PLACED + timedelta(minutes=3) + wait)
            times = []
            for sent in (0, 1, 2, 4):
                one.sent = sent
                step = nodes.next_step(one)
                assert step is not None
                times.append(step.at)
            assert times == sorted(times)
            assert times[0] >= one.placed_at
            assert times[-1] == one.ship_by


class TestSummary:
    def test_percentiles_are_values_that_occurred(self) -> None:
        assert percentile([], 0.5) is None
        assert percentile([7.0], 0.9) == 7.0
        assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
        assert percentile([float(n) for n in range(1, 101)], 0.95) == 95.0
        assert percentile([float(n) for n in range(1, 101)], 0.9) == 90.0

    def test_days_promises_and_splits(self) -> None:
        on_time, late, open_ = (self.order(number) for number in (1, 2, 3))
        on_time.first_plan, late.first_plan = 1, 2
        for one, days in ((on_time, 2), (late, 5)):
            one.status = "delivered"
            part = fulfilment(1, arrived_at=one.placed_at + timedelta(days=days))
            one.fulfilments = {"early": fulfilment(1, arrived_at=one.placed_at + timedelta(days=1)), "last": part}
        orders = [on_time, late, open_]

        assert days_taken(orders) == [2.0, 5.0]
        assert promises_kept(orders) == (1, 2)
        assert split_share(orders) == 0.5

    def test_an_order_without_an_end_is_named_and_spoils_the_run(self) -> None:
        board = Board(None)
        done, stuck = self.order(1), self.order(2)
        board.orders = {done.id: done, stuck.id: stuck}
        board.close(done, "delivered")

        summary = summarise(board, Calls(), sample={}, costs=[100, 300], wall_seconds=2.0, trouble="")

        assert (summary.delivered, summary.open, summary.all_final) == (1, 1, False)
        assert list(summary.unfinished) == [stuck.id]
        assert summary.cost_per_order == 200.0
        assert summary.orders_per_second == 0.5

    @staticmethod
    def order(number: int) -> Order:
        return Order(f"web-{number}", "web", PLACED, "GB", "", {"1": 2}, deque(), promised=PLACED + timedelta(days=3))


class TestPatience:
    async def test_a_call_is_tried_again_until_it_is_answered(self) -> None:
        fake = FakeApi()
        fake.fails = lambda call: "before" if call < 3 else ""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(fake), base_url="http://fake") as client:
            api = Api(client, patience=5.0)
            answer = await api.get("order", "/orders/web-1")

        assert (answer.status, answer.attempts) == (404, 3)
        assert api.calls.retries["order"] == 2
        assert api.calls.errors == {"HTTP 503": 2}
        assert len(api.calls.seconds["order"]) == 1

    async def test_and_given_up_when_patience_ends(self) -> None:
        fake = FakeApi()
        fake.fails = lambda _: "before"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(fake), base_url="http://fake") as client:
            with pytest.raises(ApiGone, match="503"):
                await Api(client, patience=0.3).get("order", "/orders/web-1")

    async def test_business_time_passes_at_its_speed(self) -> None:
        clock = Clock(speed=36_000)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await clock.until(PLACED)
        await clock.until(PLACED + timedelta(hours=3))

        assert 0.29 <= loop.time() - began < 1.0


class TestDemo:
    async def test_a_plain_order_costs_five_posts_and_is_delivered(self, tmp_path: Path) -> None:
        fake = FakeApi()
        summary = await run(config(write_sample(tmp_path, [order(1)])), transport=httpx.ASGITransport(fake))

        assert summary.all_final
        assert (summary.captured, summary.delivered, summary.cancelled) == (1, 1, 0)
        steps = {step: fake.calls[step] for step in ("accept", "pick", "pack", "hand-over")}
        assert steps == {"accept": 1, "pick": 1, "pack": 1, "hand-over": 1}
        assert sorted(event.rpartition("-")[2] for event in fake.events) == [
            "delivered",
            "in_transit",
            "out_for_delivery",
            "picked_up",
        ]
        assert sum(call.calls for call in summary.calls if call.name.startswith("POST /carriers")) == 1
        assert summary.cost_per_order == 700
        assert max(fake.times) <= datetime.now(UTC)

    async def test_a_pick_up_is_collected(self, tmp_path: Path) -> None:
        fake = FakeApi()
        sold = order(1, shipping_method="pickup", pickup_node="dc-one")
        summary = await run(config(write_sample(tmp_path, [sold])), transport=httpx.ASGITransport(fake))

        assert (summary.all_final, summary.delivered) == (True, 1)
        assert (fake.calls["collect"], fake.calls["hand-over"], len(fake.events)) == (1, 0, 0)

    async def test_every_order_ends_though_many_answers_fail_or_are_lost(self, tmp_path: Path) -> None:
        fake = FakeApi()
        fake.fails = lambda call: "before" if call % 7 == 0 else "after" if call % 11 == 0 else ""
        sold = [order(number) for number in range(25)]
        summary = await run(config(write_sample(tmp_path, sold)), transport=httpx.ASGITransport(fake))

        assert summary.all_final, summary.unfinished
        assert (summary.captured, summary.repeated, fake.calls["captured"]) == (25, 0, 25)
        assert summary.retries > 10
        assert fake.most_open <= 10

    async def test_a_cancellation_before_hand_over_cancels_and_one_after_it_returns(self, tmp_path: Path) -> None:
        fake = FakeApi()
        whole, some, late, at_the_door = (order(number) for number in (1, 2, 3, 4))
        cancelled = [
            cancellation(whole, timedelta(hours=1), 2),
            cancellation(some, timedelta(hours=7, minutes=50), 1),
            cancellation(at_the_door, timedelta(hours=8), 2),
            cancellation(late, timedelta(days=6), 1),
        ]
        sample = write_sample(tmp_path, [whole, some, late, at_the_door], cancelled)
        summary = await run(config(sample), transport=httpx.ASGITransport(fake))

        assert summary.all_final, summary.unfinished
        assert (summary.delivered, summary.cancelled) == (2, 2)
        assert (summary.tally["cancels"], summary.tally["returns"], summary.tally["refunds"]) == (3, 1, 1)
        assert fake.order("social-536002")["lines"][0]["cancelled"] == 1
        assert summary.tally["refunded"] == {"GBP": 500}
        assert summary.tally["sent_again"] == 0

    async def test_orders_without_stock_are_supplied_or_dropped_and_do_not_block_the_others(
        self, tmp_path: Path
    ) -> None:
        made = next(f"S{i}" for i in range(99) if not chance.happens(0.15, "discontinued", f"S{i}"))
        gone = next(f"S{i}" for i in range(99) if chance.happens(0.15, "discontinued", f"S{i}"))
        fake = FakeApi({made: 0, gone: 0})
        sold = [order(n, sku=made) for n in range(3)] + [order(3, sku=gone)] + [order(n) for n in range(4, 8)]
        sample = write_sample(tmp_path, sold)
        summary = await run(config(sample, in_flight=2), transport=httpx.ASGITransport(fake))

        assert summary.all_final, summary.unfinished
        assert (summary.delivered, summary.cancelled, summary.waited_for_stock) == (7, 1, 4)
        assert summary.tally["discontinued"] == 1
        assert summary.tally["supplied"] >= 1

    async def test_rejects_short_picks_and_losses_are_played_and_every_order_still_ends(self, tmp_path: Path) -> None:
        def spoiled(number: int) -> bool:
            name = f"{'web' if number % 2 else 'social'}-{536000 + number}-F1"
            shares = {"reject": nodes.REJECTED, "short": nodes.SHORT, "lost": carriers.LOST}
            shares["sent back"] = carriers.SENT_BACK
            return any(chance.happens(share, about, name) for about, share in shares.items())

        numbers = [number for number in range(4000) if spoiled(number)][:40]
        fake = FakeApi()
        sample = write_sample(tmp_path, [order(number, quantity=3) for number in numbers])
        summary = await run(config(sample, in_flight=40), transport=httpx.ASGITransport(fake))

        assert summary.all_final, summary.unfinished
        tally = summary.tally
        assert tally["rejects"] + tally["short_picks"] + tally["lost"] + tally["sent_back"] >= 40
        assert tally["rejects"] > 0
        assert tally["short_picks"] > 0
        assert tally["lost"] > 0
        assert summary.cancelled == tally["sent_back"]

    async def test_a_second_run_knows_the_orders_again_and_a_fresh_one_renames_them(self, tmp_path: Path) -> None:
        fake = FakeApi()
        sold = [order(number) for number in range(5)]
        sample = write_sample(tmp_path, sold, [cancellation(sold[0], timedelta(days=9), 1)])
        transport = httpx.ASGITransport(fake)

        first = await run(config(sample, orders=3), transport=transport)
        posts = Counter(fake.calls)
        second = await run(config(sample), transport=transport)
        fresh = await run(config(sample, fresh=True), transport=transport)

        assert (first.captured, first.tally["returns"]) == (3, 1)
        assert (second.captured, second.repeated, second.delivered, second.all_final) == (2, 3, 5, True)
        assert fake.calls["accept"] - posts["accept"] == 2 + 5
        assert (fresh.captured, fresh.repeated) == (5, 0)
        assert "social-536000-r2" in fake.orders
        assert len(fake.returns) == 2

    async def test_a_run_cut_short_is_finished_by_the_next(self, tmp_path: Path) -> None:
        fake = FakeApi()
        sample = write_sample(tmp_path, [order(number) for number in range(8)])
        fake.fails = lambda call: "before" if call > 25 else ""
        cut = await run(config(sample, patience=0.5), transport=httpx.ASGITransport(fake))
        fake.fails = lambda _: ""
        finished = await run(config(sample), transport=httpx.ASGITransport(fake))

        assert not cut.all_final
        assert cut.trouble or cut.unfinished
        assert finished.all_final, finished.unfinished
        assert fake.calls["captured"] == 8
        assert all(fake.order(order_id)["status"] == "delivered" for order_id in fake.orders)

    async def test_an_order_that_is_refused_is_named_and_spoils_the_run(self, tmp_path: Path) -> None:
        fake = FakeApi()
        sold = [order(1), order(2)]
        sample = write_sample(tmp_path, sold)
        fake.orders["social-536002"] = {**sold[1], "currency": "EUR", "waiting": {"1": 0}, "gone": Counter()}
        summary = await run(config(sample), transport=httpx.ASGITransport(fake))

        assert (summary.captured, summary.refused, summary.all_final) == (1, 1, False)
        assert "other content" in summary.unfinished["social-536002"]

    async def test_a_silent_system_hears_the_same_again(self) -> None:
        """A status that stays the same for too long means that a message was lost."""
        one = fulfilment(1, status="released")
        one.sent = 3
        board = Board(None)
        nobody: Any = None
        player = nodes.Nodes(nobody, board, nobody, nobody, nobody, nobody, Pace(silence=0.1))
        waits = asyncio.create_task(player._wait(one))
        await asyncio.sleep(0.08)
        board.refresh([], monotonic())
        await waits

        assert (one.progress, board.tally.sent_again) == (0, 1)

    async def test_but_not_while_nobody_can_look(self) -> None:
        one = fulfilment(1, status="released")
        one.sent = 3
        board = Board(None)
        nobody: Any = None

        await nodes.Nodes(nobody, board, nobody, nobody, nobody, nobody, Pace(silence=0.05))._wait(one)

        assert (one.progress, board.tally.sent_again) == (3, 0)
