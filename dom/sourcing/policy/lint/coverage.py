"""Orders that no strategy is for.

Looked for as a search: an order that falls through must fail one condition of every strategy. Conditions are failed one
strategy after the other, each narrowing what the order may still be, until all are failed or nothing is left.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from dom.documents.findings import Mistake, warning
from dom.network import ShippingMethod
from dom.sourcing.policy.document import Match, Policy
from dom.sourcing.policy.lint.covering import LISTS, RANGES, SMALLEST
from dom.sourcing.policy.lint.known import Known

MAX_WORK: Final = 500_000
"""Values looked at; after so many the search is given up, and nothing is said."""
OTHER: Final = ""
"""Stands for every value no strategy names."""

Domains = Mapping[str, frozenset[str]]
"""What an order may still be, by field; a field that is not there is free."""

_CALLED: Final = {"channels": "channel", "countries": "country", "regions": "region", "services": "service"}


def fall_through(policy: Policy, known: Known) -> Iterator[Mistake]:
    """A warning with an example, where there are orders no strategy is for."""
    matches = [strategy.match for strategy in policy.strategies]
    search = _Search(matches, known)
    found = search.failing(0, {})
    if found is not None:
        said = f"some orders match no strategy and go to a person: for example {_example(found)}"
        yield warning("orders-fall-through", ("strategies",), said, "end with a strategy that has no `match`")


class _Search:
    def __init__(self, matches: list[Match], known: Known) -> None:
        self._matches = matches
        self._known = known
        self._numbers = {what: self._sample(what) for what in RANGES}
        self._ways = [list(self._ways_to_fail(match)) for match in matches]
        self._work = 0

    def failing(self, position: int, domains: Domains) -> Domains | None:
        """What an order that fails every match from this one on may be; None if there is none."""
        if position == len(self._ways):
            return domains
        for way in self._ways[position]:
            self._work += 10 + sum(map(len, way.values()))
            if self._work > MAX_WORK:
                return None
            narrowed = {field: domains.get(field, left) & left for field, left in way.items()}
            if all(narrowed.values()):
                found = self.failing(position + 1, {**domains, **narrowed})
                if found is not None:
                    return found
        return None

    def _ways_to_fail(self, match: Match) -> Iterator[Domains]:
        """For each condition, what the order must be for it to fail."""
        for field in LISTS:
            wanted = getattr(match, field)
            if wanted:
                yield {field: self._all(field) - frozenset(wanted)}
        yield from self._outside(match)
        if match.tags:
            yield {f"tag {tag}": frozenset({"no"}) for tag in match.tags}
        for tag in match.without_tags:
            yield {f"tag {tag}": frozenset({"yes"})}
        if match.handling:
            yield {"handling": frozenset({OTHER})}
        for name in match.sku_attributes:
            yield {f"attribute {name}": frozenset({OTHER})}
        if match.when is not None:
            yield {f"when {match.when}": frozenset({"no"})}

    def _outside(self, match: Match) -> Iterator[Domains]:
        for what, sample in self._numbers.items():
            least, below = getattr(match, f"{what}_at_least"), getattr(match, f"{what}_below")
            if least is not None:
                yield {what: frozenset(str(each) for each in sample if each < least)}
            if below is not None:
                yield {what: frozenset(str(each) for each in sample if each >= below)}

    def _sample(self, what: str) -> list[int]:
        """Numbers on either side of every limit: what holds for them holds for all between."""
        limits = {
            limit
            for match in self._matches
            for limit in (getattr(match, f"{what}_at_least"), getattr(match, f"{what}_below"))
            if limit is not None
        }
        smallest = SMALLEST[what]
        return sorted({each for limit in limits for each in (limit - 1, limit) if each >= smallest} | {smallest})

    def _all(self, field: str) -> frozenset[str]:
        """Every value that matters, and one that stands for the rest where the rest is not known."""
        named = frozenset(str(value) for match in self._matches for value in getattr(match, field))
        if field == "services":
            return frozenset(ShippingMethod)
        if field == "channels" and self._known.channels:
            return named | frozenset(self._known.channels)
        return named | {OTHER}


def _example(domains: Domains) -> str:
    said = []
    for field, left in domains.items():
        what, _, name = field.partition(" ")
        one = min(left)
        if what in RANGES:
            said.append(f"{what} {min(int(each) for each in left)}")
        elif what == "tag":
            said.append(f"{'the' if one == 'yes' else 'no'} tag {name}")
        elif what == "when":
            said.append(f"a `when` that does not hold: {name}")
        elif what == "attribute":
            said.append(f"goods of another {name}")
        elif what == "handling":
            said.append("goods that need no special handling")
        else:
            called = _CALLED.get(what, what.removesuffix("es").replace("_", " "))
            said.append(f"another {called}" if one == OTHER else f"{called} {one}")
    return "one with " + ", ".join(said) if said else "any order"
