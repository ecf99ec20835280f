"""Servers somebody else runs, given by address: whether they answer as configured."""

from __future__ import annotations

import asyncio

from cli.ports import is_open
from cli.problems import StartProblem
from settings import Settings

CONNECT_SECONDS = 5


def check_database(url: str) -> None:
    """Raises StartProblem when no PostgreSQL lets us in at this URL."""
    from bootstrap import database

    database.require_reachable(url)


def check_temporal(settings: Settings) -> None:
    """Raises StartProblem when no Temporal server lets us in, by TLS and key as configured."""
    from bootstrap import temporal

    asyncio.run(temporal.connect(settings))


def check_smtp(host: str, port: int) -> None:
    """Raises StartProblem when nobody answers at the address of the mail server."""
    if not is_open(host, port, CONNECT_SECONDS):
        raise StartProblem(
            f"no mail server answers at {host}:{port}",
            "start that server, correct DOM_SMTP_HOST and DOM_SMTP_PORT, or unset them to use the embedded catcher",
        )
