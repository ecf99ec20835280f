"""What a run came to, as numbers a merchant and an operator would ask for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulator.api import Calls
from simulator.board import Board, BoardOrder, Phase
from simulator.channels import SEND

DAY = timedelta(days=1)
NAMED = 20


@dataclass(frozen=True, slots=True)
class CallTimes:
    """One kind of call: how often, and how long in milliseconds."""

    name: str
    calls: int
    p50_ms: float
    p95_ms: float
    total_seconds: float
    retries: int


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """What one node worked on."""

    node_id: str
    fulfilments: int
    units: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A run's result. Shares are 0 to 1, money in minor units, days in business time; None where nothing was seen.

    `delivered` and `cancelled` count orders. `unfinished` names up to `NAMED` of the `open` orders that reached no
    final state, with what is known of them.
    """

    sample: dict[str, Any]
    orders: int
    captured: int
    repeated: int
    refused: int
    by_channel: dict[str, int]
    delivered: int
    cancelled: int
    open: int
    unfinished: dict[str, str]
    trouble: str
    split_rate: float | None
    cost_per_order: float | None
    cost_orders: int
    days_median: float | None
    days_p90: float | None
    promise_kept: float | None
    promised: int
    waited_for_stock: int
    tally: dict[str, Any]
    nodes: list[NodeSummary]
    wall_seconds: float
    orders_per_second: float
    accept_p50_ms: float | None
    accept_p95_ms: float | None
    calls: list[CallTimes]
    retries: int
    errors: dict[str, int]

    @property
    def all_final(self) -> bool:
        """Whether every order reached a final state."""
        return not self.open and not self.trouble


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` (above 0, up to 1) of the values do not exceed; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 1000) // 1000)
    return ordered[max(rank, 1) - 1]


def part(of: int, whole: int) -> float | None:
    """A share; None of nothing."""
    return of / whole if whole else None


def days_taken(orders: Iterable[BoardOrder]) -> list[float]:
    """Business days from placing an order to the arrival of its last unit, of the delivered ones."""
    return [(o.arrived_at - o.placed_at) / DAY for o in orders if o.status == "delivered" and o.arrived_at]


def promises_kept(orders: Iterable[BoardOrder]) -> tuple[int, int]:
    """How many delivered orders arrived by the end of the window first promised, and how many had a promise."""
    due = [(o.arrived_at, o.promised) for o in orders if o.status == "delivered" and o.arrived_at and o.promised]
    return sum(arrived <= promised for arrived, promised in due), len(due)


def split_share(orders: Iterable[BoardOrder]) -> float | None:
    """Share of the orders that were first planned from more than one node; orders of earlier runs are left out."""
    plans = [order.first_plan for order in orders if order.first_plan and not order.repeated]
    return part(sum(plan > 1 for plan in plans), len(plans))


def node_loads(orders: Iterable[BoardOrder]) -> list[NodeSummary]:
    """Work by node, the busiest first."""
    fulfilments: Counter[str] = Counter()
    units: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for fulfilment in (f for order in orders for f in order.fulfilments.values()):
        fulfilments[fulfilment.node_id] += 1
        units[fulfilment.node_id] += sum(fulfilment.units.values())
        rejected[fulfilment.node_id] += fulfilment.rejected
    return [NodeSummary(node, count, units[node], rejected[node]) for node, count in fulfilments.most_common()]


def call_times(calls: Calls) -> list[CallTimes]:
    """Time by kind of call, the most expensive first."""
    names = {*calls.seconds, *calls.retries}
    times = []
    for name in names:
        seconds = calls.seconds.get(name, [])
        p50, p95 = percentile(seconds, 0.5) or 0.0, percentile(seconds, 0.95) or 0.0
        times.append(CallTimes(name, len(seconds), p50 * 1000, p95 * 1000, sum(seconds), calls.retries[name]))
    return sorted(times, key=lambda call: -call.total_seconds)


def summarise(
    board: Board,
    calls: Calls,
    *,
    sample: dict[str, Any],
    costs: Sequence[int],
    wall_seconds: float,
    trouble: str,
) -> Summary:
    """Everything there is to say of a run; `costs` are planned costs of some delivered orders."""
    orders = list(board.orders.values())
    unfinished = list(board.unfinished())
    days = days_taken(orders)
    kept, promised = promises_kept(orders)
    final = sum(order.phase is Phase.CLOSED and not order.repeated for order in orders)
    accepts = calls.seconds.get(SEND, [])
    p50, p95 = percentile(accepts, 0.5), percentile(accepts, 0.95)
    return Summary(
        sample={key: sample[key] for key in ("rows", "reasons") if key in sample},
        orders=len(orders),
        captured=board.tally.captured,
        repeated=board.tally.repeated,
        refused=sum(order.phase is Phase.REFUSED for order in orders),
        by_channel=_by_channel(orders),
        delivered=board.ended_as("delivered"),
        cancelled=board.ended_as("cancelled"),
        open=len(unfinished),
        unfinished={order.id: _how_it_stands(order) for order in unfinished[:NAMED]},
        trouble=trouble,
        split_rate=split_share(orders),
        cost_per_order=sum(costs) / len(costs) if costs else None,
        cost_orders=len(costs),
        days_median=percentile(days, 0.5),
        days_p90=percentile(days, 0.9),
        promise_kept=part(kept, promised),
        promised=promised,
        waited_for_stock=sum(order.waited for order in orders),
        tally=board.tally.as_dict(),
        nodes=node_loads(orders),
        wall_seconds=wall_seconds,
        orders_per_second=final / wall_seconds if wall_seconds else 0.0,
        accept_p50_ms=None if p50 is None else p50 * 1000,
        accept_p95_ms=None if p95 is None else p95 * 1000,
        calls=call_times(calls),
        retries=calls.retries.total(),
        errors=dict(calls.errors),
    )


def _by_channel(orders: Iterable[BoardOrder]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for order in orders:
        found[order.channel] += order.phase is not Phase.REFUSED
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))


def _how_it_stands(order: BoardOrder) -> str:
    work = ", ".join(f"{f.id.rpartition('-')[2]} {f.status}" for f in order.fulfilments.values() if not f.ended)
    told = [order.phase.value, order.status, work, order.trouble]
    return "; ".join(dict.fromkeys(word for word in told if word))
