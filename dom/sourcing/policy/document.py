"""The policy document: strategies, tried in order; each with its match, fences, costs, and what follows.

It is data (YAML or JSON). Amounts are minor units of the policy's currency; what nodes and carriers charge in another
one counts at `exchange_rates`. A published version never changes; each decision records the version it used.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from dom.delivery.tariffs import CarrierId
from dom.network import AttributeName, Handling, NodeKind, ShippingMethod
from dom.shared.base import ChannelId, Country, Currency, Minor, NodeId, Value
from dom.shared.money import minor_per_minor
from dom.sourcing.policy.answers import Acceptance, Cancellations, Slips
from dom.sourcing.policy.collections import Collections
from dom.sourcing.policy.kinds import ByKind
from dom.sourcing.policy.stock_terms import ReallocationTerms, Reoptimisation

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", examples=["close-to-the-customer"])]
"""A strategy's or a group's name."""

Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Tag = Annotated[str, Field(min_length=1, max_length=40)]


class NodeGroup(Value):
    """Nodes under one name: the ones listed, those that are all of `kinds`, `countries` and `regions`, and groups."""

    nodes: tuple[NodeId, ...] = ()
    kinds: tuple[NodeKind, ...] = Field(default=(), description="nodes of these kinds")
    countries: tuple[Country, ...] = Field(default=(), description="nodes in these countries")
    regions: tuple[str, ...] = Field(default=(), description="nodes in these regions, as their addresses write them")
    groups: tuple[Name, ...] = Field(default=(), description="all nodes of these groups")


class Match(Value):
    """Which orders a strategy is for. Everything that is named must hold; what is not named does not matter."""

    channels: tuple[ChannelId, ...] = ()
    countries: tuple[Country, ...] = Field(default=(), description="where the goods go")
    regions: tuple[str, ...] = Field(default=(), description="the ship-to region, as the order writes it")
    services: tuple[ShippingMethod, ...] = Field(default=(), description="what the customer chose; pickup among them")
    value_at_least: Minor | None = None
    value_below: Minor | None = Field(default=None, description="of the goods to be sourced")
    units_at_least: Annotated[int, Field(ge=1)] | None = None
    units_below: Annotated[int, Field(ge=1)] | None = None
    grams_at_least: Annotated[int, Field(ge=1)] | None = None
    grams_below: Annotated[int, Field(ge=1)] | None = Field(default=None, description="weight of the goods")
    tags: tuple[Tag, ...] = Field(default=(), description="the order has one of these")
    without_tags: tuple[Tag, ...] = Field(default=(), description="the order has none of these")
    customer_classes: tuple[str, ...] = ()
    handling: tuple[Handling, ...] = Field(default=(), description="some of the goods need one of these")
    sku_attributes: dict[AttributeName, tuple[str, ...]] = Field(
        default={}, description="some of the goods have, for each attribute named, one of its values"
    )
    when: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(
        default=None,
        description="a CEL expression over `order` for the rest",
        examples=["order.lines.exists(l, l.quantity > 20) && order.as_of.getDayOfWeek() != 0"],
    )


class Fence(StrEnum):
    """A hard condition a node must meet."""

    ACTIVE = "active"
    NOT_EXCLUDED = "not_excluded"
    SHIPS_TO_COUNTRY = "ships_to_country"
    PICKUP = "pickup"
    CURRENCY = "currency"
    NETWORK = "network"
    PLACE = "place"
    WITHIN_DISTANCE = "within_distance"
    SERVICE = "service"
    CARRIER = "carrier"
    HANDLING = "handling"
    CARRIER_LIMITS = "carrier_limits"
    STOCK = "stock"
    KEPT_BACK = "kept_back"
    PICKING_VALUE = "picking_value"
    COMPLETE_ONLY = "complete_only"
    CAPACITY = "capacity"
    CAPACITY_KEPT = "capacity_kept"
    LEAVES_IN_TIME = "leaves_in_time"
    ARRIVES_IN_TIME = "arrives_in_time"


Relaxable = Literal[
    Fence.NETWORK,
    Fence.PLACE,
    Fence.WITHIN_DISTANCE,
    Fence.CARRIER,
    Fence.KEPT_BACK,
    Fence.PICKING_VALUE,
    Fence.COMPLETE_ONLY,
    Fence.CAPACITY_KEPT,
    Fence.LEAVES_IN_TIME,
    Fence.ARRIVES_IN_TIME,
]
"""Fences that are the policy's own will. The others are facts: no policy makes a closed node ship."""


class Fences(Value):
    """Which nodes may take part. Stock, service, capacity and pick-up are always asked for."""

    nodes: tuple[NodeId, ...] = Field(default=(), description="network: only these nodes")
    groups: tuple[Name, ...] = Field(default=(), description="network: and those of these groups")
    kinds: tuple[NodeKind, ...] = Field(default=(), description="network: only nodes of these kinds")
    excluded_nodes: tuple[NodeId, ...] = Field(default=(), description="network: none of these nodes")
    excluded_groups: tuple[Name, ...] = Field(default=(), description="network: no node of these groups")
    excluded_kinds: tuple[NodeKind, ...] = Field(default=(), description="network: no node of these kinds")
    countries: tuple[Country, ...] = Field(default=(), description="place: nodes in these countries")
    regions: tuple[str, ...] = Field(default=(), description="place: nodes in these regions")
    same_country: bool = Field(default=False, description="place: nodes in the country the goods go to")
    same_region: bool = Field(default=False, description="place: nodes in the region the goods go to")
    maximum_distance_km: ByKind = Field(default={}, description="within_distance: by node kind")
    carriers: tuple[CarrierId, ...] = Field(default=(), description="carrier: only these")
    excluded_carriers: tuple[CarrierId, ...] = Field(default=(), description="carrier: none of these")
    keep_back: ByKind = Field(
        default={}, description="kept_back: units of each SKU a node keeps beyond its safety stock (brokering safety)"
    )
    minimum_picking_value: ByKind = Field(
        default={}, description="picking_value: a node of the kind picks nothing worth less"
    )
    complete_only: tuple[NodeKind, ...] = Field(
        default=(), description="complete_only: a node of the kind takes part only if it gives all that is asked for"
    )
    capacity_kept_percent: ByKind = Field(
        default={}, description="capacity_kept: part of a node's daily capacity that is left to other strategies"
    )
    leaves_within_days: Annotated[int, Field(ge=0, le=30)] | None = Field(
        default=None, description="leaves_in_time: days from now, in the node's calendar; 0: before today's cut-off"
    )
    arrives_in_time: bool = Field(
        default=False, description="arrives_in_time: only what arrives by `requested_by`, where the customer named it"
    )


class DaysOfSupply(Value):
    """Spares nodes whose stock of a SKU does not last long."""

    target_days: Annotated[int, Field(ge=1, le=365)] = 14
    per_unit: Minor = Field(description="for a unit from a node that has none left for tomorrow; less, the longer")


class Carbon(Value):
    """Puts a price on what transport emits: weight times distance times the factor of the service.

    The formula is that of ISO 14083:2023 for one leg (tonne-kilometres times an emission intensity), over the
    great-circle distance; the factors are the business's own.
    """

    per_kg: Minor = Field(description="for a kilogram of CO2e")
    grams_per_tonne_km: dict[ShippingMethod, Annotated[float, Field(ge=0, le=100_000)]]


class Costs(Value):
    """What is weighed. In money where it is money; the rest in minor units that say what it is worth to avoid."""

    freight_weight: Weight = Field(default=1.0, description="of what the carrier charges")
    handling_weight: Weight = Field(default=1.0, description="of what the node's work costs")
    packaging_per_shipment: Minor = 0
    packaging_per_unit: Minor = 0
    split_penalty: Minor = Field(default=250, description="for each shipment beyond the first")
    lateness_per_day: Minor = Field(default=400, description="for each day begun after `requested_by`")
    distance_per_100_km: Minor = Field(default=4, description="for each 100 km from node to customer")
    priority_weight: Minor = Field(default=2, description="for each point of a node's priority")
    capacity_balance: Minor = Field(
        default=0, description="at a node whose day is full; in proportion where it is not yet"
    )
    opportunity_weight: Weight = Field(
        default=0.0, description="of the shadow price of each unit: what it could earn elsewhere"
    )
    markdown_weight: Weight = Field(
        default=0.0, description="of what a unit would lose if it stayed; it makes the node cheaper"
    )
    days_of_supply: DaysOfSupply | None = None
    carbon: Carbon | None = None


class SplitBy(StrEnum):
    """What may part. With `unit`, a SKU's units part only where no node of the plan has them all."""

    LINE = "line"
    UNIT = "unit"


class LeftOver(StrEnum):
    """What waits when not everything can be sourced: the units short, all units of their lines, or the whole order."""

    UNITS = "units"
    LINES = "lines"
    ORDER = "order"


class Splitting(Value):
    """How far an order may be parted."""

    maximum_shipments: Annotated[int, Field(ge=1, le=10)] = 3
    by: SplitBy = Field(default=SplitBy.UNIT, description="`line`: the units of a SKU never part")
    together_by: tuple[AttributeName, ...] = Field(
        default=(), description="SKU attributes: goods with the same value ship from one node"
    )
    minimum_value: Minor = Field(default=0, description="of each shipment of an order that is parted")
    minimum_units: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=0, description="in each shipment of an order that is parted"
    )
    left_over: LeftOver = LeftOver.UNITS


class TieBreak(StrEnum):
    """Which of two plans of the same cost is the better one."""

    FEWER_SHIPMENTS = "fewer_shipments"
    NEARER = "nearer"
    EARLIER = "earlier"
    PRIORITY = "priority"


class Then(StrEnum):
    """What follows where a strategy leaves something open."""

    NEXT_STRATEGY = "next_strategy"
    SHIP_AVAILABLE = "ship_available"
    BACKORDER = "backorder"
    QUEUE = "queue"
    CANCEL = "cancel"


class OnPartial(Value):
    """What follows where only a part can be sourced.

    Fences are given up one after the other, and stay given up, until everything can be; then comes `then`:
    `ship_available` sends what there is and the rest waits; `next_strategy` tries the next one (or the one named by
    `strategy`); with `backorder` everything waits; `queue` also puts it before a person; `cancel` sends what there is
    and cancels the rest.
    """

    relax: tuple[Relaxable, ...] = ()
    then: Then = Then.SHIP_AVAILABLE
    strategy: Name | None = None


class OnNone(Value):
    """What follows where nothing can be sourced; as `OnPartial`, without `ship_available`."""

    relax: tuple[Relaxable, ...] = ()
    then: Literal[Then.NEXT_STRATEGY, Then.BACKORDER, Then.QUEUE, Then.CANCEL] = Then.BACKORDER
    strategy: Name | None = None


class ServiceChoice(StrEnum):
    """By which service a shipment may go.

    `no_later`: also by another one than was asked for, if it arrives no later than that would from the same node; where
    the node does not offer what was asked for, by a quicker one. The customer never waits longer for it.
    """

    AS_ASKED = "as_asked"
    NO_LATER = "no_later"


class FailedNodes(StrEnum):
    """Whether nodes that failed an order may be asked again."""

    AFTER_OTHER_NEWS = "after_other_news"
    NEVER = "never"
    AT_ONCE = "at_once"


class Retry(Value):
    """How waiting units are tried again, and when they are given up."""

    on_stock: bool = Field(default=True, description="as soon as stock comes in")
    after_minutes: Annotated[int, Field(ge=1, le=100_000)] = Field(default=360, description="whatever happens")
    cancel_after_days: Annotated[int, Field(ge=0, le=1000)] = 14
    failed_nodes: FailedNodes = Field(
        default=FailedNodes.AFTER_OTHER_NEWS,
        description="a node that rejected or could not find the goods is left out of the next attempt only, of all "
        "attempts, or of none; one that was switched off meanwhile has not failed",
    )


class Strategy(Value):
    """One way to source an order, for the orders it matches."""

    name: Name
    description: str = Field(default="", max_length=500)
    match: Match = Match()
    fences: Fences = Fences()
    cost: Costs = Costs()
    split: Splitting = Splitting()
    substitutes: bool = Field(
        default=True, description="what is short goes as an approved substitute, where the customer takes them"
    )
    service_choice: ServiceChoice = Field(
        default=ServiceChoice.AS_ASKED,
        description="`no_later`: node and service are chosen together; whatever arrives no later than what was asked "
        "for may go instead. Where carbon has a price, services are as asked",
    )
    tie_breaks: tuple[TieBreak, ...] = Field(
        default=(TieBreak.FEWER_SHIPMENTS, TieBreak.EARLIER, TieBreak.NEARER, TieBreak.PRIORITY),
        description="between plans of the same cost, one after the other; at last the nodes' ids decide",
    )
    on_partial: OnPartial = OnPartial()
    on_none: OnNone = OnNone()
    retry: Retry = Retry()


class Policy(Value):
    """The OFL policy: which nodes may ship, what is weighed, and what happens when it does not work out."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    description: str = Field(default="", max_length=2000)
    currency: Currency = "GBP"
    exchange_rates: dict[Currency, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default={}, description="what one unit of another currency (a pound, a yen) is worth in units of `currency`"
    )
    groups: dict[Name, NodeGroup] = Field(default={}, description="nodes under one name, for the fences")
    strategies: tuple[Strategy, ...] = Field(min_length=1, max_length=50)
    reoptimisation: Reoptimisation = Reoptimisation()
    reallocation: ReallocationTerms = ReallocationTerms()
    acceptance: Acceptance = Acceptance()
    cancellations: Cancellations = Cancellations()
    collection: Collections = Collections()
    slips: Slips | None = Field(default=None, description="absent: no customer is asked")

    def worth(self, currency: str) -> float | None:
        """What a minor unit of a currency is worth in minor units of the policy's; None if the policy does not say."""
        if currency == self.currency:
            return 1.0
        rate = self.exchange_rates.get(currency)
        return None if rate is None else minor_per_minor(rate, currency, self.currency)

    def position(self, name: str) -> int | None:
        """Where the strategy of that name stands; None if there is none."""
        return next((place for place, strategy in enumerate(self.strategies) if strategy.name == name), None)

    def after(self, position: int, jump: str | None) -> int | None:
        """The position of the strategy that follows: the one named, or the next; None if there is none."""
        if jump is not None:
            return self.position(jump)
        return position + 1 if position + 1 < len(self.strategies) else None

    def members(self, group: str) -> Iterator[str]:
        """The group's own name and those of every group it contains, each once; unknown ones are left out."""
        seen: set[str] = set()
        waiting = [group]
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self.groups:
                seen.add(name)
                yield name
                waiting.extend(self.groups[name].groups)
