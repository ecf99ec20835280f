"""Whether the database can be worked on, as it is configured."""

from __future__ import annotations

from typing import Final, LiteralString

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from bootstrap.problems import StartProblem
from store.database import migrate
from store.database.migrate import Schema

CONNECT_SECONDS: Final = 5
_CORRECT: Final = "start that server, correct DOM_DATABASE_URL, or unset it to use the embedded one"
_PREPARE: Final = "run `dom prepare`, or `dom migrate` for the database alone"


def plain(url: str) -> str:
    """The URL as PostgreSQL's own programs and psycopg read it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def require_reachable(url: str) -> None:
    """Raises StartProblem when no PostgreSQL lets us in at this URL."""
    _ask(url, "SELECT 1")


def require_writable(url: str) -> None:
    """Raises StartProblem when no PostgreSQL lets us in at this URL, or one that takes no writes."""
    if _ask(url, "SHOW transaction_read_only") == "on":
        raise StartProblem(
            "the configured database takes no writes: it is a standby, or set to read only",
            "point DOM_DATABASE_URL to its primary, or lift default_transaction_read_only",
        )


def _ask(url: str, question: LiteralString) -> object:
    try:
        with psycopg.connect(plain(url), connect_timeout=CONNECT_SECONDS, autocommit=True) as connection:
            answer = connection.execute(question).fetchone()
    except psycopg.Error as error:
        raise StartProblem(f"the configured database does not let us in ({reason(error)})", _CORRECT) from error
    return answer[0] if answer else None


def schema(url: str) -> Schema:
    """How the schema stands to this program; raises StartProblem where it cannot be looked at."""
    try:
        return migrate.schema(url)
    except (SQLAlchemyError, ValueError) as error:
        raise StartProblem(f"the database schema cannot be looked at ({reason(error)})", _CORRECT) from error


def require_schema(url: str) -> None:
    """Raises StartProblem when the schema is missing or older than this program; a newer one is a rolling upgrade."""
    found = schema(url)
    if found is Schema.MISSING:
        raise StartProblem("the database has no schema yet", _PREPARE)
    if found is Schema.BEHIND:
        raise StartProblem("the database schema is older than this program", _PREPARE)


def reason(error: Exception) -> str:
    """The first line of what the database or its driver said."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0]
