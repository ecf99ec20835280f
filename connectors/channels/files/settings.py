"""What has to be known of a folder of files, and of the files in it."""

from typing import Annotated, Final, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator

from dom.shared.base import Value

Encoding = Literal[
    "detect", "utf-8", "utf-16-le", "utf-16-be", "windows-1250", "windows-1251", "windows-1252", "iso-8859-1",
    "iso-8859-15", "cp437", "cp850", "shift_jis", "gb18030", "big5", "euc_kr",
]  # fmt: skip
Place = Annotated[str, Field(min_length=1, max_length=1_000)]
SSH_PORT: Final = 22


class DropSettings(Value):
    """A folder into which files are dropped: a path of this machine, or `sftp://user@host:port/path`."""

    folder: Place = Field(description="An absolute path, or sftp://user@host:port/path.")
    host_key: str = Field(
        default="",
        max_length=2_000,
        description="The SFTP server's public key: ssh-ed25519 AAAA...; no other is taken.",
    )
    pattern: str = Field(default="*", min_length=1, max_length=200, description="Which files are read, as *.csv.")
    settle_seconds: int = Field(
        default=10, ge=0, le=86_400, description="For how long a file must not have changed before it is read."
    )
    marker: str = Field(
        default="", max_length=20, description="A file is read once one of its name with this behind it is there: .done"
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not self.is_remote:
            if not self.folder.startswith("/"):
                raise ValueError("folder: write an absolute path, or sftp://user@host:port/path")
            return self
        server = self.server
        if not server.host or not server.user:
            raise ValueError("folder: write it as sftp://user@host:port/path, without a password")
        if not self.host_key:
            raise ValueError("host_key: give the SFTP server's public key; it is never taken on trust")
        return self

    @property
    def is_remote(self) -> bool:
        """Whether the folder is on an SFTP server."""
        return self.folder.startswith("sftp://")

    @property
    def server(self) -> "Server":
        """Where an SFTP folder is. Raises ValueError for an address that is none."""
        parts = urlsplit(self.folder)
        if parts.password is not None:
            raise ValueError("folder: a password belongs in the secret `password`")
        return Server(parts.hostname or "", parts.port or SSH_PORT, unquote(parts.username or ""), unquote(parts.path))


class Server:
    """An SFTP server's address."""

    def __init__(self, host: str, port: int, user: str, path: str) -> None:
        self.host, self.port, self.user, self.path = host, port, user, path


class FileSettings(DropSettings):
    """A folder of CSV or JSON Lines files of orders."""

    format: Literal["csv", "jsonl"] = Field(default="csv", description="csv, or jsonl: a JSON value a line.")
    encoding: Encoding = Field(
        default="detect",
        description="detect: by the byte order mark; else each line is UTF-8 or, failing that, Windows-1252.",
    )
    delimiter: Literal["", ";", ",", "\t", "|"] = Field(
        default="", description="What stands between cells; empty: what the header row has most of."
    )
    columns: str = Field(
        default="",
        max_length=2_000,
        description="Names of the columns with commas between, where files have no header row.",
    )
    order_column: str = Field(
        default="", max_length=200, description="By which rows of one order are told; empty: each row is an order."
    )
    window: int = Field(
        default=100, ge=0, le=500, description="Within how many rows of its first one all rows of an order stand."
    )

    @model_validator(mode="after")
    def _rows_have_an_order(self) -> Self:
        if self.format == "jsonl" and (self.columns or self.delimiter):
            raise ValueError("columns and delimiter are of CSV files")
        return self
