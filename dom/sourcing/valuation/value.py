"""What stock is worth, from the world as it stands: stock, what was ordered, tariffs and the policy in; prices out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dom.delivery.parcels import measure, piece
from dom.delivery.tariffs import Tariff, quote
from dom.network import Node, ShippingMethod, Sku
from dom.sourcing.distance import great_circle_km
from dom.sourcing.models import Place
from dom.sourcing.policy.document import Costs, Policy, Strategy
from dom.sourcing.valuation.demand import Bought, Expected, expected
from dom.sourcing.valuation.scenarios import scenarios
from dom.sourcing.valuation.transport import Freight, Market
from dom.sourcing.valuation.ways import Numbers

UNFILLED_TIMES: Final = 2.0
"""What a unit that is not filled costs at least, as a multiple of its dearest shipment (W. Ma, M&SOM 25(4), 2023)."""
_METHODS: Final = (ShippingMethod.STANDARD, ShippingMethod.ECONOMY, ShippingMethod.EXPRESS)


@dataclass(frozen=True, slots=True)
class ValuationInput:
    """What SKUs are priced on. Nodes are active ones; supply is free units by (node, SKU), what is due among them.

    `history` numbers SKUs and regions as they stand in `skus` and `nodes`. An unfilled unit costs `margin_percent` of
    its list price, if that is more than `UNFILLED_TIMES` its dearest shipment.
    """

    nodes: tuple[Node, ...]
    skus: tuple[Sku, ...]
    tariffs: tuple[Tariff, ...]
    policy: Policy
    supply: Mapping[tuple[str, str], float]
    history: tuple[Bought, ...]
    history_days: int
    horizon_days: int
    margin_percent: int


@dataclass(frozen=True, slots=True)
class ShadowPrice:
    """Of a SKU at a node: shadow price in minor units of the policy's currency; units a day it is to be asked for, by
    the forecast, and to give, by the solution.
    """

    node_id: str
    sku: str
    opportunity: int
    daily_demand: float
    outflow: float


def pricing(policy: Policy) -> Strategy | None:
    """The first strategy that asks what stock is worth; None if none does, and there is nothing to price."""
    return next((each for each in policy.strategies if each.cost.opportunity_weight or each.cost.days_of_supply), None)


def shadow_prices(outlook: ValuationInput) -> list[ShadowPrice]:
    """What a unit of each SKU is worth at each node that holds it, by node and SKU."""
    strategy = pricing(outlook.policy)
    if strategy is None or not outlook.nodes or not outlook.skus:
        return []
    demand = expected(outlook.history, len(outlook.skus), len(outlook.nodes), outlook.history_days)
    supply = np.array([[outlook.supply.get((n.id, s.id), 0.0) for s in outlook.skus] for n in outlook.nodes])
    freight = freight_of(outlook, strategy.cost)
    drawn = scenarios(demand.rates, outlook.horizon_days) if demand.rates else np.zeros((0, 1))
    solved = Market(demand.baskets, freight).prices(supply, drawn)
    asked = _asked_of(demand, supply, freight)
    return [
        ShadowPrice(
            node.id,
            sku.id,
            round(float(solved.price[k, i])),
            round(float(asked[k, i]), 4),
            round(float(solved.taken[k, i]) / outlook.horizon_days, 4),
        )
        for k, node in enumerate(outlook.nodes)
        for i, sku in enumerate(outlook.skus)
        if (node.id, sku.id) in outlook.supply
    ]


def freight_of(outlook: ValuationInput, costs: Costs) -> Freight:
    """What it costs to send goods from each node to each region, as the strategy weighs it.

    A shipment costs what the cheapest carrier asks for a parcel that weighs next to nothing, the node's fixed handling,
    packaging and distance; a unit the rest of its own parcel, handling and packaging.
    """
    nodes, skus = outlook.nodes, outlook.skus
    light = skus[0].model_copy(update={"id": "", "weight_grams": 1, "length_mm": 1, "width_mm": 1, "height_mm": 1})
    known: _Parcels = {}
    fixed = np.full((len(nodes), len(nodes)), np.inf)
    unit = np.full((len(nodes), len(skus), len(nodes)), np.inf)
    for k, node in enumerate(nodes):
        worth = outlook.policy.worth(node.currency)
        if worth is None:
            continue
        for j, region in enumerate(nodes):
            country = region.address.country
            if node.ships_to and country not in node.ships_to:
                continue
            empty = _parcel(outlook, known, node, country, light)
            if empty is None:
                continue
            km = great_circle_km(
                node.latitude, node.longitude, Place(latitude=region.latitude, longitude=region.longitude)
            )
            fixed[k, j] = (
                costs.freight_weight * empty
                + costs.handling_weight * node.handling_cost.fixed * worth
                + costs.packaging_per_shipment
                + costs.distance_per_100_km * km / 100
            )
            each = costs.handling_weight * node.handling_cost.per_unit * worth + costs.packaging_per_unit
            for i, sku in enumerate(skus):
                full = _parcel(outlook, known, node, country, sku)
                if full is not None:
                    unit[k, i, j] = costs.freight_weight * (full - empty) + each
    return Freight(fixed, unit, _penalty(outlook, fixed, unit), np.zeros(len(nodes)))


_Parcels = dict[tuple[str, tuple[ShippingMethod, ...], str, str], float | None]


def _parcel(outlook: ValuationInput, known: _Parcels, node: Node, country: str, sku: Sku) -> float | None:
    """The cheapest parcel with one unit, in minor units of the policy's currency, by the first service there is."""
    key = (node.address.country, node.services, country, sku.id)
    if key not in known:
        offers = (_cheapest(outlook, method, node, country, sku) for method in _METHODS if method in node.services)
        known[key] = next((price for price in offers if price is not None), None)
    return known[key]


def _cheapest(outlook: ValuationInput, method: ShippingMethod, node: Node, country: str, sku: Sku) -> float | None:
    size = measure([(sku.id, 1)], {sku.id: sku})
    prices = []
    for tariff in outlook.tariffs:
        offer = quote(tariff, method, node.address.country, country, size)
        worth = outlook.policy.worth(tariff.currency)
        if offer is not None and worth is not None and tariff.takes(method, piece(sku)):
            prices.append(offer.price * worth)
    return min(prices, default=None)


def _penalty(outlook: ValuationInput, fixed: Numbers, unit: Numbers) -> Numbers:
    """What an unfilled unit costs, by (SKU, region)."""
    sent = fixed[:, None, :] + unit
    dearest = np.where(np.isfinite(sent), sent, 0.0).max(axis=0)
    margins = [
        sku.list_price * (outlook.policy.worth(sku.currency) or 0.0) * outlook.margin_percent / 100
        for sku in outlook.skus
    ]
    penalty: Numbers = np.maximum(UNFILLED_TIMES * dearest, np.array(margins)[:, None])
    return penalty


def _asked_of(demand: Expected, supply: Numbers, freight: Freight) -> Numbers:
    """Units a day each node will be asked for: a region asks the node with stock that sends there most cheaply."""
    asked = np.zeros(supply.shape)
    for (sku, region), daily in demand.daily.items():
        cost: Sequence[float] = np.where(
            supply[:, sku] > 0, freight.fixed[:, region] + freight.unit[:, sku, region], np.inf
        ).tolist()
        least = min(cost)
        if np.isfinite(least):
            asked[cost.index(least), sku] += daily
    return asked
