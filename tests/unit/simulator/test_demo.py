"""Whole runs of the simulator, over HTTP messages, against an API of its own."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from simulator import carriers, chance, customers, nodes
from simulator.demo import run
from tests.unit.simulator.fakes import FakeApi, cancellation, config, order, write_sample


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

    async def test_a_cancellation_before_hand_over_cancels_and_one_after_it_returns(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(customers, "ASKS", 0.0)
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

    async def test_nodes_answer_for_what_they_have_picked(self, tmp_path: Path) -> None:
        """Most of it they let go; what they do not is delivered, and sent back."""
        fake, sold = FakeApi(), [order(number) for number in range(1, 41)]
        cancelled = [cancellation(each, timedelta(hours=6), 2) for each in sold]
        summary = await run(config(write_sample(tmp_path, sold, cancelled)), transport=httpx.ASGITransport(fake))

        assert summary.all_final, summary.unfinished
        granted, refused = summary.tally["requests_granted"], summary.tally["requests_refused"]
        assert granted > refused > 0
        assert (fake.calls["grant"], fake.calls["refuse"]) == (granted, refused)
        assert "asked" not in {each["status"] for each in fake.requests.values()}
        assert (summary.delivered, summary.tally["returns"], summary.tally["refunds"]) == (refused, refused, refused)
        assert not summary.tally["refusals"]

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
        assert summary.cancelled == tally["sent_back"] == tally["refunds"] > 0
        assert {back["status"] for back in fake.returns.values()} == {"refunded"}

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
