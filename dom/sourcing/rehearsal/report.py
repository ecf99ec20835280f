"""What a rehearsal says: the figures of both sides, the orders whose plan changes, and how it was made."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pydantic import Field

from dom.shared.base import Currency, Utc, Value
from dom.sourcing.models import SourcingDecision
from dom.sourcing.policy.document import Policy
from dom.sourcing.rehearsal.allocation import OrderAllocation
from dom.sourcing.rehearsal.figures import Figures, NodeLoad, Side, figures, grouped, loads, of_channel, of_strategy
from dom.sourcing.rehearsal.reproducing import WHY, Reproduced, Verdict
from dom.sourcing.rehearsal.span import Span
from dom.sourcing.rehearsal.walking import Walk, Walked

CHANGES_AT_MOST: Final = 1000
"""Changed orders that are told one by one; the figures count them all."""
NAMED_AT_MOST: Final = 100
"""Decisions that are named because they did not come out the same when made again."""


class Plan(Value):
    """An order's plan on one side: what was decided first where the sides part, and what the order comes to."""

    nodes: tuple[str, ...]
    services: tuple[str, ...] = Field(description="carrier and service of each shipment")
    strategy: str
    unfilled: int = Field(description="units that plan leaves open")
    cost: int = Field(description="the order at the side's own prices, minor units")
    weighed: int | None = Field(description="the order at the baseline's prices; null: they do not cover it")
    money: int | None = Field(description="freight, handling and packaging at the baseline's prices")
    promised_by: Utc | None = None
    reasons: tuple[str, ...]


class ChangedOrder(Value):
    """An order whose plan changes. `saves` is at the baseline's prices, and null where they cannot say.

    `leaves` counts the units that wait at the end under the draft and not under the baseline: what is not sent costs
    nothing, so a saving that leaves units waiting is none.
    """

    order_id: str
    channel: str
    cause: str
    placed_at: Utc
    saves: int | None
    leaves: int = Field(description="units more that wait under the draft at the end; negative: fewer")
    baseline: Plan
    draft: Plan


class SideReport(Value):
    """One side: its figures, also by channel, by strategy and by node."""

    currency: Currency
    total: Figures
    by_channel: dict[str, Figures]
    by_strategy: dict[str, Figures]
    nodes: tuple[NodeLoad, ...]


class Made(Value):
    """How the rehearsal was made."""

    baseline: str
    draft: str
    span: Span
    first: Utc | None = Field(description="business time of the first decision")
    last: Utc | None
    made_at: Utc
    orders: int
    decisions: int
    not_rehearsed: int = Field(description="decisions without a snapshot: the draft is taken to decide as it was")
    reoptimisations: int = Field(description="of the decisions: taken over or left out, not made anew")
    versions: dict[int, int] = Field(description="decisions by the policy version that made them")
    verdicts: dict[Verdict, int] = Field(description="what came of making the recorded decisions again")
    other_prices: bool = Field(description="whether the draft weighs otherwise than the baseline")


class Report(Value):
    """A rehearsal's outcome."""

    made: Made
    baseline: SideReport
    draft: SideReport
    orders_changed: int
    changed: tuple[ChangedOrder, ...]
    not_the_same: tuple[Reproduced, ...]

    @property
    def differs(self) -> bool:
        """Whether any plan changes, or any recorded one could not be made again."""
        bad = sum(count for verdict, count in self.made.verdicts.items() if verdict not in _GOOD)
        return self.orders_changed > 0 or bad > 0

    @property
    def reproduced(self) -> int:
        """Recorded decisions that come out with the same plan at the same cost, or were a re-optimisation's choice."""
        return sum(self.made.verdicts.get(verdict, 0) for verdict in _GOOD)

    def why(self, verdict: Verdict) -> str:
        """What a verdict means."""
        return WHY[verdict]


_GOOD: Final = (Verdict.SAME, Verdict.EXPLAINED_OTHERWISE, Verdict.REOPTIMISED)


def report(walk: Walk, *, draft: Policy | None, called: str, span: Span, at: datetime) -> Report:
    """The report of a finished walk. `called` is the draft's name; without one the baseline was rehearsed itself."""
    known = [walk.policies[version] for version, _ in walk.versions.most_common() if version in walk.policies]
    baseline = _versions(walk)
    currency = known[0].currency if known else "GBP"
    orders = list(walk.orders.values())
    changed = [order for order in orders if order.differences]
    not_priced = frozenset(order.demand.order_id for order in orders if not _priced(order, currency))
    moments = [order.demand.as_of for order in orders]
    return Report(
        made=Made(
            baseline=baseline,
            draft=called if draft else f"{baseline}, again",
            span=span,
            first=min(moments, default=None),
            last=max(moments, default=None),
            made_at=at,
            orders=len(orders),
            decisions=walk.decisions,
            not_rehearsed=walk.not_rehearsed,
            reoptimisations=walk.reoptimisations,
            versions=dict(sorted(walk.versions.items())),
            verdicts={verdict: walk.verdicts[verdict] for verdict in Verdict if walk.verdicts[verdict]},
            other_prices=draft is not None and any(_weighs(policy) != _weighs(draft) for policy in known),
        ),
        baseline=_side(walk, [(order.demand, order.baseline) for order in orders], currency, not_priced),
        draft=_side(
            walk,
            [(order.demand, order.draft) for order in orders],
            draft.currency if draft else currency,
            not_priced,
        ),
        orders_changed=len(changed),
        changed=tuple(sorted([_changed(order, currency) for order in changed], key=_by_worth))[:CHANGES_AT_MOST],
        not_the_same=tuple(_worst_first(walk))[:NAMED_AT_MOST],
    )


def _versions(walk: Walk) -> str:
    """`version 3 (default)`, or several of them."""
    named = []
    for version in sorted(walk.versions):
        policy = walk.policies.get(version)
        named.append(f"version {version} ({policy.name})" if policy else f"version {version}")
    return ", ".join(named) or "no version"


def _weighs(policy: Policy) -> tuple[object, ...]:
    """What a policy weighs, strategy by strategy."""
    return (policy.currency, policy.exchange_rates, [(each.name, each.cost) for each in policy.strategies])


def _priced(order: Walked, currency: str) -> bool:
    """Whether every shipment of the order has a price at the baseline's, on both sides, in the report's currency."""
    if order.currencies - {currency}:
        return False
    parcels = (*order.baseline.parcels, *order.draft.parcels)
    return all(parcel.prices.at_baseline is not None for parcel in parcels if parcel.counts)


def _side(walk: Walk, side: Side, currency: str, not_priced: frozenset[str]) -> SideReport:
    return SideReport(
        currency=currency,
        total=figures(side, not_priced),
        by_channel=grouped(side, of_channel, not_priced),
        by_strategy=grouped(side, of_strategy, not_priced),
        nodes=loads([allocation for _, allocation in side], walk.networks),
    )


_WORST_FIRST: Final = (
    Verdict.DIFFERENT,
    Verdict.PLANNER_CHANGED,
    Verdict.CUT_SHORT,
    Verdict.POLICY_NOT_FOUND,
    Verdict.NO_SNAPSHOT,
    Verdict.REOPTIMISED,
    Verdict.EXPLAINED_OTHERWISE,
)


def _worst_first(walk: Walk) -> Iterator[Reproduced]:
    for verdict in _WORST_FIRST:
        yield from (each for each in walk.reproduced if each.verdict is verdict)


def _by_worth(changed: ChangedOrder) -> tuple[int, str]:
    return (-abs(changed.saves or 0), changed.order_id)


def _changed(order: Walked, currency: str) -> ChangedOrder:
    first = order.differences[0]
    baseline = _plan(first.baseline, order.baseline)
    draft = _plan(first.draft, order.draft)
    both = baseline.weighed is not None and draft.weighed is not None and order.currencies <= {currency}
    worth = (baseline.weighed or 0) - (draft.weighed or 0) if both else None
    return ChangedOrder(
        order_id=order.demand.order_id,
        channel=order.demand.channel,
        cause=first.cause,
        placed_at=order.demand.as_of,
        saves=worth,
        leaves=order.draft.waiting.total() - order.baseline.waiting.total(),
        baseline=baseline,
        draft=draft,
    )


def _plan(decision: SourcingDecision, allocation: OrderAllocation) -> Plan:
    prices = [parcel.prices for parcel in allocation.parcels if parcel.counts]
    weighed = [each.weighed for each in prices]
    money = [each.money for each in prices]
    return Plan(
        nodes=tuple(shipment.node_id for shipment in decision.shipments),
        services=tuple(" ".join(filter(None, (each.carrier, each.service))) for each in decision.shipments),
        strategy=decision.strategy,
        unfilled=sum(line.quantity for line in decision.unfilled),
        cost=sum(sum(each.own.values()) for each in prices),
        weighed=None if None in weighed else sum(filter(None, weighed)),
        money=None if None in money else sum(filter(None, money)),
        promised_by=decision.promise.latest if decision.promise else None,
        reasons=decision.reasons,
    )
