"""A TLS front before a server that speaks none, with certificates of an authority made for the test."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import trustme

_SSL_REQUEST_BYTES = 8
"""PostgreSQL's clients ask for TLS first; the server answers with one letter."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA, and the files of what it signed."""

    ca: trustme.CA
    folder: Path

    @property
    def certificate(self) -> Path:
        """The CA's own certificate."""
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(path)
        return path

    def client(self) -> tuple[Path, Path]:
        """Certificate and key of a client."""
        signed = self.ca.issue_cert("worker@dom.example")
        certificate, key = self.folder / "client.pem", self.folder / "client.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in signed.cert_chain_pems))
        signed.private_key_pem.write_to_path(key)
        key.chmod(0o600)
        return certificate, key


def authority(folder: Path) -> Authority:
    """A CA that nobody knows but the test."""
    folder.mkdir()
    return Authority(trustme.CA(), folder)


@contextmanager
def front(
    behind: str, signer: Authority, name: str = "localhost", *, clients: Authority | None = None, postgres: bool = False
) -> Iterator[int]:
    """The port of a front before `behind` that shows a certificate for `name`, and wants one of `clients` if given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    signer.ca.issue_cert(name).configure_cert(context)
    if clients is not None:
        clients.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    if not postgres:
        context.set_alpn_protocols(["h2"])
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()
    running = Thread(target=lambda: asyncio.run(_serve(behind, context, postgres, started)))
    running.start()
    loop, stop, port = started.result(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        running.join(10)


async def _serve(
    behind: str,
    context: ssl.SSLContext,
    postgres: bool,
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]],
) -> None:
    host, _, port = behind.rpartition(":")
    open_connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_connections.add(task)
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            if postgres:
                await reader.readexactly(_SSL_REQUEST_BYTES)
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(context)
            inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        writer.close()
        open_connections.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=None if postgres else context)
    stop = asyncio.Event()
    started.set_result((asyncio.get_running_loop(), stop, server.sockets[0].getsockname()[1]))
    await stop.wait()
    server.close()
    for task in open_connections:
        task.cancel()
    await asyncio.gather(*open_connections, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
