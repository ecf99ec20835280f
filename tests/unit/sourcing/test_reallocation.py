"""The choice of re-allocations: no giver's promise is broken, units are conserved, nobody is served later, and nothing
that could be chosen gains more.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dom.sourcing.models import Demand, Snapshot
from dom.sourcing.reallocation import Claim, DueGoods, Endangered, Forecast, Giver, Reallocation, choose, pairs
from dom.sourcing.reallocation.choice import days_late
from tests.worlds.sourcing import LEEDS, LONDON, MONDAY, MONDAY_NOON, YORK, World

NODES = ("n1", "n2", "n3")
WEIGHTS = {"vip": 5.0, "trade": 2.0}
WORLD = (
    World()
    .node("n1", LEEDS, A=0)
    .node("n2", LONDON, A=0)
    .node("n3", YORK, A=0)
    .under(
        lateness_per_day=400,
        distance_per_100_km=4,
        reallocation={"enabled": True, "classes": WEIGHTS, "margin_days": 1, "minimum_gain": 100},
    )
)


@dataclass(frozen=True)
class Day:
    """A day with scarce stock of A."""

    takers: tuple[Endangered, ...]
    givers: tuple[Giver, ...]
    forecast: Forecast
    world: Snapshot

    @property
    def found(self) -> list[Reallocation]:
        return pairs(self.takers, self.givers, {"A": self.forecast}, {"web": self.world}, WORLD.policy, 1)

    def choice(self, found: Sequence[Reallocation]) -> tuple[Reallocation, ...]:
        return choose(found, {"A": self.forecast}, {"web": self.world})


def demand(order_id: str, units: int, customer_class: str, days: int | None = None) -> Demand:
    by = None if days is None else MONDAY_NOON + timedelta(days=days, hours=9)
    asked = {"order_id": order_id, "customer_class": customer_class, "deliver_by": by}
    return WORLD.demand(A=units, **asked)


@st.composite
def days(draw: st.DrawFn, most: int = 3) -> Day:
    classes, dearer = st.sampled_from(["", "", "trade", "vip"]), st.sampled_from(["vip", "vip", "trade", ""])
    units = st.integers(1, 3)
    takers = tuple(
        Endangered(
            demand(f"web-t{n}", draw(units), draw(dearer)), "A", MONDAY_NOON + timedelta(days=draw(st.integers(1, 5)))
        )
        for n in range(draw(st.integers(1, most)))
    )
    givers = tuple(
        Giver(
            demand(f"web-g{n}", draw(units), draw(classes), draw(st.integers(3, 14))),
            f"web-g{n}-F1",
            draw(st.sampled_from(NODES)),
            draw(st.integers(0, 3)) > 0,
        )
        for n in range(draw(st.integers(1, most)))
    )
    due = st.builds(
        DueGoods, st.integers(0, 6).map(lambda n: MONDAY + timedelta(days=n)), st.sampled_from(NODES), units
    )
    arrivals = sorted(draw(st.lists(due, min_size=1, max_size=4)), key=lambda each: each.day)
    waiting = [Claim(each.order_id, each.units) for each in takers]
    others = draw(st.lists(units, max_size=2))
    line = draw(st.permutations([*waiting, *(Claim(f"web-o{n}", count) for n, count in enumerate(others))]))
    first = [Claim("web-first", draw(units), first=True)] if draw(st.booleans()) else []
    free = {(node, "A"): draw(st.integers(0, 2)) for node in NODES}
    world = WORLD.snapshot().model_copy(update={"available": {key: n for key, n in free.items() if n}})
    return Day(takers, givers, Forecast(tuple(arrivals), (*first, *line)), world)


def served(arrivals: Sequence[DueGoods], line: Sequence[Claim]) -> dict[str, list[date]]:
    """The day of each unit, played through: goods come, and go to whoever stands first."""
    came: list[date] = [each.day for each in sorted(arrivals, key=lambda each: each.day) for _ in range(each.units)]
    found: dict[str, list[date]] = {}
    for claim in line:
        for _ in range(claim.units):
            found.setdefault(claim.order_id, []).append(came.pop(0) if came else date.max)
    return found


def harms(day: Day, chosen: Sequence[Reallocation]) -> Iterator[str]:
    """What a choice breaks, found without any of its own arithmetic."""
    gives = [giving for each in chosen for giving in each.gives]
    if max(Counter(order_id for each in chosen for order_id in each.order_ids).values(), default=0) > 1:
        yield "an order twice"
    free = Counter[str]()
    for giving in gives:
        for shipment in giving.decision.shipments if giving.due_on is None else ():
            free[shipment.node_id] += sum(line.quantity for line in shipment.lines)
    if any(units > day.world.available.get((node, "A"), 0) for node, units in free.items()):
        yield "more than is free"
    waits = [(giving, giving.due_on) for giving in gives if giving.due_on is not None]
    promised = sum([claim.units for claim in day.forecast.line if claim.first])
    for giving, due in waits:
        node = giving.new_node
        come = sum([each.units for each in day.forecast.arrivals if each.node_id == node and each.day <= due])
        want = sum([other.units for other, on in waits if other.new_node == node and on <= due])
        if want + promised > come:
            yield "more than comes to the node"
    takers = {each.taker.order_id for each in chosen}
    first = [claim for claim in day.forecast.line if claim.first]
    rest = [claim for claim in day.forecast.line if not claim.first and claim.order_id not in takers]
    before = served(day.forecast.arrivals, day.forecast.line)
    after = served(
        day.forecast.arrivals, [*first, *(Claim(each.giver.order_id, each.units) for each, _ in waits), *rest]
    )
    if any(
        late > soon for claim in rest for soon, late in zip(before[claim.order_id], after[claim.order_id], strict=True)
    ):
        yield "somebody who waits is served later"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days())
def test_no_promise_is_broken_and_units_are_conserved(day: Day) -> None:
    chosen = day.choice(day.found)
    assert not list(harms(day, chosen))
    for each in chosen:
        weight = WORLD.policy.reallocation.weight
        assert sum(giving.units for giving in each.gives) == each.taker.units
        assert sum(line.quantity for s in each.decision.shipments for line in s.lines) == each.taker.units
        assert {s.node_id for s in each.decision.shipments} == {each.node_id}
        assert each.gain >= 100
        assert (
            days_late(each.decision.shipments[0].promise.latest - each.taker.due) == each.late_after < each.late_before
        )
        for giving in each.gives:
            assert giving.promise <= giving.giver.told
            assert giving.units <= giving.giver.units("A")
            assert giving.giver.node_id == each.node_id
            assert weight(giving.giver.demand.customer_class) < weight(each.taker.demand.customer_class)
            assert sum(line.quantity for s in giving.decision.shipments for line in s.lines) == giving.units
            if giving.due_on is not None:
                assert giving.giver.may_wait
                assert giving.decision.shipments[0].ship_day >= giving.due_on + timedelta(days=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days())
def test_nothing_that_can_be_chosen_gains_more(day: Day) -> None:
    found = day.found[:10]
    gains = sum(each.gain for each in day.choice(found))
    best = max(
        sum(each.gain for each in some)
        for count in range(len(day.takers) + 1)
        for some in combinations(found, count)
        if not list(harms(day, some))
    )
    assert gains == best


def scarce(told: int, *, may_wait: bool = True, customer_class: str = "", arrivals: int = 2) -> Day:
    """A vip wants 2 by Wednesday; another order has them at n1, and 2 come there on Thursday."""
    taker = Endangered(demand("web-t", 2, "vip"), "A", MONDAY_NOON + timedelta(days=2, hours=9))
    giver = Giver(demand("web-g", 2, customer_class, told), "web-g-F1", "n1", may_wait)
    forecast = Forecast((DueGoods(MONDAY + timedelta(days=3), "n1", arrivals),), (Claim("web-t", 2),))
    return Day((taker,), (giver,), forecast, WORLD.snapshot())


def test_who_can_wait_gives() -> None:
    (one,) = scarce(9).choice(scarce(9).found)
    (giving,) = one.gives
    # Due on Thursday and counted on Friday, it leaves on Friday and takes two working days.
    assert (giving.due_on, giving.counted_on) == (date(2026, 3, 5), date(2026, 3, 6))
    assert giving.promise.date() == date(2026, 3, 10)
    # Without it the vip's leaves on Thursday and arrives on Monday, five days late at 400, five times.
    assert (one.late_before, one.late_after, one.avoided, one.gain) == (5, 0, 10_000, 10_000)


@pytest.mark.parametrize(
    "day",
    [
        scarce(6),
        scarce(9, may_wait=False),
        scarce(9, customer_class="vip"),
        scarce(9, arrivals=1),
    ],
    ids=["too late for its promise", "may not wait", "as dear", "not enough comes"],
)
def test_who_cannot_wait_keeps_his_units(day: Day) -> None:
    assert not day.choice(day.found)


def test_two_give_where_one_has_not_enough() -> None:
    day = scarce(9)
    halves = tuple(Giver(demand(f"web-g{n}", 1, "", 9), f"web-g{n}-F1", "n1") for n in (1, 2))
    (one,) = Day(day.takers, halves, day.forecast, day.world).choice(
        Day(day.takers, halves, day.forecast, day.world).found
    )
    assert sorted(giving.giver.order_id for giving in one.gives) == ["web-g1", "web-g2"]
