"""A folder of an SFTP server, with a real server in the test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from connectors.channels.edi.x12.connector import X12Connector
from connectors.channels.files.connector import FilesConnector
from connectors.notifications.port import TemporaryFailureError
from dom.channels.connection import Platform
from dom.channels.telling import StepKind, TellStep
from dom.shared.errors import OutsideFailure
from tests.unit.channels.files.test_csv_files import HEAD, lines
from tests.worlds.dropping import EVER, Inbox, connection
from tests.worlds.trading import X12_IDS, answers, interchange_x12, lines_850, order_850


class _Door(asyncssh.SSHServer):
    """Lets `shop` in, by password or by the one key."""

    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key.export_public_key()

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("shop", "open")

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key.export_public_key() == self._key


@dataclass(frozen=True, slots=True)
class Site:
    """A running server, its key and a user's."""

    root: Path
    url: str
    host_key: str
    user_key: str
    listener: asyncssh.SSHAcceptor

    def connector(self, secrets: dict[str, str], host_key: str = "") -> FilesConnector:
        """A connector to it."""
        to = connection(self.url, host_key=host_key or self.host_key, order_column="order")
        return FilesConnector(to, secrets)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """An SFTP server on a free port."""
    host, user = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "in").mkdir()
    listener = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[host], server_factory=lambda: _Door(user),
        sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=str(tmp_path).encode()),
    )  # fmt: skip
    url = f"sftp://shop@127.0.0.1:{listener.get_port()}/in"
    yield Site(tmp_path / "in", url, host.export_public_key().decode(), user.export_private_key().decode(), listener)
    listener.close()
    await listener.wait_closed()


@pytest.mark.parametrize("secret", ["password", "private_key"])
async def test_files_are_read_and_put_away(site: Site, secret: str) -> None:
    (site.root / "a.csv").write_bytes(HEAD + b"1;A;1;1\n1;B;1;1\n2;A;1;1\n")
    connector = site.connector({"password": "open"} if secret == "password" else {"private_key": site.user_key})
    inbox = await Inbox().pull(connector)
    (site.root / "b.csv").write_bytes(HEAD + b"1;A;1;1\n1;B;1;1\n2;A;1;1\n")
    await inbox.pull(connector)
    await connector.close()
    assert inbox.orders(lines) == [("1", "A", "B"), ("2", "A")]
    assert inbox.position["repeats"] == 1
    assert {each.name for each in (site.root / "done").iterdir()} == {"a.csv", "b.csv"}


async def test_a_partner_s_answers_are_put_there(site: Site, tmp_path: Path) -> None:
    settings = {"host_key": site.host_key, "state_folder": str(tmp_path / "state"), **X12_IDS}
    partner = X12Connector(connection(site.url, Platform.X12, **settings), {"private_key": site.user_key})
    (site.root / "a.edi").write_bytes(interchange_x12(1, order_850("PO1", lines_850(A=1))))
    inbox = await Inbox().pull(partner)
    await partner.carry_out(partner.known(await partner.order("PO1") or b""), TellStep(StepKind.ACCEPT, "accept"))
    await partner.close()
    assert (inbox.came, [int(found[0][13]) for found in answers(site.root)]) == (1, [1, 2])
    assert not [each for each in (site.root / "out").iterdir() if each.name.endswith(".tmp")]


async def test_another_host_key_is_never_talked_to(site: Site) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    connector = site.connector({"password": "open"}, other)
    with pytest.raises(OutsideFailure):
        await connector.page({}, EVER)


async def test_a_wrong_password_is_refused_for_good(site: Site) -> None:
    with pytest.raises(OutsideFailure):
        await site.connector({"password": "shut"}).page({}, EVER)


async def test_a_server_that_is_down_is_asked_again_later(site: Site) -> None:
    connector = site.connector({"password": "open"})
    site.listener.close()
    await site.listener.wait_closed()
    with pytest.raises(TemporaryFailureError):
        await connector.page({}, EVER)


async def test_keys_that_cannot_be_read(site: Site) -> None:
    with pytest.raises(OutsideFailure):
        site.connector({"private_key": "no key"})
