"""One life of an order: it is placed, lived and brought to its end, and the books are looked at after every act."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from dom.shared import ids
from jobs.accept_timeouts import AcceptTimeouts
from jobs.cancellation_timeouts import CancellationTimeouts
from jobs.collection_timeouts import CollectionTimeouts
from services.clock import utc_now
from tests.fuzz.running import World
from tests.lives import books
from tests.lives.acting import NEXT, RETURNS, Actor
from tests.lives.story import NODES, SKUS, Story

ENDS_WITHIN: Final = 60.0
"""Seconds an order has to end once everybody does what is theirs."""
HEARS_WITHIN: Final = 5.0
_UNTOLD: Final = "SELECT id FROM outbox WHERE order_id = :id AND status IN ('pending', 'sending')"
_OPEN: Final = "SELECT status FROM orders WHERE id = :id AND status NOT IN ('delivered', 'cancelled')"
_HOLDS: Final = "SELECT id FROM order_holds WHERE order_id = :id AND released_at IS NULL"
_ASKED: Final = "SELECT id FROM cancellation_requests WHERE order_id = :id AND status = 'asked' AND asked_of = 'node'"
_WAITING: Final = "SELECT line_id, backordered FROM order_lines WHERE order_id = :id AND backordered > 0"


class BrokenPromise(Exception):
    """What went wrong, and the story in which it did."""


class Life:
    """Lives a story once, with SKUs of its own. `done` counts what was carried out."""

    def __init__(self, world: World, story: Story, done: Counter[str]) -> None:
        self._world = world
        self._story = story
        self._done = done
        self._mark = uuid4().hex[:12]
        self._skus = {letter: f"L-{self._mark}-{letter}" for letter in SKUS}
        self._actor: Actor

    async def run(self) -> None:
        """From its placing to its end. AssertionError with what is broken."""
        await self._begin()
        for group in self._story.groups:
            await asyncio.gather(*(self._actor.do(act) for act in group))
            self._done.update(act.do for act in group)
            await self._check(books.ALWAYS)
            await self._says_what_it_waits_for()
        await self._end()
        self._done.update({f"taken {kind}": n for kind, n in self._actor.taken.items()})
        self._done["lives"] += 1

    async def _begin(self) -> None:
        story = self._story
        stock = {
            (node, self._skus[letter]): units
            for node, held in zip(NODES, story.stock, strict=True)
            for letter, units in zip(SKUS, held, strict=True)
        }
        await self._world.stock_up(stock)
        self._opening = Counter[str]()
        for (_, sku), units in stock.items():
            self._opening[sku] += units
        skus = {str(n): self._skus[letter] for n, (letter, _) in enumerate(story.lines, 1)}
        units_of = {str(n): units for n, (_, units) in enumerate(story.lines, 1)}
        order_id = await self._world.place(
            self._mark, skus, units_of, pickup=story.pickup, complete=story.complete and not story.pickup
        )
        self._actor = Actor(
            self._world.http, self._world.engine, order_id, self._skus, self._time_passes, self._settled
        )

    # --- what must hold ----------------------------------------------------------------------------------------------

    async def _check(self, promises: Mapping[str, str]) -> None:
        found = await books.violations(self._world.engine, promises, self._actor.order_id, [*self._skus.values()])
        assert not found, found

    async def _says_what_it_waits_for(self) -> None:
        answer = await self._world.http.get(f"/v1/orders/{self._actor.order_id}")
        assert answer.status_code == 200, answer.text
        order = answer.json()
        assert order["finished_at"] or order["waits_for"], "it waits for nothing that has a name"
        living = sum((line["ordered"] - line["cancelled"]) * line["unit_price"] for line in order["lines"])
        assert order["goods_total_living"] == living

    async def _stock_is_conserved(self) -> None:
        engine, order_id, skus = self._world.engine, self._actor.order_id, [*self._skus.values()]
        left, missing, back, now = [
            await books.units(engine, query, order_id, skus)
            for query in (books.LEFT, books.MISSING, books.RESTOCKED, books.ON_HAND)
        ]
        for sku in skus:
            must = self._opening[sku] + self._actor.added.get(sku, 0) - left.get(sku, 0) - missing.get(sku, 0)
            assert now.get(sku, 0) == must + back.get(sku, 0), (
                f"{sku}: {now.get(sku, 0)} on hand; {self._opening[sku]} at first, {self._actor.added.get(sku, 0)} "
                f"added, {left.get(sku, 0)} left, {missing.get(sku, 0)} missing, {back.get(sku, 0)} restocked"
            )

    # --- its end -----------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Everybody does what is theirs until nothing is open; then nothing is left over."""
        until = time.monotonic() + ENDS_WITHIN
        while open_ := await self._actor.rows(_OPEN) + await self._actor.rows(RETURNS):
            assert time.monotonic() < until, f"it does not end: {open_} {await self._actor.work()}"
            await self._round()
        await self._process_ended(until)
        while left := await books.violations(self._world.engine, books.ONCE_OVER, self._actor.order_id, []):
            assert time.monotonic() < until, left
            await asyncio.sleep(0.1)
        await self._check(books.ALWAYS)
        await self._stock_is_conserved()

    async def _round(self) -> None:
        actor = self._actor
        for hold in await actor.rows(_HOLDS):
            await actor.post(f"orders/{actor.order_id}/holds/{hold['id']}/release", {"reason": "its end"})
        for asked in await actor.rows(_ASKED):
            await actor.post(f"cancellation-requests/{asked['id']}/grant")
        for work in await actor.work():
            if work["status"] in NEXT:
                await actor.step(work["id"], NEXT[work["status"]])
            elif work["status"] == "handed_over":
                await actor.scan(work, "delivered")
        for line in await actor.rows(_WAITING):
            lines = [{"line_id": line["line_id"], "quantity": line["backordered"]}]
            await actor.post(f"orders/{actor.order_id}/cancel", {"lines": lines, "mode": "possible"})
        for back in await actor.rows(RETURNS):
            await actor.go_on_with(back, "restock")
        await self._settled()

    async def _process_ended(self, until: float) -> None:
        handle = self._world.client.get_workflow_handle(ids.order_workflow_id(self._actor.order_id))
        while (status := (await handle.describe()).status) is WorkflowExecutionStatus.RUNNING:
            assert time.monotonic() < until, "the order is over, and its process is not"
            await asyncio.sleep(0.1)
        assert status is WorkflowExecutionStatus.COMPLETED

    # --- time --------------------------------------------------------------------------------------------------------

    async def _settled(self) -> None:
        """Give the process time to hear what it was told. It is not asked: a query that comes while a step is being
        written is what the SDK does not bear (docs/runbook.md, "A process that cannot go on").
        """
        until = time.monotonic() + HEARS_WITHIN
        while await self._actor.rows(_UNTOLD) and time.monotonic() < until:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)

    async def _time_passes(self, hours: int) -> None:
        """What is done by time is done as if so many hours had passed."""
        later = utc_now() + timedelta(hours=hours)
        for job in (AcceptTimeouts, CancellationTimeouts, CollectionTimeouts):
            await job(self._world.engine, now=lambda: later).run()


async def live(world: World, stories: Sequence[Story], done: Counter[str]) -> None:
    """Live them all at the same time. BrokenPromise with the story of the first that breaks one."""
    lives = [Life(world, story, done) for story in stories]
    for story, outcome in zip(
        stories, await asyncio.gather(*(life.run() for life in lives), return_exceptions=True), strict=True
    ):
        if isinstance(outcome, BaseException):  # a defect of whatever kind: the story belongs to it
            raise BrokenPromise(f"{type(outcome).__name__}: {outcome}\n{story.as_json()}") from outcome
    async with world.engine.connect() as connection:
        days = await connection.execute(text(books.DAYS), books.named(books.DAYS, "", ()))
        assert days.all() == [], "a node's day counts other work than its own"
