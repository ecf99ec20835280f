"""A folder of an SFTP server, reached with asyncssh. Its host key is pinned: no other server is ever talked to."""

import asyncio
import os
import posixpath
import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncssh
from asyncssh import SFTPClient

from connectors.channels.files.folder import FolderEntry
from connectors.channels.files.settings import Server
from connectors.notifications.port import TemporaryFailureError
from dom.shared.errors import OutsideFailure

PASSWORD: Final = "password"  # noqa: S105 - a secret's name
PRIVATE_KEY: Final = "private_key"
PASSPHRASE: Final = "passphrase"  # noqa: S105 - a secret's name
"""Names of secrets: a password, or a private key in OpenSSH's form and what it is locked with."""
_CONNECT_SECONDS: Final = 20
_CALL_SECONDS: Final = 60
_FOR_GOOD: Final = (
    asyncssh.PermissionDenied,
    asyncssh.HostKeyNotVerifiable,
    asyncssh.KeyExchangeFailed,
    asyncssh.SFTPPermissionDenied,
)


class SftpFolder:
    """A folder of an SFTP server. The connection is made with the first call, and anew where it broke."""

    def __init__(self, server: Server, host_key: str, secrets: Mapping[str, str]) -> None:
        """Raises OutsideFailure for keys that cannot be read."""
        self._server = server
        try:
            self._host_key = asyncssh.import_public_key(host_key)
            key = secrets.get(PRIVATE_KEY)
            self._keys = [asyncssh.import_private_key(key, secrets.get(PASSPHRASE))] if key else None
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise OutsideFailure(f"a key for {server.host} cannot be read: {error}") from error
        self._password = secrets.get(PASSWORD)
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: SFTPClient | None = None
        self._connecting = asyncio.Lock()

    async def prepare(self, *subfolders: str) -> None:
        """As the port says."""
        async with self._calling() as client:
            if not await client.isdir(self._path("")):
                raise FileNotFoundError(f"there is no folder {self._server.path}")
            for each in subfolders:
                await client.makedirs(self._path(each), exist_ok=True)

    async def entries(self, subfolder: str = "") -> Sequence[FolderEntry]:
        """As the port says."""
        found = []
        async with self._calling() as client:
            async for each in client.scandir(self._path(subfolder)):
                entry = _entry(str(each.filename), each.attrs)
                if entry is not None:
                    found.append(entry)
        return found

    async def look(self, path: str) -> FolderEntry | None:
        """As the port says."""
        try:
            async with self._calling() as client:
                return _entry(posixpath.basename(path), await client.lstat(self._path(path)))
        except FileNotFoundError:
            return None

    async def read(self, path: str, offset: int, length: int) -> bytes:
        """As the port says."""
        async with self._calling() as client, client.open(self._path(path), "rb") as file:
            found = await file.read(length, offset)
            return found if isinstance(found, bytes) else found.encode()

    async def write(self, path: str, body: bytes) -> None:
        """As the port says."""
        whole = self._path(path)
        fresh = posixpath.join(posixpath.dirname(whole), f".{posixpath.basename(whole)}.{os.getpid()}.tmp")
        async with self._calling() as client:
            async with client.open(fresh, "wb") as file:
                await file.write(body)
                with suppress(asyncssh.SFTPOpUnsupported):
                    await file.fsync()
            await _replace(client, fresh, whole)

    async def move(self, path: str, to: str) -> None:
        """As the port says."""
        async with self._calling() as client:
            await _replace(client, self._path(path), self._path(to))

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.close()
            await connection.wait_closed()

    def _give_up(self) -> None:
        """Let go of a connection that broke, without waiting for the other side."""
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()

    def _path(self, path: str) -> str:
        return posixpath.join(self._server.path or ".", path) if path else self._server.path or "."

    @asynccontextmanager
    async def _calling(self) -> AsyncIterator[SFTPClient]:
        """A client. Raises FileNotFoundError, TemporaryFailureError, OutsideFailure."""
        host = self._server.host
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                yield await self._connected()
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            raise FileNotFoundError(str(error)) from error
        except _FOR_GOOD as error:
            self._give_up()
            raise OutsideFailure(f"{host} refuses: {error}") from error
        except (asyncssh.Error, OSError, TimeoutError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            self._give_up()
            raise TemporaryFailureError(f"{host} cannot be reached: {error or type(error).__name__}") from error

    async def _connected(self) -> SFTPClient:
        async with self._connecting:
            if self._client is None:
                self._connection = await asyncssh.connect(
                    self._server.host,
                    self._server.port,
                    username=self._server.user,
                    password=self._password,
                    client_keys=self._keys,
                    known_hosts=([self._host_key], [], []),
                    agent_path=None,
                    config=None,
                    connect_timeout=_CONNECT_SECONDS,
                    login_timeout=_CONNECT_SECONDS,
                    keepalive_interval=30,
                )
                self._client = await self._connection.start_sftp_client()
            return self._client


def _entry(name: str, found: Any) -> FolderEntry | None:
    """Of a regular file; a link, or what a server does not say enough of, is none."""
    mode, size, modified = found.permissions, found.size, found.mtime
    if mode is None or size is None or not stat.S_ISREG(mode):
        return None
    return FolderEntry(name, int(size), float(modified or 0))


async def _replace(client: SFTPClient, path: str, to: str) -> None:
    """Rename over what is there. Servers without OpenSSH's extension refuse that: what is there goes first."""
    try:
        await client.posix_rename(path, to)
    except asyncssh.SFTPOpUnsupported:
        if await client.exists(to):
            await client.remove(to)
        await client.rename(path, to)
