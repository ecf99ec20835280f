"""The hold policy: the types of holds there are, and the rules that put them on and release them.

It is data (YAML or JSON), as the OFL policy is. Rules may follow each other: one that acts when a hold is put on or
released can put on another. A circle of such rules is refused when the policy is written.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Final

from pydantic import Field

from dom.documents.expressions import ExpressionProblem, compile_expression
from dom.exceptions import OwnerRole
from dom.holds.screening import SCREENING
from dom.orders.holds import BlockedStep
from dom.shared.access import Role
from dom.shared.base import Text, Value
from dom.shared.errors import InvalidInput

HoldCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["fraud"])]
"""A type of hold."""
RuleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", examples=["dear-and-new"])]
Minutes = Annotated[int, Field(ge=1, le=365 * 24 * 60)]


class HoldType(Value):
    """What belongs to a type of hold. Unless it blocks `sourcing`, the order is planned and its stock reserved."""

    purpose: Text
    blocks: Annotated[tuple[BlockedStep, ...], Field(min_length=1, max_length=4)]
    owner_role: OwnerRole = Field(default=OwnerRole.SUPPORT, description="who looks at it")
    due_after_minutes: Minutes | None = Field(default=None, description="then an exception is opened")
    release_after_minutes: Minutes | None = Field(default=None, description="then it is released by itself")
    released_by: tuple[Role, ...] = Field(
        default=(Role.SUPPORT, Role.SUPERVISOR, Role.OPERATOR), description="roles whose people may release it"
    )


class Trigger(StrEnum):
    """When a rule is asked."""

    ACCEPTED = "accepted"
    """The order is captured."""
    PLACED = "placed"
    """A hold of the type `hold` was put on."""
    RELEASED = "released"
    """A hold of the type `hold` was released."""


class HoldRule(Value):
    """When something happens to an order and the condition holds, put a hold on it or release one."""

    name: RuleName
    on: Trigger
    hold: HoldCode | None = Field(default=None, description="of `placed` and `released`: the type it happened to")
    when: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(
        default=None,
        description="a CEL expression over `order`; none: always",
        examples=['order.value > 50000 && order.customer_class == ""'],
    )
    place: HoldCode | None = Field(default=None, description="the type it puts on")
    release: HoldCode | None = Field(default=None, description="the type it releases")


class HoldPolicy(Value):
    """The types of holds, by name, and the rules, asked in their sequence."""

    types: Annotated[dict[HoldCode, HoldType], Field(min_length=1, max_length=100)]
    rules: Annotated[tuple[HoldRule, ...], Field(max_length=200)] = ()


def check(policy: HoldPolicy) -> None:
    """Raises InvalidInput for a policy with mistakes: `errors` names each with its place."""
    errors = [*_mistakes(policy)]
    errors += [] if errors else [*_circle(policy)]
    if errors:
        first = errors[0]
        raise InvalidInput(first["message"], field=first["field"], data={"errors": errors})


def _mistakes(policy: HoldPolicy) -> Iterator[dict[str, str]]:
    names: set[str] = set()
    for number, rule in enumerate(policy.rules):
        place = f"rules[{number}]"
        if rule.name in names:
            yield {"field": f"{place}.name", "message": f"two rules are named {rule.name}"}
        names.add(rule.name)
        if (rule.place is None) == (rule.release is None):
            yield {"field": place, "message": "a rule names either what it puts on (`place`) or what it releases"}
        if (rule.hold is None) != (rule.on is Trigger.ACCEPTED):
            needed = (
                "`hold` names the type it happens to" if rule.hold is None else "on `accepted` there is no hold yet"
            )
            yield {"field": f"{place}.hold", "message": needed}
        for field in ("hold", "place", "release"):
            code = getattr(rule, field)
            if code is not None and code not in policy.types:
                yield {"field": f"{place}.{field}", "message": f"there is no type {code}"}
        if rule.when is not None:
            try:
                compile_expression(rule.when, SCREENING)
            except ExpressionProblem as problem:
                yield {"field": f"{place}.when", "message": f"{problem.message}: {problem.hint}".rstrip(": ")}


def _circle(policy: HoldPolicy) -> Iterator[dict[str, str]]:
    """What follows from what. Whatever the rules say, a hold that was put on is released some day."""
    follows = {f"{code} released": {f"{code} placed"} for code in policy.types}
    for rule in policy.rules:
        target = f"{rule.place} placed" if rule.place is not None else f"{rule.release} released"
        if rule.hold is not None:
            follows.setdefault(target, set()).add(f"{rule.hold} {rule.on}")
    try:
        TopologicalSorter(follows).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        number = next(n for n, rule in enumerate(policy.rules) if rule.hold and f"{rule.hold} {rule.on}" in circle)
        yield {"field": f"rules[{number}]", "message": f"the rules lead back to where they began: {circle}"}


def _type(purpose: str, *blocks: BlockedStep, due_hours: int = 24, **more: object) -> HoldType:
    return HoldType.model_validate(
        {"purpose": purpose, "blocks": list(blocks), "due_after_minutes": due_hours * 60, **more}
    )


_SENDING: Final = (BlockedStep.RELEASE, BlockedStep.HAND_OVER)
DEFAULT_TYPES: Final[Mapping[str, HoldType]] = {
    "fraud": _type(
        "somebody looks whether the order is genuine",
        *_SENDING,
        BlockedStep.REFUND,
        released_by=["supervisor", "operator"],
    ),
    "payment": _type("the payment is not sure yet", *_SENDING, due_hours=48),
    "address": _type("the address is to be completed or corrected", *_SENDING),
    "customer_request": _type("the customer asked to wait", *_SENDING, due_hours=7 * 24),
    "consolidation": _type("it waits for other goods of the customer", *_SENDING, due_hours=72),
    "manual": _type("somebody looks at the order", *_SENDING),
    "remorse": _type(
        "the customer may still change his mind", BlockedStep.RELEASE, due_hours=2, release_after_minutes=30
    ),
    "unplanned": _type("nothing is reserved until somebody says so", BlockedStep.SOURCING),
}
"""The types there are until a policy is written."""
DEFAULT: Final = HoldPolicy(types=dict(DEFAULT_TYPES))
"""The hold policy until one is written: the usual types, and no rule."""
