"""Every setting of the system, in one place.

A setting is read from the environment variable `DOM_` + its name in capitals: `DOM_API_PORT=9000`. Children of
`dom up` get their settings the same way.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_PREFIX = "DOM_"
SQLALCHEMY_SCHEME = "postgresql+psycopg://"
SHORTEST_SECRET = 32
"""Characters of a key that links are signed with."""
_PLAIN_SCHEMES = ("postgresql://", "postgres://")

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(ge=1)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)]


def normalise_database_url(url: str) -> str:
    """The URL with the driver this project uses; raises ValueError for a database that is not PostgreSQL."""
    if not url or url.startswith(SQLALCHEMY_SCHEME):
        return url
    for scheme in _PLAIN_SCHEMES:
        if url.startswith(scheme):
            return SQLALCHEMY_SCHEME + url.removeprefix(scheme)
    raise ValueError("the database must be PostgreSQL: postgresql://user:password@host:port/name")


class Settings(BaseSettings):
    """What an operator can change; frozen, and safe to print: it shows no password and no key."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: Annotated[str, BeforeValidator(normalise_database_url)] = Field(
        default="",
        repr=False,
        description="PostgreSQL, as postgresql://user:password@host:port/name. Empty: the embedded server.",
    )
    db_pool_size: Positive = Field(
        default=8,
        description="Connections a process holds at most; a worker holds one more to listen, and two if it may "
        "run the background jobs. More than 8 on one hot stock row lose throughput.",
    )

    temporal_address: str = Field(
        default="",
        description="Temporal frontend, as host:port. Not set: TEMPORAL_ADDRESS, the profile's address, or else the "
        "embedded development server.",
    )
    temporal_namespace: str = Field(
        default="default",
        min_length=1,
        description="Temporal namespace of the orders. Not set: TEMPORAL_NAMESPACE, the profile's, or else this.",
    )
    temporal_env: bool = Field(
        default=True,
        description="Whether TEMPORAL_* variables and profiles count: TLS, certificates, API key, and the two above. "
        "`dom up` switches it off for its own, open server.",
    )
    task_queue: str = Field(default="orders", min_length=1, description="Temporal task queue the workers poll.")
    max_cached_workflows: Positive = Field(
        default=5000, description="Live orders a worker keeps in memory; keep it above the number of open orders."
    )
    max_concurrent_workflow_tasks: Annotated[int, Field(ge=2)] = Field(
        default=100, description="Workflow tasks a worker runs at once."
    )
    max_concurrent_local_activities: Positive = Field(
        default=100, description="Short database activities a worker runs at once."
    )
    max_concurrent_activities: Positive = Field(
        default=100, description="Activities that leave the system (carrier, mail, webhook) a worker runs at once."
    )
    workflow_task_pollers: Annotated[int, Field(ge=2)] = Field(
        default=10, description="Most connections a worker polls workflow tasks with."
    )
    activity_task_pollers: Positive = Field(
        default=10, description="Most connections a worker polls activity tasks with."
    )
    worker_drain_seconds: Annotated[float, Field(ge=0)] = Field(
        default=10, description="Seconds a stopping worker gives running activities to finish."
    )
    background_jobs: bool = Field(
        default=True,
        description="Whether this worker may run the background jobs (`jobs`). One worker at a time does.",
    )
    ready_file: Path | None = Field(
        default=None, description="File the worker creates once it polls; the one who started it waits for it."
    )

    api_host: str = Field(default="127.0.0.1", min_length=1, description="Address the API listens on.")
    api_port: Port = Field(default=8000, description="Port the API listens on.")

    oidc_issuer: str = Field(
        default="", description="Issuer of the tokens people come with (`iss`). Empty: API keys alone count."
    )
    oidc_audience: str = Field(default="", description="What tokens must be meant for (`aud`); needed with an issuer.")
    oidc_jwks: str = Field(
        default="",
        description="The issuer's public keys: path of a JWKS file, or its URL; needed with an issuer. The URL "
        "is https, or http on this machine.",
    )
    oidc_name_claim: str = Field(
        default="sub", min_length=1, description="Claim with the name that is written down with what a person does."
    )
    oidc_roles_claim: str = Field(
        default="roles",
        min_length=1,
        description="Claim with a person's roles, as a list or parted by spaces; a path has dots, as "
        "`realm_access.roles`. Names that are no role of ours give nothing.",
    )
    oidc_limits_claim: str = Field(
        default="dom_limits",
        min_length=1,
        description='Claim with what a person is limited to: `{"channels": [...], "nodes": [...]}`. Absent: no limit.',
    )

    rate_limit: Positive = Field(
        default=30_000, description="Requests a caller may send in a minute, to one process of the API."
    )
    cors_origins: str = Field(
        default="", description="Origins whose pages may call the API from a browser, parted by commas. Empty: none."
    )

    stream_listeners: Positive = Field(
        default=1000,
        description="How many may wait for changes of availability at once, in one process of the API; one caller a "
        "tenth of them.",
    )

    pricing_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        default=10,
        description="How often stock that moved is priced anew, where a strategy of the policy asks what it is worth.",
    )
    pricing_lifetime_minutes: Annotated[int, Field(ge=2, le=100_000)] = Field(
        default=360, description="How long a price of stock has any force; it falls to nothing over that time."
    )
    pricing_horizon_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=14, description="Days the stock at hand has to last when it is priced: until more usually comes."
    )
    pricing_history_days: Annotated[int, Field(ge=1, le=730)] = Field(
        default=56, description="Days of orders demand is forecast from."
    )
    pricing_margin_percent: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=30,
        description="What a unit nobody can ship costs when stock is priced, in percent of its list price; at least "
        "twice its dearest shipment.",
    )

    return_expires_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=30,
        description="Days the goods of a return are waited for, from the request or the last receipt; then what has "
        "not come may be returned otherwise.",
    )

    data_dir: Path = Field(
        default=Path("var"), description="Folder of everything the embedded servers keep: data, mail, logs, secrets."
    )
    secrets_dir: str = Field(
        default="",
        description="Folder of channels' credentials, one file each, for API and workers. Empty: `channel-secrets` in "
        "the data folder. Variables `DOM_SECRET_<CHANNEL>_<NAME>` count before it.",
    )
    postgres_port: Port = Field(default=54320, description="Port of the embedded PostgreSQL.")
    temporal_port: Port = Field(default=7233, description="Port of the embedded Temporal server.")
    temporal_ui_port: Port = Field(default=8233, description="Port of the embedded Temporal server's web UI.")

    files_dir: str = Field(
        default="",
        description="Folder below which channels of files and EDI may be connected by the API; the command line may "
        "take any. Empty: `channel-files` in the data folder.",
    )
    inbox_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=90,
        description="Days for which messages of channels are kept. What waits for a person is kept until he is done.",
    )

    smtp_host: str = Field(
        default="", description="Mail server. Empty: the embedded catcher, which keeps every mail as a file."
    )
    smtp_port: Port = Field(default=1025, description="Port of the mail server, embedded or not.")
    smtp_from: str = Field(default="orders@dom.example", min_length=3, description="Sender of the mails customers get.")
    webhook_url: str = Field(
        default="",
        repr=False,
        description="Where order events are posted to; the same for API and workers. Empty: no webhook.",
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Key webhooks are signed with, as whsec_ + base64. Empty: `dom up` makes one and keeps it.",
    )

    link_url: str = Field(
        default="",
        description="Where customers reach the API's links, as https://orders.example; the proxy lets `/questions/` "
        "through. Empty: no customer is asked. `dom up` takes its own API.",
    )
    link_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Key customers' links are signed with, of at least 32 characters; the same for API and workers. "
        "Empty: no customer is asked. `dom up` makes one and keeps it.",
    )

    replay_orders: bool = Field(
        default=False,
        description="Plan orders tagged `replay` as of when they were placed, not of when they arrived. "
        "Embedded servers have it on.",
    )

    log_level: LogLevel = Field(
        default="INFO", description="Least severe level that is logged: debug, info, warning or error."
    )
    log_json: bool = Field(default=False, description="Log one JSON object a line, for machines.")

    @model_validator(mode="after")
    def _whole_issuer(self) -> Self:
        if self.oidc_issuer and not (self.oidc_audience and self.oidc_jwks):
            raise ValueError("DOM_OIDC_ISSUER needs DOM_OIDC_AUDIENCE and DOM_OIDC_JWKS")
        if not _is_trustworthy(self.oidc_jwks):
            raise ValueError("DOM_OIDC_JWKS is a file, an address with https, or one with http on this machine")
        return self

    @model_validator(mode="after")
    def _links_nobody_can_guess(self) -> Self:
        if 0 < len(self.link_secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"DOM_LINK_SECRET has at least {SHORTEST_SECRET} characters")
        if self.link_url and not is_browsable(self.link_url):
            raise ValueError("DOM_LINK_URL is an address with https, or one with http on this machine")
        return self

    @property
    def secrets_folder(self) -> Path:
        """Where channels' credentials are."""
        return Path(self.secrets_dir) if self.secrets_dir else self.data_dir / "channel-secrets"

    @property
    def files_folder(self) -> Path:
        """Where the API may have channels' files read."""
        return Path(self.files_dir) if self.files_dir else self.data_dir / "channel-files"

    def as_environment(self) -> dict[str, str]:
        """The environment variables that give another process these settings, secrets included."""
        return {ENV_PREFIX + name.upper(): _as_text(value) for name, value in self if value is not None}


def is_browsable(url: str) -> bool:
    """Whether a browser may be sent there with a token."""
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def _is_trustworthy(source: str) -> bool:
    """Whether nobody between us and the source can give us keys of his own."""
    scheme, parted, _ = source.partition("://")
    if not parted:
        return True
    return scheme == "https" or (scheme == "http" and is_loopback(urlsplit(source).hostname or ""))


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, and nobody else is between."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _as_text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
