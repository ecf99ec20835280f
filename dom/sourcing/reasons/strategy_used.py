"""Why the order was sourced by these rules of the policy and not by others."""

from collections.abc import Iterator

from dom.sourcing.models import Attempt, Demand, SourcingDecision
from dom.sourcing.planning.candidate_plan import CandidatePlan
from dom.sourcing.policy.document import Match
from dom.sourcing.reasons import words


def why_these_rules(decision: SourcingDecision, made: CandidatePlan) -> Iterator[str]:
    """Which strategy was used, and what others came to; nothing where the policy has only one."""
    if len(made.rules.policy.strategies) == 1:
        return
    tried = _best_of_each(decision)
    place = [attempt.strategy for attempt in tried].index(decision.strategy)
    before, after, own = tried[:place], tried[place + 1 :], decision.strategy
    if before:
        asked = sum([line.quantity for line in made.demand.lines])
        found = [f"“{each.strategy}” could fill {each.filled or 'none'} of {asked}" for each in before]
        yield f"The rules “{own}” were used because those before them could not do it all: {words.listed(found)}."
    elif after:
        named = words.listed([f"“{each.strategy}”" for each in after])
        yield f"The rules “{own}” were used; {named} would fill no more."
    else:
        yield f"The rules “{own}” were used, which are for {_whom(made.rules.strategy.match, made.demand)}."


def _best_of_each(decision: SourcingDecision) -> list[Attempt]:
    best: dict[str, Attempt] = {}
    for attempt in decision.tried:
        known = best.get(attempt.strategy)
        if known is None or attempt.filled > known.filled:
            best[attempt.strategy] = attempt
    return list(best.values())


def _whom(match: Match, demand: Demand) -> str:
    """The orders a strategy is for, by what of this order it asks for."""
    kinds = []
    if match.services:
        kinds.append(f"{demand.shipping_method} orders" if demand.pickup_node is None else "orders to be collected")
    if match.channels:
        kinds.append(f"orders from {demand.channel}")
    if match.countries:
        kinds.append(f"orders to {demand.country}")
    if match.regions:
        kinds.append(f"orders to {demand.region}")
    if match.customer_classes:
        kinds.append(f"{demand.customer_class} customers")
    kinds += [f"orders marked “{tag}”" for tag in demand.tags if tag in match.tags]
    plain = Match(
        services=match.services,
        channels=match.channels,
        countries=match.countries,
        regions=match.regions,
        customer_classes=match.customer_classes,
        tags=match.tags,
    )
    if match != plain:
        kinds.append("orders like it")
    return words.listed(kinds) or "every order that has no rules of its own"
