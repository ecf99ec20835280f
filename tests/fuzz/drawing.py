"""What is done next to an order: drawn by chance, with an eye to where it stands."""

import random
from collections import Counter
from collections.abc import Callable

from tests.fuzz import returned
from tests.fuzz.acts import Act
from tests.fuzz.model import BEFORE_HAND_OVER, ENDS, ON_THE_WAY, STEPS, Order
from tests.fuzz.work import Parcel, Work

NODES = ("dc-leeds", "wh-london")
SHOP = "st-york"
CARRIERS = ("northline", "southline")
FORWARD = {"released": "pack", "accepted": "pack", "picked": "pack", "booked": "hand-over",
           "ready_for_collection": "collect"}  # fmt: skip
DISPOSITIONS = ("restock", "restock", "refurbish", "quarantine", "scrap")


def number(work: Work) -> int:
    """Which of the order's fulfilments it is, counted from 1."""
    return int(work.id.rpartition("-F")[2])


class Draw:
    """A source of acts. `minute` is how late it is in the order's life."""

    def __init__(self, seed: str) -> None:
        self.minute = 0
        self._chance = random.Random(seed)
        self._drawn = 0

    def start(self) -> Act:
        """Lines, stock, and whether the customer collects."""
        chance = self._chance
        skus = {str(n): chance.choice("AAB") if n > 1 else "A" for n in range(1, chance.choice((1, 1, 2, 2, 3)) + 1)}
        units = {line: chance.randint(1, 4) for line in skus}
        pickup = chance.random() < 0.15
        stock = {}
        for node in (*NODES, SHOP) if pickup else NODES:
            asked: Counter[str] = Counter()
            for line, sku in skus.items():
                asked[sku] += units[line]
            stock[node] = {sku: chance.choice((0, max(n - 1, 0), n, 2 * n, 3 * n)) for sku, n in asked.items()}
        lines = {line: [sku, units[line]] for line, sku in skus.items()}
        return {"lines": lines, "stock": stock, "pickup": pickup, "complete": not pickup and chance.random() < 0.1}

    def length(self) -> tuple[int, int]:
        """How many acts before the end, and how many after it; -1 for none and no end."""
        return self._chance.randint(4, 16), self._chance.randint(2, 8) if self._chance.random() < 0.7 else -1

    def act(self, order: Order) -> Act:
        """Any act that means something now."""
        choices: list[tuple[int, Callable[[Order], Act]]] = [(2, self._cancel)]
        if order.work:
            choices.append((10, self._step))
        if order.parcels:
            choices.append((15, self._feed))
        if any(work.status == "lost" for work in order.work.values()):
            choices.append((5, self._arrived))
        if returned.returnable(order):
            choices.append((3, self._return))
        if order.returns:
            choices.append((3, self._goes_on_with_return))
        return self._chance.choices([act for _, act in choices], [weight for weight, _ in choices])[0](order)

    def towards_the_end(self, order: Order) -> Act | None:
        """What is open is packed, handed over and delivered, or collected; what waits is cancelled. None at the end."""
        for work in order.work.values():
            if work.status in BEFORE_HAND_OVER:
                return {"do": "step", "work": number(work), "step": FORWARD[work.status], "at": self.minute}
            if work.status == "handed_over":
                scan = self._scan(work, work.parcels[-1], "delivered", self._next_minute(), self._name("e"))
                return {"do": "feed", "carrier": work.parcels[-1].carrier, "scans": [scan]}
        waits = {line: n for line, n in order.waiting.items() if n}
        return {"do": "cancel", "lines": waits} if waits else None

    def _next_minute(self) -> int:
        self.minute += 1
        return self.minute

    def _name(self, letter: str) -> str:
        self._drawn += 1
        return f"{letter}{self._drawn}"

    def _step(self, order: Order) -> Act:
        chance = self._chance
        work = self._work(order)
        step = FORWARD.get(work.status, "pick")
        if chance.random() < 0.45:
            step = chance.choice([*STEPS, "pick", "pick", "reject"])
        at = self.minute if chance.random() < 0.8 else chance.randint(0, self.minute)
        act: Act = {"do": "step", "work": number(work), "step": step, "at": at}
        if step == "pick" and chance.random() < 0.5:
            found = {line: chance.choice((0, max(n - 1, 0), n, n)) for line, n in work.units.items()}
            for line in list(found):
                if chance.random() < 0.1:
                    del found[line]
            if chance.random() < 0.05:
                found[chance.choice(list(order.units))] = 9
            act["found"] = found
        return act

    def _work(self, order: Order) -> Work:
        """Any work, living work more often."""
        works = list(order.work.values())
        living = [work for work in works if work.status in BEFORE_HAND_OVER]
        return self._chance.choice(living if living and self._chance.random() < 0.7 else works)

    def _cancel(self, order: Order) -> Act:
        chance = self._chance
        act: Act = {"do": "cancel", "lines": None}
        if chance.random() < 0.9:
            lines = chance.sample(list(order.units), chance.randint(1, len(order.units)))
            act["lines"] = {line: chance.choice((None, 1, 1, 1, 2)) for line in lines}
        if chance.random() < 0.3:
            act["key"] = self._name("k")
            if order.keys and chance.random() < 0.6:
                act["key"] = chance.choice(sorted(order.keys))
                if chance.random() < 0.6:
                    act["lines"] = order.keys[act["key"]][0]
        return act

    def _arrived(self, order: Order) -> Act:
        works = [work for work in order.work.values() if work.status in {"lost", "delivered"}]
        return {"do": "arrived", "work": number(self._chance.choice(works)), "at": self.minute}

    def _return(self, order: Order) -> Act:
        chance = self._chance
        free = returned.returnable(order)
        lines = chance.sample(sorted(free), chance.randint(1, len(free)))
        asked = {line: chance.randint(1, free[line] + (chance.random() < 0.15)) for line in lines}
        return {"do": "return", "lines": asked}

    def _goes_on_with_return(self, order: Order) -> Act:
        chance = self._chance
        which, back = chance.choice(list(enumerate(order.returns)))
        if chance.random() < 0.12:
            return {"do": "cancel_return", "return": which}
        if chance.random() < (0.9 if back.outstanding and not back.uninspected else 0.3):
            lines = None
            if chance.random() < 0.5:
                some = chance.sample(sorted(back.lines), chance.randint(1, len(back.lines)))
                lines = {line: chance.randint(1, back.lines[line] + (chance.random() < 0.1)) for line in some}
            return {"do": "receive", "return": which, "lines": lines}
        units = list((back.uninspected or Counter(back.lines)).elements())
        if chance.random() < 0.3:
            units = chance.sample(units, chance.randint(1, len(units)))
        if chance.random() < 0.1:
            units.append(units[0])
        found = Counter((line, chance.choice(DISPOSITIONS)) for line in units)
        return {"do": "inspect", "return": which, "found": [[line, what, n] for (line, what), n in found.items()]}

    # --- a carrier ---------------------------------------------------------------------------------------------------

    def _feed(self, order: Order) -> Act:
        """A feed of one carrier, of some scans: of its own parcels and now and then of another's, some that come twice,
        and some that cannot be read.
        """
        chance = self._chance
        carrier = chance.choice(order.parcels)[1].carrier
        own = [each for each in order.parcels if each[1].carrier == carrier]
        scans = [
            self._any_scan(order, carrier, order.parcels if chance.random() < 0.08 else own)
            for _ in range(chance.choice((1, 1, 1, 1, 2, 3, 6)))
        ]
        if chance.random() < 0.2:  # twice in one feed
            scans.insert(chance.randint(0, len(scans)), dict(chance.choice(scans)))
        for fault in ("kind", "zone", "future", "number", "id"):
            if chance.random() < 0.04:
                scans.insert(chance.randint(0, len(scans)), {**chance.choice(scans), "fault": fault})
        return {"do": "feed", "carrier": carrier, "scans": scans}

    def _any_scan(self, order: Order, carrier: str, parcels: list[tuple[Work, Parcel]]) -> Act:
        chance = self._chance
        work, parcel = chance.choice(parcels)
        kind = chance.choice(ON_THE_WAY) if chance.random() < 0.4 else chance.choice([*ENDS, "delivered", "lost"])
        latest = self._next_minute()
        minute = latest if chance.random() < 0.8 else chance.randint(1, latest)
        scan = self._scan(work, parcel, kind, minute, self._name("e"))
        if order.events and chance.random() < 0.25:
            (by, event_id), before = chance.choice(sorted(order.events.items(), key=str))
            scan["id"] = event_id
            if chance.random() < 0.5 and (known := order.parcel(by, before.tracking)):
                scan = self._scan(*known, before.kind, before.minute, event_id) | {"place": before.place}
        if chance.random() < 0.1:
            scan["place"] = chance.choice(("", "York"))
        if chance.random() < 0.15:
            scan["offset"] = chance.choice((-300, 60, 330))
        return scan

    def _scan(self, work: Work, parcel: Parcel, kind: str, minute: int, event_id: str) -> Act:
        booking = parcel.id.rpartition("-B")[2]
        return {"parcel": f"{number(work)}/{booking}", "kind": kind, "at": minute, "id": event_id, "place": "Leeds"}
