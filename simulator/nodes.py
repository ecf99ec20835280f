"""Nodes: they look at their work lists, and accept, pick, pack and hand over (or hand out) at their own hours. What a
customer cancels after it was picked they are asked for, and mostly grant.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from simulator import chance
from simulator.api import Api, ApiAnswer
from simulator.board import OPEN_FULFILMENT, PROGRESS, REPORTED, Board, BoardOrder, Fulfilment
from simulator.carriers import Carriers
from simulator.cases import FEWEST_UNITS, Case
from simulator.clock import Clock, stamp
from simulator.config import Pace
from simulator.customers import Customers
from simulator.sample import Cancellation
from simulator.tasks import SimulatorTasks

WORK_LISTS = "GET /fulfilments"
ASKED_FOR = "GET /cancellation-requests"
LOOK_SHARE = 8
"""Looking takes about one part in so many of the time, where it takes long."""

REJECTED = 0.007
SHORT = 0.004
REASONS = {"damaged": 0.5, "cannot find": 0.5}
REFUSED = 0.2
REFUSALS = {"it stands on the dock already": 0.7, "the parcel is sealed": 0.3}
WORKDAY = timedelta(hours=4)
"""How long before the ship-by time a node starts at the earliest."""
MOST_OF_THE_WAIT = 0.9


@dataclass(frozen=True, slots=True)
class Step:
    """A report of the node: what, when, and how far the work is then."""

    name: str
    at: datetime
    progress: int
    reason: str = ""
    found: dict[str, int] | None = None

    @property
    def body(self) -> dict[str, Any]:
        """As the API takes it."""
        body: dict[str, Any] = {"occurred_at": stamp(self.at)}
        if self.reason:
            body["reason"] = self.reason
        if self.found is not None:
            body["lines"] = [{"line_id": line_id, "quantity": units} for line_id, units in self.found.items()]
        return body


def next_step(fulfilment: Fulfilment) -> Step | None:
    """What the node does next; None while it waits for the carrier's booking or has nothing left to do."""
    begin = max(fulfilment.placed_at, fulfilment.ship_by - WORKDAY)
    length = max(fulfilment.ship_by - begin, timedelta())
    match fulfilment.progress:
        case 0:
            return _accept(fulfilment, begin + length * 0.1)
        case 1:
            return Step("pick", begin + length * 0.4, 2, found=_found(fulfilment))
        case 2:
            return Step("pack", begin + length * 0.7, 3)
        case 4:
            return _let_go(fulfilment)
    return None


def _accept(fulfilment: Fulfilment, at: datetime) -> Step:
    if fulfilment.case is Case.REJECTED or chance.happens(REJECTED, "reject", fulfilment.id):
        return Step("reject", at, REPORTED, reason=chance.choose(REASONS, "reason", fulfilment.id))
    return Step("accept", at, 1)


def _let_go(fulfilment: Fulfilment) -> Step:
    if fulfilment.pickup or fulfilment.status == "ready_for_collection":  # the latter: a carrier brought it to a store
        return Step("collect", _collected_at(fulfilment), REPORTED)
    return Step("hand-over", fulfilment.ship_by, PROGRESS["handed_over"])


def _found(fulfilment: Fulfilment) -> dict[str, int] | None:
    """None when everything is there; otherwise one unit of one line is missing."""
    short = fulfilment.case is Case.SHORT_PICK or chance.happens(SHORT, "short", fulfilment.id)
    if sum(fulfilment.units.values()) < FEWEST_UNITS or not short:
        return None
    missing = min(fulfilment.units, key=lambda line_id: chance.draw(fulfilment.id, line_id))
    return {line_id: units - (line_id == missing) for line_id, units in fulfilment.units.items()}


def _collected_at(fulfilment: Fulfilment) -> datetime:
    """Some whole days after the goods were ready, at the hour they were."""
    kept = fulfilment.latest - fulfilment.earliest
    days = int(chance.draw("collect", fulfilment.id) * MOST_OF_THE_WAIT * (kept / timedelta(days=1)))
    return fulfilment.earliest + timedelta(days=days)


@dataclass(slots=True)
class Nodes:
    """All nodes. One list call shows the open work of all of them."""

    api: Api
    board: Board
    clock: Clock
    tasks: SimulatorTasks
    carriers: Carriers
    customers: Customers
    pace: Pace

    async def look(self) -> float:
        """Reads the work lists once and puts somebody on what is new; answers when it was asked for."""
        asked = monotonic()
        parameters = [("status", status) for status in OPEN_FULFILMENT]
        items = [item async for item in self.api.pages(WORK_LISTS, "/fulfilments", parameters)]
        for fulfilment in self.board.refresh(items, asked):
            order = self.board.orders[fulfilment.order_id]
            self.tasks.start_for(order, self.attend(order, fulfilment))
        await self.answer_cancellations()
        return asked

    async def answer_cancellations(self, *about: tuple[str, str]) -> None:
        """Answers what nodes are asked to let go of this run's orders; `about` says of which, as the API's filter."""
        wanted = [("status", "asked"), ("asked_of", "node"), *about]
        async for request in self.api.pages(ASKED_FOR, "/cancellation-requests", wanted):
            order = self.board.orders.get(request["order_id"])
            if order is not None:
                async with order.answering:  # somebody else of the node may be at it
                    await self._answer_cancellation(order, request)

    async def _answer_cancellation(self, order: BoardOrder, request: dict[str, Any]) -> None:
        """Once, for the same again would be taken too. What is refused reaches the customer, who sends it back."""
        request_id, units, order.touched = request["request_id"], request["units"], True
        if request_id in order.requests:
            return
        refuses = chance.happens(REFUSED, "refuse", request_id)
        verb = "refuse" if refuses else "grant"
        body = {"reason": chance.choose(REFUSALS, "why", request_id)} if refuses else {}
        path = f"/cancellation-requests/{request_id}/{verb}"
        answer = await self.api.post(f"POST /cancellation-requests/{{id}}/{verb}", path, body)
        if not answer.ok:
            if not answer.conflict:
                self.board.tally.refusals[f"{verb}: {answer.problem}"] += 1
            return
        order.requests.add(request_id)
        self.board.changed()
        if refuses:
            self.board.tally.requests_refused += 1
            order.comes_back.append(Cancellation(order.placed_at, dict(units), request_id))
        else:
            self.board.tally.requests_granted += 1
            if work := order.fulfilments.get(request["fulfilment_id"]):
                work.give_up(units)
        self.board.say(f"{request_id}: {request['node_id']} {verb}s the cancellation of {sum(units.values())} units")

    def pause(self, asked: float) -> float:
        """Seconds until the next look: longer when looking is slow or there is little to see."""
        least = self.pace.look if self.board.open else self.pace.idle_look
        return max(least, min(LOOK_SHARE * (monotonic() - asked), self.pace.slowest_look))

    async def attend(self, order: BoardOrder, fulfilment: Fulfilment) -> None:
        """Takes one fulfilment through the node and onto the carrier's van."""
        while not fulfilment.ended:
            step = next_step(fulfilment)
            if step is not None:
                await self._take(order, fulfilment, step)
            elif fulfilment.progress == PROGRESS["handed_over"]:
                await self.carriers.carry(fulfilment)
                fulfilment.sent = REPORTED
            else:
                await self._wait(fulfilment)

    async def _take(self, order: BoardOrder, fulfilment: Fulfilment, step: Step) -> None:
        if await self.customers.speak(order, step.at):
            await self.answer_cancellations(("order", order.id))
            if fulfilment.progress >= PROGRESS["booked"]:
                # What was taken out of a packed parcel has it packed anew: see how it stands first.
                await self._news_within(fulfilment, self.pace.refused)
                return
        if not fulfilment.at_once:
            await self.clock.until(step.at)
        if fulfilment.ended:
            return
        fulfilment.news.clear()
        path = f"/fulfilments/{fulfilment.id}/{step.name}"
        code = await self.customers.code(order, fulfilment.id) if step.name == "collect" else None
        said = {**step.body, "code": code} if code else step.body
        answer = await self.api.post(f"POST /fulfilments/{{id}}/{step.name}", path, said)
        if answer.ok:
            fulfilment.sent = step.progress
            self._noticed(order, fulfilment, step)
        else:
            self._refused(step, answer)
            fulfilment.sent = PROGRESS.get(fulfilment.status, 0)
            await self._news_within(fulfilment, self.pace.refused)

    async def _wait(self, fulfilment: Fulfilment) -> None:
        """Until the work list shows something new; after a long silence what was sent counts as lost."""
        if await self._news_within(fulfilment, self.pace.silence):
            return
        if monotonic() - self.board.looked_at < self.pace.silence / 2:
            fulfilment.sent = 0
            self.board.tally.sent_again += 1

    async def _news_within(self, fulfilment: Fulfilment, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await fulfilment.news.wait()
        except TimeoutError:
            return False
        fulfilment.news.clear()
        return True

    def _noticed(self, order: BoardOrder, fulfilment: Fulfilment, step: Step) -> None:
        tally = self.board.tally
        if step.name == "collect":
            fulfilment.arrived_at = step.at
        elif step.name == "reject" and not fulfilment.spoiled:
            order.touched = fulfilment.spoiled = fulfilment.rejected = True
            tally.rejects += 1
            self.board.say(f"{fulfilment.id}: rejected by {fulfilment.node_id}, {step.reason}")
        elif step.found is not None and not fulfilment.short:
            order.touched = fulfilment.short = True
            tally.short_picks += 1
            self.board.say(f"{fulfilment.id}: one unit short at {fulfilment.node_id}")
        else:
            self.board.note(f"{fulfilment.id}: {step.name.replace('-', ' ')} at {fulfilment.node_id}")

    def _refused(self, step: Step, answer: ApiAnswer) -> None:
        if not answer.conflict:
            self.board.tally.refusals[f"{step.name}: {answer.problem}"] += 1
