"""Fences that contradict each other or the match, or leave nothing to choose from."""

from collections.abc import Iterator, Mapping

from dom.documents.findings import Mistake, Path, error, warning
from dom.network import Node, ShippingMethod
from dom.sourcing.policy.document import Fence, Fences, Policy, Strategy
from dom.sourcing.policy.kinds import by_kind
from dom.sourcing.policy.lint.known import Known

BOTH_WAYS = (
    ("nodes", "excluded_nodes"),
    ("groups", "excluded_groups"),
    ("kinds", "excluded_kinds"),
    ("carriers", "excluded_carriers"),
)
BY_KIND = ("maximum_distance_km", "keep_back", "minimum_picking_value", "capacity_kept_percent")
WHOLE = 100
MINUTES_OF_A_DAY = 1440


def fencing(policy: Policy, known: Known) -> Iterator[Mistake]:
    """What is wrong with the fences of each strategy."""
    held = known.by_group(policy)
    for position, strategy in enumerate(policy.strategies):
        here: Path = ("strategies", position, "fences")
        yield from _both_ways(here, strategy.fences)
        yield from _elsewhere(here, strategy)
        yield from _of_pickup(here, strategy, policy)
        yield from _of_kinds(here, strategy.fences)
        yield from _today(here, strategy, policy)
        if _is_named_right(strategy.fences, policy, known) and not _left(strategy, policy, known, held):
            said = "no node of the network passes these fences, whatever the order"
            hint = "open one of them; `groups` and `nodes` add up, the others narrow down"
            yield error("no-node-left", here, said, hint)
        yield from _no_carrier_left(here, strategy.fences, known)


def _both_ways(here: Path, fences: Fences) -> Iterator[Mistake]:
    for field, excluded in BOTH_WAYS:
        wanted = frozenset(getattr(fences, field))
        for index, name in enumerate(getattr(fences, excluded)):
            if name in wanted:
                said = f"{name} is asked for by `{field}` and shut out"
                yield error("included-and-excluded", (*here, excluded, index), said, "take it out of one list")


def _elsewhere(here: Path, strategy: Strategy) -> Iterator[Mistake]:
    fences, match = strategy.fences, strategy.match
    for same, field in (("same_country", "countries"), ("same_region", "regions")):
        nodes, orders = set(getattr(fences, field)), set(getattr(match, field))
        if getattr(fences, same) and nodes and orders and not nodes & orders:
            here_and_there = f"{', '.join(sorted(orders))} and {', '.join(sorted(nodes))}"
            said = f"nodes must be where the goods go and in {field} of their own, {here_and_there}: none is both"
            yield error("disjoint-places", (*here, field), said, f"name {field} of the match, or drop `{same}`")


def _of_pickup(here: Path, strategy: Strategy, policy: Policy) -> Iterator[Mistake]:
    if set(strategy.match.services) != {ShippingMethod.PICKUP} or policy.collection.ship_to_store is not None:
        return
    for field in ("carriers", "excluded_carriers"):
        if getattr(strategy.fences, field):
            said = "no carrier takes part in a pick-up"
            yield error("pickup-and-carriers", (*here, field), said, "take it out, or match another service as well")


def _of_kinds(here: Path, fences: Fences) -> Iterator[Mistake]:
    for kind, percent in fences.capacity_kept_percent.items():
        if percent == WHOLE:
            path = (*here, "capacity_kept_percent", str(kind))
            said = "with all of its capacity kept back, no such node ever takes part"
            yield warning("whole-capacity-kept", path, said, "keep less, or say so with `excluded_kinds`")
    for field in BY_KIND:
        for kind in getattr(fences, field):
            shut_out = kind in fences.excluded_kinds or (fences.kinds and kind not in fences.kinds)
            if kind != "any" and shut_out:
                said = f"no {kind} takes part in this strategy"
                mistake = warning("kind-not-admitted", (*here, field, str(kind)), said, "take it out")
                yield mistake.model_copy(update={"at_key": True})


def _today(here: Path, strategy: Strategy, policy: Policy) -> Iterator[Mistake]:
    held = policy.reoptimisation.hold_minutes if policy.reoptimisation.enabled else 0
    if strategy.fences.leaves_within_days == 0 and held >= MINUTES_OF_A_DAY:
        said = f"what is to leave today is held back for {held} minutes"
        hint = f"`reoptimisation.hold_minutes` must be less than {MINUTES_OF_A_DAY}"
        yield error("held-past-cut-off", (*here, "leaves_within_days"), said, hint)


def _no_carrier_left(here: Path, fences: Fences, known: Known) -> Iterator[Mistake]:
    left = known.carriers & frozenset(fences.carriers or known.carriers)
    if left and left <= set(fences.excluded_carriers):
        yield error("no-carrier-left", (*here, "excluded_carriers"), "no carrier is left", "take one of them out")


def _is_named_right(fences: Fences, policy: Policy, known: Known) -> bool:
    """Whether nodes and groups are there; those that are not are told by their names."""
    return bool(known.nodes) and known.node_ids.issuperset(fences.nodes) and set(fences.groups) <= set(policy.groups)


def _left(strategy: Strategy, policy: Policy, known: Known, held: Mapping[str, frozenset[str]]) -> bool:
    """Whether some order could come to some node, by where it stands, what it is and what it offers."""
    fences = strategy.fences
    nothing: frozenset[str] = frozenset()
    wanted = frozenset(fences.nodes).union(*[held.get(name, nothing) for name in fences.groups])
    is_open = not (fences.nodes or fences.groups)
    unwanted = frozenset(fences.excluded_nodes).union(*[held.get(name, nothing) for name in fences.excluded_groups])
    return any(
        (is_open or node.id in wanted)
        and node.id not in unwanted
        and _kind_takes_part(node, fences)
        and _place_takes_part(node, strategy)
        and _offers(node, strategy, policy)
        for node in known.nodes
    )


def _offers(node: Node, strategy: Strategy, policy: Policy) -> bool:
    services, to_store = strategy.match.services, policy.collection.ship_to_store
    collected = node.pickup or (to_store is not None and to_store.service in node.services)
    offered = {*node.services, *([ShippingMethod.PICKUP] if collected else [])}
    return not services or not offered.isdisjoint(services)


def _kind_takes_part(node: Node, fences: Fences) -> bool:
    admitted = (not fences.kinds or node.kind in fences.kinds) and node.kind not in fences.excluded_kinds
    return admitted and by_kind(fences.capacity_kept_percent, node.kind) != WHOLE


def _place_takes_part(node: Node, strategy: Strategy) -> bool:
    fences, match, country = strategy.fences, strategy.match, node.address.country
    if fences.countries and country not in fences.countries:
        return False
    if fences.regions and node.address.region not in fences.regions:
        return False
    alike = fences.same_country or fences.same_region
    return not (alike and match.countries and country not in match.countries)


def is_set(fence: Fence, fences: Fences) -> bool:
    """Whether a strategy sets a fence of its own will."""
    fields = {
        Fence.NETWORK: ("nodes", "groups", "kinds", "excluded_nodes", "excluded_groups", "excluded_kinds"),
        Fence.PLACE: ("countries", "regions", "same_country", "same_region"),
        Fence.WITHIN_DISTANCE: ("maximum_distance_km",),
        Fence.CARRIER: ("carriers", "excluded_carriers"),
        Fence.KEPT_BACK: ("keep_back",),
        Fence.PICKING_VALUE: ("minimum_picking_value",),
        Fence.COMPLETE_ONLY: ("complete_only",),
        Fence.CAPACITY_KEPT: ("capacity_kept_percent",),
        Fence.LEAVES_IN_TIME: ("leaves_within_days",),
        Fence.ARRIVES_IN_TIME: ("arrives_in_time",),
    }
    return any(getattr(fences, field) not in ((), {}, None, False) for field in fields[fence])
