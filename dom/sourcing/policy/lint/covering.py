"""How the matches of two strategies lie to each other: one takes in the other, or no order meets both."""

from collections.abc import Collection

from dom.sourcing.policy.document import Match

LISTS = ("channels", "countries", "regions", "services", "customer_classes")
"""An order has one of these; a strategy names those it is for."""
SMALLEST = {"value": 0, "units": 1, "grams": 1}
RANGES = tuple(SMALLEST)


def covers(wide: Match, narrow: Match) -> bool:
    """Whether every order that meets `narrow` meets `wide` too. An expression covers only itself."""
    return (
        all(_takes_in(getattr(wide, field), getattr(narrow, field)) for field in (*LISTS, "tags", "handling"))
        and set(wide.without_tags) <= set(narrow.without_tags)
        and all(_range_takes_in(wide, narrow, what) for what in RANGES)
        and all(
            name in narrow.sku_attributes and set(narrow.sku_attributes[name]) <= set(values)
            for name, values in wide.sku_attributes.items()
        )
        and wide.when in {None, narrow.when}
    )


def disjoint(left: Match, right: Match) -> bool:
    """Whether it is certain that no order meets both."""
    return (
        any(_apart(getattr(left, field), getattr(right, field)) for field in LISTS)
        or any(_below(left, right, what) or _below(right, left, what) for what in RANGES)
        or _only_tags_of(left.tags, right.without_tags)
        or _only_tags_of(right.tags, left.without_tags)
    )


def _takes_in(wide: Collection[str], narrow: Collection[str]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _range_takes_in(wide: Match, narrow: Match, what: str) -> bool:
    (least, below), (narrow_least, narrow_below) = _range(wide, what), _range(narrow, what)
    return least <= narrow_least and (below is None or (narrow_below is not None and narrow_below <= below))


def _below(low: Match, high: Match, what: str) -> bool:
    below = _range(low, what)[1]
    return below is not None and below <= _range(high, what)[0]


def _range(match: Match, what: str) -> tuple[int, int | None]:
    return getattr(match, f"{what}_at_least") or SMALLEST[what], getattr(match, f"{what}_below")


def _apart(left: Collection[str], right: Collection[str]) -> bool:
    return bool(left) and bool(right) and not set(left) & set(right)


def _only_tags_of(tags: Collection[str], shut_out: Collection[str]) -> bool:
    return bool(tags) and set(tags) <= set(shut_out)
