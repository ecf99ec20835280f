"""Messages leave once, signed and readable; what went wrong is told apart as passing or for good."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors.notifications.mail import MailSender, message_id
from connectors.notifications.port import OutboundMessage, TemporaryFailureError
from connectors.notifications.webhook import WebhookSender
from dom.notifications.messages import Medium
from dom.shared.errors import OutsideFailure

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mail(**changes: Any) -> OutboundMessage:
    plain: dict[str, Any] = {
        "key": "web-536365-order_confirmed",
        "medium": Medium.MAIL,
        "recipient": "ada@customer.example",
        "subject": "Your order 536365 is confirmed",
        "text": "Dear Ada,\n",
        "html": "<p>Dear Ada,</p>",
    }
    return OutboundMessage.model_validate(plain | changes)


class Mailbox:
    """A mail server's own rules: it keeps what it takes and answers as it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.sessions: set[int] = set()
        self.answer = "250 OK"
        self.answer_to_recipient = "250 OK"

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.sessions.add(id(session))
            content = envelope.content
            assert isinstance(content, bytes)
            self.taken.append(message_from_bytes(content, policy=default))
        return self.answer


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def mail_port(mailbox: Mailbox) -> Iterator[int]:
    port = free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    yield port
    server.stop()


@pytest.fixture
async def sender(mail_port: int) -> AsyncIterator[MailSender]:
    async with MailSender("127.0.0.1", mail_port, "Shop <orders@dom.example>") as sender:
        yield sender


class TestMail:
    async def test_it_arrives_as_text_and_html(self, sender: MailSender, mailbox: Mailbox) -> None:
        await sender.send(mail(subject="Your order Nº 7 is ready, Zoë", text="Dear Zoë,\n"))
        [got] = mailbox.taken
        assert (got["To"], got["From"]) == ("ada@customer.example", "Shop <orders@dom.example>")
        assert got["Subject"] == "Your order Nº 7 is ready, Zoë"
        assert got["Message-ID"] == "<web-536365-order_confirmed@dom.example>"
        assert abs(parsedate_to_datetime(got["Date"]) - datetime.now(UTC)) < timedelta(minutes=1)
        text, html = got.get_body(("plain",)), got.get_body(("html",))
        assert text is not None
        assert text.get_content().splitlines() == ["Dear Zoë,"]
        assert html is not None
        assert "<p>Dear Ada,</p>" in html.get_content()

    async def test_a_long_message_id_stays_on_its_line(self, sender: MailSender, mailbox: Mailbox) -> None:
        key = "web-536365/web-536365-F1:handed_over/mail"
        await sender.send(mail(key=key))
        assert mailbox.taken[0]["Message-ID"] == message_id(key, "dom.example")

    async def test_a_repeat_carries_the_same_message_id(self, sender: MailSender, mailbox: Mailbox) -> None:
        await sender.send(mail())
        await sender.send(mail())
        assert len({got["Message-ID"] for got in mailbox.taken}) == 1

    async def test_a_connection_serves_many_mails(self, sender: MailSender, mailbox: Mailbox) -> None:
        for number in range(5):
            await sender.send(mail(key=f"k{number}"))
        assert len(mailbox.taken) == 5
        assert len(mailbox.sessions) == 1

    async def test_many_at_once_all_arrive(self, sender: MailSender, mailbox: Mailbox) -> None:
        await asyncio.gather(*(sender.send(mail(key=f"k{number}")) for number in range(40)))
        assert {got["Message-ID"] for got in mailbox.taken} == {message_id(f"k{n}", "dom.example") for n in range(40)}
        assert len(mailbox.sessions) <= 4

    @pytest.mark.parametrize("reply", ["550 no such user", "552 too large"])
    async def test_a_refusal_is_for_good(self, sender: MailSender, mailbox: Mailbox, reply: str) -> None:
        mailbox.answer_to_recipient = reply
        with pytest.raises(OutsideFailure, match=reply[:3]):
            await sender.send(mail())
        mailbox.answer_to_recipient = "250 OK"
        mailbox.answer = "554 looks like spam"
        with pytest.raises(OutsideFailure, match="554"):
            await sender.send(mail())
        assert mailbox.taken == []

    async def test_a_delay_may_pass_and_the_next_try_arrives(self, sender: MailSender, mailbox: Mailbox) -> None:
        mailbox.answer_to_recipient = "451 try later"
        with pytest.raises(TemporaryFailureError, match="try later"):
            await sender.send(mail())
        mailbox.answer_to_recipient = "250 OK"
        mailbox.answer = "452 disk full"
        with pytest.raises(TemporaryFailureError, match="disk full"):
            await sender.send(mail())
        mailbox.answer = "250 OK"
        await sender.send(mail())
        assert len(mailbox.taken) == 1

    async def test_a_server_that_is_away_may_come_back(self) -> None:
        async with MailSender("127.0.0.1", free_port(), "orders@dom.example") as sender:
            with pytest.raises(TemporaryFailureError):
                await sender.send(mail())

    async def test_a_server_that_restarts_is_found_again(self, mailbox: Mailbox) -> None:
        port = free_port()
        async with MailSender("127.0.0.1", port, "orders@dom.example") as sender:
            for _ in range(2):
                server = Controller(mailbox, hostname="127.0.0.1", port=port)
                server.start()
                await sender.send(mail())
                server.stop()
                await asyncio.sleep(0.05)
        assert len(mailbox.taken) == 2

    async def test_a_server_that_says_nothing_does_not_hold_us(self) -> None:
        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(hold, "127.0.0.1", 0) as silent:
            port = silent.sockets[0].getsockname()[1]
            async with MailSender("127.0.0.1", port, "orders@dom.example", timeout=0.1) as sender:
                with pytest.raises(TemporaryFailureError):
                    await sender.send(mail())

    async def test_a_domain_of_any_letters_can_be_reached(self, sender: MailSender, mailbox: Mailbox) -> None:
        await sender.send(mail(recipient="ada@müller.example"))
        assert mailbox.taken[0]["To"] == "ada@xn--mller-kva.example"

    @pytest.mark.parametrize("recipient", ["ada", "@", "ada@", "a@b.example, c@d.example", "Ada <>", "a b@c.example"])
    async def test_what_is_not_one_address_is_refused(
        self, sender: MailSender, mailbox: Mailbox, recipient: str
    ) -> None:
        with pytest.raises(OutsideFailure, match="no mail can be written"):
            await sender.send(mail(recipient=recipient))
        assert mailbox.taken == []

    async def test_a_second_header_cannot_be_smuggled_in(self, sender: MailSender, mailbox: Mailbox) -> None:
        for bad in ({"subject": "Hi\nBcc: all@customer.example"}, {"recipient": "a@b.example\nBcc: all@c.example"}):
            with pytest.raises(OutsideFailure):
                await sender.send(mail(**bad))
        assert mailbox.taken == []


class TestMessageId:
    @pytest.mark.parametrize("key", ["web-1/shipped", "a b", "a..b", ".a", "x" * 200, "é", "a@b", "a>"])
    def test_awkward_keys_still_make_one(self, key: str) -> None:
        made = message_id(key, "dom.example")
        assert made == message_id(key, "dom.example")
        assert len(made) < 90
        assert made.isascii()
        assert not set(made[1:-1]) & set(" <>/")
        assert made != message_id(f"{key}x", "dom.example")


class Listener(ThreadingHTTPServer):
    """A receiver of webhooks that answers with the status it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiving)
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Receiving(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(self.server.status)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Tests need no access log."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
async def hooks() -> AsyncIterator[WebhookSender]:
    async with WebhookSender(SECRET, timeout=5) as sender:
        yield sender


def event(listener: Listener, **changes: Any) -> OutboundMessage:
    plain = {
        "key": "web-536365-shipped",
        "medium": Medium.WEBHOOK,
        "recipient": listener.url,
        "payload": {"type": "shipped", "order_id": "web-536365", "name": "Zoë"},
    }
    return OutboundMessage.model_validate(plain | changes)


class TestWebhook:
    async def test_the_receiver_can_check_who_sent_it(self, hooks: WebhookSender, listener: Listener) -> None:
        message = event(listener)
        await hooks.send(message)
        [(headers, body)] = listener.got
        assert Webhook(SECRET).verify(body, headers) == message.payload
        assert {k.lower(): v for k, v in headers.items()}["webhook-id"] == message.key

    async def test_neither_body_nor_key_nor_secret_can_be_swapped(
        self, hooks: WebhookSender, listener: Listener
    ) -> None:
        await hooks.send(event(listener))
        [(headers, body)] = listener.got
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body.replace(b"shipped", b"refunded"), headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body, {**headers, "webhook-id": "other"})
        with pytest.raises(WebhookVerificationError):
            Webhook("whsec_" + "AAAA" * 8).verify(body, headers)

    async def test_a_repeat_has_the_same_id_and_body(self, hooks: WebhookSender, listener: Listener) -> None:
        await hooks.send(event(listener))
        await hooks.send(event(listener))
        ids = {headers["webhook-id"] for headers, _ in listener.got}
        assert (len(listener.got), len(ids)) == (2, 1)
        assert listener.got[0][1] == listener.got[1][1]
        assert json.loads(listener.got[0][1])["name"] == "Zoë"

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    async def test_any_success_will_do(self, hooks: WebhookSender, listener: Listener, status: int) -> None:
        listener.status = status
        await hooks.send(event(listener))
        assert len(listener.got) == 1

    @pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
    async def test_a_refusal_is_for_good(self, hooks: WebhookSender, listener: Listener, status: int) -> None:
        listener.status = status
        with pytest.raises(OutsideFailure, match=str(status)) as refused:
            await hooks.send(event(listener))
        assert refused.value.data == {"status": status}

    @pytest.mark.parametrize("status", [302, 408, 429, 500, 502, 503])
    async def test_the_rest_may_pass(self, hooks: WebhookSender, listener: Listener, status: int) -> None:
        listener.status = status
        with pytest.raises(TemporaryFailureError, match=str(status)):
            await hooks.send(event(listener))
        assert len(listener.got) == 1

    async def test_a_receiver_that_is_away_may_come_back(self, hooks: WebhookSender, listener: Listener) -> None:
        with pytest.raises(TemporaryFailureError, match="ConnectError"):
            await hooks.send(event(listener, recipient=f"http://127.0.0.1:{free_port()}/"))

    @pytest.mark.parametrize("url", ["ftp://customer.example/x", "customer.example", "http://[::1"])
    async def test_an_address_that_is_none_is_for_good(
        self, hooks: WebhookSender, listener: Listener, url: str
    ) -> None:
        with pytest.raises(OutsideFailure):
            await hooks.send(event(listener, recipient=url))

    @pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a"])
    def test_a_secret_that_signs_nothing_is_refused_at_once(self, secret: str) -> None:
        with pytest.raises(ValueError, match="whsec_"):
            WebhookSender(secret)
