"""One order's life: acts are drawn or read, carried out through the API, and compared with the model."""

import asyncio
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.fuzz import returned
from tests.fuzz.acts import Act, Story
from tests.fuzz.drawing import Draw
from tests.fuzz.model import Order, Scan, Stray
from tests.fuzz.running import World
from tests.fuzz.work import Parcel
from tests.worlds.sourcing import MONDAY_NOON

PATIENCE_SECONDS = 60.0
UNREADABLE = frozenset({"kind", "zone", "id"})
AHEAD_YEARS = 40
FOUND = Path(__file__).parent.parent.parent / "var" / "fuzz"
"""Where the histories of orders are kept that failed."""


class Nothing(Exception):
    """An act is of something that is not there: it is passed over. A shortened story has such."""


class Life:
    """An order's life. `acts` are those that were carried out."""

    def __init__(self, world: World, draw: Draw | None, story: Story | None = None) -> None:
        self.done: Counter[str] = Counter()
        self.start: Act = dict(story.start) if story else draw.start() if draw else {}
        self.acts: list[Act] = []
        self._world = world
        self._draw = draw
        self._story = story
        self._mark = uuid4().hex[:12]
        self._order: Order

    @property
    def story(self) -> Story:
        """What can be done again."""
        return Story(self.start, self.acts)

    async def run(self) -> None:
        """Capture, acts, an end, and what is said after the end. AssertionError where model and system part ways."""
        await self._begin()
        try:
            if self._story:
                for act in self._story.acts:
                    await self._carry_out(act)
            elif self._draw:
                await self._live(self._draw)
        except Exception:
            await self._world.keep_history(f"order-{self._order.id}", FOUND / f"{self._order.id}.json")
            raise
        finally:
            if not self._order.ended:
                await self._world.terminate(f"order-{self._order.id}")
            for back in self._order.returns:
                if back.status not in {"refunded", "put_away"}:
                    await self._world.terminate(f"return-{back.id}")

    async def _begin(self) -> None:
        start = self.start
        skus = {line: self._code(sku) for line, (sku, _) in start["lines"].items()}
        units = {line: n for line, (_, n) in start["lines"].items()}
        stock = {(node, self._code(sku)): n for node, held in start["stock"].items() for sku, n in held.items()}
        await self._world.stock_up(stock)
        order_id = await self._world.place(
            self._mark, skus, units, pickup=start.get("pickup", False), complete=start.get("complete", False)
        )
        self._order = Order(order_id, skus, units, Counter(stock), start.get("pickup", False), waiting=Counter(units))
        await self._settled()

    def _code(self, sku: str) -> str:
        return f"Z-{self._mark}-{sku}"

    async def _live(self, draw: Draw) -> None:
        before, after = draw.length()
        for _ in range(before):
            await self._carry_out(draw.act(self._order))
        if after < 0:
            return
        while act := draw.towards_the_end(self._order):
            await self._carry_out(act)
        for _ in range(after):
            await self._carry_out(draw.act(self._order))

    async def _carry_out(self, act: Act) -> None:
        self.acts.append(act)
        doing = {
            "step": self._step,
            "cancel": self._cancel,
            "arrived": self._arrived,
            "feed": self._feed,
            "return": self._return,
            "receive": self._receive,
            "inspect": self._inspect,
            "cancel_return": self._cancel_return,
        }
        try:
            await doing[act["do"]](act)
        except Nothing:
            self.acts.pop()
            return
        self.done[act["do"]] += 1
        await self._settled()

    def _work(self, number: int) -> Any:
        found = self._order.work.get(f"{self._order.id}-F{number}")
        if found is None:
            raise Nothing
        return found

    # --- node, customer, support -------------------------------------------------------------------------------------

    async def _step(self, act: Act) -> None:
        work, found = self._work(act["work"]), act.get("found")
        body: Act = {"occurred_at": self._at(act["at"])}
        if found is not None:
            body["lines"] = _lines(found)
        if act["step"] == "collect":
            shown = (await self._world.http.get(f"/v1/orders/{self._order.id}")).json()["fulfilments"]
            body["code"] = next((each["collection_code"] for each in shown if each["id"] == work.id), None)
        answer = await self._world.http.post(f"/v1/fulfilments/{work.id}/{act['step']}", json=body)
        said = _said(answer)
        if said == "taken" and answer.json()["status"] == "repeated":
            said = "repeated"
        self._same(f"answer to {act['step']}", said, self._order.step(work, act["step"], found))

    async def _cancel(self, act: Act) -> None:
        order, key, lines = self._order, act.get("key"), act["lines"]
        body = {} if lines is None else {"lines": [_cancel_line(line, n) for line, n in lines.items()]}
        headers = {"Idempotency-Key": f"{order.id}:{key}"} if key else {}
        answer = await self._world.http.post(f"/v1/orders/{order.id}/cancel", json=body, headers=headers)
        if key in order.keys:
            before, units = order.keys[key]
            expected = units if before == lines else None
        elif (expected := order.cancel(lines)) is not None and key:
            order.keys[key] = (lines, expected)
        told = answer.json()["cancelled"] if _said(answer) == "taken" else None
        self._same("answer to a cancellation", told, expected)

    async def _arrived(self, act: Act) -> None:
        work = self._work(act["work"])
        answer = await self._world.http.post(
            f"/v1/fulfilments/{work.id}/arrived", json={"occurred_at": self._at(act["at"])}
        )
        self._same("answer to an arrival", _said(answer) == "taken", self._order.arrived(work, act["at"]))

    async def _return(self, act: Act) -> None:
        order, lines = self._order, act["lines"]
        body = {"order_id": order.id, "lines": _lines(lines)}
        answer = await self._world.http.post("/v1/returns", json=body)
        allowed = returned.possible(order, lines)
        self._same("answer to a return", _said(answer) == "taken", allowed)
        if allowed:
            returned.request(order, answer.json()["return_id"], lines)

    async def _receive(self, act: Act) -> None:
        back = self._return_of(act)
        body = {} if act["lines"] is None else {"lines": _lines(act["lines"])}
        answer = await self._world.http.post(f"/v1/returns/{back.id}/receive", json=body)
        self._same("answer to a receipt", _said(answer), returned.receive(self._order, back, act["lines"]))

    async def _inspect(self, act: Act) -> None:
        back = self._return_of(act)
        lines = [{"line_id": line, "disposition": what, "quantity": n} for line, what, n in act["found"]]
        answer = await self._world.http.post(f"/v1/returns/{back.id}/inspect", json={"lines": lines})
        self._same("answer to an inspection", _said(answer), returned.inspect(self._order, back, act["found"]))

    async def _cancel_return(self, act: Act) -> None:
        back = self._return_of(act)
        answer = await self._world.http.post(f"/v1/returns/{back.id}/cancel")
        self._same("answer to the cancellation of a return", _said(answer), returned.cancel(self._order, back))

    def _return_of(self, act: Act) -> returned.Return:
        if act["return"] >= len(self._order.returns):
            raise Nothing
        return self._order.returns[act["return"]]

    # --- a carrier ---------------------------------------------------------------------------------------------------

    async def _feed(self, act: Act) -> None:
        order = self._order
        scans = [(self._scan(each), each) for each in act["scans"]]
        carrier = act.get("carrier") or self._parcel(act["scans"][0]).carrier
        events = [self._event(scan, each) for scan, each in scans]
        answer = await self._world.http.post(f"/v1/carriers/{carrier}/events", json={"events": events})
        readable = {i: scan for i, (scan, each) in enumerate(scans) if each.get("fault") not in UNREADABLE}
        self.done["scans"] += len(scans)
        if not readable:
            self._same("answer to an unreadable feed", _said(answer), "invalid")
            return
        assert answer.status_code == 200, answer.text
        said = [each["status"] for each in answer.json()["results"]]
        first: dict[str, int] = {}
        for index, scan in readable.items():
            first.setdefault(scan.event_id, index)
        expected = dict.fromkeys(range(len(scans)), "refused")
        for index in sorted(readable, key=lambda i: (first[readable[i].event_id] != i, readable[i].minute, i)):
            expected[index] = order.scan(carrier, readable[index])
            self.done[expected[index]] += 1
        self._same("answers to scans", said, [expected[index] for index in range(len(scans))])

    def _scan(self, each: Act) -> Scan:
        tracking, fault = self._parcel(each).tracking, each.get("fault")
        minute = each["at"] + (AHEAD_YEARS * 366 * 24 * 60 if fault == "future" else 0)
        tracking = f"{tracking}-unknown" if fault == "number" else tracking
        return Scan(each["id"], tracking, each["kind"], minute, each.get("place", ""), in_time=fault != "future")

    def _parcel(self, each: Act) -> Parcel:
        work, _, booking = each["parcel"].partition("/")
        for _, parcel in self._order.parcels:
            if parcel.id == f"{self._order.id}-F{work}-B{booking}":
                return parcel
        raise Nothing

    def _event(self, scan: Scan, each: Act) -> Act:
        at = MONDAY_NOON + timedelta(minutes=scan.minute)
        fault = each.get("fault")
        written = self._written(at, each.get("offset", 0))
        return {
            "event_id": "" if fault == "id" else f"{self._order.id}:{scan.event_id}",
            "tracking_number": scan.tracking,
            "kind": "teleported" if fault == "kind" else scan.kind,
            "occurred_at": f"{at:%Y-%m-%dT%H:%M:%S}" if fault == "zone" else written,
            "place": scan.place,
        }

    # --- model and system --------------------------------------------------------------------------------------------

    async def _settled(self) -> None:
        """Let the order work off what it was told, and wait until the store shows what the model says.

        Only bookings, which leave the house, may come later than that.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        order = self._order
        await self._world.heeded(order.id)
        while True:
            shown, about = await self._world.shown(order.id, list(set(order.skus.values())))
            if shown["sourced"]:
                order.absorb(shown["work"], about.carriers)
            for _, parcel in order.parcels:
                parcel.tracking = about.numbers.get(parcel.id, parcel.tracking)
            shown["strays"] = [(*stray[:4], ()) if self._unseen(stray) else stray for stray in shown["strays"]]
            expected = order.shown()
            if shown == expected:
                return
            if time.monotonic() > deadline:
                for part, value in expected.items():
                    self._same(part, shown[part], value)
            await asyncio.sleep(0.05)

    def _unseen(self, stray: Stray) -> bool:
        """Whether the model cannot know the units: the work came and went between two looks."""
        return stray[1] is None and stray[0] in self._order.work and self._order.work[stray[0]].unseen

    def _at(self, minute: int) -> str:
        return self._written(MONDAY_NOON + timedelta(minutes=minute))

    def _written(self, at: datetime, offset: int = 0) -> str:
        return at.astimezone(timezone(timedelta(minutes=offset))).isoformat()

    def _same(self, what: str, found: object, expected: object) -> None:
        assert found == expected, f"{what}: the system says {found}, the model {expected}"

    def _one_of(self, what: str, found: str, expected: set[str]) -> None:
        assert found in expected, f"{what}: the system says {found}, the model {sorted(expected)}"


def _lines(units: Any) -> list[Act]:
    return [{"line_id": line, "quantity": n} for line, n in units.items()]


def _cancel_line(line: str, units: int | None) -> Act:
    return {"line_id": line} if units is None else {"line_id": line, "quantity": units}


def _said(answer: Any) -> str:
    if answer.status_code in {200, 201, 202}:
        return "taken"
    assert answer.status_code in {400, 409, 422}, f"{answer.status_code} {answer.text}"
    return "refused" if answer.status_code == 409 else "invalid"
