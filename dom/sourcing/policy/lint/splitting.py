"""Rules of parting that cannot work."""

from collections.abc import Iterator

from dom.documents.findings import Mistake, Path, warning
from dom.sourcing.policy.document import Policy, SplitBy, Splitting, Strategy


def splitting(policy: Policy) -> Iterator[Mistake]:
    """What is wrong with how each strategy parts an order."""
    for position, strategy in enumerate(policy.strategies):
        here: Path = ("strategies", position, "split")
        if strategy.split.maximum_shipments == 1:
            yield from _without_effect(here, strategy.split)
        else:
            yield from _out_of_reach(here, strategy)


def _without_effect(here: Path, split: Splitting) -> Iterator[Mistake]:
    rules = {
        "by": split.by is SplitBy.LINE,
        "together_by": bool(split.together_by),
        "minimum_value": split.minimum_value > 0,
        "minimum_units": split.minimum_units > 0,
    }
    for field, is_given in rules.items():
        if is_given:
            said = f"an order that is one shipment is never parted, so `{field}` does nothing"
            yield warning("split-rule-without-split", (*here, field), said, "take it out, or allow more shipments")


def _out_of_reach(here: Path, strategy: Strategy) -> Iterator[Mistake]:
    split, match = strategy.split, strategy.match
    for what, least, below in (
        ("value", split.minimum_value, match.value_below),
        ("units", split.minimum_units, match.units_below),
    ):
        if least and below is not None and below <= 2 * least:
            said = f"an order of {what} below {below} never makes two shipments of {least}"
            hint = f"ask for less than {below // 2}, or say `maximum_shipments: 1`"
            yield warning("minimum-out-of-reach", (*here, f"minimum_{what}"), said, hint)
