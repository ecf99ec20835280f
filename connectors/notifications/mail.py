"""Mail over SMTP (RFC 5321)."""

import asyncio
import hashlib
import re
from datetime import UTC, datetime
from email.charset import QP, Charset
from email.errors import MessageError
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, parseaddr
from types import TracebackType
from typing import Final, Self

import aiosmtplib
from email_validator import validate_email

from connectors.notifications.port import OutboundMessage, TemporaryFailureError
from dom.shared.errors import OutsideFailure

_ATOM: Final = re.compile(r"[A-Za-z0-9_~-]+(\.[A-Za-z0-9_~-]+)*")
_LONGEST_ATOM: Final = 60
_ON_THE_WIRE: Final = compat32.clone(linesep="\r\n", max_line_length=None)
"""Composing under the newer policies takes three times as long; a folded Message-ID is misread by some receivers."""
_QUOTED: Final = Charset("utf-8")
_QUOTED.body_encoding = QP
_FIRST_PERMANENT: Final = 500
"""Replies from 500 on are permanent, those from 400 on transient (RFC 5321, 4.2.1)."""


def message_id(key: str, domain: str) -> str:
    """The Message-ID of a key: always the same; keys that are no short atom (RFC 5322, 3.2.3) stand as their hash."""
    plain = len(key) <= _LONGEST_ATOM and _ATOM.fullmatch(key)
    return f"<{key if plain else hashlib.sha256(key.encode()).hexdigest()}@{domain}>"


class MailSender:
    """Sends mails from one address; keeps up to `connections` open and uses them again."""

    def __init__(self, host: str, port: int, from_address: str, *, connections: int = 4, timeout: float = 10) -> None:
        """`timeout` in seconds, for each exchange with the server. ValueError if `from_address` has no domain."""
        self._from = from_address
        self._sender = parseaddr(from_address)[1]
        self._domain = self._sender.rpartition("@")[2]
        if not self._domain:
            raise ValueError(f"{from_address!r} is not a mail address")
        self._host, self._port, self._timeout = host, port, timeout
        self._free = asyncio.Semaphore(connections)
        self._idle: list[aiosmtplib.SMTP] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, message: OutboundMessage) -> None:
        """Send one mail.

        TemporaryFailureError if the server is away or puts it off (4xx), OutsideFailure if it refuses (5xx) or the mail
        cannot be written.
        """
        recipient, mail = self._compose(message)
        try:
            async with self._free:
                await self._deliver(recipient, mail)
        except aiosmtplib.SMTPException as error:
            raise _failure(error, message) from error
        except OSError as error:
            raise TemporaryFailureError(f"mail server {self._host}:{self._port}: {error}") from error
        except ValueError as error:  # an address the client itself will not put into an envelope
            raise _unwritable(message, error) from error

    async def close(self) -> None:
        """Say goodbye on every open connection."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.quit()
            except (aiosmtplib.SMTPException, OSError):
                client.close()

    async def _deliver(self, recipient: str, mail: bytes) -> None:
        client = await self._connected()
        try:
            await client.sendmail(self._sender, [recipient], mail)
        except BaseException:  # also when cancelled: a connection in the middle of an exchange is of no more use
            client.close()
            raise
        self._idle.append(client)

    async def _connected(self) -> aiosmtplib.SMTP:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                return client
        client = aiosmtplib.SMTP(hostname=self._host, port=self._port, timeout=self._timeout)
        await client.connect()
        return client

    def _compose(self, message: OutboundMessage) -> tuple[str, bytes]:
        """The recipient's address and the mail as it travels."""
        try:
            recipient = _one_address(message.recipient)
            plain = _part(message.text, "plain")
            mail = (
                plain
                if message.html is None
                else MIMEMultipart("alternative", _subparts=[plain, _part(message.html, "html")])
            )
            mail["From"] = self._from
            mail["To"] = recipient
            mail["Subject"] = _one_line(message.subject)
            mail["Date"] = format_datetime(datetime.now(UTC))
            mail["Message-ID"] = message_id(message.key, self._domain)
            mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office answers stay away
            return recipient, mail.as_bytes(policy=_ON_THE_WIRE)
        except (ValueError, MessageError) as error:
            raise _unwritable(message, error) from error


def _part(text: str, subtype: str) -> MIMEText:
    """A text part: as it is where it is ASCII, else quoted-printable, which people can still read."""
    return MIMEText(text, subtype) if text.isascii() else MIMEText(text, subtype, _QUOTED)  # type: ignore[arg-type]


def _one_line(subject: str) -> str:
    """The subject, encoded where it must be (RFC 2047). ValueError for one that would begin another header."""
    if len(subject.splitlines()) > 1:
        raise ValueError("the subject has more than one line")
    return subject if subject.isascii() else Header(subject, "utf-8").encode()


def _one_address(recipient: str) -> str:
    address = validate_email(recipient, check_deliverability=False, test_environment=True)
    return address.ascii_email or address.normalized  # a domain in its ASCII form needs no SMTPUTF8


def _unwritable(message: OutboundMessage, error: Exception) -> OutsideFailure:
    return OutsideFailure(f"no mail can be written to {message.recipient!r}: {error}")


def _failure(error: aiosmtplib.SMTPException, message: OutboundMessage) -> Exception:
    code, said = _reply(error)
    if code is not None and code >= _FIRST_PERMANENT:
        return OutsideFailure(f"mail {message.key} refused: {code} {said}", data={"code": code})
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return OutsideFailure(f"mail {message.key} cannot be sent through this server: {said}")
    return TemporaryFailureError(f"mail {message.key} put off: {said}")


def _reply(error: aiosmtplib.SMTPException) -> tuple[int | None, str]:
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
            return first.code, first.message
        case aiosmtplib.SMTPResponseException():
            return error.code, error.message
        case _:
            return None, str(error)
