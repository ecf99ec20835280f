"""What may be promised on later days, and when what is not released may be sent."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dom.sourcing.models import DemandLine
from dom.stock.atp import (
    ExpectedArrival,
    Later,
    StockProjection,
    allowed,
    dates_of,
    next_release,
    release_moment,
    sendable,
)
from tests.worlds.sourcing import LEEDS, MONDAY_NOON, PARIS, World, decide, node, sku, told, waiting

TODAY = date(2026, 3, 2)


def day(ahead: int) -> date:
    return TODAY + timedelta(days=ahead)


def arrival(ahead: int, units: int, free: int = 0, node_id: str = "n", **rule: int) -> ExpectedArrival:
    return ExpectedArrival(node_id, day(ahead), units, free, **rule)


def line(line_id: str, code: str, quantity: int) -> DemandLine:
    return DemandLine(line_id=line_id, sku=code, quantity=quantity)


BALANCES = st.fixed_dictionaries(
    {"free": st.integers(-20, 50)}, optional={"buffer": st.integers(0, 9), "share": st.integers(0, 100)}
)


class TestLater:
    def test_inbound_adds_up_from_its_days(self) -> None:
        outlook = StockProjection(now=3, stock=3, claimed=0, arrivals=(arrival(2, 10, free=3), arrival(5, 1, free=3)))
        assert outlook.later(TODAY) == (Later(day(2), 13), Later(day(5), 14))
        assert [outlook.on(day(ahead), TODAY) for ahead in (0, 1, 2, 4, 5)] == [3, 3, 13, 13, 14]

    def test_what_orders_wait_for_comes_off_what_arrives_and_not_off_what_is_there(self) -> None:
        outlook = StockProjection(now=3, stock=3, claimed=4, arrivals=(arrival(1, 2, free=3), arrival(2, 5, free=3)))
        assert outlook.later(TODAY) == (Later(day(2), 6),)

    def test_inbound_first_fills_what_is_kept(self) -> None:
        short = StockProjection(now=0, stock=0, claimed=0, arrivals=(arrival(1, 10, free=-4, buffer=2, share=50),))
        assert short.later(TODAY) == (Later(day(1), 2),)
        excluded = StockProjection(now=0, stock=0, claimed=0, arrivals=(arrival(1, 10, share=0),))
        assert excluded.later(TODAY) == ()

    def test_each_node_s_share_is_its_own(self) -> None:
        two = StockProjection(0, 0, 0, (arrival(1, 3, node_id="a", share=50), arrival(1, 3, node_id="b", share=50)))
        assert two.later(TODAY) == (Later(day(1), 2),)
        one = StockProjection(0, 0, 0, (arrival(1, 3, share=50), arrival(2, 3, share=50)))
        assert one.later(TODAY) == (Later(day(1), 1), Later(day(2), 3))

    def test_what_arrived_before_today_counts_for_nothing(self) -> None:
        assert StockProjection(0, 0, 0, (arrival(-1, 5),)).later(TODAY) == ()
        assert StockProjection(0, 0, 0, (arrival(0, 5),)).later(TODAY) == (Later(TODAY, 5),)

    def test_before_its_release_a_sku_has_nothing_and_preorders_have_a_claim_on_its_stock(self) -> None:
        arrivals = (arrival(1, 5), arrival(9, 2))
        outlook = StockProjection(now=0, stock=8, claimed=6, arrivals=arrivals, release_on=day(4))
        assert outlook.later(TODAY) == (Later(day(4), 7), Later(day(9), 9))
        assert outlook.on(day(3), TODAY) == 0

    def test_a_node_has_one_balance_at_a_moment(self) -> None:
        """Two of them made the list of later days and the answer for a day part: 1 against 0."""
        with pytest.raises(ValueError, match="n has two balances"):
            StockProjection(now=0, stock=0, claimed=0, arrivals=(arrival(0, 1, free=0), arrival(1, 1, free=-2)))

    @given(
        now=st.integers(0, 50),
        claimed=st.integers(0, 60),
        due=st.lists(st.tuples(st.integers(-2, 9), st.integers(1, 30), st.sampled_from("nm")), max_size=6),
        balances=st.fixed_dictionaries({"n": BALANCES, "m": BALANCES}),
        release=st.none() | st.integers(-3, 9).map(day),
    )
    @example(now=0, claimed=0, due=[(0, 1, "n"), (1, 1, "n")], balances={"n": {"free": 0}, "m": {}}, release=None)
    @example(now=0, claimed=0, due=[(0, 1, "n"), (1, 1, "n")], balances={"n": {"free": -2}, "m": {}}, release=None)
    @example(now=0, claimed=0, due=[(0, 1, "n"), (1, 1, "m")], balances={"n": {}, "m": {"free": -2}}, release=None)
    def test_it_only_ever_grows_and_never_below_now(
        self,
        now: int,
        claimed: int,
        due: list[tuple[int, int, str]],
        balances: dict[str, dict[str, int]],
        release: date | None,
    ) -> None:
        visible = 0 if release is not None and release > TODAY else now
        arrivals = tuple(arrival(ahead, units, node_id=node, **balances[node]) for ahead, units, node in due)
        outlook = StockProjection(visible, now, claimed, arrivals, release)
        quantities = [visible, *(later.quantity for later in outlook.later(TODAY))]
        assert quantities == sorted(set(quantities))
        assert outlook.on(day(30), TODAY) == quantities[-1]
        assert [outlook.on(later.date, TODAY) for later in outlook.later(TODAY)] == quantities[1:]


class TestAllowed:
    def test_rounds_down_and_never_below_nothing(self) -> None:
        assert [allowed(7, 2, 50), allowed(1, 2, 50), allowed(-3), allowed(9, 0, 0)] == [2, 0, 0, 0]


class TestDates:
    def test_lines_of_a_sku_stand_in_line_for_the_same_units(self) -> None:
        outlooks = {"A": StockProjection(1, 1, 0, (arrival(2, 3, free=1), arrival(6, 3, free=1)))}
        missing = [line("1", "A", 2), line("2", "A", 2), line("3", "A", 5), line("4", "B", 1)]
        assert dates_of(missing, outlooks, TODAY) == {"1": day(2), "2": day(6), "3": None, "4": None}


class TestRelease:
    def test_it_is_the_first_moment_of_the_day_where_the_node_is(self) -> None:
        new, paris = sku("A", release_on=date(2026, 7, 1)), node("paris", PARIS, "FR")
        assert release_moment(new, paris) == datetime(2026, 6, 30, 22, tzinfo=UTC)
        assert release_moment(sku("A"), paris) is None

    def test_only_nodes_where_the_day_has_begun_may_send(self) -> None:
        nodes = (node("tokyo", PARIS, time_zone="Asia/Tokyo"), node("leeds"))
        catalogue = {"A": sku("A", release_on=date(2026, 3, 3)), "B": sku("B")}
        held = {(n.id, code): 5 for n in nodes for code in catalogue}
        assert sendable(held, catalogue, nodes, MONDAY_NOON) == {("tokyo", "B"): 5, ("leeds", "B"): 5}
        evening = MONDAY_NOON.replace(hour=15)
        assert set(sendable(held, catalogue, nodes, evening)) == {("tokyo", "A"), ("tokyo", "B"), ("leeds", "B")}

    def test_the_next_one_is_after_now_and_at_a_node_in_use(self) -> None:
        tokyo, leeds = node("tokyo", PARIS, time_zone="Asia/Tokyo"), node("leeds")
        new = [sku("A", release_on=date(2026, 3, 3)), sku("B")]
        assert next_release(new, (tokyo, leeds), MONDAY_NOON) == datetime(2026, 3, 2, 15, tzinfo=UTC)
        off = tokyo.model_copy(update={"active": False})
        midnight = datetime(2026, 3, 3, tzinfo=UTC)
        assert next_release(new, (off, leeds), MONDAY_NOON) == midnight
        assert next_release(new, (leeds,), midnight) is None
        assert next_release([sku("B")], (leeds,), MONDAY_NOON) is None

    def test_a_decision_says_when_what_waits_is_released(self) -> None:
        new = {"A": sku("A", release_on=date(2026, 3, 9)), "B": sku("B")}
        world = World(skus=new).node("leeds", LEEDS, B=1)
        decision = decide(world, world.demand(A=2, B=1))
        assert waiting(decision) == {"A": 2}
        assert decision.next_release == datetime(2026, 3, 9, tzinfo=UTC)
        assert told(decision, "released", "Monday 9 March")
        assert decide(world, world.demand(B=1)).next_release is None
