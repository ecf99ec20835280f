"""Plan units on a fresh snapshot: the one function behind the promise, the soft reservation and the order.

What was promised is what is reserved, because nobody else reads the world for the planner or calls it.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.network import Sku
from dom.shared.errors import UnknownNode
from dom.sourcing.models import Demand, DemandLine, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from dom.stock.allocation import Balance
from store.network.reference import Reference, ReferenceCache
from store.sourcing import snapshot
from store.sourcing.decisions import Planned

HARD: Final = 300
"""Lines times nodes from which on a basket is planned beside the event loop, so that nobody else waits for it.

Measured on a busy machine of two cores, by `bench.ofl.instances`: 10 nodes x 3 lines take 3 ms, 50 x 3 take 6 ms, both
less than the way through a thread; 50 x 8 take 22 ms, 200 x 5 33 ms, 200 x 10 79 ms at the median and 460 ms at worst.
"""


@dataclass(frozen=True, slots=True)
class SnapshotTerms:
    """How the world is read for a demand.

    `postal_code` says where the customer is, as far as the network knows it. `own` is a soft reservation whose live
    units are free for the asker. `promised` counts what may be promised to the channel instead of what OFL may take: it
    never counts more. The lines of `at_list_price` have the catalogue's price where it is in the demand's currency.
    `not_found` are balances (node, SKU) that hold nothing for the asker, whatever the books say: the
    node did not find his units there.
    """

    postal_code: str = ""
    own: str | None = None
    promised: bool = False
    at_list_price: frozenset[str] = frozenset()
    not_found: frozenset[Balance] = frozenset()

    def priced(self, line: DemandLine, sku: Sku, currency: str) -> DemandLine:
        """The line with the price that counts."""
        if line.line_id not in self.at_list_price:
            return line
        return line.model_copy(update={"unit_price": sku.list_price if sku.currency == currency else 0})

    def failed_nodes(self, demand: Demand) -> frozenset[str]:
        """Nodes that are not asked: they failed the asker, or found nothing of what he wants."""
        skus = {line.sku for line in demand.lines}
        nodes = {node for node, _ in self.not_found}
        nothing = {node for node in nodes if all((node, sku) in self.not_found for sku in skus)}
        return demand.excluded_nodes | nothing


async def plan_units(
    connection: AsyncConnection, cache: ReferenceCache, demand: Demand, terms: SnapshotTerms
) -> Planned:
    """Plan the units on the stock as it is now; changes nothing. The demand's place, prices and failed nodes are
    completed by what is read.

    Raises UnknownSku (the field names the line's position) and UnknownNode for what the network does not hold.
    """
    planned, _ = await plan_under(connection, cache, demand, terms)
    return planned


async def plan_under(
    connection: AsyncConnection, cache: ReferenceCache, demand: Demand, terms: SnapshotTerms
) -> tuple[Planned, Policy]:
    """As `plan_units`, with the policy that was live."""
    seen = await see(connection, cache, demand, terms)
    reference = seen.reference
    decision = await decide(seen, seen.demand)
    looks = reference.policy.reoptimisation
    hold = timedelta(minutes=looks.hold_minutes) if looks.enabled else timedelta()
    return Planned(seen.demand, seen.world, reference.network, decision, hold), reference.policy


@dataclass(frozen=True, slots=True)
class WorldSeen:
    """A demand, completed by what was read, the world that the planner may see for it, and the reference data."""

    demand: Demand
    world: Snapshot
    reference: Reference


async def see(
    connection: AsyncConnection,
    cache: ReferenceCache,
    demand: Demand,
    terms: SnapshotTerms,
    more_skus: Collection[str] = (),
) -> WorldSeen:
    """Read the world for a demand, and for more SKUs that may take part. Raises as `plan_units`."""
    world, reference, place = await snapshot.snapshot(
        connection,
        cache,
        channel=demand.channel,
        skus=[*(line.sku for line in demand.lines), *more_skus],
        country=demand.country,
        postal_code=terms.postal_code,
        first_day=(demand.as_of - timedelta(days=1)).date(),
        last_day=(demand.as_of + timedelta(days=snapshot.HORIZON_DAYS)).date(),
        taken_at=demand.as_of,
        own=terms.own,
        promised=terms.promised,
    )
    if terms.not_found:
        there = {balance: units for balance, units in world.available.items() if balance not in terms.not_found}
        world = world.model_copy(update={"available": there})
    if demand.pickup_node and all(node.id != demand.pickup_node for node in reference.nodes):
        raise UnknownNode(f"there is no node {demand.pickup_node}", field="pickup_node")
    completed = {
        "place": place,
        "lines": tuple([terms.priced(line, world.skus[line.sku], demand.currency) for line in demand.lines]),
        "excluded_nodes": terms.failed_nodes(demand),
    }
    return WorldSeen(demand.model_copy(update=completed), world, reference)


async def decide(seen: WorldSeen, demand: Demand) -> SourcingDecision:
    """Plan a demand on the world that was seen."""
    policy, version = seen.reference.policy, seen.reference.policy_version
    if len(demand.lines) * len(seen.reference.nodes) < HARD:
        return plan(demand, seen.world, policy, version)
    return await asyncio.to_thread(plan, demand, seen.world, policy, version)
