"""Which strategies of a policy are for an order."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from dom.documents.expressions import ExpressionProblem, compile_expression
from dom.network import Handling, Sku
from dom.sourcing.models import Demand
from dom.sourcing.policy.document import Match, Policy
from dom.sourcing.policy.strategy import Rules


class MatchSubject:
    """An order as the strategies look at it: its sums and its goods, worked out once and only if one asks.

    A SKU the catalogue does not hold weighs nothing and needs nothing special.
    """

    def __init__(self, demand: Demand, skus: Mapping[str, Sku], policy: Policy) -> None:
        self.demand = demand
        self.policy = policy
        self._skus = skus

    @cached_property
    def skus(self) -> tuple[Sku, ...]:
        """The SKUs of the lines, as far as they are known."""
        return tuple([self._skus[sku] for sku in sorted({line.sku for line in self.demand.lines}) if sku in self._skus])

    @cached_property
    def value(self) -> int | None:
        """Of the goods, in minor units of the policy's currency; None where it has no exchange rate."""
        worth = self.policy.worth(self.demand.currency)
        if worth is None:
            return None
        return round(sum([line.value for line in self.demand.lines]) * worth)

    @cached_property
    def units(self) -> int:
        """Of all goods."""
        return sum([line.quantity for line in self.demand.lines])

    @cached_property
    def grams(self) -> int:
        """Weight of all goods without packaging."""
        return sum(
            [line.quantity * self._skus[line.sku].weight_grams for line in self.demand.lines if line.sku in self._skus]
        )

    @cached_property
    def handling(self) -> frozenset[Handling]:
        """What some of the goods need."""
        return frozenset([need for sku in self.skus for need in sku.handling])

    @cached_property
    def order(self) -> dict[str, Any]:
        """The `order` of an expression (`dom.documents.expressions`), without its lines."""
        demand = self.demand
        return {
            "channel": demand.channel,
            "country": demand.country,
            "region": demand.region,
            "shipping_method": demand.shipping_method.value,
            "value": self.value,
            "units": self.units,
            "grams": self.grams,
            "tags": list(demand.tags),
            "customer_class": demand.customer_class,
            "as_of": demand.as_of,
            "requested_by": demand.requested_by,
            "ship_complete": demand.ship_complete,
            "currency": demand.currency,
        }

    @cached_property
    def order_with_lines(self) -> dict[str, Any]:
        """The `order` of an expression that asks for its lines."""
        return {**self.order, "lines": [self._line(place) for place in range(len(self.demand.lines))]}

    def _line(self, place: int) -> dict[str, Any]:
        line = self.demand.lines[place]
        sku = self._skus.get(line.sku)
        return {
            "line_id": line.line_id,
            "sku": line.sku,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "weight_grams": sku.weight_grams if sku else 0,
            **{need.value: sku is not None and need in sku.handling for need in Handling},
            "attributes": dict(sku.attributes) if sku else {},
        }


def first_rules(demand: Demand, skus: Mapping[str, Sku], policy: Policy) -> Rules | None:
    """The rules of the first strategy that is for the order; None if none is."""
    subject = MatchSubject(demand, skus, policy)
    return next((Rules(policy, s) for s in policy.strategies if mismatch(s.match, subject) is None), None)


def mismatch(match: Match, subject: MatchSubject) -> str | None:
    """Why a strategy is not for an order: None if it is; empty where the order simply is another.

    Words say that it could not be found out: an exchange rate is missing, or the expression failed on this order.
    """
    if not all(_plainly(match, subject.demand)) or not all(_by_size(match, subject)) or not _by_goods(match, subject):
        return ""
    if (match.value_at_least is not None or match.value_below is not None) and not _by_value(match, subject):
        currency = subject.demand.currency
        return "" if subject.value is not None else f"the policy has no exchange rate for {currency}"
    return None if match.when is None else _by_expression(match.when, subject)


def _plainly(match: Match, demand: Demand) -> Iterator[bool]:
    yield not match.channels or demand.channel in match.channels
    yield not match.countries or demand.country in match.countries
    yield not match.regions or demand.region in match.regions
    yield not match.services or demand.shipping_method in match.services
    yield not match.tags or any(tag in match.tags for tag in demand.tags)
    yield not match.without_tags or not any(tag in match.without_tags for tag in demand.tags)
    yield not match.customer_classes or demand.customer_class in match.customer_classes


def _by_size(match: Match, subject: MatchSubject) -> Iterator[bool]:
    yield match.units_at_least is None or subject.units >= match.units_at_least
    yield match.units_below is None or subject.units < match.units_below
    yield match.grams_at_least is None or subject.grams >= match.grams_at_least
    yield match.grams_below is None or subject.grams < match.grams_below


def _by_goods(match: Match, subject: MatchSubject) -> bool:
    if match.handling and not any(need in subject.handling for need in match.handling):
        return False
    return all(_some_has(name, values, subject.skus) for name, values in match.sku_attributes.items())


def _some_has(name: str, values: Collection[str], skus: Iterable[Sku]) -> bool:
    return any(name in sku.attributes and sku.attributes[name] in values for sku in skus)


def _by_value(match: Match, subject: MatchSubject) -> bool:
    value = subject.value
    if value is None:
        return False
    return (match.value_at_least is None or value >= match.value_at_least) and (
        match.value_below is None or value < match.value_below
    )


def _by_expression(text: str, subject: MatchSubject) -> str | None:
    try:
        expression = compile_expression(text)
    except ExpressionProblem as problem:
        return f"its expression cannot be used: {problem.message}"
    answer = expression.answer(subject.order_with_lines if expression.asks_lines else subject.order)
    if answer.failure:
        return f"its expression failed: {answer.failure}"
    return None if answer.holds else ""
