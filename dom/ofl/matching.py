"""Which strategies of a policy are for an order."""

from collections.abc import Iterator, Mapping

from dom.network import Sku
from dom.ofl.models import Demand
from dom.ofl.rules import Rules
from dom.policy.document import Match, Policy


def first_rules(demand: Demand, skus: Mapping[str, Sku], policy: Policy) -> Rules | None:
    """The rules of the first strategy that is for the order; None if none is."""
    return next((Rules(policy, s) for s in policy.strategies if is_for(s.match, demand, skus, policy)), None)


def is_for(match: Match, demand: Demand, skus: Mapping[str, Sku], policy: Policy) -> bool:
    """Whether everything that the match names holds for the order."""
    return all(_holds(match, demand))


def _holds(match: Match, demand: Demand) -> Iterator[bool]:
    yield not match.channels or demand.channel in match.channels
    yield not match.countries or demand.country in match.countries
    yield not match.regions or demand.region in match.regions
    yield not match.services or demand.shipping_method in match.services
    yield not match.tags or any(tag in match.tags for tag in demand.tags)
    yield not any(tag in match.without_tags for tag in demand.tags)
    yield not match.customer_classes or demand.customer_class in match.customer_classes
