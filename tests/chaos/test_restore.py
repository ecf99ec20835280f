"""Temporal and `orders` restored from dumps of two moments: what has parted is found, and brought together again.

PostgreSQL is dumped and restored by its own `pg_dump` and `pg_restore`. The embedded Temporal keeps its workflows in
SQLite, which is copied by SQLite's online backup.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.embedded import postgres, temporal
from tests.worlds.stack import RunningStack, until

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("stack")]

ORDERS = 400
BEFORE_THE_FIRST_DUMP = 15
APART_SECONDS = 12.0
AGREE_SECONDS = 120.0
LEFT = "not_in_store"


@dataclass(frozen=True)
class Dump:
    """Both databases at nearly one moment."""

    orders: Path
    temporal: Path


def dump(stack: RunningStack, folder: Path) -> Dump:
    """Dump both while orders are under way."""
    folder.mkdir()
    made = Dump(folder / "orders.dump", folder / "temporal.db")
    addresses = stack.folder.addresses()
    assert addresses is not None
    _run("pg_dump", "--format", "custom", "--file", str(made.orders), "--dbname", _libpq(addresses.database_url))
    with (
        closing(sqlite3.connect(temporal.database_file(stack.folder))) as source,
        closing(sqlite3.connect(made.temporal)) as target,
    ):
        source.backup(target)
    return made


def restore(stack: RunningStack, *, orders: Path, workflows: Path) -> None:
    """Put both back into the folder of a stack that does not run."""
    live = temporal.database_file(stack.folder)
    for each in live.parent.glob(f"{live.name}*"):
        each.unlink()
    live.write_bytes(workflows.read_bytes())
    server = postgres.start(stack.folder.root)
    try:
        _run("pg_restore", "--clean", "--if-exists", "--exit-on-error", "--dbname", _libpq(server.url), str(orders))
    finally:
        server.stop()


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([postgres.binary(program), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _libpq(url: str) -> str:
    return url.replace("+psycopg", "")


def check(stack: RunningStack) -> dict[str, Any]:
    """What `dom orders check --thoroughly` finds."""
    answer = stack.dom("orders", "check", "--thoroughly", "--json", "--limit", "10000")
    assert answer.returncode in {0, 1, 2}, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def until_together(stack: RunningStack) -> None:
    """Revive what is found, by one command, and by name what had ended, until nothing is found any more."""
    deadline = time.monotonic() + AGREE_SECONDS
    while True:
        found = check(stack)
        if not found["faults"] and not found["without_answer"]:
            return
        assert time.monotonic() < deadline, found
        if any(fault["kind"] != LEFT for fault in found["faults"]):
            stack.dom("orders", "revive", "--all", "--thoroughly")
        elif names := [fault["about"] for fault in found["faults"]]:
            stack.dom("orders", "revive", *names)


class TestDumpsOfTwoMoments:
    @pytest.mark.timeout(600)
    def test_either_of_them_may_be_the_older_one(self, stack: RunningStack, tmp_path: Path) -> None:
        stack.up()
        demo = stack.begin("demo", "--api", stack.url, "--orders", str(ORDERS))
        count = "SELECT count(*) AS n FROM orders"
        until("orders are under way", lambda: stack.rows(count)[0]["n"] >= BEFORE_THE_FIRST_DUMP, 120)
        first = dump(stack, tmp_path / "first")
        time.sleep(APART_SECONDS)
        second = dump(stack, tmp_path / "second")
        known = stack.rows(count)[0]["n"]
        demo.terminate()
        demo.wait()
        stack.stop()

        newer_store = self.restored(stack, orders=second.orders, workflows=first.temporal)
        assert newer_store["no_process"], "captured between the dumps"
        older_store = self.restored(stack, orders=first.orders, workflows=second.temporal)
        assert older_store["process_differs"], "the store lost them"
        print(f"{known} orders; newer store {newer_store}, older store {older_store}")  # noqa: T201

    def restored(self, stack: RunningStack, *, orders: Path, workflows: Path) -> Counter[str]:
        restore(stack, orders=orders, workflows=workflows)
        stack.up()
        found = check(stack)
        counts = Counter(fault["kind"] for fault in found["faults"])
        counts["open in the store"], counts["running"], counts["ended"] = (
            found["open"],
            found["running"],
            found["ended"],
        )
        until_together(stack)
        reconciled = stack.dom("stock", "reconcile")
        assert reconciled.returncode == 0, reconciled.stdout
        stack.stop()
        return counts
