"""The engine's data is lost, or restored from before the store: one command, and every order ends.

`DRILL_ORDERS=200 python -m pytest -s tests/chaos/test_engine_lost.py` runs it with as many orders under way as an
operator's drill would.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from cli.embedded import temporal
from tests.chaos.books import COUNTED_TWICE, UNSETTLED
from tests.chaos.finishing import Finisher
from tests.worlds.stack import RunningStack, until

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("stack")]

ORDERS = int(os.environ.get("DRILL_ORDERS", "25"))
APART_SECONDS = float(os.environ.get("DRILL_APART_SECONDS", "3"))
"""How much older than the store the restored engine is."""
END_SECONDS = 120.0 + ORDERS
CARTS = "SELECT id FROM soft_reservations WHERE status = 'active' AND backorder_of IS NULL"
CAPTURED = "SELECT count(*) AS n FROM orders"


class TestEngine:
    @pytest.mark.timeout(900)
    async def test_lost_and_restored_from_before_the_store(self, stack: RunningStack, tmp_path: Path) -> None:
        stack.up()
        known = self.under_way(stack, ORDERS)
        stack.stop()
        for each in database_files(stack):
            each.unlink()
        lost = self.restarted(stack)
        assert lost["no_process"], "orders were under way"

        copy = tmp_path / "older.db"
        demo = stack.begin("demo", "--api", stack.url, "--orders", str(ORDERS), "--in-flight", str(ORDERS), "--fresh")
        until("more orders", lambda: stack.rows(CAPTURED)[0]["n"] >= known + ORDERS // 2, 120)
        backup(stack, copy)
        await asyncio.sleep(APART_SECONDS)
        demo.terminate()
        demo.wait(timeout=60)
        stack.stop()
        live, *others = database_files(stack)
        for each in others:
            each.unlink()
        shutil.copy(copy, live)
        older = self.restarted(stack)
        assert older["no_process"] or older["process_differs"], "the store is newer"

        with httpx.Client(base_url=stack.url, timeout=60, headers=stack.headers) as http:
            Finisher(stack, http).until_over(END_SECONDS)
            self.shoppers_leave(stack, http)
        await self.nothing_waits(stack)
        self.nothing_happened_twice(stack)
        print(f"{known} orders, engine lost: {dict(lost)}; engine restored from before: {dict(older)}")  # noqa: T201

    def under_way(self, stack: RunningStack, count: int) -> int:
        """So many orders are captured, and the simulator is gone in the middle of its work."""
        demo = stack.begin("demo", "--api", stack.url, "--orders", str(count * 2), "--in-flight", str(count))
        until("orders are under way", lambda: stack.rows(CAPTURED)[0]["n"] >= count, 300)
        demo.terminate()
        demo.wait(timeout=60)
        return int(stack.rows(CAPTURED)[0]["n"])

    def restarted(self, stack: RunningStack) -> Counter[str]:
        """Started again, and brought together by one command; answers what was found before."""
        stack.up()
        found = check(stack)
        counts = Counter(fault["kind"] for fault in found["faults"])
        counts["open in the store"], counts["running"] = found["open"], found["running"]
        revived = stack.dom("orders", "revive", "--all", "--thoroughly", seconds=300)
        assert revived.returncode == 0, revived.stdout + revived.stderr
        until("they agree", lambda: agrees(stack), 120)
        return counts

    async def nothing_waits(self, stack: RunningStack) -> None:
        """No process is left that waits for what has long happened."""
        client = await Client.connect(stack.temporal_address)
        query = "ExecutionStatus = 'Running' AND WorkflowType IN ('Order', 'Return')"
        deadline = time.monotonic() + 120
        while left := [each.id async for each in client.list_workflows(query)]:
            assert time.monotonic() < deadline, left
            await asyncio.sleep(0.5)

    def shoppers_leave(self, stack: RunningStack, http: httpx.Client) -> None:
        """Carts of shoppers who were at the checkout when the demo was ended: they hold their units for ten minutes."""
        for cart in stack.rows(CARTS):
            assert http.delete(f"/v1/reservations/{cart['id']}").is_success

    def until_settled(self, stack: RunningStack, what: str, query: str) -> None:
        until(f"{what} no longer", lambda: stack.rows(query) == [], 60)

    def nothing_happened_twice(self, stack: RunningStack) -> None:
        for what, query in UNSETTLED.items():
            self.until_settled(stack, what, query)
        for what, query in COUNTED_TWICE.items():
            assert stack.rows(query) == [], what
        arrived = Counter(str(mail["Message-ID"]) for mail in stack.mails())
        assert arrived.most_common(1)[0][1] == 1, "mailed twice"
        reconciled = stack.dom("stock", "reconcile")
        assert reconciled.returncode == 0, reconciled.stdout
        assert stack.rows("SELECT sum(reserved) AS reserved FROM stock") == [{"reserved": 0}]
        assert stack.rows("SELECT kind FROM exceptions WHERE status = 'open' AND kind LIKE '%process%'") == []


def database_files(stack: RunningStack) -> list[Path]:
    """The engine's data: the file, and what SQLite keeps beside it."""
    live = temporal.database_file(stack.folder)
    return [live, *(each for each in live.parent.glob(f"{live.name}*") if each != live)]


def backup(stack: RunningStack, to: Path) -> None:
    """A copy of the engine's data while it works."""
    with (
        closing(sqlite3.connect(temporal.database_file(stack.folder))) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)


def check(stack: RunningStack) -> dict[str, Any]:
    """What `dom orders check --thoroughly` finds."""
    answer = stack.dom("orders", "check", "--thoroughly", "--json", "--limit", "10000")
    assert answer.returncode in {0, 1, 2}, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def agrees(stack: RunningStack) -> bool:
    found = check(stack)
    return not found["faults"] and not found["without_answer"]
