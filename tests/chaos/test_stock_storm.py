"""Sixteen clients at twenty SKUs, kill -9 of them and of the database: what is sold and what is left was received."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from psycopg.rows import dict_row

from cli.embedded import postgres
from cli.ports import free_port
from cli.problems import StartProblem
from store import reconcile
from store.database import engine as database
from store.database import migrate
from store.enums import LedgerKind
from store.stock import Movement, move
from tests.chaos.storm_client import Orders, main, read_log
from tests.chaos.storm_shelves import COUNTED, NODES, OPENING, SKUS, Shelves
from tests.worlds.shelf import network
from tests.worlds.sourcing import MONDAY_NOON
from tests.worlds.stack import until

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("stack")]

CLIENTS, CALLS = 16, int(os.environ.get("STORM_CALLS", "20000"))
PER_CLIENT = CALLS // CLIENTS
ANSWERS = CALLS * 2 // 3
"""At least so many there will be: up to four soft reservations are asked for in one statement."""
DATABASE_KILLS, CLIENT_KILLS = 3, 24
BACK_SECONDS = 60.0
STORM_SECONDS = 400.0
"""Far more than it takes: some 90 on two cores of its own."""

_BAD_BALANCES = """
SELECT * FROM stock WHERE on_hand < 0 OR reserved < 0 OR reserved_soft < 0 OR damaged < 0 OR quarantine < 0
    OR reserved + reserved_soft > on_hand
"""
_BALANCES = "SELECT node_id, sku, on_hand, reserved, reserved_soft FROM stock"
_SHIPPED = "SELECT business_key, sum(-reserved_delta)::int AS units FROM stock_ledger WHERE kind = 'ship' GROUP BY 1"


def _serves_a_client(process: psutil.Process) -> bool:
    """Whether it is one of the server's processes behind a connection; one that ended meanwhile is not."""
    try:
        return " dom 127." in " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


class Database:
    """A server of the storm's own, durable, killed and started again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._server = postgres.start(folder, self._port)
        self.url = self._server.url

    def kill(self, dice: random.Random) -> str:
        """kill -9 of the server, or of one of its processes, after which it recovers by itself."""
        children = psutil.Process(self._server.pid).children()
        serving = [child for child in children if _serves_a_client(child)]
        if serving and dice.random() < 0.5:
            dice.choice(serving).kill()
            return "one of its processes"
        os.kill(self._server.pid, signal.SIGKILL)
        psutil.wait_procs(children, timeout=BACK_SECONDS)
        until("the database is back", self._starts, BACK_SECONDS)
        return "the server"

    def _starts(self) -> bool:
        self._server.stop()
        try:
            self._server = postgres.start(self._folder, self._port)
        except StartProblem:
            return False
        return True

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What it answers, as soon as it does."""
        deadline = time.monotonic() + BACK_SECONDS
        while True:
            try:
                with psycopg.connect(self.url.replace("+psycopg", ""), row_factory=dict_row) as connection:
                    return connection.execute(query.encode()).fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "the database does not come back"
                time.sleep(0.1)

    def stop(self) -> None:
        """Ends it."""
        self._server.stop()


class Storm:
    """The clients, and who kills them."""

    def __init__(self, database: Database, folder: Path, seed: int) -> None:
        self.database = database
        self.folder = folder
        self.dice = random.Random(seed)
        self.seed = seed
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.storm_client"])
        self._clients: dict[int, ForkServerProcess] = {}
        self.killed: Counter[str] = Counter()
        self._read: Counter[int] = Counter()
        self._answers = 0

    def begin(self) -> None:
        """Starts all clients."""
        for number in range(CLIENTS):
            self._start(number)

    def _start(self, number: int) -> None:
        orders = Orders(number, self.seed, PER_CLIENT, self.database.url, self.folder)
        self._clients[number] = self._context.Process(target=main, args=(orders,), daemon=True)
        self._clients[number].start()

    def kill_a_client(self) -> None:
        """kill -9 of one that is at work, and a new life for it."""
        alive = [number for number, client in self._clients.items() if client.exitcode is None]
        if not alive:
            return
        number = self.dice.choice(alive)
        self._clients[number].kill()
        self._clients[number].join()
        self.killed["a client"] += 1
        self._start(number)

    def look(self) -> bool:
        """Whether the storm is over; AssertionError if a client gave up, or a balance is impossible."""
        gave_up = [number for number, client in self._clients.items() if client.exitcode not in {None, 0}]
        assert not gave_up, f"clients {gave_up} gave up; see their traces above"
        assert self.database.rows(_BAD_BALANCES) == []
        return all(client.exitcode == 0 for client in self._clients.values())

    def answers(self) -> int:
        """How many answers the clients have written down so far; read on where it stopped the last time."""
        for number in range(CLIENTS):
            with (self.folder / f"c{number}.log").open("ab+") as log:
                log.seek(self._read[number])
                new = log.read()
            self._read[number] += len(new)
            self._answers += new.count(b', "answer": ')
        return self._answers

    def logs(self) -> list[Log]:
        """What each client wrote down."""
        return [Log(read_log(self.folder / f"c{number}.log")) for number in range(CLIENTS)]

    def close(self) -> None:
        """Ends what still runs."""
        for client in self._clients.values():
            client.kill()
            client.join()


class Log:
    """What one client asked and was told."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        calls = {line["n"]: line for line in lines if "do" in line}
        self.told = [(calls[line["n"]], line["answer"]) for line in lines if "answer" in line]
        self.deadlocks = [line["deadlock"] for line in lines if "deadlock" in line]
        self.calls = sum(len(call.get("requests", ())) or 1 for call, _ in self.told)


class Expected:
    """What the books have to say after all that the clients were told: on hand and firmly reserved, by place."""

    def __init__(self, logs: list[Log]) -> None:
        self.on_hand: Counter[tuple[str, str]] = Counter({(node, sku): OPENING for node in NODES for sku in SKUS})
        self.reserved: Counter[tuple[str, str]] = Counter()
        self.shipped: dict[str, int] = {}
        self.short: set[tuple[str, str]] = set()
        self.verdicts: Counter[str] = Counter()
        for log in logs:
            for call, answer in log.told:
                self.hear(call, answer)

    def hear(self, call: dict[str, Any], answer: Any) -> None:
        self.verdicts.update(
            f"{call['do']} {one}"
            for one in (answer if isinstance(answer, list) else [answer])
            if isinstance(one, str) and len(one) < 20
        )
        getattr(self, f"_{call['do']}", lambda *_: None)(call, answer)

    def _firm(self, call: dict[str, Any], answer: str) -> None:
        if answer == "reserved":
            self.reserved.update({(node, sku): units for node, sku, units in call["units"]})

    _convert = _firm

    def _cancel(self, call: dict[str, Any], _: str) -> None:
        for _line, node, sku, units in call["lines"]:
            self.reserved[node, sku] -= units

    def _ship(self, call: dict[str, Any], answer: str) -> None:
        self._cancel(call, answer)
        for _line, node, sku, units in call["lines"]:
            self.on_hand[node, sku] -= units
        self.shipped[f"{call['fulfilment']}/ship"] = sum(line[3] for line in call["lines"])

    def _less(self, call: dict[str, Any], _: str) -> None:
        self.reserved[tuple(call["lines"][0][1:3])] -= 1

    def _adjust(self, call: dict[str, Any], answer: str) -> None:
        if answer != "refused":
            self.on_hand[call["node"], call["sku"]] += call["quantity"]

    def _send(self, call: dict[str, Any], answer: str) -> None:
        if answer == "sent":
            self.on_hand[call["units"][0], call["units"][2]] -= call["units"][3]

    def _receive(self, call: dict[str, Any], _: str) -> None:
        self.on_hand[call["units"][1], call["units"][2]] += call["units"][3]

    def _count(self, call: dict[str, Any], answer: list[str]) -> None:
        if "short" in answer:
            self.short.add((call["look"]["node"], call["look"]["sku"]))


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    """Everything but the wind."""
    seed = int(os.environ.get("STORM_SEED", "20111201"))
    print(f"STORM_SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    with _database(tmp_path / "var") as server:
        asyncio.run(_open(server.url))
        (tmp_path / "storm").mkdir()
        opening = {f"{node}/{sku}": OPENING for node in NODES for sku in COUNTED}
        Shelves(tmp_path / "storm" / "shelves.log").move("opening", opening)
        storm = Storm(server, tmp_path / "storm", seed)
        try:
            yield storm
        finally:
            storm.close()


@contextmanager
def _database(folder: Path) -> Iterator[Database]:
    server = Database(folder)
    try:
        migrate.upgrade(server.url)
        yield server
    finally:
        server.stop()


async def _open(url: str) -> None:
    engine = database.create(url, 1)
    async with engine.begin() as connection:
        await network(connection, NODES, SKUS, ["web"])
        for node in NODES:
            for sku in SKUS:
                opening = Movement(node, sku, OPENING, LedgerKind.OPENING, "opening", "opening")
                await move(connection, opening, actor="storm", at=MONDAY_NOON)
    await engine.dispose()


async def _found(url: str) -> reconcile.Findings:
    engine = database.create(url, 1)
    try:
        return await reconcile.find(engine)
    finally:
        await engine.dispose()


class TestStorm:
    @pytest.mark.timeout(480)
    def test_what_is_sold_and_what_is_left_was_received(self, storm: Storm) -> None:
        began = time.monotonic()
        storm.begin()
        self.blow(storm, began)
        logs = storm.logs()
        expected = Expected(logs)
        seconds = time.monotonic() - began
        calls = sum(log.calls for log in logs)
        print(f"{calls} calls in {seconds:.0f} s; killed {dict(storm.killed)}; {dict(expected.verdicts)}")  # noqa: T201

        assert storm.killed["a client"] >= CLIENT_KILLS // 2
        assert storm.killed["the server"] + storm.killed["one of its processes"] == DATABASE_KILLS
        assert calls >= CALLS
        assert [log.deadlocks for log in logs if log.deadlocks] == []
        self.books_say(storm, expected)
        shelves = Shelves(storm.folder / "shelves.log").now()
        self.nothing_is_left_out(storm, expected, shelves)

    def blow(self, storm: Storm, began: float) -> None:
        """Kills at random until the clients are through."""
        database_at = sorted(storm.dice.sample(range(ANSWERS // 10, ANSWERS * 9 // 10), DATABASE_KILLS))
        clients_at = sorted(storm.dice.sample(range(ANSWERS // 20, ANSWERS * 9 // 10), CLIENT_KILLS))
        while not storm.look():
            assert time.monotonic() - began < STORM_SECONDS, f"only {storm.answers()} answers"
            done = storm.answers()
            if database_at and done >= database_at[0]:
                database_at.pop(0)
                storm.killed[storm.database.kill(storm.dice)] += 1
            if clients_at and done >= clients_at[0]:
                clients_at.pop(0)
                storm.kill_a_client()
            time.sleep(0.05)

    def books_say(self, storm: Storm, expected: Expected) -> None:
        """Ledger, balances, reservations and orders agree."""
        findings = asyncio.run(_found(storm.database.url))
        assert findings.listed == []
        assert findings.balances == len(NODES) * len(SKUS)
        shipped = {row["business_key"]: row["units"] for row in storm.database.rows(_SHIPPED)}
        assert shipped == expected.shipped

    def nothing_is_left_out(self, storm: Storm, expected: Expected, shelves: dict[str, int]) -> None:
        """What the clients were told adds up to the balances, to the unit; counted shelves are what lies in them."""
        for row in storm.database.rows(_BALANCES):
            place = row["node_id"], row["sku"]
            assert row["reserved"] == expected.reserved[place], place
            if place[1] in COUNTED:
                there = shelves[f"{place[0]}/{place[1]}"]
                assert expected.on_hand[place] == there, f"{place}: what was told and what lies there"
                if place in expected.short:
                    assert row["on_hand"] <= there, place
                    continue
            assert row["on_hand"] == expected.on_hand[place], place
