"""The re-allocations that gain most together and harm nobody: set packing, solved by HiGHS.

maximise   sum of gain[c] x[c]
such that  each order gets once, or gives once, or does neither;
           no more is taken of a free balance than there is of it for the channel;
           no more is promised of goods on their way than come to the node by the day that is counted on;
           nobody who waits gets any of his units on a later day than without it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from dom.sourcing.models import Snapshot
from dom.sourcing.reallocation.forecast import Forecast
from dom.sourcing.reallocation.models import Reallocation
from dom.sourcing.reoptimisation.choice import ChoiceRow, solved

_NO_LIMIT = float("-inf")


def choose(
    found: Sequence[Reallocation], forecasts: Mapping[str, Forecast], worlds: Mapping[str, Snapshot]
) -> tuple[Reallocation, ...]:
    """The best of the re-allocations that can be made together. `worlds` are snapshots by channel."""
    if not found:
        return ()
    rows = list(_rows(found, forecasts, worlds))
    chosen = solved([-float(each.gain) for each in found], rows, [0.0] * len(found))
    return () if chosen is None else tuple([found[i] for i in chosen])


def fits(one: Reallocation, forecasts: Mapping[str, Forecast]) -> bool:
    """Whether a re-allocation can be made by itself, as the queue and the goods on their way are."""
    return all(row.holds([0]) for row in (*_due_rows([one], forecasts), *_queue_rows([one], forecasts)))


def _rows(
    found: Sequence[Reallocation], forecasts: Mapping[str, Forecast], worlds: Mapping[str, Snapshot]
) -> Iterator[ChoiceRow]:
    concerned: dict[str, dict[int, int]] = {}
    for i, each in enumerate(found):
        for order_id in each.order_ids:
            concerned.setdefault(order_id, {})[i] = 1
    yield from (_at_most(1, entries) for entries in concerned.values())
    yield from _free_rows(found, worlds)
    yield from _due_rows(found, forecasts)
    yield from _queue_rows(found, forecasts)


def _at_most(most: int, entries: Mapping[int, int]) -> ChoiceRow:
    return ChoiceRow(_NO_LIMIT, float(most), entries)


def _free_rows(found: Sequence[Reallocation], worlds: Mapping[str, Snapshot]) -> Iterator[ChoiceRow]:
    """What is free goes to one giver, also where a channel may not have all of it."""
    taking: dict[tuple[str | None, str, str], Counter[int]] = {}
    for i, each in enumerate(found):
        for giving in each.gives:
            for shipment in giving.decision.shipments if giving.due_on is None else ():
                for line in shipment.lines:
                    for channel in (None, giving.demand.channel):
                        key = (channel, shipment.node_id, line.sku)
                        taking.setdefault(key, Counter())[i] += line.quantity
    for (channel, node, sku), entries in taking.items():
        seen = [world for name, world in worlds.items() if channel in (None, name)]
        yield _at_most(max(world.available.get((node, sku), 0) for world in seen), entries)


def _due_rows(found: Sequence[Reallocation], forecasts: Mapping[str, Forecast]) -> Iterator[ChoiceRow]:
    """Goods that are due at a node by a day go to orders that stand first already, and then to who waits for them."""
    wanted = {
        (each.taker.sku, giving.new_node, giving.due_on)
        for each in found
        for giving in each.gives
        if giving.due_on is not None
    }
    for sku, node, day in sorted(wanted):
        forecast = forecasts.get(sku, Forecast())
        entries = {
            i: sum(
                giving.units
                for giving in each.gives
                if giving.due_on is not None and giving.due_on <= day and giving.new_node == node
            )
            for i, each in enumerate(found)
            if each.taker.sku == sku
        }
        yield _at_most(forecast.come_by(day, node) - forecast.first_claims, {i: n for i, n in entries.items() if n})


def _queue_rows(found: Sequence[Reallocation], forecasts: Mapping[str, Forecast]) -> Iterator[ChoiceRow]:
    """Who waits gets each unit no later: units that are put first push him back, those of takers that stood before him
    let him come forward. Who takes himself is served at once.
    """
    for sku in sorted({each.taker.sku for each in found}):
        forecast = forecasts.get(sku, Forecast())
        before: set[str] = set()
        for claim in forecast.line:
            slack = None if claim.first else forecast.slack(claim.order_id)
            before.add(claim.order_id)
            if slack is None:
                continue
            entries = {
                i: _pushed(each, before) - (_ALL if each.taker.order_id == claim.order_id else 0)
                for i, each in enumerate(found)
                if each.taker.sku == sku
            }
            yield _at_most(slack, {i: n for i, n in entries.items() if n})


_ALL = 1_000_000_000
"""More units than can be put before anybody."""


def _pushed(each: Reallocation, before: set[str]) -> int:
    """Units by which a re-allocation pushes back an order that stands behind those of `before`."""
    put_first = sum(giving.units for giving in each.gives if giving.due_on is not None)
    return put_first - (each.taker.units if each.taker.order_id in before else 0)


def days_late(seconds_after: timedelta) -> int:
    """Days begun after a moment; none before it."""
    seconds = seconds_after.total_seconds()
    return max(-int(-seconds // 86_400), 0)
