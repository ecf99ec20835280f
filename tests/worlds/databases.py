"""Databases of one PostgreSQL: a copy of a template takes some 75 ms, and is dropped when nobody needs it any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql

EMPTY = "template1"
"""PostgreSQL's own template: no schema."""


class Databases:
    """Makes databases and drops them.

    A copy with our schema is 11 MB, and some thousand tests want one each: kept to the end, they fill a disk. None is
    dropped beside a test: a transaction that is under way holds up what reads the ledger in its sequence.
    """

    def __init__(self, url: str) -> None:
        """A server's, by the address of one of its databases."""
        self._server, _, _ = url.rpartition("/")
        self._connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)

    def make(self, template: str = EMPTY, name: str | None = None) -> str:
        """A copy of a template that stays until the server ends; answers its address."""
        name = name or f"t_{uuid4().hex}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._connection.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
        return f"{self._server}/{name}"

    @contextmanager
    def fresh(self, template: str = EMPTY) -> Iterator[str]:
        """The address of a copy of a template for one test or module; dropped afterwards."""
        url = self.make(template)
        try:
            yield url
        finally:
            name = sql.Identifier(url.rpartition("/")[2])
            self._connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def close(self) -> None:
        """Ends the connection by which it is done."""
        self._connection.close()
