"""Random carrier feeds against a model: `python -m tests.fuzz.carrier_feed --seconds 3600 --seed 1`.

Each sequence is one order: scans of its living, voided and ended parcels in random sequence, repeats and reused event
ids, mixed with node steps, cancellations, parcels packed anew and parcels that arrive after they were lost. After each
step stock, statuses, shipments, exceptions, timeline and messages must be what the model says. A failure prints its
sequence; `--only SEED` runs that one again.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.embedded import postgres, temporal
from store import engine as database
from store import migrate
from tests.fuzz.model import ENDS, ON_THE_WAY, STEPS, Order, Parcel, Work
from tests.fuzz.running import World, running
from tests.unit.worlds import MONDAY_NOON
from tests.worlds import small

PATIENCE_SECONDS = 15.0
AT_ONCE = 12
NODES = ("dc-leeds", "wh-london")
CARRIER = "northline"


class Sequence:
    """One order's life, drawn from a seed."""

    def __init__(self, world: World, seed: str) -> None:
        self.seed = seed
        self.log: list[str] = []
        self.done: Counter[str] = Counter()
        self._world = world
        self._chance = random.Random(seed)
        self._code = f"Z-{uuid4().hex[:12]}"
        self._minute = 0
        self._order: Order

    async def run(self) -> None:
        """Capture, many random steps, an end, and what is said after the end. AssertionError where model and system
        part ways.
        """
        chance = self._chance
        units = chance.randint(1, 4)
        stock = {node: chance.choice((0, units - 1, units, 2 * units, 3 * units)) for node in NODES}
        await self._world.stock_up(self._code, stock)
        order_id = await self._world.place(uuid4().hex[:12], self._code, units)
        self._order = Order(order_id, units, dict(stock), waiting=units)
        self.log.append(f"{order_id}: {units} units, stock {stock}")
        await self._settled()
        for _ in range(chance.randint(4, 14)):
            await self._something()
        if chance.random() < 0.7:
            await self._come_to_an_end()
            for _ in range(chance.randint(2, 6)):
                await self._something()
        if not self._order.ended:
            await self._world.client.get_workflow_handle(f"order-{order_id}").terminate()

    async def _something(self) -> None:
        order, chance = self._order, self._chance
        choices: list[tuple[int, Any]] = [(3, self._cancel)]
        if order.work:
            choices.append((10, self._step))
        if order.parcels:
            choices.append((14, self._scan))
        if any(work.status == "lost" for work in order.work.values()):
            choices.append((2, self._arrived))
        await chance.choices([act for _, act in choices], [weight for weight, _ in choices])[0]()
        await self._settled()

    async def _step(self) -> None:
        work = self._work()
        forward = {"released": "pack", "accepted": "pack", "picked": "pack", "booked": "hand-over"}
        step = (
            forward.get(work.status, "pick") if self._chance.random() < 0.6 else self._chance.choice([*STEPS, "reject"])
        )
        await self._report(work, step)

    async def _report(self, work: Work, step: str) -> None:
        self._note(f"step {work.id} {step}")
        answer = await self._world.http.post(f"/v1/fulfilments/{work.id}/{step}", json={"occurred_at": self._at()})
        self._same(f"answer to {step}", _step_answer(answer), self._order.step(work, step))

    def _work(self) -> Work:
        """Any work, living work more often."""
        works = list(self._order.work.values())
        living = [work for work in works if work.status in {"released", "accepted", "picked", "booked"}]
        return self._chance.choice(living if living and self._chance.random() < 0.7 else works)

    async def _cancel(self) -> None:
        units = self._chance.choice((None, 1, 1, 1, 2))
        self._note(f"cancel {units}")
        body = {} if units is None else {"lines": [{"line_id": "1", "quantity": units}]}
        answer = await self._world.http.post(f"/v1/orders/{self._order.id}/cancel", json=body)
        self._same("answer to a cancellation", answer.status_code == 200, self._order.cancel(units))

    async def _arrived(self) -> None:
        work = self._chance.choice([work for work in self._order.work.values() if work.status in {"lost", "delivered"}])
        self._note(f"arrived {work.id}")
        answer = await self._world.http.post(f"/v1/fulfilments/{work.id}/arrived", json={"occurred_at": self._at()})
        self._same("answer to an arrival", answer.status_code == 200, self._order.arrived(work, self._minute))

    async def _scan(self) -> None:
        """A feed of one to three scans, sometimes with one that cannot be read."""
        chance = self._chance
        feed = [self._draw() for _ in range(chance.choice((1, 1, 1, 1, 2, 3)))]
        if chance.random() < 0.2:  # twice in one feed
            feed.append(chance.choice(feed))
        events: list[Any] = [_event(*scan) for scan in feed]
        broken = chance.random() < 0.1
        if broken:
            events.append({**events[0], "kind": "teleported"})
        for scan in feed:
            self._note(f"scan {scan[1].id} {scan[2]} at {scan[3]} as {scan[4]}")
        answer = await self._world.http.post(f"/v1/carriers/{CARRIER}/events", json={"events": events})
        assert answer.status_code == 200, answer.text
        said = [each["status"] for each in answer.json()["results"]]
        if broken:
            self._same("answer to an unreadable scan", said.pop(), "refused")
        first: dict[str, int] = {}
        for index, scan in enumerate(feed):
            first.setdefault(scan[4], index)
        expected: dict[int, str] = {}
        for index in sorted(range(len(feed)), key=lambda i: (first[feed[i][4]] != i, feed[i][3], i)):
            expected[index] = self._order.scan(*feed[index])
        self._same("answers to scans", said, [expected[index] for index in range(len(feed))])

    def _draw(self) -> tuple[Work, Parcel, str, int, str]:
        chance, order = self._chance, self._order
        work, parcel = chance.choice(order.parcels)
        kind = chance.choice(ON_THE_WAY) if chance.random() < 0.4 else chance.choice([*ENDS, "delivered"])
        self._minute += 1
        minute = self._minute if chance.random() < 0.8 else chance.randint(1, self._minute)
        event_id = f"{order.id}-{len(order.events)}-{chance.randint(0, 10**9)}"
        if order.events and chance.random() < 0.25:
            event_id = chance.choice(sorted(order.events))
            if chance.random() < 0.5:
                shipment, kind, minute = order.events[event_id]
                work, parcel = next(each for each in order.parcels if each[1].id == shipment)
        return work, parcel, kind, minute, event_id

    async def _come_to_an_end(self) -> None:
        """What is open is packed, handed over and delivered; what waits is cancelled."""
        for _ in range(4):
            for work in list(self._order.work.values()):
                for status, step in (
                    ("released", "pack"),
                    ("accepted", "pack"),
                    ("picked", "pack"),
                    ("booked", "hand-over"),
                ):
                    if work.status == status:
                        await self._report(work, step)
                        await self._settled()
                if work.status == "handed_over":
                    await self._deliver(work)
            if self._order.waiting:
                self._note("cancel what waits")
                body = {"lines": [{"line_id": "1", "quantity": self._order.waiting}]}
                answer = await self._world.http.post(f"/v1/orders/{self._order.id}/cancel", json=body)
                self._same(
                    "answer to a cancellation", answer.status_code == 200, self._order.cancel(self._order.waiting)
                )
                await self._settled()

    async def _deliver(self, work: Work) -> None:
        self._minute += 1
        scan = (work, work.parcels[-1], "delivered", self._minute, f"{self._order.id}-end-{self._minute}")
        self._note(f"scan {scan[1].id} delivered at {scan[3]} as {scan[4]}")
        await self._world.http.post(f"/v1/carriers/{CARRIER}/events", json={"events": [_event(*scan)]})
        self._order.scan(*scan)
        await self._settled()

    async def _settled(self) -> None:
        """Let the order work off what it was told, and wait until the store shows what the model says.

        Only bookings, which leave the house, may come later than that.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        await self._world.heeded(self._order.id)
        while True:
            shown = await self._world.shown(self._order.id, self._code)
            if shown["sourced"]:
                self._order.absorb(shown["work"])
            expected = self._order.shown()
            if shown == expected:
                return
            if time.monotonic() > deadline:
                for part, value in expected.items():
                    self._same(part, shown[part], value)
            await asyncio.sleep(0.05)

    def _at(self) -> str:
        return (MONDAY_NOON + timedelta(minutes=self._minute)).isoformat()

    def _note(self, what: str) -> None:
        self.log.append(what)
        self.done[what.partition(" ")[0]] += 1

    def _same(self, what: str, found: object, expected: object) -> None:
        assert found == expected, f"{what}: the system says {found}, the model {expected}"


def _event(_: Work, parcel: Parcel, kind: str, minute: int, event_id: str) -> dict[str, Any]:
    at = (MONDAY_NOON + timedelta(minutes=minute)).isoformat()
    return {
        "event_id": event_id,
        "tracking_number": f"T-{parcel.id}",
        "kind": kind,
        "occurred_at": at,
        "place": "Leeds",
    }


def _step_answer(answer: Any) -> str:
    if answer.status_code == 409:
        return "refused"
    assert answer.status_code == 202, answer.text
    return "repeated" if answer.json()["status"] == "repeated" else "taken"


async def attempt(world: World, seed: str, done: Counter[str]) -> str | None:
    """Run a sequence; answers its story if it failed."""
    sequence = Sequence(world, seed)
    try:
        await sequence.run()
    except Exception as error:  # whatever it is, it is a finding
        story = "\n  ".join(sequence.log)
        return f"sequence {seed}\n  {story}\n  -> {type(error).__name__}: {error}"
    finally:
        done.update(sequence.done)
        done["sequences"] += 1
    return None


async def explore(world: World, seed: int, until: float, most_failures: int = 10) -> tuple[Counter[str], list[str]]:
    """Sequences until a moment of the monotonic clock; answers what was done, and the stories of those that failed."""
    done: Counter[str] = Counter()
    failed: list[str] = []
    numbers = iter(range(10**9))

    async def one_after_another() -> None:
        while time.monotonic() < until and len(failed) < most_failures:
            if story := await attempt(world, f"{seed}/{next(numbers)}", done):
                failed.append(story)

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    return done, failed


async def _main(seconds: float, seed: int, only: str | None) -> int:
    with TemporaryDirectory(prefix="dom-fuzz-") as folder:
        store = postgres.start(Path(folder))
        server = temporal.start(Path(folder), in_memory=True)
        try:
            await asyncio.to_thread(migrate.upgrade, store.url)
            engine = database.create(store.url, 12)
            async with engine.begin() as connection:
                await small.write(connection)
            client = await Client.connect(server.address, data_converter=pydantic_data_converter)
            async with running(client, engine) as world:
                if only:
                    story = await attempt(world, only, Counter())
                    sys.stdout.write(f"{story or 'no failure'}\n")
                    return 1 if story else 0
                done, failed = await explore(world, seed, time.monotonic() + seconds)
            await engine.dispose()
        finally:
            server.stop()
            store.stop()
    figures = ", ".join(f"{number} {name}" for name, number in done.most_common())
    sys.stdout.write("\n".join((*failed, f"seed {seed}: {figures}; {len(failed)} failed", "")))
    return 1 if failed else 0


def main() -> int:
    """Read the command line and explore."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="the seed of one sequence, as it was printed")
    asked = parser.parse_args()
    return asyncio.run(_main(asked.seconds, asked.seed, asked.only))


if __name__ == "__main__":
    sys.exit(main())
