"""The parts of the simulator: time, chance, journeys, sums, patience."""

import asyncio
from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from simulator import carriers, chance, nodes
from simulator.api import Api, ApiUnreachable, Calls
from simulator.board import Board, BoardOrder, Fulfilment
from simulator.clock import Clock, stamp
from simulator.config import Config, Pace
from simulator.sample import MARGIN, Cancellation, Sample, whole_weeks
from simulator.summary import days_taken, percentile, promises_kept, split_share, summarise
from tests.unit.simulator.fakes import PLACED, FakeApi, Json, cancellation, order, write_sample


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
    def order(number: int) -> BoardOrder:
        return BoardOrder(
            f"web-{number}", "web", PLACED, "GB", "", {"1": 2}, deque(), promised=PLACED + timedelta(days=3)
        )


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
            with pytest.raises(ApiUnreachable, match="503"):
                await Api(client, patience=0.3).get("order", "/orders/web-1")

    async def test_business_time_passes_at_its_speed(self) -> None:
        clock = Clock(speed=36_000)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await clock.until(PLACED)
        await clock.until(PLACED + timedelta(hours=3))

        assert 0.29 <= loop.time() - began < 1.0


class TestSilence:
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

    @pytest.mark.parametrize("later", range(3))
    async def test_one_who_is_cancelled_as_news_come_does_not_go_on(self, later: int) -> None:
        one = fulfilment(1, status="released")
        nobody: Any = None
        waits = asyncio.create_task(nodes.Nodes(nobody, Board(None), nobody, nobody, nobody, nobody, Pace())._wait(one))
        await asyncio.sleep(0.01)
        one.news.set()
        for _ in range(later):
            await asyncio.sleep(0)
        had_ended = not waits.cancel()
        await asyncio.wait([waits])
        assert waits.cancelled() or had_ended
