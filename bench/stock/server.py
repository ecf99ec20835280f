"""One PostgreSQL of the system's own, with the settings it always has: fsync and synchronous commit on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from cli.embedded import postgres
from store.database import migrate


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Starts it below the folder and stops it at the end, also after Ctrl-C; answers its URL. Raises StartProblem."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = postgres.start(folder)
    try:
        _must_be_durable(server.url)
        yield server.url
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends in order, however often somebody asks
        server.stop()


def _must_be_durable(url: str) -> None:
    with psycopg.connect(plain(url)) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            found = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
            if found != ("on",):
                raise RuntimeError(f"{setting} is off: what would be measured is not what is promised")


def database(url: str, name: str) -> str:
    """A new database with the schema; answers its URL."""
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    made = url.rpartition("/")[0] + "/" + name
    migrate.upgrade(made)
    return made


def plain(url: str) -> str:
    """The URL as libpq and pgbench read it."""
    return url.replace("+psycopg", "")
