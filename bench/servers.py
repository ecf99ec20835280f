"""The servers a run is measured on: everything `dom up` starts, in a folder of its own, and a worker for the no-ops."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from cli import local_keys
from cli.folder import Addresses, DataFolder
from cli.ports import free_port
from cli.process import Command, python_module
from cli.stack import Stack, connected
from cli.supervisor import EndRequests, Part, Supervisor
from settings import Settings

NOOP_QUEUE = "bench"
PROCESSES = ("temporal", "postgres", "worker", "api", "mail", "noop-worker")


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs; `ledger` is the file in which the no-op worker notes what it has booked, `key` an operator's key."""

    settings: Settings
    addresses: Addresses
    ledger: Path
    pids: dict[str, int]
    key: str = field(repr=False)


@contextmanager
def running(root: Path, say: Callable[[str], None]) -> Iterator[Servers]:
    """Starts everything below the folder, on free ports, and stops it at the end; raises StartProblem or Ended.

    The settings of this environment count, but for addresses: a configured server is never loaded.
    """
    folder = DataFolder(root)
    folder.prepare()
    settings = _own_settings(root)
    with folder.held():
        supervisor = Supervisor(folder, EndRequests(), say)
        try:
            addresses = Stack(settings, folder).start(supervisor, say)
            full = connected(settings, addresses, folder.webhook_secret())
            ledger = folder.run / "noop.ledger"
            supervisor.start([_noop_worker(full, folder, ledger)])
            key = local_keys.ensure(addresses.database_url, folder)[local_keys.OPERATOR]
            _end_at_once_from_now_on()
            yield Servers(full, addresses, ledger, {name: _pid(folder, name) for name in PROCESSES}, key)
        finally:
            supervisor.stop()


def _own_settings(root: Path) -> Settings:
    return Settings(
        database_url="",
        temporal_address="",
        smtp_host="",
        webhook_url="",
        webhook_secret=SecretStr(""),
        data_dir=root,
        api_host="127.0.0.1",
        api_port=free_port(),
        postgres_port=free_port(),
        temporal_port=free_port(),
        temporal_ui_port=free_port(),
        smtp_port=free_port(),
        replay_orders=False,
        rate_limit=10_000_000,  # the server is to be the limit
    )


def _noop_worker(settings: Settings, folder: DataFolder, ledger: Path) -> Part:
    ready_file = folder.run / "noop-worker.ready"
    own = settings.model_copy(update={"task_queue": NOOP_QUEUE, "ready_file": ready_file})
    ledger.touch()
    return Part(
        command=Command(
            name="noop-worker",
            argv=python_module("bench.noop_worker", str(ledger)),
            environment=own.as_environment(),
            stop_seconds=settings.worker_drain_seconds + 5,
        ),
        ready=ready_file.exists,
    )


def _end_at_once_from_now_on() -> None:
    """While starting, the supervisor counts Ctrl-C; while measuring, it ends the event loop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _pid(folder: DataFolder, name: str) -> int:
    return int((folder.run / f"{name}.pid").read_text())
