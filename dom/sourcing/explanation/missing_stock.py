"""Which few units, had they been there, would have made a better plan possible."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dom.sourcing.explanation.changes import Names
from dom.sourcing.explanation.models import Change, ChangeKind
from dom.sourcing.explanation.record import Record
from dom.sourcing.models import Snapshot, SourcingDecision
from dom.sourcing.planning.lines import wanted as units_wanted
from dom.sourcing.reasons import words

UNITS_AT_MOST: Final = 10
"""More missing units than this are not looked at: they are no accident."""
_TRIED_AT_MOST: Final = 30
_NAMED_AT_MOST: Final = 3

Missing = Mapping[str, int]
"""Units by SKU."""


@dataclass(frozen=True, slots=True)
class _Better:
    node_id: str
    stock: dict[str, int]
    plan: SourcingDecision

    def rank(self, than: SourcingDecision) -> tuple[int, int, int, str]:
        """More units filled first, then fewer missing, then the cheaper plan."""
        return (-_fills(self.plan, than), sum(self.stock.values()), self.plan.cost, self.node_id)


def stock_changes(record: Record, snapshot: Snapshot, able: Mapping[str, float], names: Names) -> Iterator[Change]:
    """The best few changes of one node's stock, each with the fewest units that do it.

    `able` are the nodes that stock alone keeps out, or nothing does, with their distance.
    """
    found = []
    for node_id, missing in _short(record, snapshot, able)[:_TRIED_AT_MOST]:
        again = _with(record, snapshot, node_id, missing)
        if _is_better(again, record.decision):
            found.append(_least(record, snapshot, _Better(node_id, dict(missing), again)))
    seen: set[tuple[str, ...]] = set()
    for better in sorted(found, key=lambda better: better.rank(record.decision)):
        wins = tuple(shipment.node_id for shipment in better.plan.shipments)
        if wins not in seen and len(seen) < _NAMED_AT_MOST:
            seen.add(wins)
            yield _change(better, wins, record.decision, names)


def _short(record: Record, snapshot: Snapshot, able: Mapping[str, float]) -> list[tuple[str, Missing]]:
    """What nodes lack of the order, all of it or of one SKU: the fewest units first, then the nearest node."""
    wanted = units_wanted(record.demand.lines, snapshot.skus)
    options: dict[tuple[str, tuple[tuple[str, int], ...]], None] = {}
    for node_id in able:
        lacks = {
            sku: units - held
            for sku, units in wanted.items()
            if (held := max(0, snapshot.available.get((node_id, sku), 0))) < units
        }
        for each in (lacks, *({sku: units} for sku, units in lacks.items())):
            if 0 < sum(each.values()) <= UNITS_AT_MOST:
                options[node_id, tuple(sorted(each.items()))] = None
    ranked = sorted(options, key=lambda o: (sum(units for _, units in o[1]), able[o[0]], o))
    return [(node_id, dict(missing)) for node_id, missing in ranked]


def _least(record: Record, snapshot: Snapshot, better: _Better) -> _Better:
    """With the fewest units of each SKU that fill as much; where nothing more is filled, that cost as little."""
    stock, best = dict(better.stock), better.plan
    fills = _fills(best, record.decision)
    for sku in sorted(stock):
        while stock[sku]:
            fewer = {**stock, sku: stock[sku] - 1}
            again = _with(record, snapshot, better.node_id, fewer)
            if _fills(again, record.decision) != fills or (fills == 0 and again.cost != best.cost):
                break
            stock, best = fewer, again
    return _Better(better.node_id, {sku: units for sku, units in stock.items() if units}, best)


def _with(record: Record, snapshot: Snapshot, node_id: str, missing: Missing) -> SourcingDecision:
    more = {(node_id, sku): max(0, snapshot.available.get((node_id, sku), 0)) + n for sku, n in missing.items()}
    return record.recompute_decision(snapshot.model_copy(update={"available": {**snapshot.available, **more}}))


def _is_better(again: SourcingDecision, chosen: SourcingDecision) -> bool:
    fills = _fills(again, chosen)
    return fills > 0 or (fills == 0 and bool(again.shipments) and again.cost < chosen.cost)


def _fills(again: SourcingDecision, chosen: SourcingDecision) -> int:
    return _units(chosen) - _units(again)


def _units(decision: SourcingDecision) -> int:
    return sum([line.quantity for line in decision.unfilled])


def _change(better: _Better, wins: tuple[str, ...], chosen: SourcingDecision, names: Names) -> Change:
    fills, saves = _fills(better.plan, chosen), chosen.cost - better.plan.cost
    goods = words.listed([f"{words.count(units, 'more unit')} of {sku}" for sku, units in better.stock.items()])
    who = words.listed([names.get(node_id, node_id) for node_id in wins])
    less = words.money(saves, chosen.currency)
    does = f"{words.count(fills, 'unit')} more" if fills else f"everything for {less} less"
    return Change(
        kind=ChangeKind.STOCK,
        node_id=better.node_id,
        stock=better.stock,
        wins=wins,
        saves=None if fills else saves,
        fills=fills,
        confirmed=True,
        sentence=f"With {goods} at {names.get(better.node_id, better.node_id)}, {who} would have sent {does}.",
    )
