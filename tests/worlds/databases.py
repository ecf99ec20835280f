"""Databases of one PostgreSQL: a copy of a template takes some 50 ms, and is dropped when nobody needs it any more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql

EMPTY = "template1"
"""PostgreSQL's own template: no schema."""


class Databases:
    """Makes databases and drops them.

    A copy with our schema is 11 MB, and some thousand tests want one each: kept to the end, they fill a disk. Dropping
    waits for a checkpoint, so a thread does it while the next test runs.
    """

    def __init__(self, url: str) -> None:
        """A server's, by the address of one of its databases."""
        self._url = url
        self._making = self._connection()
        self._dropper = ThreadPoolExecutor(1)
        self._dropped: list[Future[None]] = []

    def _connection(self) -> psycopg.Connection:
        return psycopg.connect(self._url.replace("+psycopg", ""), autocommit=True)

    def make(self, template: str = EMPTY, name: str | None = None) -> str:
        """A copy of a template that stays until the server ends; answers its address."""
        name = name or f"t_{uuid4().hex}"
        self._making.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
        return f"{self._url.rpartition('/')[0]}/{name}"

    @contextmanager
    def fresh(self, template: str = EMPTY) -> Iterator[str]:
        """The address of a copy of a template for one test or module; dropped afterwards."""
        url = self.make(template)
        try:
            yield url
        finally:
            self._dropped.append(self._dropper.submit(self._drop, url.rpartition("/")[2]))

    def _drop(self, name: str) -> None:
        with self._connection() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Waits for what is still being dropped; raises what kept a database from it."""
        self._dropper.shutdown()
        self._making.close()
        for dropped in self._dropped:
            dropped.result()
