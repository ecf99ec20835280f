"""A replay for people: a batch and its summary, then orders at a pace, some of them in trouble from the start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from simulator.cases import OPENING, Case, choose_cases
from simulator.clock import NIGHT, Clock
from simulator.config import BATCH, Config
from simulator.guide import has_come_about
from simulator.live import run_live
from simulator.sample import Sample
from tests.unit.simulator.fakes import PLACED, FakeApi, Json, config, order, write_sample

UI = "http://ui/namespaces/default"


class TestCases:
    def test_the_smallest_order_waits_and_nobody_who_collects_or_cancels_is_led_into_trouble(self) -> None:
        requests = [order(number) for number in range(12)]
        requests[0]["lines"] = [requests[0]["lines"][0] | {"line_id": "2"}, *requests[0]["lines"]]
        requests[1]["pickup_node"] = "store"
        requests[3]["lines"] = [requests[3]["lines"][0] | {"quantity": 1}]

        chosen = choose_cases(requests, ["536002"])

        assert chosen["536004"] is Case.WAITING
        assert set(chosen) == {"536000", "536004", "536005", "536006", "536007", "536008"}
        assert sorted(chosen.values()) == sorted(Case), "each case once"

    def test_there_are_fewer_cases_where_there_are_fewer_orders(self) -> None:
        assert choose_cases([], []) == {}
        assert list(choose_cases([order(1), order(2)], []).values()) == [Case.WAITING, Case.IN_WORK]

    @pytest.mark.parametrize("batch", [10, 60, BATCH, 1000, 2000])
    def test_the_sample_has_an_order_for_each_and_leaves_the_goods_of_the_readme_alone(self, batch: int) -> None:
        sample = Sample(Config().sample)
        requests = list(sample.orders(batch + OPENING, timedelta(0), ""))[batch:]

        chosen = choose_cases(requests, [number for _, number in sample.cancellations(timedelta(0), "")])

        assert sorted(chosen.values()) == sorted(Case)
        (waits,) = [request for request in requests if chosen.get(request["external_id"]) is Case.WAITING]
        assert "85123A" not in {line["sku"] for line in waits["lines"]}


class TestClock:
    async def test_a_night_passes_faster_for_everybody(self) -> None:
        clock = Clock(speed=3600)
        loop = asyncio.get_running_loop()
        await clock.until(PLACED)
        began = loop.time()

        parcel = asyncio.create_task(clock.until(PLACED + timedelta(hours=19)))
        await clock.until_next_order(PLACED + timedelta(hours=20))
        assert parcel.done()
        assert 20 / NIGHT - 0.05 <= loop.time() - began < 2.0

        assert clock.now is not None
        middle, left = loop.time(), PLACED + timedelta(hours=20, minutes=30) - clock.now
        await clock.until_next_order(PLACED + timedelta(hours=20, minutes=30))
        assert loop.time() - middle >= left.total_seconds() / 3600 - 0.05, "and the day at its own pace again"
        assert clock.now >= PLACED + timedelta(hours=20, minutes=30)
        assert clock.sleepers == 0


class TestHasComeAbout:
    def test_an_order_that_is_over_is_nothing_to_look_at(self) -> None:
        ended = {"status": "delivered", "lines": [{"backordered": 1}], "fulfilments": [{"status": "picked"}]}
        assert not any(has_come_about(case, ended, [{"kind": "fulfilment_lost", "data": {}}]) for case in Case)


class LiveApi(FakeApi):
    """Also answers what a replay for people asks for: stock by node, and timelines."""

    def read(self, parts: list[str], query: httpx.QueryParams) -> tuple[int, Json]:
        match parts:
            case ["availability"]:
                node = {"node_id": "dc-one", "on_hand": 40, "reserved": 3, "reserved_soft": 2}
                return 200, {"items": [{"sku": sku, "nodes": [node]} for sku in query.get_list("sku")]}
            case ["orders", order_id, "timeline"]:
                return 200, {"order_id": order_id, "events": self.told.get(order_id, [])}
            case ["exceptions"]:
                return 404, {}
        return super().read(parts, query)

    def __init__(self, stock: dict[str, int] | None = None) -> None:
        super().__init__(stock)
        self.told: dict[str, list[Json]] = {}
        self.moved: list[Json] = []

    def order(self, order_id: str) -> Json:
        parts = [
            {"node_id": f["node_id"], "status": f["status"], "cost": 700}
            for f in self.fulfilments.values()
            if f["order_id"] == order_id
        ]
        return {**super().order(order_id), "fulfilments": parts, "exceptions": []}

    def adjust(self, item: Json) -> Json:
        self.moved.append(item)
        if "to" in item:
            self.noted(item)
            self.stock[item["sku"]] = 0
            return {"status": "applied"}
        return super().adjust(item)

    def step(self, fulfilment: Json, step: str, body: Json) -> tuple[int, Json]:
        status, answer = super().step(fulfilment, step, body)
        if status < 300 and (step == "reject" or body.get("lines")):
            data = {"missing": {"1": 1}} if step == "pick" else {}
            kind = "fulfilment_rejected" if step == "reject" else "fulfilment_picked"
            self.told.setdefault(fulfilment["order_id"], []).append({"kind": kind, "data": data})
        return status, answer

    def scan(self, event: Json) -> Json:
        fulfilment = next(f for f in self.fulfilments.values() if f["tracking_number"] == event["tracking_number"])
        if fulfilment["status"] == "lost" or event["kind"] == "lost":
            kind = "fulfilment_lost" if event["kind"] == "lost" else "return_requested"
            self.told.setdefault(fulfilment["order_id"], []).append({"kind": kind, "data": {}})
        return super().scan(event)


@asynccontextmanager
async def replayed(fake: LiveApi, sample: Path, batch: int, console: Console, **more: Any) -> AsyncIterator[None]:
    """A replay that is stopped at the end of the block, as Ctrl-C does it."""
    transport = httpx.ASGITransport(fake)
    wanted = config(sample, orders=batch, **more)
    task = asyncio.create_task(run_live(wanted, temporal_ui=UI, transport=transport, console=console))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_said(console: StringIO, what: str) -> str:
    for _ in range(300):
        if what in console.getvalue():
            return console.getvalue()
        await asyncio.sleep(0.1)
    raise AssertionError(f"{what!r} is not in {console.getvalue()}")


class TestLive:
    async def test_it_goes_on_after_its_summary_with_orders_that_are_open_waiting_and_in_trouble(
        self, tmp_path: Path
    ) -> None:
        fake, said = LiveApi(), StringIO()
        sample = write_sample(tmp_path, [order(number, sku=f"S{number}", quantity=4) for number in range(30)])

        async with replayed(fake, sample, 5, Console(file=said, width=80)):
            text = await until_said(said, "what waits")

        assert "Every one of the 5 orders reached a final state." in text
        assert len(fake.orders) == 5 + OPENING, "the others come at their time"
        stories = [line for line in text.splitlines() if line.startswith(("web-", "social-"))]
        assert len(stories) == len(Case)
        waits = stories[0].split()[0]
        assert "waits for stock" in stories[0]
        assert fake.order(waits)["status"] == "backordered"
        assert [(item["to"], item["quantity"]) for item in fake.moved if "to" in item] == [("quarantine", 35)]
        for story in stories:
            order_id = story.split()[0]
            assert f"  {UI}/workflows/order-{order_id}" in text.splitlines()
            assert fake.order(order_id)["status"] not in {"delivered", "cancelled"}
        assert f"curl -s 'http://fake/v1/orders/{waits}'" in text
        assert "curl -s 'http://fake/v1/orders?waiting=true'" in text
        assert max(fake.times) <= datetime.now(UTC)

    async def test_what_it_names_is_asked_with_the_key_of_the_operator(self, tmp_path: Path) -> None:
        """In a browser, which sends none, these addresses are 401."""
        fake, said = LiveApi(), StringIO()
        sample = write_sample(tmp_path, [order(number, sku=f"S{number}", quantity=4) for number in range(30)])
        keys = tmp_path / "my keys"
        async with replayed(fake, sample, 5, Console(file=said, width=80), keys=keys):
            text = await until_said(said, "what waits")
        asked = f"curl -s -H \"X-API-Key: $(cat '{keys}/operator')\" 'http://fake/v1/orders?waiting=true'"
        assert asked in text

    async def test_a_second_start_ends_what_the_first_began_and_goes_on_behind_it(self, tmp_path: Path) -> None:
        fake, said = LiveApi(), StringIO()
        sample = write_sample(tmp_path, [order(number, sku=f"S{number}", quantity=4) for number in range(40)])
        async with replayed(fake, sample, 5, Console(quiet=True)):
            while len(fake.orders) < 5 + OPENING:
                await asyncio.sleep(0.05)
        fake.stock.clear()
        async with replayed(fake, sample, 5, Console(file=said, width=80)):
            text = await until_said(said, "what waits")

        known = 5 + OPENING
        assert f"Every one of the {known} orders reached a final state." in text
        assert f"{known} known from an earlier run" in text
        assert fake.calls["captured"] == len(fake.orders) == known + OPENING

    async def test_it_ends_when_the_sample_does(self, tmp_path: Path) -> None:
        fake, said = LiveApi(), StringIO()
        sample = write_sample(tmp_path, [order(number) for number in range(3)])

        transport = httpx.ASGITransport(fake)
        await run_live(config(sample, orders=5), transport=transport, console=Console(file=said, width=80))

        assert "Every one of the 3 orders" in said.getvalue()
        assert said.getvalue().endswith("Every order of the sample has been replayed. The system keeps serving.\n")

    async def test_an_api_that_is_away_is_said_in_words(self, tmp_path: Path) -> None:
        fake, said = LiveApi(), StringIO()
        fake.fails = lambda _: "before"
        sample = write_sample(tmp_path, [order(number) for number in range(3)])

        wanted = config(sample, patience=0.3)
        await run_live(wanted, transport=httpx.ASGITransport(fake), console=Console(file=said, width=80))

        assert said.getvalue().startswith("The replay cannot begin: GET /orders/")
