"""Names that nothing answers to."""

from collections.abc import Collection, Iterable, Iterator

from dom.documents.findings import Mistake, Path, did_you_mean, error, warning
from dom.sourcing.policy.document import Policy, Strategy
from dom.sourcing.policy.lint.known import Known


def unknown_names(policy: Policy, known: Known) -> Iterator[Mistake]:
    """Nodes, groups, carriers, channels, SKU attributes, services and strategies that are not there."""
    for name, group in policy.groups.items():
        here: Path = ("groups", name)
        yield from _named("node", (*here, "nodes"), group.nodes, known.node_ids)
        yield from _groups((*here, "groups"), group.groups, policy)
        yield from _nowhere((*here, "kinds"), group.kinds, "is a", {node.kind for node in known.nodes})
        yield from _places(here, group.countries, group.regions, known)
    for position, strategy in enumerate(policy.strategies):
        here = ("strategies", position)
        yield from _of_match((*here, "match"), strategy, known)
        yield from _of_fences((*here, "fences"), strategy, policy, known)
        yield from _attributes((*here, "split", "together_by"), strategy.split.together_by, known)
        yield from _jumps(here, strategy, policy)
    yield from _to_stores(policy, known)


def _to_stores(policy: Policy, known: Known) -> Iterator[Mistake]:
    terms = policy.collection.ship_to_store
    if terms is not None and known.services and terms.service not in known.services:
        path: Path = ("collection", "ship_to_store", "service")
        said = f"no node offers {terms.service}; nothing is ever sent to a store"
        yield warning("service-not-offered", path, said, "name another service, or let a node offer it")


def _of_match(here: Path, strategy: Strategy, known: Known) -> Iterator[Mistake]:
    match = strategy.match
    for index, channel in enumerate(match.channels):
        if known.channels and channel not in known.channels:
            said = f"nobody has described a channel {channel}; no order may ever come from it"
            yield warning("unknown-channel", (*here, "channels", index), said, did_you_mean(channel, known.channels))
    for index, country in enumerate(match.countries):
        if known.destinations and country not in known.destinations and "pickup" not in match.services:
            said = f"no carrier goes to {country}"
            hint = "take it out, or add a lane to a carrier's tariff"
            yield warning("no-carrier-there", (*here, "countries", index), said, hint)
    path: Path
    for index, service in enumerate(match.services):
        if known.services and service not in known.services:
            said = f"no node offers {service}"
            yield warning(
                "service-not-offered", (*here, "services", index), said, "take it out, or let a node offer it"
            )
    yield from _attributes((*here, "sku_attributes"), match.sku_attributes, known)
    for name, values in match.sku_attributes.items():
        in_use = known.attributes.get(name)
        for index, value in enumerate(values):
            if in_use is not None and value not in in_use:
                path = (*here, "sku_attributes", name, index)
                yield warning(
                    "unknown-attribute-value", path, f"no SKU has {name} {value}", did_you_mean(value, in_use)
                )


def _of_fences(here: Path, strategy: Strategy, policy: Policy, known: Known) -> Iterator[Mistake]:
    fences = strategy.fences
    kinds = {node.kind for node in known.nodes}
    for field in ("nodes", "excluded_nodes"):
        yield from _named("node", (*here, field), getattr(fences, field), known.node_ids)
    for field in ("groups", "excluded_groups"):
        yield from _groups((*here, field), getattr(fences, field), policy)
    for field in ("carriers", "excluded_carriers"):
        yield from _named("carrier", (*here, field), getattr(fences, field), known.carriers)
    for field in ("kinds", "excluded_kinds", "complete_only"):
        yield from _nowhere((*here, field), getattr(fences, field), "is a", kinds)
    yield from _places(here, fences.countries, fences.regions, known)


def _named(what: str, here: Path, names: Iterable[str], known: Collection[str]) -> Iterator[Mistake]:
    for index, name in enumerate(names):
        if known and name not in known:
            yield error(f"unknown-{what}", (*here, index), f"there is no {what} {name}", did_you_mean(name, known))


def _groups(here: Path, names: Iterable[str], policy: Policy) -> Iterator[Mistake]:
    for index, name in enumerate(names):
        if name not in policy.groups:
            hint = did_you_mean(name, policy.groups, "" if policy.groups else "describe it under `groups:`")
            yield error("unknown-group", (*here, index), f"there is no group {name}", hint)


def _attributes(here: Path, names: Iterable[str], known: Known) -> Iterator[Mistake]:
    for index, name in enumerate(names):
        if known.attributes and name not in known.attributes:
            step = name if here[-1] == "sku_attributes" else index
            said = f"no SKU has an attribute {name}"
            mistake = error("unknown-attribute", (*here, step), said, did_you_mean(name, known.attributes))
            yield mistake.model_copy(update={"at_key": step == name})


def _places(here: Path, countries: Iterable[str], regions: Iterable[str], known: Known) -> Iterator[Mistake]:
    yield from _nowhere((*here, "countries"), countries, "stands in", {node.address.country for node in known.nodes})
    yield from _nowhere((*here, "regions"), regions, "stands in", {node.address.region for node in known.nodes})


def _nowhere(here: Path, names: Iterable[str], what: str, known: Collection[str]) -> Iterator[Mistake]:
    for index, name in enumerate(names):
        if known and name not in known:
            hint = did_you_mean(name, [each for each in known if each])
            yield warning("no-node-there", (*here, index), f"no node {what} {name}".replace("_", " "), hint)


def _jumps(here: Path, strategy: Strategy, policy: Policy) -> Iterator[Mistake]:
    names = [each.name for each in policy.strategies]
    for field, follows in (("on_partial", strategy.on_partial), ("on_none", strategy.on_none)):
        if follows.strategy is not None and follows.strategy not in names:
            path = (*here, field, "strategy")
            hint = did_you_mean(follows.strategy, names)
            yield error("unknown-strategy", path, f"there is no strategy {follows.strategy}", hint)


def names_given_twice(policy: Policy) -> Iterator[Mistake]:
    """Strategies of one name: a jump to it would reach the first one only."""
    seen: dict[str, int] = {}
    for position, strategy in enumerate(policy.strategies):
        if strategy.name in seen:
            said = f"{strategy.name} is the name of strategy {seen[strategy.name] + 1} already"
            yield error("duplicate-strategy", ("strategies", position, "name"), said, "give it a name of its own")
        seen.setdefault(strategy.name, position)
