"""Who gets what came in: what holds for every queue, tried on queues nobody thought of."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from dom.stock.allocation import PATIENCE, Allocation, Balance, Grant, Limit, WaitingOrder

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NODES = ("n1", "n2", "n3")
SKUS = ("A", "B")
LONG_AGO = NOW - PATIENCE - timedelta(hours=1)
many = settings(deadline=None, max_examples=150)


def order(order_id: str, /, *, age: int = 0, **changes: object) -> WaitingOrder:
    """An order of a minute so many minutes ago; `A=2` is what it waits for."""
    wanted = {name: units for name, units in changes.items() if name in SKUS}
    fields = {name: value for name, value in changes.items() if name not in SKUS}
    placed_at = NOW - timedelta(minutes=age)
    return WaitingOrder(
        **({"channel": "web", "priority": 100, "since": placed_at, "wanted": wanted} | fields),  # type: ignore[arg-type]
        order_id=order_id,
        placed_at=placed_at,
    )


def allocate(
    queue: Iterable[WaitingOrder],
    free: Mapping[Balance, int],
    limits: Mapping[tuple[str, Balance], Limit],
    now: datetime,
) -> list[Grant]:
    """What every order of the queue has after the run, in the order of their places."""
    run = Allocation(free, limits, now)
    orders = sorted(queue, key=attrgetter("place"))
    for each in orders:
        run.put_back(each)
    return [run.serve(each) for each in orders]


def had(grants: Sequence[Grant]) -> dict[str, dict[Balance, int]]:
    return {grant.order_id: dict(grant.units) for grant in grants if grant.units}


def ready(grants: Sequence[Grant]) -> set[str]:
    return {grant.order_id for grant in grants if grant.ready}


class TestInTheirPlaces:
    def test_priority_comes_before_age_and_age_before_the_id(self) -> None:
        queue = [order("c", age=1, A=1), order("b", age=1, A=1), order("a", age=9, A=1), order("z", priority=5, A=1)]
        for free, served in ((1, {"z"}), (2, {"z", "a"}), (3, {"z", "a", "b"})):
            assert ready(allocate(queue, {("n1", "A"): free}, {}, NOW)) == served

    def test_an_order_takes_what_there_is_and_the_next_one_the_rest(self) -> None:
        queue = [order("old", age=9, A=5), order("young", A=5)]
        assert had(allocate(queue, {("n1", "A"): 3, ("n2", "A"): 4}, {}, NOW)) == {
            "old": {("n2", "A"): 4, ("n1", "A"): 1},
            "young": {("n1", "A"): 2},
        }

    def test_an_order_is_served_from_few_nodes(self) -> None:
        free = {("n1", "A"): 2, ("n2", "A"): 1, ("n2", "B"): 3, ("n3", "B"): 2}
        assert had(allocate([order("o", A=1, B=3)], free, {}, NOW)) == {"o": {("n2", "A"): 1, ("n2", "B"): 3}}

    def test_an_order_takes_only_where_it_may(self) -> None:
        free = {("n1", "A"): 1, ("n2", "A"): 1, ("n3", "A"): 1}
        assert had(allocate([order("o", A=3, pickup_node="n2")], free, {}, NOW)) == {"o": {("n2", "A"): 1}}
        elsewhere = order("o", A=3, excluded_nodes=frozenset({"n1"}), declined=frozenset({("n2", "A")}))
        assert had(allocate([elsewhere], free, {}, NOW)) == {"o": {("n3", "A"): 1}}

    def test_what_it_has_already_counts(self) -> None:
        grants = allocate([order("o", A=3, allocated={("n1", "A"): 2})], {("n1", "A"): 5}, {}, NOW)
        assert grants == [Grant("o", {("n1", "A"): 3}, ready=True)]


class TestLimits:
    def test_a_channel_gets_what_it_may_have(self) -> None:
        limits = {("shop", ("n1", "A")): Limit(buffer=2, share=50), ("web", ("n1", "A")): Limit(share=0)}
        queue = [
            order("1", age=3, channel="web", A=9),
            order("2", age=2, channel="shop", A=9),
            order("3", channel="b", A=9),
        ]
        assert had(allocate(queue, {("n1", "A"): 10}, limits, NOW)) == {"2": {("n1", "A"): 4}, "3": {("n1", "A"): 6}}

    def test_its_own_units_are_free_to_it_as_they_are_when_it_plans(self) -> None:
        limits = {("web", ("n1", "A")): Limit(share=50)}
        waiting = order("o", A=9, allocated={("n1", "A"): 5})
        assert had(allocate([waiting], {("n1", "A"): 5}, limits, NOW)) == {"o": {("n1", "A"): 5}}
        assert had(allocate([waiting], {("n1", "A"): 9}, limits, NOW)) == {"o": {("n1", "A"): 7}}


class TestShipComplete:
    def test_takes_everything_or_nothing_and_holds_nobody_up(self) -> None:
        queue = [order("whole", age=9, A=2, B=1, ship_complete=True), order("young", A=2)]
        free = {("n1", "A"): 2}
        assert had(allocate(queue, free, {}, NOW)) == {"young": {("n1", "A"): 2}}
        assert ready(allocate(queue, free | {("n3", "B"): 1}, {}, NOW)) == {"whole"}

    def test_after_its_patience_units_are_set_aside_ahead_of_the_younger(self) -> None:
        whole = order("whole", age=9, A=3, ship_complete=True, since=LONG_AGO)
        queue = [order("older", age=10, A=1), whole, order("young", A=2)]
        grants = allocate(queue, {("n1", "A"): 3}, {}, NOW)
        assert had(grants) == {"older": {("n1", "A"): 1}, "whole": {("n1", "A"): 2}}
        assert ready(grants) == {"older"}

    def test_two_that_hold_what_the_other_lacks_do_not_wait_for_ever(self) -> None:
        first = order("1", age=9, A=1, B=1, ship_complete=True, since=LONG_AGO, allocated={("n1", "A"): 1})
        second = order("2", age=8, A=1, B=1, ship_complete=True, since=LONG_AGO, allocated={("n1", "B"): 1})
        grants = allocate([first, second], {}, {}, NOW)
        assert grants[0] == Grant("1", {("n1", "A"): 1, ("n1", "B"): 1}, ready=True)
        assert not grants[1].units

    def test_one_that_has_everything_keeps_it_from_those_who_come_before_it(self) -> None:
        told = order("told", A=2, ship_complete=True, allocated={("n1", "A"): 2})
        urgent = order("urgent", priority=0, A=2)
        assert had(allocate([told, urgent], {}, {}, NOW)) == {"told": {("n1", "A"): 2}}


@st.composite
def waiting_orders(draw: st.DrawFn, order_id: str) -> WaitingOrder:
    """Any order: little patience, few places, odd rules."""
    wanted = draw(st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1, max_size=2))
    whole = draw(st.booleans())
    aside = draw(
        st.dictionaries(
            st.sampled_from([(node, sku) for node in NODES[:2] for sku in wanted]), st.integers(1, 2), max_size=2
        )
    )
    return WaitingOrder(
        order_id=order_id,
        channel=draw(st.sampled_from(["web", "shop"])),
        priority=draw(st.sampled_from([100, 100, 100, 1])),
        placed_at=NOW - timedelta(minutes=draw(st.integers(0, 3))),
        since=draw(st.sampled_from([NOW, LONG_AGO])),
        wanted=wanted,
        ship_complete=whole,
        pickup_node=draw(st.sampled_from([None, None, None, "n1"])),
        excluded_nodes=frozenset(draw(st.sampled_from([(), (), ("n2",)]))),
        declined=frozenset(draw(st.sampled_from([(), (), (("n1", "A"),)]))),
        allocated=aside,
    )


@st.composite
def queues(draw: st.DrawFn) -> tuple[list[WaitingOrder], dict[Balance, int]]:
    orders = [draw(waiting_orders(f"o{number}")) for number in range(draw(st.integers(1, 5)))]
    balances = [(node, sku) for node in NODES for sku in SKUS]
    return orders, {balance: draw(st.integers(0, 4)) for balance in balances}


def units(grants: Mapping[Balance, int]) -> dict[str, int]:
    by_sku: Counter[str] = Counter()
    for (_, sku), quantity in grants.items():
        by_sku[sku] += quantity
    return dict(by_sku)


def lacks(each: WaitingOrder, has: Mapping[Balance, int]) -> dict[str, int]:
    found = units(has)
    return {sku: quantity - found.get(sku, 0) for sku, quantity in each.wanted.items() if quantity > found.get(sku, 0)}


class TestEveryQueue:
    @many
    @given(queues())
    def test_no_more_than_there_is(self, case: tuple[list[WaitingOrder], dict[Balance, int]]) -> None:
        queue, free = case
        before: Counter[Balance] = Counter(free)
        after: Counter[Balance] = Counter()
        for each in queue:
            before.update(each.allocated)
        for grant in allocate(queue, free, {}, NOW):
            assert all(quantity > 0 for quantity in grant.units.values())
            after.update(grant.units)
        assert all(after[balance] <= before[balance] for balance in after)

    @many
    @given(queues())
    def test_no_unit_that_an_order_before_it_could_have_used(
        self, case: tuple[list[WaitingOrder], dict[Balance, int]]
    ) -> None:
        queue, free = case
        orders = {each.order_id: each for each in queue}
        grants = allocate(queue, free, {}, NOW)
        left = Counter(free)
        for each in queue:
            left.update({} if each.keeps_allocated else each.allocated)
        for grant in grants:
            each = orders[grant.order_id]
            left.subtract(grant.units)
            left.update(each.allocated if each.keeps_allocated else {})
        for place, grant in enumerate(grants):
            each = orders[grant.order_id]
            missing = lacks(each, grant.units)
            gained_behind = Counter(left)
            for later in grants[place + 1 :]:
                behind = orders[later.order_id]
                gained = Counter(later.units)
                gained.subtract(behind.allocated if behind.keeps_allocated else {})
                gained_behind.update(gained)
            usable = {balance: n for balance, n in gained_behind.items() if n > 0 and each.may_use(balance)}
            if each.ship_complete and each.since > NOW - PATIENCE:
                could = all(sum(n for (_, s), n in usable.items() if s == sku) >= n for sku, n in missing.items())
                assert not missing or not could, "all it lacks was there, and went to others or to nobody"
            else:
                assert not any(sku in missing for _, sku in usable), "a unit it lacks went to others or to nobody"
        event(f"{sum(bool(grant.units) for grant in grants)} served")

    @many
    @given(queues())
    def test_what_is_to_be_shipped_complete_is_ready_only_with_everything(
        self, case: tuple[list[WaitingOrder], dict[Balance, int]]
    ) -> None:
        queue, free = case
        orders = {each.order_id: each for each in queue}
        for grant in allocate(queue, free, {}, NOW):
            each = orders[grant.order_id]
            if each.ship_complete and lacks(each, grant.units):
                assert not grant.ready
                assert each.since <= NOW - PATIENCE or not grant.units
            else:
                assert grant.ready is bool(grant.units)

    @many
    @given(queues(), st.randoms())
    def test_the_same_whatever_the_order_of_the_input(
        self, case: tuple[list[WaitingOrder], dict[Balance, int]], random: object
    ) -> None:
        queue, free = case
        shuffled, balances = list(queue), list(free.items())
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        random.shuffle(balances)  # type: ignore[attr-defined]
        assert allocate(queue, free, {}, NOW) == allocate(shuffled, dict(balances), {}, NOW)

    @many
    @given(queues())
    def test_a_second_run_changes_nothing(self, case: tuple[list[WaitingOrder], dict[Balance, int]]) -> None:
        queue, free = case
        grants = allocate(queue, free, {}, NOW)
        left = Counter(free)
        for each in queue:
            left.update(each.allocated)
        for grant in grants:
            left.subtract(grant.units)
        has = {grant.order_id: grant.units for grant in grants}
        again = [replace(each, allocated=dict(has[each.order_id])) for each in queue]
        assert had(allocate(again, +left, {}, NOW)) == had(grants)

    @many
    @given(queues())
    def test_a_run_in_parts_is_the_same_run(self, case: tuple[list[WaitingOrder], dict[Balance, int]]) -> None:
        queue, free = case
        run = Allocation(free, {}, NOW)
        for each in queue:
            run.put_back(each)
        parts = [run.serve(each) for each in sorted(queue, key=lambda each: each.place)]
        assert parts == allocate(queue, free, {}, NOW)


@pytest.mark.parametrize("arriving", [1, 2])
def test_nobody_starves_while_small_deliveries_and_younger_orders_come_without_end(arriving: int) -> None:
    """Every hour a little comes in, and a younger order that could use it; the old one needs more than ever comes."""
    whole = order("whole", A=5, ship_complete=True)
    queue = {"whole": replace(whole, placed_at=NOW, since=NOW)}
    free: Counter[Balance] = Counter()
    for hour in range(24 * 7):
        at = NOW + timedelta(hours=hour)
        free["n1", "A"] += arriving
        young = f"y{hour:03}"
        queue[young] = replace(order(young, A=arriving), placed_at=at, since=at)
        before = {order_id: dict(each.allocated) for order_id, each in queue.items()}
        for grant in allocate(queue.values(), free, {}, at):
            free.subtract(Counter(grant.units))
            free.update(before[grant.order_id])
            queue[grant.order_id] = replace(queue[grant.order_id], allocated=dict(grant.units))
            if grant.ready:
                del queue[grant.order_id]
                if grant.order_id == "whole":
                    assert PATIENCE <= at - NOW <= PATIENCE + timedelta(hours=5)
                    return
    pytest.fail("it still waits after a week")
