"""What the hold rules say of an order: which holds are put on, and which are released, when something happens to it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from dom.documents.expressions import compile_expression
from dom.holds.policy import HoldPolicy, HoldRule, Trigger
from dom.holds.screening import SCREENING, facts
from dom.orders.holds import BlockedStep
from dom.orders.order import Order


@dataclass(frozen=True, slots=True)
class HoldTrigger:
    """What happened to an order: it was accepted, or a hold of the type `hold` was put on or released."""

    trigger: Trigger
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """A rule that acts. One that puts a hold on acts also if its expression fails on this order, and says how
    (`failure`): an order that cannot be judged is looked at by a person.
    """

    rule: HoldRule
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the rules have done: hold types put on and released, in sequence, and the types that stand after it."""

    acts: tuple[RuleAnswer, ...]
    standing: frozenset[str]

    def blocks(self, policy: HoldPolicy, step: BlockedStep) -> bool:
        """Whether a hold that stands blocks the step, as its type says."""
        return any(step in policy.types[code].blocks for code in self.standing if code in policy.types)


def follow(policy: HoldPolicy, order: Order, happening: HoldTrigger, holds: frozenset[str] = frozenset()) -> Ruled:
    """What the rules do when something happens to an order on which holds of these types stand, and what follows from
    that. It ends, because no rule leads back to where it began (`dom.holds.policy.check`).
    """
    acts: list[RuleAnswer] = []
    standing = set(holds)
    pending = deque([happening])
    while pending:
        for answer in answers(policy, order, pending.popleft(), frozenset(standing)):
            rule = answer.rule
            if rule.place is not None and rule.place not in standing:
                standing.add(rule.place)
                pending.append(HoldTrigger(Trigger.PLACED, rule.place))
            elif rule.release is not None and rule.release in standing:
                standing.remove(rule.release)
                pending.append(HoldTrigger(Trigger.RELEASED, rule.release))
            else:  # an earlier rule did it
                continue
            acts.append(answer)
    return Ruled(tuple(acts), frozenset(standing))


def answers(policy: HoldPolicy, order: Order, happening: HoldTrigger, holds: frozenset[str]) -> Iterator[RuleAnswer]:
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
