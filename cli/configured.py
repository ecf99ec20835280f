"""Servers somebody else runs, given by address: whether they answer as configured."""

from __future__ import annotations

from cli.ports import is_open
from cli.problems import StartProblem

CONNECT_SECONDS = 5


def check_database(url: str) -> None:
    """Raises StartProblem when no PostgreSQL lets us in at this URL."""
    import psycopg

    try:
        psycopg.connect(
            url.replace("postgresql+psycopg://", "postgresql://", 1), connect_timeout=CONNECT_SECONDS
        ).close()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise StartProblem(
            f"the configured database does not let us in ({reason})",
            "start that server, correct DOM_DATABASE_URL, or unset it to use the embedded one",
        ) from error


def check_temporal(address: str) -> None:
    """Raises StartProblem when nobody answers at the address of the Temporal server."""
    host, port = split_address(address, "DOM_TEMPORAL_ADDRESS")
    if not is_open(host, port, CONNECT_SECONDS):
        raise StartProblem(
            f"no Temporal server answers at {address}",
            "start that server, correct DOM_TEMPORAL_ADDRESS, or unset it to use the embedded one",
        )


def check_smtp(host: str, port: int) -> None:
    """Raises StartProblem when nobody answers at the address of the mail server."""
    if not is_open(host, port, CONNECT_SECONDS):
        raise StartProblem(
            f"no mail server answers at {host}:{port}",
            "start that server, correct DOM_SMTP_HOST and DOM_SMTP_PORT, or unset them to use the embedded catcher",
        )


async def register_search_attributes(address: str, namespace: str) -> None:
    """Registers the search attributes of orders; raises StartProblem when the server refuses."""
    from temporalio.service import RPCError

    from cli.embedded import temporal

    try:
        await temporal.register_search_attributes(address, namespace)
    except (RPCError, RuntimeError) as error:
        raise StartProblem(
            f"the Temporal server at {address} refused the search attributes of namespace {namespace} ({error})",
            "create the namespace, or correct DOM_TEMPORAL_NAMESPACE",
        ) from error


def split_address(address: str, setting: str) -> tuple[str, int]:
    """Host and port of `host:port`; raises StartProblem that names the setting."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise StartProblem(f"{setting} is {address!r}, which is no host:port", "correct it, for example localhost:7233")
    return host, int(port)
