"""`dom doctor`: looks at everything a start needs and says in words what is missing or misconfigured."""

from __future__ import annotations

import difflib
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table

from cli import configured, servers
from cli.embedded import mail, postgres, temporal
from cli.finding import CheckVerdict, DoctorFinding, checked, finding_of
from cli.folder import ENOUGH_SPACE_BYTES, DataFolder
from cli.launch import EXIT_NO_NAMESPACE
from cli.ports import require_free
from cli.process import Command, launch_arguments
from cli.running import found_settings
from cli.stack import reachable
from settings import ENV_PREFIX, Settings

OLDEST_PYTHON = (3, 11)

COLOURS = {
    CheckVerdict.FINE: "green",
    CheckVerdict.NOTE: "yellow",
    CheckVerdict.NOT_RUNNING: "yellow",
    CheckVerdict.BLOCKS: "bold red",
}
WELL, BLOCKED, NOT_RUNNING = 0, 1, 3


def examine(settings: Settings, folder: DataFolder) -> int:
    """Shows every finding as a table. 0: all is well; 1: something stands in the way of a start; 3: nothing does, and
    nothing runs.
    """
    findings = list(look_at_everything(settings, folder))
    table = Table(title=f"dom doctor, data folder {folder.root}", title_justify="left")
    for column in ("what", "verdict", "in words"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        table.add_row(finding.what, f"[{COLOURS[finding.verdict]}]{finding.verdict}[/]", finding.words)
    Console().print(table)
    verdicts = {finding.verdict for finding in findings}
    if CheckVerdict.BLOCKS in verdicts:
        return BLOCKED
    return NOT_RUNNING if CheckVerdict.NOT_RUNNING in verdicts else WELL


def look_at_everything(settings: Settings, folder: DataFolder) -> Iterator[DoctorFinding]:
    """Every finding, in the order a start would meet them."""
    yield python_version()
    yield from unknown_settings(os.environ)
    yield data_folder(folder)
    yield kept_alive()
    yield from database(settings, folder)
    engine = list(temporal_server(settings, folder))
    yield from engine
    yield from mail_server(settings, folder)
    yield from orders_and_processes(settings, folder)
    served = servers.api(reachable(settings.api_host), settings.api_port)
    yield served or port("API port", settings.api_host, settings.api_port, "DOM_API_PORT", folder)
    works = any(each.what == servers.TASK_QUEUE and each.verdict is CheckVerdict.FINE for each in engine)
    yield running(settings, folder, serves=served is not None, works=works)


def running(settings: Settings, folder: DataFolder, *, serves: bool, works: bool) -> DoctorFinding:
    """Whether anything of the system runs: a `dom` on this folder, our API here, or a worker wherever it is."""
    if folder.is_held():
        return DoctorFinding("running", CheckVerdict.FINE, "a `dom` runs on this folder")
    if serves or works:
        what = "our API and workers" if serves and works else "our API" if serves else "workers"
        return DoctorFinding("running", CheckVerdict.FINE, what)
    return DoctorFinding(
        "running",
        CheckVerdict.NOT_RUNNING,
        f"no API answers at port {settings.api_port} and no worker is known of: orders are neither taken nor moved. "
        "`dom up` (or `make run`) starts everything",
    )


def python_version() -> DoctorFinding:
    """Whether this Python is new enough."""
    verdict = CheckVerdict.FINE if sys.version_info >= OLDEST_PYTHON else CheckVerdict.BLOCKS
    return DoctorFinding("Python", verdict, f"{platform.python_version()} ({sys.executable}); 3.11 or newer is needed")


def unknown_settings(environment: Mapping[str, str]) -> Iterator[DoctorFinding]:
    """Variables that look like settings and are none: most likely a slip of the pen."""
    known = [ENV_PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(name for name in environment if name.upper().startswith(ENV_PREFIX)):
        if name.upper() not in known:
            close = difflib.get_close_matches(name.upper(), known, n=1)
            yield DoctorFinding(
                "setting", CheckVerdict.NOTE, f"{name} is unknown" + (f"; {close[0]}?" if close else "")
            )


def data_folder(folder: DataFolder) -> DoctorFinding:
    """Whether the data folder, or the place where it will be made, can be written and has room."""
    place = next(path for path in (folder.root, *folder.root.parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return DoctorFinding(
            "data folder", CheckVerdict.BLOCKS, f"{place} cannot be written. Make it writable, or set DOM_DATA_DIR"
        )

    def words() -> str:
        DataFolder(place).require_space(ENOUGH_SPACE_BYTES)
        held = "in use by a running `dom`" if folder.is_held() else "not in use"
        return f"{folder.root}: writable, with room, {held}"

    return finding_of("data folder", words)


def kept_alive() -> DoctorFinding:
    """Whether a killed `dom` takes its servers with it."""
    if sys.platform == "linux":
        return DoctorFinding("killed `dom`", CheckVerdict.FINE, "its servers end with it, even after kill -9")
    return DoctorFinding(
        "killed `dom`", CheckVerdict.NOTE, "after kill -9 its servers go on: this system cannot bind them to it"
    )


def database(settings: Settings, folder: DataFolder) -> Iterator[DoctorFinding]:
    """The configured database, or what the embedded one needs."""
    if settings.database_url:
        answer = checked("database", "it lets us in", configured.check_database, settings.database_url)
        yield answer
        if answer.verdict is CheckVerdict.FINE:
            yield from servers.database(settings, settings.database_url)
        return
    yield finding_of("PostgreSQL", lambda: f"{postgres.binary('postgres')}, version {postgres.major_version()}")
    yield root_handling()
    yield finding_of("database files", lambda: database_files(folder))
    yield port("PostgreSQL port", postgres.HOST, settings.postgres_port, "DOM_POSTGRES_PORT", folder)
    running = folder.addresses()
    if running is not None:
        yield from servers.database(settings, running.database_url)


def database_files(folder: DataFolder) -> str:
    """What the embedded database kept so far; raises StartProblem when no start can use it."""
    cluster = postgres.files(folder)
    postgres.check_cluster(cluster)
    return f"{cluster.data}: whole" if cluster.data.exists() else "none yet; the first start makes them"


def root_handling() -> DoctorFinding:
    """PostgreSQL does not run as root: whether we can hide from it that we are."""
    if not postgres.needs_other_user():
        return DoctorFinding("user", CheckVerdict.FINE, "an ordinary user")
    program = Command(name="probe", argv=(sys.executable, "-I", "-S", "-c", ""), as_ordinary_user=True)
    code = subprocess.run(launch_arguments(program), capture_output=True, check=False).returncode
    if code == EXIT_NO_NAMESPACE:
        words = "PostgreSQL refuses this user, no namespace is allowed. Use an ordinary user, or set DOM_DATABASE_URL"
        return DoctorFinding("user", CheckVerdict.BLOCKS, words)
    return DoctorFinding("user", CheckVerdict.FINE, "PostgreSQL runs as an ordinary user in a namespace of its own")


def temporal_server(settings: Settings, folder: DataFolder) -> Iterator[DoctorFinding]:
    """The configured Temporal server, or what the embedded one needs."""
    if settings.temporal_address:
        yield from servers.engine(settings)
        return
    yield finding_of("Temporal", lambda: str(temporal.binary()))
    yield port("Temporal port", temporal.HOST, settings.temporal_port, "DOM_TEMPORAL_PORT", folder)
    yield port("Temporal UI port", temporal.HOST, settings.temporal_ui_port, "DOM_TEMPORAL_UI_PORT", folder)
    if folder.addresses() is not None:
        yield from servers.engine(found_settings(settings, folder))


def orders_and_processes(settings: Settings, folder: DataFolder) -> Iterator[DoctorFinding]:
    """Whether every open order has its process."""
    from cli.doctor_orders import processes

    yield from processes(settings, folder)


def mail_server(settings: Settings, folder: DataFolder) -> Iterator[DoctorFinding]:
    """The configured mail server, or what the embedded catcher needs."""
    if not settings.smtp_host:
        yield port("mail port", mail.HOST, settings.smtp_port, "DOM_SMTP_PORT", folder)
        return
    host, number = settings.smtp_host, settings.smtp_port
    yield checked("mail", f"{host}:{number} answers", configured.check_smtp, host, number)


def port(what: str, host: str, number: int, setting: str, folder: DataFolder) -> DoctorFinding:
    """Whether the port is free, or held by the stack that runs on this folder."""
    if folder.is_held():
        return DoctorFinding(what, CheckVerdict.FINE, f"{number}, for the `dom` that runs on this folder")
    return checked(what, f"{number} is free", require_free, host, number, setting)
