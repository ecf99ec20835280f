"""`dom up` and `dom demo`: the stack from start to end, and what people see of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from cli.folder import Addresses, DataFolder
from cli.problems import StartProblem
from cli.process import Command, python_module
from cli.stack import Stack, connected, with_links
from cli.supervisor import EndRequests, ProcessEnded, Supervisor
from settings import Settings


@dataclass(frozen=True, slots=True)
class Demo:
    """How the demo is wanted; `leave` stops the stack after its summary, `further` options are the simulator's own.

    A `live` one goes on after its summary, at a pace people can follow.
    """

    orders: int
    speed: float | None
    leave: bool = False
    further: tuple[str, ...] = ()
    live: bool = False
    keys: Path | None = None
    """Folder of the API keys it calls with."""

    def command(self, api_url: str, temporal_ui: str = "") -> Command:
        """How the simulator is run against an API; `temporal_ui` is where a namespace is shown, for a live demo."""
        speed = () if self.speed is None else ("--speed", f"{self.speed:g}")
        shown = ("--temporal-ui", temporal_ui) if self.live and temporal_ui else ()
        keys = () if self.keys is None else ("--keys", str(self.keys))
        argv = python_module(
            "simulator",
            "live" if self.live else "demo",
            *("--api", api_url, "--orders", str(self.orders), *speed, *shown, *keys, *self.further),
        )
        return Command(name="demo", argv=argv, to_terminal=True)


def run_stack(settings: Settings, folder: DataFolder, demo: Demo | None) -> int:
    """Runs the whole stack until it is asked to end; the exit code is the demo's if it ends with it, otherwise 0."""
    console = Console(soft_wrap=True, highlight=False)
    folder.prepare()
    to_try_things_on = demo is not None or not settings.database_url  # as a laptop's own servers are
    if to_try_things_on:
        settings = settings.model_copy(update={"replay_orders": True})
    with folder.held():
        requests = EndRequests()
        supervisor = Supervisor(folder, requests, lambda line: console.print(f"dom: {line}", style="yellow"))
        try:
            addresses = Stack(settings, folder, with_keys=to_try_things_on).start(
                supervisor, lambda line: console.print(f"dom: {line}")
            )
            console.print(address_block(addresses, folder))
            namespace = f"{addresses.temporal_ui_url}/namespaces/{settings.temporal_namespace}"
            temporal_ui = namespace if addresses.temporal_ui_url else ""
            return _serve(supervisor, addresses, folder, demo, temporal_ui, console)
        except ProcessEnded:
            return 0
        finally:
            if supervisor.runs_something:
                console.print("dom: stopping")
                supervisor.stop()
                console.print(f"dom: stopped; everything is kept in {folder.root}")


def _serve(
    supervisor: Supervisor,
    addresses: Addresses,
    folder: DataFolder,
    demo: Demo | None,
    temporal_ui: str,
    console: Console,
) -> int:
    if demo is not None:
        code = supervisor.run(replace(demo, keys=folder.keys).command(addresses.api_url, temporal_ui))
        if demo.leave:
            return code
        console.print(address_block(addresses, None))
    supervisor.watch()
    return 0


def address_block(addresses: Addresses, folder: DataFolder | None) -> Panel:
    """Where to look, as one block; with the folders when they are given."""
    rows = Table.grid(padding=(0, 2))
    rows.add_row("API docs", f"{addresses.api_url}/docs")
    if addresses.temporal_ui_url:
        rows.add_row("Temporal UI", addresses.temporal_ui_url)
    if folder is not None:
        rows.add_row("Mails", str(folder.mail))
        if folder.keys.is_dir():
            rows.add_row("API keys", str(folder.keys))
        rows.add_row("Data, logs", str(folder.root))
    return Panel(rows, title="dom is serving; Ctrl-C stops it", title_align="left", expand=False)


def found_settings(settings: Settings, folder: DataFolder) -> Settings:
    """The settings with the addresses of the running stack where none is configured; raises StartProblem."""
    running = folder.addresses()
    if running is not None:
        secret = settings.webhook_secret.get_secret_value() or folder.webhook_secret()
        return with_links(connected(settings, _preferring(settings, running), secret), running, folder)
    if not settings.database_url or not settings.temporal_address:
        raise StartProblem(
            f"no database or no Temporal server is configured, and no `dom up` runs on {folder.root}",
            "start `dom up`, or set DOM_DATABASE_URL and DOM_TEMPORAL_ADDRESS",
        )
    return settings


def _preferring(settings: Settings, running: Addresses) -> Addresses:
    own_mail = not settings.smtp_host
    return Addresses(
        database_url=settings.database_url or running.database_url,
        temporal_address=settings.temporal_address or running.temporal_address,
        smtp_host=running.smtp_host if own_mail else settings.smtp_host,
        smtp_port=running.smtp_port if own_mail else settings.smtp_port,
        api_url=running.api_url,
        temporal_ui_url=running.temporal_ui_url,
    )
