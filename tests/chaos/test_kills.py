"""kill -9 of every server in the middle of the work: every order ends, and nothing happens twice."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter

import pytest
from temporalio.client import Client

from connectors.notifications.mail import message_id
from tests.chaos.books import COUNTED_TWICE, UNSETTLED
from tests.worlds.stack import RunningStack, until

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("stack")]

ORDERS = 80
MOST_UNCERTAIN = 10
VICTIMS = ("worker", "api", "postgres", "temporal")
BACK_SECONDS = 45.0
DEMO_SECONDS = 240.0
SETTLED_SECONDS = 100.0
"""An attempt that died with its worker is made again after its own time-out, a minute."""
EVENTS_BETWEEN_KILLS = 40
"""So many steps of orders happen between two kills: what was killed really works again."""


class Killer:
    """Kills parts of a stack, and sees them come back."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self.away: dict[str, float] = {}

    def kill(self, part: str) -> None:
        """kill -9; returns when the part is back and the API is ready again."""
        pid = self._stack.pid(part)
        open_orders = self._stack.rows("SELECT count(*) AS n FROM orders WHERE finished_at IS NULL")[0]["n"]
        assert open_orders, f"nothing was under way when {part} was killed"
        killed_at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        until(f"{part} is started again", lambda: self._stack.pid(part) not in {0, pid}, BACK_SECONDS)
        if part == "worker":
            until("the worker polls", self._stack.folder.worker_ready_file.exists, BACK_SECONDS)
        until(f"the API is ready after {part} was killed", self._stack.api_is_ready, BACK_SECONDS)
        self.away[part] = time.monotonic() - killed_at


def steps(stack: RunningStack) -> int:
    """How many things have happened to orders so far."""
    return int(stack.rows("SELECT count(*) AS n FROM timeline")[0]["n"])


def until_work_goes_on(stack: RunningStack) -> None:
    before = steps(stack)
    until("orders go on", lambda: steps(stack) >= before + EVENTS_BETWEEN_KILLS)


COMPLETED = {(kind, "COMPLETED") for kind in ("Order", "Return", "PriceStock")} | {("OutboxRelay", "RUNNING")}


class TestKills:
    @pytest.mark.timeout(420)
    async def test_every_order_ends_and_nothing_happens_twice(self, stack: RunningStack) -> None:
        stack.up()
        killer = Killer(stack)
        demo = stack.begin("demo", "--api", stack.url, "--orders", str(ORDERS))
        for part in VICTIMS:
            until_work_goes_on(stack)
            assert demo.poll() is None, stack.said("demo")
            killer.kill(part)
        until("the demo ends", lambda: demo.poll() is not None, DEMO_SECONDS)

        assert demo.returncode == 0, stack.said("demo")
        for part in VICTIMS:
            assert f"{part} ended with signal SIGKILL" in stack.said("up")
        for what, query in UNSETTLED.items():
            self.until_settled(stack, what, query)
        for what, query in COUNTED_TWICE.items():
            assert stack.rows(query) == [], what
        uncertain = self.nothing_is_mailed_twice(stack)
        await self.every_workflow_completed(stack)
        check = stack.dom("stock", "check")
        assert check.returncode == 0, check.stdout
        totals = stack.rows("SELECT sum(reserved) AS reserved FROM stock")
        assert totals == [{"reserved": 0}]
        print(f"seconds until a killed part worked again: {killer.away}; {uncertain} mails uncertain")  # noqa: T201
        assert stack.stop() == 0

    def until_settled(self, stack: RunningStack, what: str, query: str) -> None:
        try:
            until(f"{what} no longer", lambda: stack.rows(query) == [], SETTLED_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}: {stack.rows(query)}") from error

    def nothing_is_mailed_twice(self, stack: RunningStack) -> int:
        """Mails in the folder are those that count as sent; answers of how many mails nobody knows if they arrived."""
        arrived = Counter(str(mail["Message-ID"]) for mail in stack.mails())
        assert arrived.most_common(1)[0][1] == 1
        told = stack.rows("SELECT business_key, status FROM outbox WHERE medium = 'mail'")
        by_status: dict[str, set[str]] = {"sent": set(), "uncertain": set()}
        for row in told:
            by_status[row["status"]].add(message_id(row["business_key"], "dom.example"))
        assert by_status["sent"] <= set(arrived)
        assert set(arrived) <= by_status["sent"] | by_status["uncertain"]
        assert len(by_status["uncertain"]) <= MOST_UNCERTAIN
        exceptions = stack.rows("SELECT 1 AS one FROM exceptions WHERE kind = 'message_uncertain'")
        assert len(exceptions) == len(by_status["uncertain"]), "each stands before a person"
        return len(exceptions)

    async def every_workflow_completed(self, stack: RunningStack) -> None:
        client = await Client.connect(stack.temporal_address)
        # An answer that Temporal's death swallowed is asked for again after that minute, too.
        deadline = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < deadline:
            statuses = Counter(
                [(found.workflow_type, found.status.name) async for found in client.list_workflows() if found.status]
            )
            if set(statuses) <= COMPLETED:
                break
            await asyncio.sleep(0.5)
        assert set(statuses) <= COMPLETED, statuses
        assert statuses["Order", "COMPLETED"] == ORDERS
