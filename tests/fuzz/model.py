"""One order, its parcels and its stock, as they must be after each thing that is said of them.

Written from the documents and not from `dom/`: one line, units that are alike, and what each report does to them. What
sourcing decides is taken from the store (`absorb`); that no unit is lost or doubled by it is checked here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BEFORE_HAND_OVER = {"released": 0, "accepted": 1, "picked": 2, "booked": 4}
REACHED = BEFORE_HAND_OVER | {"handed_over": 5, "delivered": 6}
STEPS = {"accept": 1, "pick": 2, "pack": 3, "hand-over": 5}
GONE = ("rejected", "cancelled", "lost", "returned_to_sender")
ENDS = {"delivered": "delivered", "lost": "lost", "returned_to_sender": "returned_to_sender"}
ON_THE_WAY = ("picked_up", "in_transit", "out_for_delivery", "delivery_failed")


@dataclass
class Parcel:
    """A booking: what is in it, and what was reported of it. `ended` is (status, minute)."""

    id: str
    units: int
    voided: bool = False
    scanned: bool = False
    ended: tuple[str, int] | None = None

    @property
    def status(self) -> str:
        """The shipment's status in the store."""
        if self.voided:
            return "voided"
        return self.ended[0] if self.ended else "in_transit" if self.scanned else "booked"


@dataclass
class Work:
    """A fulfilment."""

    id: str
    node: str
    units: int
    status: str = "released"
    parcels: list[Parcel] = field(default_factory=list)


Stray = tuple[str, str | None, str, str]
"""Fulfilment, shipment, what was said, and what it means for the balance."""


@dataclass
class Order:
    """An order of one line."""

    id: str
    units: int
    stock: dict[str, int]
    waiting: int = 0
    cancelled: int = 0
    work: dict[str, Work] = field(default_factory=dict)
    reserved: Counter[str] = field(default_factory=Counter)
    said: dict[tuple[str, str | None, str], Stray] = field(default_factory=dict)
    noted: set[tuple[str, str, str]] = field(default_factory=set)
    troubles: set[tuple[str, str]] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)
    events: dict[str, tuple[str, str, int]] = field(default_factory=dict)

    def absorb(self, found: Mapping[str, tuple[str, str, int]]) -> None:
        """Take in work (node, status, units) that sourcing released for units that wait.

        Work may also come and go between two looks: a parcel that one feed reports as lost and then as delivered may
        find its replacement sourced meanwhile, and takes it back. Any other work is nobody's, and stays unexplained.
        """
        for id_, (node, status, units) in found.items():
            if id_ in self.work:
                continue
            if status == "released" and 0 < units <= self.waiting:
                self.waiting -= units
                self.reserved[node] += units
                self.work[id_] = Work(id_, node, units)
            elif status == "cancelled" and not units:
                self.work[id_] = Work(id_, node, 0, "cancelled")

    @property
    def status(self) -> str:
        """The order's status, worked out of its units."""
        living = [REACHED[w.status] for w in self.work.values() if w.status not in GONE]
        if not living:
            return "backordered" if self.waiting else "cancelled"
        if not self.waiting and min(living) >= REACHED["handed_over"]:
            return "delivered" if min(living) == REACHED["delivered"] else "shipped"
        if max(living) >= REACHED["handed_over"]:
            return "part_shipped"
        return "in_fulfilment" if max(living) else "accepted"

    @property
    def ended(self) -> bool:
        """Whether its process is over."""
        return self.status in {"delivered", "cancelled"}

    @property
    def parcels(self) -> list[tuple[Work, Parcel]]:
        """Every booking that was ever made for it."""
        return [(work, parcel) for work in self.work.values() for parcel in work.parcels]

    # --- a node ------------------------------------------------------------------------------------------------------

    def step(self, work: Work, step: str) -> str:
        """What a node's step does; answers "taken", "repeated" or "refused"."""
        if work.status in GONE or (work.status == "delivered" and step == "reject"):
            if step == "reject" and work.status == "rejected":
                return "repeated"
            return self._late_step(work, step)
        if step == "reject":
            return self._reject(work)
        if REACHED[work.status] >= STEPS[step]:
            return "repeated"
        if step == "hand-over":
            return self._hand_over(work)
        if step == "pack":
            work.status = "booked"
            work.parcels.append(Parcel(f"{work.id}-B{len(work.parcels) + 1}", work.units))
        else:
            work.status = {"accept": "accepted", "pick": "picked"}[step]
        return "taken"

    def _reject(self, work: Work) -> str:
        if REACHED[work.status] > REACHED["accepted"]:
            return "refused"
        self._give_back(work, work.units)
        self.waiting += work.units
        work.status = "rejected"
        return "taken"

    def _hand_over(self, work: Work) -> str:
        if work.status != "booked":
            return self._late_step(work, "hand-over") if work.parcels else "refused"
        self._leave(work)
        return "taken"

    def _late_step(self, work: Work, step: str) -> str:
        if (work.id, step, work.status) in self.noted:
            return "refused"
        self.noted.add((work.id, step, work.status))
        if step == "hand-over" and work.status not in {"lost", "returned_to_sender"}:
            self.said[work.id, None, f"{step}:{work.status}"] = (work.id, None, step, "too high")
        return "refused"

    def _give_back(self, work: Work, units: int) -> None:
        self.reserved[work.node] -= units

    def _leave(self, work: Work) -> None:
        self.reserved[work.node] -= work.units
        self.stock[work.node] -= work.units
        work.status = "handed_over"
        self.told["shipped"] += 1

    # --- a customer --------------------------------------------------------------------------------------------------

    def cancel(self, units: int | None) -> bool:
        """Cancel units, or all; False if it is refused."""
        asked = self.units - self.cancelled if units is None else units
        free = self.waiting + sum(w.units for w in self.work.values() if w.status in BEFORE_HAND_OVER)
        if not 0 < asked <= free or self.ended:
            return False
        self.cancelled += asked
        taken = min(asked, self.waiting)
        self.waiting -= taken
        self._take(asked - taken, sorted(self._open(), key=lambda w: REACHED[w.status]))
        self.told["cancelled"] += 1
        return True

    def _open(self) -> list[Work]:
        return [work for work in self.work.values() if work.status in BEFORE_HAND_OVER]

    def _take(self, units: int, works: list[Work]) -> None:
        """Take units out of work; a booked parcel is voided, and packed anew if something is left of it."""
        for work in works:
            taken = min(units, work.units)
            if not taken:
                continue
            units -= taken
            work.units -= taken
            self._give_back(work, taken)
            if work.status == "booked":
                work.parcels[-1].voided = True
                work.status = "picked"
            if not work.units:
                work.status = "cancelled"

    # --- a carrier ---------------------------------------------------------------------------------------------------

    def scan(self, work: Work, parcel: Parcel, kind: str, minute: int, event_id: str) -> str:
        """What a scan does; answers "recorded", "repeated" or "refused"."""
        content = (parcel.id, kind, minute)
        if event_id in self.events:
            return "repeated" if self.events[event_id] == content else "refused"
        self.events[event_id] = content
        if parcel.voided or parcel is not work.parcels[-1]:
            self._stray(work, parcel, kind, "unchanged" if kind == "returned_to_sender" else "too high")
            return "recorded"
        parcel.scanned = True
        late = parcel.ended is not None and parcel.ended[0] == "lost" and minute > parcel.ended[1]
        if kind in ENDS and parcel.ended is None:
            parcel.ended = (ENDS[kind], minute)
        if work.status == "booked":
            self._leave(work)
        if kind not in ENDS:
            if work.status == "lost" and late:
                self._stray(work, parcel, kind, "unchanged")
        elif work.status == "handed_over":
            self._end(work, kind)
        elif (
            work.status == "lost"
            and kind == "delivered"
            and self._replaced(work, [w for w in self._open() if w.status == "released"])
        ):
            self._arrive(work, minute)
        elif work.status != ENDS[kind]:
            self._stray(work, parcel, kind, "too low" if kind == "returned_to_sender" else "unchanged")
        return "recorded"

    def _end(self, work: Work, kind: str) -> None:
        work.status = ENDS[kind]
        if kind == "lost":
            self.waiting += work.units
            self.troubles.add(("parcel_lost", work.id))
            return
        self.told[kind] += 1
        if kind == "returned_to_sender":
            self.cancelled += work.units
            self.troubles.add(("parcel_returned_to_sender", work.id))

    def _stray(self, work: Work, parcel: Parcel, kind: str, on_hand: str) -> None:
        fact = kind if kind in ENDS else "seen"
        self.said.setdefault((work.id, parcel.id, fact), (work.id, parcel.id, fact, on_hand))

    def _replaced(self, work: Work, by: list[Work]) -> bool:
        return self.waiting + sum(other.units for other in by) >= work.units

    def _arrive(self, work: Work, minute: int) -> None:
        taken = min(work.units, self.waiting)
        self.waiting -= taken
        latest_first = list(reversed(self._open()))
        self._take(work.units - taken, sorted(latest_first, key=lambda w: REACHED[w.status]))
        work.status = "delivered"
        work.parcels[-1].ended = ("delivered", minute)
        self.told["delivered"] += 1

    def arrived(self, work: Work, minute: int) -> bool:
        """Support says that a lost parcel arrived; False if it is refused."""
        if work.status == "delivered":
            return True
        if self.ended or work.status != "lost" or not self._replaced(work, self._open()):
            return False
        self._arrive(work, minute)
        return True

    # --- what is to be seen of it ------------------------------------------------------------------------------------

    def shown(self) -> dict[str, Any]:
        """The order as the store must show it."""
        strays = self.said.values()
        return {
            "sourced": True,
            "order": (self.status, self.waiting, self.cancelled),
            "work": {w.id: (w.node, w.status, w.units) for w in self.work.values()},
            "parcels": {parcel.id: parcel.status for _, parcel in self.parcels},
            "stock": {node: (units, self.reserved[node]) for node, units in self.stock.items()},
            "strays": sorted(strays, key=str),
            "traces": len(self.noted) + sum(shipment is not None for _, shipment, _, _ in strays),
            "troubles": sorted(self.troubles),
            "told": {kind: number for kind, number in self.told.items() if number},
            "events": len(self.events),
        }
