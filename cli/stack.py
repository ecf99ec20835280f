"""Which servers run, in which order, with which settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from pydantic import SecretStr

from cli import configured, local_keys
from cli.embedded import mail, postgres, temporal
from cli.folder import Addresses, DataFolder
from cli.ports import is_open, require_free
from cli.prepare import prepare_engine
from cli.process import Command, python_module
from cli.schema import bring_up_to_date
from cli.supervisor import Part, Supervisor
from settings import Settings, is_browsable

HTTP_OK = 200
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 -- where to reach one who listens there


@dataclass(frozen=True, slots=True)
class Stack:
    """What `dom up` runs, from the settings it was given and the folder it may use."""

    settings: Settings
    folder: DataFolder
    with_keys: bool = False
    """Whether to make API keys to try things with, where the folder has none yet."""

    def start(self, supervisor: Supervisor, say: Callable[[str], None]) -> Addresses:
        """Starts everything that is not configured by address, in order; raises StartProblem or Ended."""
        self._check_addresses()
        servers = self._servers()
        say(f"starting {', '.join([*(part.name for part in servers), 'worker', 'api'])}")
        supervisor.start(servers)
        if self.settings.temporal_address:
            prepare_engine(self.settings, say)
        bring_up_to_date(self._database_url(), say)
        if self.with_keys:
            for name, key in local_keys.ensure(self._database_url(), self.folder).items():
                say(f"made the API key {name}, which is shown this once: {key}")
        supervisor.start([self._worker(), self._api()])
        addresses = self._addresses()
        self.folder.write_addresses(addresses)
        return addresses

    def _check_addresses(self) -> None:
        require_free(self.settings.api_host, self.settings.api_port, "DOM_API_PORT")
        if self.settings.database_url:
            configured.check_database(self.settings.database_url)
        if self.settings.temporal_address:
            configured.check_temporal(self.settings)
        if self.settings.smtp_host:
            configured.check_smtp(self.settings.smtp_host, self.settings.smtp_port)

    def _servers(self) -> list[Part]:
        parts = []
        if not self.settings.database_url:
            parts.append(self._postgres())
        if not self.settings.temporal_address:
            parts.append(self._temporal())
        if not self.settings.smtp_host:
            parts.append(self._mail())
        return parts

    def _postgres(self) -> Part:
        folder, port = self.folder, self.settings.postgres_port
        return Part(
            command=postgres.command(folder, port),
            prepare=lambda: postgres.prepare(folder, port),
            ready=lambda: postgres.is_ready(folder, port),
        )

    def _temporal(self) -> Part:
        folder, port, ui_port = self.folder, self.settings.temporal_port, self.settings.temporal_ui_port
        namespace = self.settings.temporal_namespace
        return Part(
            command=temporal.command(folder, port, ui_port=ui_port, namespace=namespace),
            prepare=lambda: temporal.prepare(folder, port, ui_port),
            ready=lambda: temporal.is_ready(port, namespace),
        )

    def _mail(self) -> Part:
        folder, port = self.folder, self.settings.smtp_port
        return Part(
            command=mail.command(folder, port),
            prepare=lambda: mail.prepare(folder, port),
            ready=lambda: is_open(mail.HOST, port),
        )

    def _worker(self) -> Part:
        ready_file = self.folder.worker_ready_file
        settings = self._connected().model_copy(update={"ready_file": ready_file})
        return Part(
            command=Command(
                name="worker",
                argv=python_module("worker"),
                environment=settings.as_environment(),
                stop_seconds=settings.worker_drain_seconds + 5,
            ),
            prepare=lambda: ready_file.unlink(missing_ok=True),
            ready=ready_file.exists,
        )

    def _api(self) -> Part:
        host, port = self.settings.api_host, self.settings.api_port
        return Part(
            command=Command(
                name="api",
                argv=python_module("api"),
                environment=self._connected().as_environment(),
                stop_seconds=15.0,  # requests in flight get 10 s of them
            ),
            prepare=lambda: require_free(host, port, "DOM_API_PORT"),
            ready=lambda: answers_ready(reachable(host), port),
        )

    def _connected(self) -> Settings:
        secret = self.settings.webhook_secret.get_secret_value() or self.folder.webhook_secret()
        return with_links(connected(self.settings, self._addresses(), secret), self._addresses(), self.folder)

    def _addresses(self) -> Addresses:
        settings = self.settings
        own_temporal = not settings.temporal_address
        return Addresses(
            database_url=self._database_url(),
            temporal_address=settings.temporal_address or temporal.address(settings.temporal_port),
            smtp_host=settings.smtp_host or mail.HOST,
            smtp_port=settings.smtp_port,
            api_url=f"http://{reachable(settings.api_host)}:{settings.api_port}",
            temporal_ui_url=temporal.ui_url(settings.temporal_ui_port if own_temporal else None),
        )

    def _database_url(self) -> str:
        return self.settings.database_url or postgres.url(self.folder, self.settings.postgres_port)


def connected(settings: Settings, addresses: Addresses, webhook_secret: str) -> Settings:
    """The settings with every address filled in, for a worker or an API.

    Our own Temporal server is open: what `TEMPORAL_*` says of TLS and keys is meant for another.
    """
    return settings.model_copy(
        update={
            "temporal_env": settings.temporal_env and bool(settings.temporal_address),
            "database_url": addresses.database_url,
            "temporal_address": addresses.temporal_address,
            "smtp_host": addresses.smtp_host,
            "smtp_port": addresses.smtp_port,
            "webhook_secret": SecretStr(webhook_secret),
            "data_dir": settings.data_dir.absolute(),
        }
    )


def with_links(settings: Settings, addresses: Addresses, folder: DataFolder) -> Settings:
    """The settings with customers' links to the stack's own API, signed with a key of its own, unless they say
    otherwise.
    """
    secret = settings.link_secret.get_secret_value() or folder.link_secret()
    own = addresses.api_url if is_browsable(addresses.api_url) else ""
    return settings.model_copy(update={"link_url": settings.link_url or own, "link_secret": SecretStr(secret)})


def answers_ready(host: str, port: int) -> bool:
    """Whether the API says that it can serve orders."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == HTTP_OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def reachable(host: str) -> str:
    """Where to reach a server that listens on this address."""
    return ANY_ADDRESS.get(host, host)
