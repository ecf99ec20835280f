"""Walks the sample through the network greedily, to see that the stock makes a sample worth watching.

Not the system's sourcing policy: the cheapest complete node, or else nodes by how much they can give.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from tools.sample.network import NODES, Node
from tools.sample.orders import Order
from tools.sample.places import distance_km
from tools.sample.stock import Level, Receipt

KM_A_PENNY = 4


@dataclass(frozen=True, slots=True)
class GreedyCheck:
    """Orders by outcome: filled whole from one node, filled from several, short of a unit somewhere."""

    whole: int
    split: int
    short: int

    @property
    def orders(self) -> int:
        return self.whole + self.split + self.short

    def document(self) -> dict[str, float]:
        return {
            **asdict(self),
            "filled_share": round(1 - self.short / self.orders, 4),
            "split_share": round(self.split / self.orders, 4),
        }


class Shelves:
    """Units available by node and SKU, refilled by receipts as time goes by."""

    def __init__(self, levels: Iterable[Level], receipts: Sequence[Receipt]) -> None:
        self._available: dict[str, Counter[str]] = defaultdict(Counter)
        for entry in levels:
            self._available[entry.node_id][entry.sku] = entry.on_hand - entry.safety
        self._due: Iterator[Receipt] = iter(receipts)
        self._next = next(self._due, None)

    def receive_until(self, order: Order) -> None:
        while self._next is not None and self._next.received_at <= order.invoice.placed_at:
            self._available[self._next.node_id][self._next.sku] += self._next.quantity
            self._next = next(self._due, None)

    def can_give(self, node: Node, wanted: Counter[str]) -> Counter[str]:
        shelf = self._available[node.id]
        return Counter({sku: given for sku, units in wanted.items() if (given := min(units, shelf[sku])) > 0})

    def take(self, node: Node, units: Counter[str]) -> None:
        self._available[node.id].subtract(units)


def greedy_check(orders: Iterable[Order], levels: Iterable[Level], receipts: Sequence[Receipt]) -> GreedyCheck:
    shelves = Shelves(levels, receipts)
    outcomes: Counter[str] = Counter()
    for order in orders:
        shelves.receive_until(order)
        outcomes[outcome_of(order, shelves)] += 1
    return GreedyCheck(whole=outcomes["whole"], split=outcomes["split"], short=outcomes["short"])


def outcome_of(order: Order, shelves: Shelves) -> str:
    wanted: Counter[str] = Counter()
    for line in order.invoice.lines:
        wanted[line.sku] += line.quantity
    nodes = sorted(candidates(order), key=lambda node: cost(node, order))
    for node in nodes:
        if shelves.can_give(node, wanted) == wanted:
            shelves.take(node, wanted)
            return "whole"
    return "short" if take_piecemeal(wanted, nodes, shelves) else "split"


def take_piecemeal(wanted: Counter[str], nodes: Sequence[Node], shelves: Shelves) -> Counter[str]:
    """Takes from the node that has most until nothing is left to take; gives back what is missing."""
    left = Counter(wanted)
    while left:
        offers = [(shelves.can_give(node, left), node) for node in nodes]
        offer, node = max(offers, key=lambda entry: entry[0].total(), default=(Counter[str](), None))
        if node is None or not offer:
            return left
        shelves.take(node, offer)
        left -= offer
    return left


def candidates(order: Order) -> list[Node]:
    if order.pickup_node is not None:
        return [node for node in NODES if node.id == order.pickup_node]
    return [node for node in NODES if node.ships_to_country(order.country) and order.method in node.services]


def cost(node: Node, order: Order) -> tuple[float, str]:
    km = distance_km(node.latitude, node.longitude, order.place.latitude, order.place.longitude)
    handling = node.handling_cost.fixed + node.handling_cost.per_unit * order.invoice.units
    return handling + km / KM_A_PENNY + node.priority, node.id
