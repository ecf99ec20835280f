"""The solver against one that tries everything, against a mixed-integer program, and by the stories it must tell."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from dom.sourcing.costs import CostTally, Load, Offer
from dom.sourcing.solver import milp, search
from dom.sourcing.solver.dominance import useful
from dom.sourcing.solver.fares import Fares
from dom.sourcing.solver.problem import (
    Item,
    SolverPlan,
    SolverProblem,
    Source,
    alone,
    has_minimums,
    is_large_enough,
    source,
)
from tests.unit.sourcing.solver.problems import LIMITS, best_of_everything, offer, offers, problems

FLAT = (offer((300, 300, 300, 300, 300)),)
"""One price up to 6 kg; two parcels cost twice that."""
ALWAYS = 30.0
"""Seconds nobody needs."""


def rank(plan: SolverPlan | None) -> tuple[int, int] | None:
    return None if plan is None else (plan.short, plan.cost)


def problem_of(items: dict[str, int], nodes: Mapping[str, Mapping[str, Any]], **changes: Any) -> SolverProblem:
    """Items by units wanted (of 1 kg and a value of 1,000), nodes by stock; a lower-case name in a node changes it."""
    wanted = tuple(Item(sku, units, 1_000, 1_000, 1_000) for sku, units in items.items())
    sources = []
    for name, given_ in sorted(nodes.items()):
        plain: dict[str, Any] = {"fixed": 0, "each": 0, "offers": FLAT}
        own = plain | {key: value for key, value in given_.items() if key.islower()}
        fixed, each, carriers = own.pop("fixed"), own.pop("each"), own.pop("offers")
        stock = [given_.get(sku, 0) for sku in items]
        sources.append(source(name, stock, CostTally(fixed, carriers), wanted, unit_costs=(each,) * len(wanted), **own))
    limits: dict[str, Any] = {"maximum_shipments": 3, "split_penalty": 0, "units": sum(items.values())}
    return SolverProblem(items=wanted, sources=tuple(sources), **(limits | changes))


def answer(problem: SolverProblem) -> dict[str, dict[str, int]]:
    """Units by SKU by node of the best plan."""
    best = search.search(problem).best
    if best is None:
        return {}
    return {
        node: {item.sku: units for item, units in zip(problem.items, share.units, strict=True) if units}
        for node, share in zip(best.node_ids, best.shares, strict=True)
    }


class TestAgainstTryingEverything:
    @settings(deadline=None, max_examples=300)
    @given(problem=problems())
    def test_the_plan_is_the_best_there_is(self, problem: SolverProblem) -> None:
        found, best = search.search(problem), best_of_everything(problem)
        event(f"{best.shipments if best else 0} shipments, minimums {has_minimums(problem)}")
        assert found.exact
        assert rank(found.best) == rank(best)

    @settings(deadline=None, max_examples=200)
    @given(problem=problems(plain=True))
    def test_down_to_the_last_tie_break(self, problem: SolverProblem) -> None:
        found, best = search.search(problem), best_of_everything(problem)
        assert found.exact
        assert (found.best[:5] if found.best else None) == (best[:5] if best else None)

    @settings(deadline=None, max_examples=200)
    @given(problem=problems())
    def test_the_program_says_the_same(self, problem: SolverProblem) -> None:
        plan, proven = milp.solve_exactly(problem, ALWAYS)
        assert proven
        assert rank(plan) == rank(best_of_everything(problem))


class TestAgainstTheProgram:
    @settings(deadline=None, max_examples=60)
    @given(problem=problems(most_nodes=12, most_items=6))
    def test_search_and_program_agree_where_nobody_can_try_everything(self, problem: SolverProblem) -> None:
        found = search.search(problem)
        plan, proven = milp.solve_exactly(problem, ALWAYS)
        assert proven
        if found.exact:
            assert rank(found.best) == rank(plan)
        elif found.best and plan and found.best.short == plan.short:
            assert plan.cost <= found.best.cost
            assert found.best.cost * (1 - found.gap) <= plan.cost + 1e-6

    @settings(deadline=None, max_examples=60)
    @given(carriers=offers(), grams=st.integers(0, 40_000), mm3=st.integers(0, 60_000_000))
    def test_its_steps_cost_what_the_carriers_ask(self, carriers: tuple[Offer, ...], grams: int, mm3: int) -> None:
        steps = milp.steps_of(carriers, Load(1, 40_000, 60_000_000))
        fitting = min(step.price for step in steps if step.grams >= grams and step.mm3 >= mm3)
        assert fitting == CostTally(0, carriers).freight(grams, mm3)

    def test_a_plan_known_already_is_not_looked_for_again(self) -> None:
        problem = problem_of({"A": 1, "B": 1}, {"a": {"A": 1}, "b": {"B": 1}, "c": {"A": 1, "B": 1, "fixed": 400}})
        known = search.search(problem).best
        assert milp.solve_exactly(problem, ALWAYS, known) == (known, True)


class TestEveryPlan:
    @settings(deadline=None, max_examples=100)
    @given(problem=problems(most_nodes=9, most_items=6))
    def test_keeps_the_rules(self, problem: SolverProblem) -> None:
        best = search.search(problem).best
        if best is None:
            return
        assert len(best.shares) <= problem.maximum_shipments
        assert is_large_enough(problem, best)
        sources = [problem.sources[share.source] for share in best.shares]
        assert not any(each.alone_only for each in sources) or (len(sources) == 1 and best.short == 0)
        for index, item in enumerate(problem.items):
            units = [share.units[index] for share in best.shares]
            held = [each.stock[index] for each in sources]
            assert sum(units) == min(item.units, sum(held))
            if max(held) >= item.units:
                assert sorted(units)[:-1] == [0] * (len(units) - 1)
            else:
                assert sum(0 < given_ < has for given_, has in zip(units, held, strict=True)) <= 1

    @settings(deadline=None, max_examples=100)
    @given(problem=problems(most_nodes=9, most_items=5))
    def test_is_no_worse_than_a_source_alone(self, problem: SolverProblem) -> None:
        best = search.search(problem).best
        for place, each in enumerate(problem.sources):
            single = alone(problem, place)
            if any(each.stock) and is_large_enough(problem, single) and not (each.alone_only and single.short):
                assert best is not None
                assert best <= single

    def test_a_source_alone_costs_the_same_wherever_it_is_asked(self) -> None:
        problem = problem_of({"A": 2, "B": 1}, {"a": {"A": 1, "each": 7, "fixed": 20}, "b": {"A": 2, "B": 1}})
        assert search.search(problem).alone == tuple(alone(problem, place) for place in range(2))


class TestUnitCosts:
    def test_each_unit_counts(self) -> None:
        problem = problem_of({"A": 3}, {"a": {"A": 3, "each": 10}, "b": {"A": 3, "fixed": 29}})
        assert answer(problem) == {"b": {"A": 3}}

    def test_a_mark_down_spared_can_pay_for_another_shipment(self) -> None:
        nodes = {"a": {"A": 1, "B": 1}, "b": {"B": 1, "each": -301}}
        assert answer(problem_of({"A": 1, "B": 1}, nodes)) == {"a": {"A": 1}, "b": {"B": 1}}
        assert answer(problem_of({"A": 1, "B": 1}, nodes, split_penalty=2)) == {"a": {"A": 1, "B": 1}}

    def test_a_group_counts_by_its_pieces(self) -> None:
        items = (Item("group", 1, 100, 100, pieces=3), Item("single", 2, 100, 100))
        sources = (
            source("a", (1, 0), CostTally(0, FLAT), items),
            source("b", (0, 2), CostTally(0, FLAT), items),
        )
        found = search.search(SolverProblem(items, sources, 1, 0, 5))
        assert found.best is not None
        assert (found.best.node_ids, found.best.short) == (("a",), 2)


class TestTieBreaks:
    def test_come_before_the_nodes_ids(self) -> None:
        problem = problem_of({"A": 1}, {"a": {"A": 1, "ties": (1, 9)}, "b": {"A": 1, "ties": (1, 3)}})
        assert answer(problem) == {"b": {"A": 1}}

    def test_come_after_the_cost(self) -> None:
        problem = problem_of({"A": 1}, {"a": {"A": 1, "ties": (1, 9)}, "b": {"A": 1, "ties": (1, 3), "fixed": 1}})
        assert answer(problem) == {"a": {"A": 1}}

    def test_are_compared_in_their_order(self) -> None:
        nodes = {"a": {"A": 1, "ties": (2, 0)}, "b": {"A": 1, "ties": (1, 9)}, "c": {"A": 1, "ties": (1, 8)}}
        assert answer(problem_of({"A": 1}, nodes)) == {"c": {"A": 1}}

    def test_add_up_over_the_shipments(self) -> None:
        nodes = {"a": {"A": 1, "ties": (5,)}, "b": {"B": 1, "ties": (5,)}, "c": {"B": 1, "ties": (4,)}}
        found = search.search(problem_of({"A": 1, "B": 1}, nodes))
        assert found.best is not None
        assert (found.best.node_ids, found.best.ties) == (("a", "c"), (9,))

    def test_without_any_fewer_shipments_are_better(self) -> None:
        free: tuple[Offer, ...] = ()
        nodes = {"a": {"A": 1, "offers": free}, "b": {"B": 1, "offers": free}, "c": {"A": 1, "B": 1, "offers": free}}
        assert answer(problem_of({"A": 1, "B": 1}, nodes)) == {"c": {"A": 1, "B": 1}}


class TestMinimums:
    def test_a_shipment_worth_too_little_is_not_made(self) -> None:
        nodes = {"a": {"A": 1, "minimum_value": 1_500}, "b": {"A": 1, "fixed": 900}}
        assert answer(problem_of({"A": 1}, nodes)) == {"b": {"A": 1}}
        assert answer(problem_of({"A": 2}, {"a": {"A": 2, "minimum_value": 1_500}})) == {"a": {"A": 2}}

    def test_a_plan_that_fills_less_is_right_where_the_fuller_one_would_have_a_small_shipment(self) -> None:
        nodes = {"a": {"A": 2}, "b": {"B": 1}}
        assert answer(problem_of({"A": 2, "B": 1}, nodes, minimum_units=2)) == {"a": {"A": 2}}
        assert answer(problem_of({"A": 2, "B": 1}, nodes, minimum_value=1_001)) == {"a": {"A": 2}}
        assert answer(problem_of({"A": 2, "B": 1}, nodes, minimum_value=1_000)) == {"a": {"A": 2}, "b": {"B": 1}}

    def test_they_are_for_orders_that_are_parted(self) -> None:
        assert answer(problem_of({"A": 1}, {"a": {"A": 1}}, minimum_units=5, minimum_value=9_000)) == {"a": {"A": 1}}

    def test_goods_are_dealt_so_that_each_shipment_is_large_enough(self) -> None:
        nodes = {"a": {"A": 2, "B": 1}, "b": {"B": 1, "C": 1, "each": 5}}
        assert answer(problem_of({"A": 2, "B": 1, "C": 1}, nodes)) == {"a": {"A": 2, "B": 1}, "b": {"C": 1}}
        parted = {"a": {"A": 2}, "b": {"B": 1, "C": 1}}
        assert answer(problem_of({"A": 2, "B": 1, "C": 1}, nodes, minimum_units=2)) == parted

    def test_nothing_is_planned_where_nothing_is_large_enough(self) -> None:
        found = search.search(problem_of({"A": 1}, {"a": {"A": 1, "minimum_value": 5_000}}))
        assert (found.best, found.exact) == (None, True)


class TestAloneOnly:
    def test_takes_part_with_all_of_it_or_not_at_all(self) -> None:
        nodes = {"a": {"A": 1, "alone_only": True}, "b": {"B": 1}, "c": {"A": 1, "fixed": 500}}
        assert answer(problem_of({"A": 1, "B": 1}, nodes)) == {"b": {"B": 1}, "c": {"A": 1}}
        nodes["a"]["B"] = 1
        assert answer(problem_of({"A": 1, "B": 1}, nodes)) == {"a": {"A": 1, "B": 1}}


class TestDominance:
    @settings(deadline=None, max_examples=150)
    @given(problem=problems(most_nodes=8, most_items=3, plain=True))
    def test_what_it_drops_is_not_missed(self, problem: SolverProblem) -> None:
        places = [place for place, each in enumerate(problem.sources) if any(each.stock) and not each.alone_only]
        kept = useful(problem, Fares(problem), places)
        event(f"dropped {len(places) - len(kept)}")
        others = [place for place, each in enumerate(problem.sources) if place in kept or each.alone_only]
        less = replace(problem, sources=tuple(problem.sources[place] for place in others))
        two = search.search(less).best
        every = milp.solve_exactly(problem, ALWAYS)[0]
        single = min((alone(problem, place) for place in places), default=None)
        assert min(((plan.short, plan.cost) for plan in (two, single) if plan), default=None) == rank(every)

    def test_a_source_that_another_replaces_in_every_way_is_dropped(self) -> None:
        problem = problem_of({"A": 1, "B": 1}, {"a": {"A": 1, "fixed": 5}, "b": {"A": 1, "B": 1}}, split_penalty=300)
        assert useful(problem, Fares(problem), (0, 1)) == [1]

    @pytest.mark.parametrize(
        "better",
        [{"each": -1}, {"fixed": -1}, {"ties": (0,)}, {"offers": (offer((200,) * 5),)}],
        ids=["cheaper a unit", "cheaper", "better at a tie", "cheaper carrier"],
    )
    def test_one_that_is_better_at_something_stays(self, better: dict[str, Any]) -> None:
        nodes = {"a": {"A": 1, "ties": (1,), **better}, "b": {"A": 1, "B": 1, "ties": (1,)}}
        problem = problem_of({"A": 1, "B": 1}, nodes, split_penalty=300)
        assert 0 in useful(problem, Fares(problem), (0, 1))

    def test_one_that_is_needed_beside_the_other_stays(self) -> None:
        heavy = offer((300, 350, 420, 600, 2_000))
        nodes = {"a": {"A": 5, "B": 5, "offers": (heavy,)}, "b": {"A": 5, "B": 5, "offers": (heavy,)}}
        problem = problem_of({"A": 4, "B": 4}, nodes)
        assert useful(problem, Fares(problem), (0, 1)) == [0, 1]
        assert len(answer(problem)) == 2

    def test_one_that_would_end_a_parting_does_not_stand_in(self) -> None:
        """With c in its place all of B would have to come from c, in a second parcel."""
        nodes = {"a": {"A": 4, "fixed": 9}, "b": {"B": 2}, "c": {"A": 4, "B": 4, "fixed": 9}, "d": {"B": 2}}
        problem = problem_of({"A": 4, "B": 4}, nodes, split_penalty=300)
        assert 0 in useful(problem, Fares(problem), (0, 1, 2, 3))


def many(count: int) -> SolverProblem:
    """More sets than can be looked at: every node has two of twenty items in part, and may be parted at will."""
    items = tuple(Item(f"s{number:02}", 3, 700 + 13 * number, 1_000) for number in range(20))
    carriers = (offer(), offer((250, 390, 430, 590, 910), 4000))
    sources = []
    for number in range(count):
        stock = [0] * 20
        stock[number % 20], stock[(number * 7 + 3) % 20] = 3, 2
        costs = tuple((number * 31 + place * 17) % 90 for place in range(20))
        sources.append(
            source(f"n{number:03}", stock, CostTally(number * 37 % 101, carriers), items, unit_costs=costs, ties=(1,))
        )
    return SolverProblem(items, tuple(sources), 8, 50, 60)


class TestBeyondTheLimits:
    def test_the_answer_says_so_and_is_still_a_good_plan(self) -> None:
        problem = many(200)
        found = search.search(problem)
        assert found.best is not None
        assert not found.exact
        assert 0 < found.gap <= 1
        assert found.best.short < min(plan.short for plan in found.alone)

    def test_without_any_work_allowed_the_program_leaves_it_to_the_search(self) -> None:
        problem = many(30)
        assert milp.better(problem, None, milp.Effort(ALWAYS, work=1, columns=10)) == milp.MilpSolution(
            None, proven=False
        )

    def test_where_the_time_is_up_what_was_found_is_thrown_away(self) -> None:
        hurried = milp.better(many(30), None, milp.Effort(0.0, work=10**9))
        assert (hurried.plan, hurried.proven) == (None, False)

    def test_the_work_done_is_the_same_each_time(self) -> None:
        problem = many(25)
        effort = milp.Effort(ALWAYS, work=4_000)
        assert milp.better(problem, None, effort) == milp.better(problem, None, effort)


def test_the_limits_of_the_rates_are_weight_breaks() -> None:
    assert [step.price for step in milp.steps_of(FLAT, Load(1, 5_000, 1))] == [300]
    assert len(milp.steps_of((offer(),), Load(1, 7_000, 1))) == len(LIMITS) + 3  # three of them in the second parcel


def test_a_source_without_unit_costs_has_free_units() -> None:
    items = (Item("A", 1, 1, 1), Item("B", 1, 1, 1))
    assert isinstance(source("a", (1, 0), CostTally(1), items), Source)
    assert source("a", (1, 0), CostTally(1), items).unit_costs == (0, 0)
