"""The embedded mail catcher: takes every mail and keeps it as a file, sends nothing on.

Run as `python -m cli.embedded.mail HOST PORT FOLDER`. Mails are named `<time>-<number>-<recipient>.eml` and sort by
arrival; a mail is there as a whole or not at all.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cli.folder import DataFolder
from cli.ports import free_port, is_open, require_free
from cli.problems import StartProblem
from cli.process import Child, Command, python_module

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
NAME = "mail"
LARGEST_MAIL_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class EmbeddedMail:
    """A running catcher."""

    host: str
    port: int
    folder: Path
    child: Child

    def stop(self) -> None:
        """Ends it; the mails stay."""
        self.child.stop()


def start(data_dir: Path, port: int | None = None) -> EmbeddedMail:
    """Starts the catcher of this data folder; ready on return."""
    folder = DataFolder(data_dir.absolute())
    port = port or free_port(HOST)
    prepare(folder, port)
    child = Child.started(command(folder, port), folder, lambda: is_open(HOST, port))
    return EmbeddedMail(HOST, port, folder.mail, child)


def prepare(folder: DataFolder, port: int) -> None:
    """Makes the folder of mails; raises StartProblem when the catcher could not start."""
    if find_spec("aiosmtpd") is None:
        raise StartProblem(
            "the library `aiosmtpd` is missing", "run `make setup`, or set DOM_SMTP_HOST to a mail server of your own"
        )
    require_free(HOST, port, "DOM_SMTP_PORT")
    folder.mail.mkdir(parents=True, exist_ok=True)


def command(folder: DataFolder, port: int) -> Command:
    """How the catcher is run."""
    return Command(name=NAME, argv=python_module("cli.embedded.mail", HOST, str(port), str(folder.mail)))


class MailFiles:
    """Keeps each accepted mail as a file below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Called by aiosmtpd for every mail; its sender and recipients go on top as headers."""
        now = datetime.now(UTC)
        recipient = re.sub(r"[^A-Za-z0-9.@_-]", "_", envelope.rcpt_tos[0])[:80]
        name = f"{now:%Y%m%dT%H%M%S.%f}Z-{next(self._numbers):06d}-{recipient}.eml"
        envelope_headers = f"X-Mail-From: {envelope.mail_from}\r\nX-Rcpt-To: {', '.join(envelope.rcpt_tos)}\r\n"
        unfinished = self._folder / f".{name}"
        unfinished.write_bytes(envelope_headers.encode() + (envelope.original_content or b""))
        unfinished.replace(self._folder / name)
        return "250 OK: kept"


async def serve(host: str, port: int, folder: Path) -> None:
    """Takes mails until SIGTERM or SIGINT."""
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, ended.set)
    handler = MailFiles(folder)
    server = await loop.create_server(
        lambda: SMTP(handler, hostname=host, data_size_limit=LARGEST_MAIL_BYTES, loop=loop), host, port
    )
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
