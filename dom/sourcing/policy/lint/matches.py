"""Conditions of a match that cannot hold together."""

from collections.abc import Iterator

from dom.documents.findings import Mistake, Path, error, warning
from dom.sourcing.policy.document import Match, Policy
from dom.sourcing.policy.lint.covering import SMALLEST


def matches(policy: Policy) -> Iterator[Mistake]:
    """What contradicts itself within a strategy's match."""
    for position, strategy in enumerate(policy.strategies):
        here: Path = ("strategies", position, "match")
        yield from _ranges(here, strategy.match)
        yield from _tags(here, strategy.match)
        for name, values in strategy.match.sku_attributes.items():
            if not values:
                said = f"no value of {name} is named, so no order matches"
                yield error("nothing-matches", (*here, "sku_attributes", name), said, "name a value, or take it out")


def _ranges(here: Path, match: Match) -> Iterator[Mistake]:
    for what, smallest in SMALLEST.items():
        least, below = getattr(match, f"{what}_at_least"), getattr(match, f"{what}_below")
        if below is not None and below <= (least or smallest):
            said = f"no order has {what} of at least {least or smallest} and below {below}"
            path = (*here, f"{what}_below")
            yield error("empty-range", path, said, f"`{what}_below` must be more than `{what}_at_least`")


def _tags(here: Path, match: Match) -> Iterator[Mistake]:
    shut_out = frozenset(match.without_tags)
    both = [tag for tag in match.tags if tag in shut_out]
    for tag in both:
        path = (*here, "without_tags", match.without_tags.index(tag))
        if len(both) == len(match.tags):
            yield error("tag-in-both-lists", path, f"the order must have {tag} and must not", "take it out of one list")
        else:
            yield warning("tag-in-both-lists", path, f"{tag} helps nobody to match", "take it out of one list")
