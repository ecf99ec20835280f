"""What the players know of every order and its fulfilments: the one place they share."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Any

from simulator.cases import Case
from simulator.sample import Cancellation

FINAL_ORDER = frozenset({"delivered", "cancelled"})
OPEN_FULFILMENT = ("released", "accepted", "picked", "packed", "booked", "ready_for_collection", "handed_over")
PROGRESS = {"accepted": 1, "picked": 2, "packed": 3, "booked": 4, "ready_for_collection": 4, "handed_over": 5}
"""How far a fulfilment's work is, by its listed status; 0 for one that was just released."""
REPORTED = 6
"""The carrier said its last word, or the customer took the goods."""


class Phase(StrEnum):
    """Where an order stands in the run, as far as the players know."""

    SENT = "sent"
    OPEN = "open"
    WAITING = "waiting for stock"
    CLOSED = "closed"
    REFUSED = "refused"


@dataclass(slots=True, eq=False)
class Fulfilment:
    """One node's work for an order, as the work list shows it."""

    id: str
    order_id: str
    node_id: str
    pickup: bool
    carrier: str
    ship_by: datetime
    earliest: datetime
    latest: datetime
    placed_at: datetime
    city: str
    units: dict[str, int]
    status: str
    tracking_number: str = ""
    sent: int = 0
    ended: bool = False
    arrived_at: datetime | None = None
    spoiled: bool = False
    rejected: bool = False
    short: bool = False
    case: Case | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def progress(self) -> int:
        """How far the work is, by what was sent and what is listed."""
        return max(self.sent, PROGRESS.get(self.status, 0))

    def give_up(self, units: Mapping[str, int]) -> None:
        """Takes units out, which the customer does not want; work of which nothing is left has ended."""
        left = {line_id: quantity - units.get(line_id, 0) for line_id, quantity in self.units.items()}
        self.units = {line_id: quantity for line_id, quantity in left.items() if quantity > 0}
        self.ended = self.ended or not self.units
        self.news.set()

    @property
    def at_once(self) -> bool:
        """Whether its next steps are taken without waiting for their time, until its case has come about."""
        match self.case:
            case Case.IN_WORK | Case.SHORT_PICK:
                return self.progress < PROGRESS["picked"]
            case Case.REJECTED | Case.LOST | Case.BROUGHT_BACK:
                return True
        return False


@dataclass(slots=True, eq=False)
class BoardOrder:
    """An order of this run. `cancellations` are still to be acted on, `comes_back` will be returned, `requests` are the
    cancellations for which its nodes have an answer.
    """

    id: str
    channel: str
    placed_at: datetime
    country: str
    pickup_node: str
    ordered: dict[str, int]
    cancellations: deque[Cancellation]
    phase: Phase = Phase.SENT
    status: str = ""
    promised: datetime | None = None
    repeated: bool = False
    answered: float = 0.0
    look_at: float = 0.0
    fulfilments: dict[str, Fulfilment] = field(default_factory=dict)
    first_seen: float = 0.0
    first_plan: int = 0
    comes_back: list[Cancellation] = field(default_factory=list)
    requests: set[str] = field(default_factory=set)
    answering: asyncio.Lock = field(default_factory=asyncio.Lock)
    touched: bool = False
    waited: bool = False
    waits_since: datetime | None = None
    supplies: int = 0
    doubts: int = 0
    trouble: str = ""
    holds_slot: bool = False
    case: Case | None = None
    speaking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def working(self) -> bool:
        """Whether a node or a carrier still has something to do for it."""
        return any(not fulfilment.ended for fulfilment in self.fulfilments.values())

    @property
    def went_wrong(self) -> bool:
        """Whether a node rejected it or was short, or a carrier lost a parcel or brought it back."""
        return any(f.spoiled or f.rejected or f.short for f in self.fulfilments.values())

    @property
    def plain(self) -> bool:
        """Whether every unit arrived and nothing unusual happened, so that nobody needs to ask how it stands."""
        if self.touched or any(f.spoiled or f.arrived_at is None for f in self.fulfilments.values()):
            return False
        arrived: Counter[str] = Counter()
        for fulfilment in self.fulfilments.values():
            arrived.update(fulfilment.units)
        return dict(arrived) == self.ordered

    @property
    def arrived_at(self) -> datetime | None:
        """When the last of it arrived, in business time."""
        times = [f.arrived_at for f in self.fulfilments.values() if f.arrived_at]
        return max(times) if times else None


@dataclass(slots=True)
class Tally:
    """Things that are counted on the way."""

    captured: int = 0
    repeated: int = 0
    checkouts: int = 0
    abandoned: int = 0
    cancels: int = 0
    cancels_refused: int = 0
    requests_granted: int = 0
    requests_refused: int = 0
    returns: int = 0
    returns_refused: int = 0
    refunds: int = 0
    refunded: Counter[str] = field(default_factory=Counter)
    rejects: int = 0
    short_picks: int = 0
    lost: int = 0
    sent_back: int = 0
    receipts: int = 0
    supplied: int = 0
    discontinued: int = 0
    sent_again: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """Every count by its name; the most frequent refusals first."""
        return asdict(self) | {"refunded": dict(self.refunded), "refusals": dict(self.refusals.most_common())}


class Board:
    """Every order of the run by id. `in_flight` bounds how many are open at once; None for no bound.

    `latest` are the last events, plain steps among them on a board that `narrates`; `news` are those worth a log line.
    """

    def __init__(self, in_flight: int | None, *, narrates: bool = False) -> None:
        self.narrates = narrates
        self.orders: dict[str, BoardOrder] = {}
        self.open: dict[str, BoardOrder] = {}
        self.waiting: dict[str, BoardOrder] = {}
        self.tally = Tally()
        self.latest: deque[str] = deque(maxlen=8)
        self.news: deque[str] = deque(maxlen=20)
        self.listed: Counter[str] = Counter()
        self.last_change = monotonic()
        self.looked_at = 0.0
        self.all_sent = False
        self._slots = asyncio.Semaphore(in_flight) if in_flight else None

    async def start(self, order: BoardOrder) -> None:
        """Takes an order in, as soon as there is room for one more."""
        if self._slots:
            await self._slots.acquire()
            order.holds_slot = True
        self.orders[order.id] = order

    def answered(self, order: BoardOrder, body: dict[str, Any]) -> None:
        """The order was captured, now or in an earlier run."""
        order.status = body["status"]
        if body.get("promise"):
            order.promised = datetime.fromisoformat(body["promise"]["latest"])
        order.answered = monotonic()
        if order.status in FINAL_ORDER:
            self.close(order, order.status)
        else:
            order.phase = Phase.OPEN
            self.open[order.id] = order
            self.changed()

    def refresh(self, items: Iterable[dict[str, Any]], asked: float) -> list[Fulfilment]:
        """Takes in all open fulfilments, as asked for at `asked`; answers those of this run not seen before."""
        seen: set[str] = set()
        self.looked_at = asked
        fresh: list[Fulfilment] = []
        self.listed.clear()
        for item in items:
            self.listed[item["status"]] += 1
            seen.add(item["id"])
            order = self.orders.get(item["order_id"])
            if order is None or order.phase is Phase.SENT:
                continue
            fulfilment = order.fulfilments.get(item["id"])
            if fulfilment is None:
                fresh.append(self._appeared(order, item, asked))
            else:
                self._noted(order, fulfilment, item)
        for order in self.open.values():
            self._ended(order, seen)
        return fresh

    def quiet(self, asked: float) -> list[BoardOrder]:
        """Open orders nobody worked for when the work lists were asked for at `asked`."""
        return [o for o in self.open.values() if max(o.answered, o.look_at) < asked and not o.working]

    def close(self, order: BoardOrder, status: str) -> None:
        """The order reached its end."""
        order.status = status
        self._leave(order, Phase.CLOSED)

    def refuse(self, order: BoardOrder, why: str) -> None:
        """The order was not captured."""
        order.status, order.trouble = "refused", why
        self.say(f"{order.id} was refused: {why}")
        self._leave(order, Phase.REFUSED)

    def park(self, order: BoardOrder, since: datetime) -> None:
        """The order waits for stock and leaves its place to another."""
        order.waited = True
        order.waits_since = since
        self._leave(order, Phase.WAITING)
        self.waiting[order.id] = order

    def reopen(self, order: BoardOrder, look_in: float) -> None:
        """Something may have moved: look at the order again after some seconds."""
        self.waiting.pop(order.id, None)
        order.phase = Phase.OPEN
        order.look_at = monotonic() + look_in
        self.open[order.id] = order

    def say(self, line: str) -> None:
        """Shows an event to whoever watches."""
        self.latest.append(line)
        self.news.append(line)

    def note(self, line: str) -> None:
        """Shows a plain step, where orders come at a person's pace and there is time to read it."""
        if self.narrates:
            self.latest.append(line)

    def changed(self) -> None:
        """Something moved on; the run's patience starts anew."""
        self.last_change = monotonic()

    def phases(self) -> Counter[Phase]:
        """How many orders are in each phase."""
        return Counter(order.phase for order in self.orders.values())

    def ended_as(self, status: str) -> int:
        """How many orders ended so."""
        return sum(o.status == status for o in self.orders.values() if o.phase is Phase.CLOSED)

    def in_trouble(self) -> int:
        """How many unfinished orders had something go wrong at a node or a carrier."""
        return sum(order.went_wrong for order in self.unfinished())

    def unfinished(self) -> Iterator[BoardOrder]:
        """Orders that reached no final state."""
        return (order for order in self.orders.values() if order.phase is not Phase.CLOSED)

    def _appeared(self, order: BoardOrder, item: dict[str, Any], asked: float) -> Fulfilment:
        fulfilment = _fulfilment(item)
        fulfilment.case = None if order.fulfilments else order.case
        order.first_seen = order.first_seen or asked
        order.first_plan += order.first_seen == asked
        order.fulfilments[fulfilment.id] = fulfilment
        if order.phase is not Phase.OPEN:
            self.reopen(order, 0.0)
        self.changed()
        return fulfilment

    def _noted(self, order: BoardOrder, fulfilment: Fulfilment, item: dict[str, Any]) -> None:
        if order.touched:
            fulfilment.units = _units(item)
        if fulfilment.status != item["status"]:
            before, now = PROGRESS.get(fulfilment.status, 0), PROGRESS.get(item["status"], 0)
            if now < before:  # units were taken out of a packed parcel: it is packed anew
                fulfilment.sent = now
            fulfilment.status = item["status"]
            fulfilment.tracking_number = item.get("tracking_number") or ""
            fulfilment.carrier = item.get("carrier") or fulfilment.carrier
            fulfilment.news.set()
            self.changed()

    def _ended(self, order: BoardOrder, seen: set[str]) -> None:
        for fulfilment in order.fulfilments.values():
            if not fulfilment.ended and fulfilment.id not in seen:
                fulfilment.ended = True
                fulfilment.news.set()
                self.changed()

    def _leave(self, order: BoardOrder, phase: Phase) -> None:
        self.open.pop(order.id, None)
        self.waiting.pop(order.id, None)
        order.phase = phase
        if order.holds_slot and self._slots:
            order.holds_slot = False
            self._slots.release()
        self.changed()


def _fulfilment(item: dict[str, Any]) -> Fulfilment:
    """Of what a carrier brings to a store the promise begins when it is ready there: the carrier comes by then."""
    brought = item.get("pickup_node") not in {None, item["node_id"]}
    return Fulfilment(
        id=item["id"],
        order_id=item["order_id"],
        node_id=item["node_id"],
        pickup=item["method"] == "pickup",
        carrier=item.get("carrier") or "",
        ship_by=datetime.fromisoformat(item["ship_by"]),
        earliest=datetime.fromisoformat(item["promise"]["earliest"]),
        latest=datetime.fromisoformat(item["promise"]["earliest" if brought else "latest"]),
        placed_at=datetime.fromisoformat(item["placed_at"]),
        city=item["ship_to"].get("city") or item["ship_to"]["country"],
        units=_units(item),
        status=item["status"],
        tracking_number=item.get("tracking_number") or "",
    )


def _units(item: dict[str, Any]) -> dict[str, int]:
    return {line["line_id"]: line["quantity"] for line in item["lines"]}
