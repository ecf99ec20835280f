"""Groups that contain themselves, hold nothing, or are used by nobody."""

from collections import deque
from collections.abc import Iterator, Mapping

from dom.documents.findings import Mistake, Path, error, warning
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.lint.known import Known


def groups(policy: Policy, known: Known) -> Iterator[Mistake]:
    """What is wrong with the groups themselves."""
    used, held = set(_used(policy)), known.by_group(policy)
    for name, group in policy.groups.items():
        here: Path = ("groups", name)
        chain = _back_to(name, policy)
        if chain:
            index = group.groups.index(chain[1])
            said = f"{name} contains itself: {' > '.join(chain)}"
            yield error("group-in-itself", (*here, "groups", index), said, "take one of these groups out of the other")
        if not (group.nodes or group.kinds or group.countries or group.regions or group.groups):
            yield warning("empty-group", here, f"the group {name} holds nothing", "name its nodes, or take it out")
        elif known.nodes and not chain and not group.nodes and not held[name]:
            said = f"no node of the network is in the group {name}"
            yield warning("empty-group", here, said, "`kinds`, `countries` and `regions` must hold together")
        if name not in used:
            yield warning("unused-group", here, f"no strategy uses the group {name}", "take it out, or use it")


def _used(policy: Policy) -> Iterator[str]:
    named = {
        name for strategy in policy.strategies for name in (*strategy.fences.groups, *strategy.fences.excluded_groups)
    }
    for name in named:
        yield from policy.members(name)


def _back_to(name: str, policy: Policy) -> list[str]:
    """The shortest way from a group through those it contains back to itself; empty if there is none."""
    came_from: dict[str, str] = {}
    waiting = deque([name])
    while waiting:
        here = waiting.popleft()
        inner = policy.groups.get(here)
        for each in inner.groups if inner else ():
            if each == name:
                return [*reversed(_back(here, name, came_from)), name]
            if each not in came_from:
                came_from[each] = here
                waiting.append(each)
    return []


def _back(here: str, start: str, came_from: Mapping[str, str]) -> list[str]:
    way = [here]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way
