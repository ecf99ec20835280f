"""What a request works with: the store, and the durable processes."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from fastapi import Depends, Header, Request
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RetryConfig

from api.http.change_stream import Tail
from api.http.shared_work import Shared
from bootstrap import temporal
from dom.returns import EXPIRES_AFTER
from processes.background_work import BackgroundWork
from processes.client import Durable
from processes.exception_actions import ExceptionActions
from processes.orders import OrderProcesses
from processes.returns import ReturnProcesses
from services.authentication import KeyRing
from services.change_orders import Writing
from services.customer_links import NO_LINKS, CustomerLinks
from services.reservations import SoftReservations
from services.secret_stores import NO_SECRETS, SecretStore, secret_store
from settings import Settings
from store.channels import Registered
from store.database import engine as store_engine
from store.database import readiness
from store.database.readiness import DatabaseState
from store.network.reference import ReferenceCache

PATIENCE = RetryConfig(max_elapsed_time_millis=3000, max_retries=6)
"""How long a call to Temporal is tried again before the caller is told to come back."""


@dataclass(frozen=True, slots=True)
class Services:
    """Opened once a process. `reads` is for single statements, `engine` for transactions.

    `reference` remembers nodes, tariffs, the policy and SKUs until they change. `webhooks`: a webhook is told what
    customers are told. `links`: how customers answer without a login. `secrets`: credentials of channels, whose files
    may be read below `files_folder`. `returns_last`: how long the goods of a parcel that comes back are waited for.
    """

    engine: AsyncEngine
    reads: AsyncEngine
    durable: Durable
    orders: OrderProcesses
    returns: ReturnProcesses
    work: BackgroundWork
    tail: Tail
    reference: ReferenceCache = field(default_factory=ReferenceCache)
    webhooks: bool = False
    returns_last: timedelta = EXPIRES_AFTER
    links: CustomerLinks = NO_LINKS
    secrets: SecretStore = NO_SECRETS
    files_folder: Path = Path("channel-files")
    reservations: SoftReservations = field(init=False)
    channels: Registered = field(init=False)
    keys: KeyRing = field(init=False)
    standing: Shared[DatabaseState] = field(init=False)
    exception_actions: ExceptionActions = field(init=False)

    def __post_init__(self) -> None:
        """One queue of soft reservations a process, one memory of the channels there are, one of keys, and one look at
        a time at how the database stands.
        """
        object.__setattr__(self, "standing", Shared(self._probe))
        object.__setattr__(self, "keys", KeyRing(self.reads))
        object.__setattr__(self, "channels", Registered(self.reads))
        actions = ExceptionActions(self.durable, self.engine, self.orders, webhooks=self.webhooks)
        object.__setattr__(self, "exception_actions", actions)
        object.__setattr__(self, "reservations", SoftReservations(self.engine, self.reference))

    @property
    def writing(self) -> Writing:
        """How a change of an order is written: its process hears of it, and a webhook what the customer is told."""
        return Writing(webhook=self.webhooks, notify=True, returns_last=self.returns_last)

    async def _probe(self) -> DatabaseState:
        async with self.reads.connect() as connection:
            return await readiness.probe(connection)

    @classmethod
    def of(cls, settings: Settings, engine: AsyncEngine, client: Client) -> Self:
        """The services over an open engine and client."""
        reads = store_engine.reading(engine)
        durable = Durable(client, settings.task_queue)
        reference = ReferenceCache()
        tail = Tail(reads, reference, settings.stream_listeners)
        orders, returns = OrderProcesses(durable, reads), ReturnProcesses(durable, reads, engine)
        work, webhooks = BackgroundWork(durable, engine), bool(settings.webhook_url)
        links = CustomerLinks(settings.link_url, settings.link_secret.get_secret_value())
        return cls(
            engine, reads, durable, orders, returns, work, tail, reference,
            webhooks=webhooks, links=links, secrets=secret_store(settings.secrets_folder),
            files_folder=settings.files_folder, returns_last=timedelta(days=settings.return_expires_days),
        )  # fmt: skip


async def connect(settings: Settings) -> Client:
    """A client that connects with its first call, so that the API starts before Temporal does.

    Raises StartProblem for certificates that cannot be read.
    """
    return await temporal.connect(settings, retry_config=PATIENCE, lazy=True)


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Use = Annotated[Services, Depends(_services)]
"""The services, as a parameter of an endpoint."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="The caller's own id of this request: sent again with the same key it is answered again, not done. "
        "A key counts for the address it is sent to; with another body it is a conflict.",
    ),
]
"""Header that makes a command happen once."""
