"""The report of a rehearsal as one HTML page: its own charts, no script, nothing fetched from elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.rehearsal.charts import Pair, pairs
from dom.shared.money import figures
from dom.sourcing.models import CostTerm
from dom.sourcing.rehearsal.figures import Figures, NodeLoad
from dom.sourcing.rehearsal.pricing import MONEY
from dom.sourcing.rehearsal.report import Report
from dom.sourcing.rehearsal.reproducing import WHY, Verdict

ORDERS_SHOWN: Final = 150
"""Changed orders on the page; the JSON has more."""
_NODES_IN_CHART: Final = 16
_NOTHING: Final = 0.00005
"""A change that is smaller is none."""
MINUS: Final = "\N{MINUS SIGN}"
WITHOUT_A_PRICE: Final = (
    "the baseline's policy lacks a rate for a currency, weighs in another one, or is not there any more"
)
_GOOD: Final = frozenset({Verdict.SAME, Verdict.EXPLAINED_OTHERWISE, Verdict.REOPTIMISED})


Say = Callable[[float], str]
"""How a number is written."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of figures. `tone` is `better`, `worse` or empty."""

    label: str
    baseline: str
    draft: str
    change: str
    tone: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node's load on both sides."""

    name: str
    baseline: NodeLoad
    draft: NodeLoad
    change: str


def page(found: Report) -> str:
    """The page."""
    return _TEMPLATE.render(
        report=found,
        made=found.made,
        rows=list(rows(found)),
        weights=list(_terms(found, money=False)),
        paid=list(_terms(found, money=True)),
        nodes=list(_nodes(found)),
        groups=[
            ("channel", _groups(found.baseline.by_channel, found.draft.by_channel, found)),
            ("strategy", _groups(found.baseline.by_strategy, found.draft.by_strategy, found)),
        ],
        term_chart=pairs(_term_pairs(found), "Cost by term, at the baseline's prices"),
        split_chart=pairs(_split_pairs(found), "Split orders by channel"),
        node_chart=pairs(_node_pairs(found), "Fulfilments by node"),
        changed=found.changed[:ORDERS_SHOWN],
        verdicts=[(verdict, count, WHY[verdict]) for verdict, count in found.made.verdicts.items()],
        bad=[each for each in found.not_the_same if each.verdict not in _GOOD],
        without_a_price=WITHOUT_A_PRICE,
        same_currency=found.baseline.currency == found.draft.currency,
    )


def amount(minor: float | None, currency: str) -> str:
    """`1,234.56 GBP`."""
    return "not known" if minor is None else f"{plain(minor, currency)} {currency}"


def plain(minor: float | None, currency: str) -> str:
    """`1,234.56`: an amount where the currency is said elsewhere."""
    if minor is None:
        return "not known"
    whole, point, part = figures(abs(int(minor)), currency).partition(".")
    return f"{MINUS if minor < 0 else ''}{int(whole):,}{point}{part}"


def moment(at: datetime | None) -> str:
    """`2 Mar 2026 12:00`, in UTC."""
    return "" if at is None else f"{at.day} {at:%b %Y %H:%M}"


def rows(found: Report) -> Iterator[Row]:
    """The figures that people look at first."""
    was, now, money = found.baseline.total, found.draft.total, found.baseline.currency
    say = partial(plain, currency=money)
    left_out = f"; without {was.orders_not_priced} orders that have no price" if was.orders_not_priced else ""
    yield _row("Money paid out", was.money, now.money, say, -1, f"{money}: freight, handling, packaging{left_out}")
    yield _row("Money per unit planned", _per_unit(was), _per_unit(now), say, -1, money)
    yield _row(
        "Cost as the baseline weighs it", was.weighed, now.weighed, say, -1, f"{money}: money and weights{left_out}"
    )
    if found.made.other_prices:
        own = f"each at its own prices, {money} and {found.draft.currency}; not to be compared"
        yield Row("Cost as each side weighs it", say(was.cost), plain(now.cost, found.draft.currency), "", note=own)
    yield _row("Orders with a plan", was.orders_planned, now.orders_planned, _whole, 1, f"of {was.orders}")
    yield _row("Split orders", was.orders_split, now.orders_split, _whole, -1)
    yield _row("Split rate", was.split_rate * 100, now.split_rate * 100, _percent, -1)
    yield _row("Shipments", was.shipments, now.shipments, _whole, -1)
    yield _row("Shipments per order", was.shipments_per_order, now.shipments_per_order, _three, -1)
    yield _row("Distance of a shipment", was.distance_km, now.distance_km, _one, -1, "km, mean; pick-ups left out")
    yield _row("Promised within", was.promised_days, now.promised_days, _two, -1, "days, mean")
    yield _row("Promised within, nine of ten", was.promised_days_p90, now.promised_days_p90, _two, -1, "days")
    dated = f"of {was.orders_with_a_date} whose customer named a day"
    yield _row("Orders promised late", was.orders_late, now.orders_late, _whole, -1, dated)
    yield _row("Units planned", was.units, now.units, _whole, 1)
    yield _row("Units that wait at the end", was.units_unfilled, now.units_unfilled, _whole, -1)
    if was.unpriced or now.unpriced:
        yield _row("Shipments without a price", was.unpriced, now.unpriced, _whole, -1, WITHOUT_A_PRICE)


def _per_unit(side: Figures) -> int | None:
    return round(side.money / side.units_priced) if side.units_priced else None


def _row(label: str, was: float | None, now: float | None, say: Say, good: int, note: str = "") -> Row:
    if was is None or now is None:
        return Row(label, "n/a" if was is None else say(was), "n/a" if now is None else say(now), "", note=note)
    change = now - was
    if abs(change) < _NOTHING:
        return Row(label, say(was), say(now), "no change", note=note)
    share = f" ({change / was:+.1%})" if was and say is not _percent else ""
    said = ("+" if change > 0 else "") + say(change)
    unit = " points" if say is _percent else ""
    return Row(
        label, say(was), say(now), said.replace(" %", "") + unit + share.replace("-", MINUS), _tone(change * good), note
    )


def _tone(gain: float) -> str:
    return "better" if gain > 0 else "worse"


def _terms(found: Report, *, money: bool) -> Iterator[Row]:
    was, now = found.baseline.total.terms_weighed, found.draft.total.terms_weighed
    say = partial(plain, currency=found.baseline.currency)
    for term in CostTerm:
        if (term in MONEY) is money and (term in was or term in now):
            yield _row(str(term).capitalize(), was.get(term, 0), now.get(term, 0), say, -1)


def _nodes(found: Report) -> Iterator[NodeRow]:
    was = {load.node_id: load for load in found.baseline.nodes}
    now = {load.node_id: load for load in found.draft.nodes}
    for node_id in sorted(was.keys() | now.keys(), key=lambda each: (-_fulfilments(was, each), each)):
        before, after = was.get(node_id), now.get(node_id)
        known = before or after
        if known is not None:
            none = NodeLoad(node_id=node_id, name=known.name, capacity=known.capacity)
            change = (after or none).fulfilments - (before or none).fulfilments
            yield NodeRow(known.name or node_id, before or none, after or none, f"{change:+,}" if change else "")


def _fulfilments(loads: dict[str, NodeLoad], node_id: str) -> int:
    return loads[node_id].fulfilments if node_id in loads else 0


def _groups(was: dict[str, Figures], now: dict[str, Figures], found: Report) -> list[tuple[str, Figures, Figures, str]]:
    names = sorted(was.keys() | now.keys())
    none = Figures()
    return [(name, was.get(name, none), now.get(name, none), found.baseline.currency) for name in names]


def _term_pairs(found: Report) -> Sequence[Pair]:
    was, now = found.baseline.total.terms_weighed, found.draft.total.terms_weighed
    say = partial(plain, currency=found.baseline.currency)
    return [
        Pair(term, was.get(term, 0), now.get(term, 0), say(was.get(term, 0)), say(now.get(term, 0)))
        for term in CostTerm
        if term in was or term in now
    ]


def _split_pairs(found: Report) -> Sequence[Pair]:
    was, now, none = found.baseline.by_channel, found.draft.by_channel, Figures()
    found_pairs = []
    for name in sorted(was.keys() | now.keys()):
        before, after = was.get(name, none), now.get(name, none)
        texts = [f"{each.split_rate:.1%} ({each.orders_split} of {each.orders_planned})" for each in (before, after)]
        found_pairs.append(Pair(name, before.split_rate, after.split_rate, *texts))
    return found_pairs


def _node_pairs(found: Report) -> Sequence[Pair]:
    return [
        Pair(
            each.name,
            each.baseline.fulfilments,
            each.draft.fulfilments,
            f"{each.baseline.fulfilments:,}",
            f"{each.draft.fulfilments:,}",
        )
        for each in list(_nodes(found))[:_NODES_IN_CHART]
    ]


def _whole(number: float) -> str:
    return f"{number:,.0f}".replace("-", MINUS)


def _one(number: float) -> str:
    return f"{number:,.1f}".replace("-", MINUS)


def _two(number: float) -> str:
    return f"{number:,.2f}".replace("-", MINUS)


def _three(number: float) -> str:
    return f"{number:,.3f}".replace("-", MINUS)


def _percent(number: float) -> str:
    return f"{number:.1f} %".replace("-", MINUS)


_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("api.rehearsal", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"amount": amount, "plain": plain, "moment": moment}
_TEMPLATE: Final = _ENVIRONMENT.get_template("page.html")
