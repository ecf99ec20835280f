"""The embedded Temporal server: its command line, its life, and the search attributes orders carry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from bootstrap import profile
from cli.folder import DataFolder
from cli.ports import free_port, require_free
from cli.problems import StartProblem
from cli.process import Child, Command

HOST = "127.0.0.1"
NAME = "temporal"
NAMESPACE = "default"

SEARCH_ATTRIBUTES = {
    "DomChannel": "Keyword",
    "DomStatus": "Keyword",
    "DomCustomer": "Keyword",
    "DomNode": "KeywordList",
}

# Stock settings hold every dispatch back up to 50 ms and spread short workflows over four partitions.
DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": 10_000,
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
}

# A killed server loses nothing with these, a power cut at most the last moments; the stock settings are half as fast.
SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "normal"}


@dataclass(frozen=True, slots=True)
class EmbeddedTemporal:
    """A running server; `ui_url` is empty without a UI."""

    address: str
    ui_url: str
    child: Child

    @property
    def pid(self) -> int:
        """The server's own process id."""
        return self.child.pid

    def stop(self) -> None:
        """Ends it; running workflows go on at the next start of the same data folder."""
        self.child.stop()


def start(
    data_dir: Path, port: int | None = None, *, ui_port: int | None = None, in_memory: bool = False
) -> EmbeddedTemporal:
    """Starts the server of this data folder; ready on return. Without `ui_port` no UI, `in_memory` keeps nothing."""
    folder = DataFolder(data_dir.absolute())
    port = port or free_port(HOST)
    prepare(folder, port, ui_port)
    child = Child.started(command(folder, port, ui_port=ui_port, in_memory=in_memory), folder, lambda: is_ready(port))
    return EmbeddedTemporal(address(port), ui_url(ui_port), child)


def binary() -> Path:
    """The `temporal` program of this environment; raises StartProblem when it is not installed."""
    path = Path(sysconfig.get_path("scripts")) / NAME
    if not path.exists():
        raise StartProblem(
            "the program `temporal` is missing", "run `make setup`, or set DOM_TEMPORAL_ADDRESS to a server of your own"
        )
    return path


def prepare(folder: DataFolder, port: int, ui_port: int | None) -> None:
    """Raises StartProblem when the server could not start."""
    require_free(HOST, port, "DOM_TEMPORAL_PORT")
    if ui_port is not None:
        require_free(HOST, ui_port, "DOM_TEMPORAL_UI_PORT")
    database_file(folder).parent.mkdir(parents=True, exist_ok=True)


def database_file(folder: DataFolder) -> Path:
    """Where the server keeps workflows."""
    return folder.root / NAME / "temporal.db"


def command(
    folder: DataFolder, port: int, *, ui_port: int | None, in_memory: bool = False, namespace: str = NAMESPACE
) -> Command:
    """How the server is run."""
    where = ["--ip", HOST, "--port", str(port), "--namespace", namespace, "--log-level", "warn"]
    ui = ["--headless"] if ui_port is None else ["--ui-port", str(ui_port), "--ui-disable-news-fetch"]
    dynamic = _repeated("--dynamic-config-value", {name: json.dumps(value) for name, value in DYNAMIC_CONFIG.items()})
    attributes = _repeated("--search-attribute", SEARCH_ATTRIBUTES)
    kept = ["--db-filename", str(database_file(folder)), *_repeated("--sqlite-pragma", SQLITE_PRAGMAS)]
    return Command(
        name=NAME,
        argv=(str(binary()), "server", "start-dev", *where, *ui, *dynamic, *attributes, *([] if in_memory else kept)),
        environment=who_we_are(folder),
        death_signal=signal.SIGTERM,
    )


def who_we_are(folder: DataFolder) -> dict[str, str]:
    """Name and home for a user whom this system does not know by name; the server does not start without."""
    unknown = {"USER": "dom", "HOME": str(folder.root)}
    return {name: os.environ.get(name, value) for name, value in unknown.items()}


def address(port: int) -> str:
    """Where clients and workers connect."""
    return f"{HOST}:{port}"


def ui_url(ui_port: int | None) -> str:
    """Where people look at orders; empty without a UI."""
    return "" if ui_port is None else f"http://{HOST}:{ui_port}"


def is_ready(port: int, namespace: str = NAMESPACE) -> bool:
    """Whether the server answers for the namespace; adds what a data folder of an earlier version does not know.

    The start options name the search attributes too, but reach only a namespace that is new.
    """
    answer = _operator(port, namespace, "search-attribute", "list", "--output", "json")
    if answer.returncode != 0:
        return False
    known = json.loads(answer.stdout).get("customAttributes") or {}
    missing = {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in known}
    for name, kind in missing.items():
        _operator(port, namespace, "search-attribute", "create", "--name", name, "--type", kind)
    return not missing


def _operator(port: int, namespace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [binary(), "operator", *arguments, "--address", address(port), "--namespace", namespace],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=profile.without(os.environ),
    )


def _repeated(option: str, pairs: dict[str, str]) -> list[str]:
    return [word for name, value in pairs.items() for word in (option, f"{name}={value}")]
