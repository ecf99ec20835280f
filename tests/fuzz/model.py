"""One order, its parcels and its stock, as they must be after each thing that is said of them.

Written from the documents and not from `dom/`: what each report does to the units of each line. What sourcing decides
is taken from the store (`absorb`); that no unit is lost or doubled by it, and that no node is asked again that failed,
is checked here. Returns are in `tests.fuzz.returned`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dom.shared import ids
from tests.fuzz.returned import Return
from tests.fuzz.work import Parcel, Units, Work

BEFORE_HAND_OVER = {"released": 0, "accepted": 1, "picked": 2, "booked": 4, "ready_for_collection": 4}
REACHED = BEFORE_HAND_OVER | {"handed_over": 5, "delivered": 6, "collected": 6}
STEPS = {"accept": 1, "pick": 2, "pack": 3, "hand-over": 5, "collect": 6}
GONE = ("rejected", "cancelled", "lost", "returned_to_sender")
FINAL = ("delivered", "collected", *GONE)
LEFT = ("handed_over", "delivered", "collected", "lost", "returned_to_sender")
ENDS = {"delivered": "delivered", "lost": "lost", "returned_to_sender": "returned_to_sender"}
ON_THE_WAY = ("picked_up", "in_transit", "out_for_delivery", "delivery_failed")


@dataclass(frozen=True)
class Scan:
    """What a carrier says; `place` and the rest are what makes an event the same as another."""

    event_id: str
    tracking: str
    kind: str
    minute: int
    place: str = ""
    in_time: bool = True


Stray = tuple[str, str | None, str, str, tuple[tuple[str, int], ...]]
"""Fulfilment, shipment, what was said, what it means for the balance, and the units by SKU it is about."""


@dataclass
class Order:
    """An order; `skus` are the SKUs of its lines, `stock` and `reserved` units by (node, SKU)."""

    id: str
    skus: dict[str, str]
    units: dict[str, int]
    stock: Counter[tuple[str, str]]
    pickup: bool = False
    waiting: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    work: dict[str, Work] = field(default_factory=dict)
    reserved: Counter[tuple[str, str]] = field(default_factory=Counter)
    quarantine: Counter[tuple[str, str]] = field(default_factory=Counter)
    said: dict[tuple[str, str | None, str], Stray] = field(default_factory=dict)
    noted: set[tuple[str, str, str]] = field(default_factory=set)
    troubles: set[tuple[str, str]] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)
    events: dict[tuple[str, str], Scan] = field(default_factory=dict)
    returns: list[Return] = field(default_factory=list)
    keys: dict[str, tuple[object, dict[str, int]]] = field(default_factory=dict)
    failed_nodes: set[str] = field(default_factory=set)
    fell_short: bool = False

    def absorb(self, found: Mapping[str, tuple[str, str, dict[str, int]]], carriers: Mapping[str, str | None]) -> None:
        """Take in work (node, status, units) that sourcing released for units that wait.

        Work may also come and go between two looks: a parcel that one feed reports as lost and then as delivered may
        find its replacement sourced meanwhile, and takes it back. Any other work is nobody's, and stays unexplained.
        """
        for id_, (node, status, units) in found.items():
            if id_ in self.work:
                continue
            if status == "released" and units and all(0 < n <= self.waiting[line] for line, n in units.items()):
                assert node not in self.failed_nodes, f"{id_} is given to {node}, which failed the order"
                self.work[id_] = Work(id_, node, dict(units), carriers[id_])
                for line, n in units.items():
                    self.waiting[line] -= n
                    self.reserved[node, self.skus[line]] += n
            elif status == "cancelled" and not units:
                self.work[id_] = Work(id_, node, {}, carriers[id_], "cancelled", unseen=True)

    @property
    def status(self) -> str:
        """The order's status, worked out of its units."""
        living = [REACHED[w.status] for w in self.work.values() if w.status not in GONE]
        waits = self.waiting.total()
        if not living:
            return "backordered" if waits else "cancelled"
        if not waits and min(living) >= REACHED["handed_over"]:
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

    def parcel(self, carrier: str, tracking: str) -> tuple[Work, Parcel] | None:
        """The parcel of a carrier's number."""
        for work, parcel in self.parcels:
            if (parcel.carrier, parcel.tracking) == (carrier, tracking):
                return work, parcel
        return None

    def by_sku(self, units: Units) -> tuple[tuple[str, int], ...]:
        """Units of lines by their SKUs."""
        summed: Counter[str] = Counter()
        for line, n in units.items():
            summed[self.skus[line]] += n
        return tuple(sorted((+summed).items()))

    # --- a node ------------------------------------------------------------------------------------------------------

    def step(self, work: Work, step: str, found: Units | None) -> str:
        """What a node's step does; answers "taken", "repeated", "refused" or "invalid". `found`: by a pick's lines."""
        if work.status == "rejected" if step == "reject" else REACHED.get(work.status, -1) >= STEPS[step]:
            return "repeated" if step != "pick" else self._pick_again(work, found)
        if work.status in FINAL:
            return self._late_step(work, step)
        if step == "reject":
            return self._reject(work)
        if step in {"hand-over", "collect"}:
            return self._goods_leave(work, step)
        return self._work_on(work, step, found)

    def _pick_again(self, work: Work, found: Units | None) -> str:
        if work.was_picked_as(found):
            return "repeated"
        if found is not None and work.names_wrongly(found, self.units):
            return "invalid"
        return self._late_step(work, "pick") if work.status in FINAL else "refused"

    def _work_on(self, work: Work, step: str, found: Units | None) -> str:
        if found is not None and work.names_wrongly(found, self.units):
            return "invalid"
        if found is not None and any(n > work.units.get(line, 0) for line, n in found.items()):
            return "refused"
        if step == "pick":
            work.picked = dict(work.units if found is None else found)
        if missing := self._missing(work, found) if found is not None else {}:
            return self._short(work, missing)
        self._advance(work, step)
        return "taken"

    def _advance(self, work: Work, step: str) -> None:
        if step != "pack":
            work.status = {"accept": "accepted", "pick": "picked"}[step]
        elif self.pickup:
            work.status = "ready_for_collection"
            self.told["ready_for_collection"] += 1
        else:
            work.status = "booked"
            booking = f"{work.id}-B{len(work.parcels) + 1}"
            work.parcels.append(Parcel(booking, work.carrier or "", dict(work.units)))

    def _missing(self, work: Work, found: Units) -> dict[str, int]:
        return {line: n - found.get(line, 0) for line, n in work.units.items() if n > found.get(line, 0)}

    def _short(self, work: Work, missing: Units) -> str:
        """What was not found is neither reserved nor on hand any more, and waits for another node."""
        for line, n in missing.items():
            self.stock[work.node, self.skus[line]] -= n
        work.short = True
        self._leave_work(work, missing)
        self._wait_again(missing, work.node)
        work.status = "picked" if work.units else "rejected"
        return "taken"

    def _reject(self, work: Work) -> str:
        if REACHED[work.status] > REACHED["accepted"]:
            return "refused"
        self._release(work, work.units)
        self._wait_again(work.units, work.node)
        work.status = "rejected"
        return "taken"

    def _wait_again(self, units: Units, failed: str | None = None) -> None:
        self.waiting.update(units)
        self.fell_short = True
        if failed is not None:
            self.failed_nodes.add(failed)

    def _goods_leave(self, work: Work, step: str) -> str:
        if step == "hand-over" and work.status == "booked":
            self._leave(work)
        elif step == "collect" and work.status == "ready_for_collection":
            self._leave(work, "collected", "delivered")
        else:
            return self._late_step(work, step) if step == "hand-over" and work.parcels else "refused"
        return "taken"

    def _late_step(self, work: Work, step: str) -> str:
        if (work.id, step, work.status) in self.noted:
            return "refused"
        self.noted.add((work.id, step, work.status))
        if step in {"hand-over", "collect"} and work.status not in LEFT:
            units = self.by_sku(Counter(work.units) + work.given_back)
            self.said[work.id, None, f"{step}:{work.status}"] = (work.id, None, step, "too high", units)
        return "refused"

    def _release(self, work: Work, units: Units) -> None:
        for line, n in units.items():
            self.reserved[work.node, self.skus[line]] -= n

    def _leave_work(self, work: Work, units: Units) -> None:
        self._release(work, units)
        work.units = dict(+(Counter(work.units) - Counter(units)))

    def _leave(self, work: Work, status: str = "handed_over", told: str = "shipped") -> None:
        self._release(work, work.units)
        for line, n in work.units.items():
            self.stock[work.node, self.skus[line]] -= n
        work.status = status
        self.told[told] += 1

    # --- a customer --------------------------------------------------------------------------------------------------

    @property
    def left_to_cancel(self) -> dict[str, int]:
        """Units of each line that are not cancelled."""
        return dict(+(Counter(self.units) - self.cancelled))

    def cancel(self, lines: Mapping[str, int | None] | None) -> dict[str, int] | None:
        """Cancel units, or all; answers them by line, or None if it is refused."""
        if self.ended:
            return None
        asked = dict(self.left_to_cancel)
        if lines is not None:
            whole = Counter(self.units) - self.cancelled
            asked = {line: whole[line] if n is None else n for line, n in lines.items()}
        free = self.waiting + sum((Counter(work.units) for work in self._open()), Counter())
        if not any(asked.values()) or any(n > free[line] for line, n in asked.items()):
            return None
        self.cancelled.update(asked)
        self._take(asked, sorted(self._open(), key=lambda work: REACHED[work.status]))
        self.told["cancelled"] += 1
        return {line: n for line, n in asked.items() if n}

    def _open(self) -> list[Work]:
        return [work for work in self.work.values() if work.status in BEFORE_HAND_OVER]

    def _take(self, asked: Units, works: list[Work]) -> None:
        """Take units of what waits, and then out of work; a booked parcel is voided, and packed anew if something is
        left of it.
        """
        rest = Counter(asked)
        waited = rest & self.waiting
        self.waiting -= waited
        rest -= waited
        for work in works:
            taken = rest & Counter(work.units)
            if not taken:
                continue
            rest -= taken
            self._leave_work(work, taken)
            work.given_back += taken
            if work.status == "booked":
                work.parcels[-1].voided = True
                work.status = "picked"
            if not work.units:
                work.status = "cancelled"

    # --- a carrier ---------------------------------------------------------------------------------------------------

    def scan(self, carrier: str, scan: Scan) -> str:
        """What a scan does; answers "recorded", "repeated" or "refused"."""
        known = self.parcel(carrier, scan.tracking)
        if known is None or not scan.in_time:
            return "refused"
        if (carrier, scan.event_id) in self.events:
            return "repeated" if self.events[carrier, scan.event_id] == scan else "refused"
        self.events[carrier, scan.event_id] = scan
        work, parcel = known
        if parcel.voided or parcel is not work.parcels[-1]:
            self._stray(work, parcel, scan.kind, "unchanged" if scan.kind == "returned_to_sender" else "too high")
        else:
            self._moves(work, parcel, scan.kind, scan.minute)
        return "recorded"

    def _moves(self, work: Work, parcel: Parcel, kind: str, minute: int) -> None:
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
        elif work.status == "lost" and kind == "returned_to_sender":
            self._comes_back(work)
        elif (
            work.status == "lost"
            and kind == "delivered"
            and not self._is_back(work)
            and self._replaced(work, [w for w in self._open() if w.status == "released"])
        ):
            self._arrive(work, minute)
        elif work.status != ENDS[kind]:
            self._stray(work, parcel, kind, "too low" if kind == "returned_to_sender" else "unchanged")

    def _end(self, work: Work, kind: str) -> None:
        work.status = ENDS[kind]
        if kind == "lost":
            self._wait_again(work.units)
            self.troubles.add(("parcel_lost", work.id))
            return
        self.told[kind] += 1
        if kind == "returned_to_sender":
            self.cancelled.update(work.units)
            self.troubles.add(("parcel_returned_to_sender", work.id))
            self._comes_back(work)

    def _comes_back(self, work: Work) -> None:
        """Once. What was lost stays so, and was sourced again: nothing is paid back for it."""
        if not self._is_back(work):
            back = ids.return_id(self.id, work.id)
            self.returns.append(Return(back, dict(work.units), work.node, parcel=work.id, paid=work.status != "lost"))

    def _is_back(self, work: Work) -> bool:
        return any(each.parcel == work.id for each in self.returns)

    def _stray(self, work: Work, parcel: Parcel, kind: str, on_hand: str) -> None:
        fact = kind if kind in ENDS else "seen"
        stray = (work.id, parcel.id, fact, on_hand, self.by_sku(parcel.units))
        self.said.setdefault((work.id, parcel.id, fact), stray)

    def _replaced(self, work: Work, by: list[Work]) -> bool:
        stand_in = sum((Counter(other.units) for other in by), self.waiting)
        return all(stand_in[line] >= n for line, n in work.units.items())

    def _arrive(self, work: Work, minute: int) -> Counter[str]:
        latest_first = list(reversed(self._open()))
        self._take(work.units, sorted(latest_first, key=lambda w: REACHED[w.status]))
        work.status = "delivered"
        work.parcels[-1].ended = ("delivered", minute)
        self.told["delivered"] += 1
        return Counter(work.units)

    def arrived(self, work: Work, minute: int) -> bool:
        """Support says that a lost parcel arrived; False if it is refused."""
        if work.status == "delivered":
            return True
        if self.ended or work.status != "lost" or self._is_back(work) or not self._replaced(work, self._open()):
            return False
        self._arrive(work, minute)
        return True

    # --- what is to be seen of it ------------------------------------------------------------------------------------

    def shown(self) -> dict[str, Any]:
        """The order as the store must show it."""
        strays = self.said.values()
        self.fell_short = self.fell_short and self.waiting.total() > 0
        return {
            "sourced": True,
            "order": (self.status, {line: (self.waiting[line], self.cancelled[line]) for line in self.units}),
            "work": {w.id: (w.node, w.status, w.units) for w in self.work.values()},
            "parcels": {parcel.id: (parcel.carrier, parcel.status) for _, parcel in self.parcels},
            "stock": {at: (units, self.reserved[at], self.quarantine[at]) for at, units in self.stock.items()},
            "strays": sorted(strays, key=str),
            "traces": len(self.noted) + sum(shipment is not None for _, shipment, *_ in strays),
            "troubles": sorted(self.troubles),
            "backorder": self.fell_short,
            "told": {kind: number for kind, number in self.told.items() if number},
            "events": len(self.events),
            "returns": {each.id: (each.status, each.node, each.lines) for each in self.returns},
        }
