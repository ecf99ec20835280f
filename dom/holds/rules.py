"""What the hold rules say of an order: which holds are put on, and which are released, when something happens to it."""

from collections.abc import Iterator
from dataclasses import dataclass

from dom.holds.policy import HoldPolicy, HoldRule, Trigger
from dom.holds.screening import SCREENING, facts
from dom.orders.order import Order
from dom.sourcing.policy.expressions import compile_expression


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to an order: it was accepted, or a hold of the type `hold` was put on or released."""

    trigger: Trigger
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """A rule that acts. One whose expression failed on this order acts too, and says how (`failure`): an order that
    cannot be judged is looked at by a person.
    """

    rule: HoldRule
    failure: str = ""


def answers(policy: HoldPolicy, order: Order, happening: Happening, holds: frozenset[str]) -> Iterator[RuleAnswer]:
    """The rules that act on what happened, in their sequence. `holds` are the types that stand.

    A rule that would put on what stands already, or release what does not stand, has nothing to do.
    """
    asked = [rule for rule in policy.rules if rule.on is happening.trigger and rule.hold == happening.hold]
    known = facts(order, holds) if asked else {}
    for rule in asked:
        if rule.place in holds or (rule.release is not None and rule.release not in holds):
            continue
        if rule.when is None:
            yield RuleAnswer(rule)
            continue
        answer = compile_expression(rule.when, SCREENING).answer(known)
        if answer.holds or (answer.failure and rule.place is not None):
            yield RuleAnswer(rule, answer.failure)
