"""Strategies that no order ever comes to, and jumps that come back."""

from collections.abc import Iterator

from dom.documents.findings import Mistake, error, warning
from dom.sourcing.policy.document import Policy, Strategy, Then
from dom.sourcing.policy.lint.covering import covers, disjoint

FIELDS = ("on_partial", "on_none")


def never_reached(policy: Policy) -> Iterator[Mistake]:
    """Strategies whose orders all end in an earlier one, because it takes them all and never hands them on."""
    for position, strategy in enumerate(policy.strategies):
        reached = _reached_by(strategy, policy)
        if position not in reached:
            takes_all = [policy.strategies[each] for each in sorted(reached) if each < position]
            before = next(each for each in reversed(takes_all) if covers(each.match, strategy.match))
            how = "has the same match" if before.match == strategy.match else "matches everything this one does"
            said = f"{strategy.name} is never tried: {before.name} {how} and never hands on to it"
            hint = f"move it before {before.name}, or let {before.name} hand on with `then: next_strategy`"
            yield error("never-reached", ("strategies", position), said, hint)


def _reached_by(wanted: Strategy, policy: Policy) -> set[int]:
    """The positions an order that meets the strategy's match may come to."""
    reached: set[int] = set()
    waiting = [0]
    while waiting:
        position = waiting.pop()
        if position in reached or position >= len(policy.strategies):
            continue
        reached.add(position)
        strategy = policy.strategies[position]
        if not covers(strategy.match, wanted.match):
            waiting.append(position + 1)
        if not disjoint(strategy.match, wanted.match):
            waiting.extend(_handed_on(position, policy).values())
    return reached


def _handed_on(position: int, policy: Policy) -> dict[str, int]:
    """Where a strategy hands an order on to, by the field that says so."""
    strategy = policy.strategies[position]
    found = {}
    for field in FIELDS:
        follows = getattr(strategy, field)
        if follows.then is Then.NEXT_STRATEGY:
            target = policy.after(position, follows.strategy)
            if target is not None:
                found[field] = target
    return found


def loops(policy: Policy) -> Iterator[Mistake]:
    """Jumps back to where the order has been. The planner stops there; nothing else is tried."""
    for position, strategy in enumerate(policy.strategies):
        for field, target in _handed_on(position, policy).items():
            if target > position:
                continue
            way = _way(target, position, policy)
            if way is None:
                continue
            certain, steps = way
            names = " > ".join([strategy.name, *(policy.strategies[step].name for step in steps)])
            path = ("strategies", position, field, "strategy")
            hint = "jump to a strategy further down, or say what is to become of the order"
            if certain:
                yield error("jumps-in-a-circle", path, f"the jump comes back: {names}", hint)
            else:
                yield warning("jumps-in-a-circle", path, f"for some orders the jump comes back: {names}", hint)


def _way(start: int, end: int, policy: Policy) -> tuple[bool, list[int]] | None:
    """How an order gets from one strategy to another; and whether by being handed on alone."""
    for by_passing in (False, True):
        ways = [[start]]
        seen = {start}
        while ways:
            way = ways.pop(0)
            here = way[-1]
            if here == end:
                return not by_passing, way
            on = set(_handed_on(here, policy).values())
            if by_passing and not covers(policy.strategies[here].match, policy.strategies[end].match):
                on.add(here + 1)
            for each in sorted(on - seen):
                seen.add(each)
                if each < len(policy.strategies):
                    ways.append([*way, each])
    return None
