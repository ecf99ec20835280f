"""The servers `dom up` starts: as root, in closed folders, after kill -9, on a broken folder, on a taken port."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import psutil
import psycopg
import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from bootstrap import namespace
from cli.embedded import mail, postgres, temporal
from cli.folder import Addresses, DataFolder
from cli.ports import free_port
from cli.problems import StartProblem
from cli.process import Child, Command

pytestmark = pytest.mark.e2e

AS_ROOT = os.geteuid() == 0
LONG_ENOUGH_SECONDS = 20.0

START_ALL_AND_WAIT = """
import json, pathlib, sys, time
from bootstrap import namespace
from cli.embedded import mail, postgres, temporal
folder = pathlib.Path(sys.argv[1])
servers = [postgres.start(folder), temporal.start(folder), mail.start(folder)]
print(json.dumps([server.child.pid for server in servers]), flush=True)
time.sleep(600)
"""


def launch(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONG_ENOUGH_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {LONG_ENOUGH_SECONDS:.0f} s"
        time.sleep(0.05)


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def cluster(data_dir: Path) -> postgres.PostgresFolder:
    """A database that was started once and holds one committed row."""
    server = postgres.start(data_dir)
    try:
        with connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('still here')")
    finally:
        server.stop()
    return postgres.files(DataFolder(data_dir))


def kept_words(url: str) -> list[str]:
    with connect(url) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM kept").fetchall()]


class TestPostgres:
    def test_it_starts_below_a_closed_directory_with_durable_commits(self, data_dir: Path) -> None:
        server = postgres.start(data_dir)
        try:
            with connect(server.url) as connection:
                shown = {
                    name: connection.execute(f"SHOW {name}").fetchone()
                    for name in ("fsync", "synchronous_commit", "jit", "timezone")
                }
        finally:
            server.stop()

        assert shown == {"fsync": ("on",), "synchronous_commit": ("on",), "jit": ("off",), "timezone": ("UTC",)}
        assert not psutil.pid_exists(server.pid)

    @pytest.mark.skipif(not AS_ROOT, reason="only root needs another user for PostgreSQL")
    def test_as_root_it_leaves_no_file_of_another_user(self, cluster: postgres.PostgresFolder) -> None:
        assert {path.stat().st_uid for path in cluster.root.rglob("*")} == {0}

    def test_nobody_gets_in_without_the_password(self, data_dir: Path) -> None:
        server = postgres.start(data_dir)
        try:
            without = server.url.replace(postgres.files(DataFolder(data_dir)).password.read_text(), "guess")
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                connect(without)
        finally:
            server.stop()

    def test_the_password_is_readable_by_its_owner_only(self, cluster: postgres.PostgresFolder) -> None:
        assert cluster.password.stat().st_mode & 0o077 == 0

    def test_a_commit_survives_kill_9_of_the_server(self, data_dir: Path, cluster: postgres.PostgresFolder) -> None:
        killed = postgres.start(data_dir)
        with connect(killed.url) as connection:
            connection.execute("INSERT INTO kept VALUES ('just committed')")
            os.kill(killed.pid, signal.SIGKILL)
        wait_for(lambda: killed.child.exit_code is not None, "the server died")
        killed.stop()

        again = postgres.start(data_dir)
        try:
            assert kept_words(again.url) == ["still here", "just committed"]
        finally:
            again.stop()


class TestBrokenDataFolder:
    def test_half_of_a_cluster_is_named_with_the_way_out(
        self, data_dir: Path, cluster: postgres.PostgresFolder
    ) -> None:
        (cluster.data / "global" / "pg_control").unlink()

        with pytest.raises(StartProblem, match=r"half-written: global/pg_control is missing.* rm -r ") as problem:
            postgres.start(data_dir)

        assert "\n" not in str(problem.value)

    def test_a_cluster_of_another_major_version_is_left_alone(
        self, data_dir: Path, cluster: postgres.PostgresFolder
    ) -> None:
        (cluster.data / "PG_VERSION").write_text("9\n")

        with pytest.raises(StartProblem, match="written by PostgreSQL 9, this is PostgreSQL 1"):
            postgres.start(data_dir)

    @pytest.mark.parametrize("after_seconds", [0.05, 0.15, 0.3])
    def test_a_first_start_killed_on_the_way_is_started_over(self, data_dir: Path, after_seconds: float) -> None:
        script = f"import pathlib; from cli.embedded import postgres; postgres.start(pathlib.Path({str(data_dir)!r}))"
        first = launch(script)
        wait_for((data_dir / "postgres").exists, "the first start begins")
        time.sleep(after_seconds)
        with first:
            first.kill()

        server = postgres.start(data_dir)
        try:
            with connect(server.url) as connection:
                assert connection.execute("SELECT current_database()").fetchone() == ("dom",)
        finally:
            server.stop()

    def test_a_stale_pid_file_does_not_stop_it_even_if_the_number_is_taken(
        self, data_dir: Path, cluster: postgres.PostgresFolder
    ) -> None:
        (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n")

        server = postgres.start(data_dir)
        try:
            assert kept_words(server.url) == ["still here"]
        finally:
            server.stop()

    def test_a_second_server_on_the_same_files_is_refused_by_pid(self, data_dir: Path) -> None:
        server = postgres.start(data_dir)
        try:
            with pytest.raises(StartProblem, match=rf"another PostgreSQL \(pid {server.pid}\) still uses"):
                postgres.start(data_dir)
        finally:
            server.stop()


class TestTemporal:
    async def test_a_running_workflow_survives_kill_9_of_the_server(self, data_dir: Path) -> None:
        killed = temporal.start(data_dir)
        client = await Client.connect(killed.address)
        await client.start_workflow("Waiting", id="order-1", task_queue="nobody-polls")
        os.kill(killed.pid, signal.SIGKILL)
        wait_for(lambda: killed.child.exit_code is not None, "the server died")
        killed.stop()

        again = temporal.start(data_dir)
        try:
            found = await (await Client.connect(again.address)).get_workflow_handle("order-1").describe()
            assert found.status is WorkflowExecutionStatus.RUNNING
        finally:
            again.stop()

    async def test_orders_can_carry_and_be_found_by_our_search_attributes(self, data_dir: Path) -> None:
        node = SearchAttributeKey.for_keyword_list("DomNode")
        channel = SearchAttributeKey.for_keyword("DomChannel")
        attributes = TypedSearchAttributes(
            [SearchAttributePair(channel, "web"), SearchAttributePair(node, ["dc-1", "store-2"])]
        )
        server = temporal.start(data_dir, in_memory=True)
        try:
            client = await Client.connect(server.address)
            await namespace.prepare(client)
            await client.start_workflow("Waiting", id="order-1", task_queue="q", search_attributes=attributes)
            found: list[str] = []
            for _ in range(100):
                found = [one.id async for one in client.list_workflows("DomNode = 'store-2' AND DomChannel = 'web'")]
                if found:
                    break
                await asyncio.sleep(0.05)
        finally:
            server.stop()

        assert found == ["order-1"]

    async def test_registering_adds_to_a_server_that_does_not_know_them(self, data_dir: Path) -> None:
        port = free_port()
        arguments = ("server", "start-dev", "--headless", "--ip", temporal.HOST, "--port", str(port))
        bare = Child(Command(name="bare", argv=(str(temporal.binary()), *arguments)), DataFolder(data_dir))
        try:
            bare.wait_until(lambda: temporal._operator(port, "default", "namespace", "describe").returncode == 0)
            await namespace.prepare(await Client.connect(temporal.address(port)))
            listed = temporal._operator(port, "default", "search-attribute", "list").stdout
        finally:
            bare.stop()

        assert all(name in listed for name in temporal.SEARCH_ATTRIBUTES)


class TestMail:
    def test_a_mail_is_kept_whole_with_its_recipients(self, data_dir: Path) -> None:
        server = mail.start(data_dir)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "shop@dom.example", "a@b.example", "Grüße, shipped"
        message.set_content("Your order is on its way.\n.\nA line with one dot stands above.\n")
        try:
            with smtplib.SMTP(server.host, server.port, timeout=5) as client:
                client.send_message(message, to_addrs=["a@b.example", "../../c@d.example"])
        finally:
            server.stop()

        (file,) = server.folder.iterdir()
        kept = BytesParser().parsebytes(file.read_bytes())
        assert file.suffix == ".eml"
        assert kept["X-Rcpt-To"] == "a@b.example, ../../c@d.example"
        assert "\n.\n" in kept.get_payload(decode=True).decode().replace("\r\n", "\n")  # type: ignore[union-attr]

    def test_a_recipient_cannot_choose_where_the_file_lies(self, data_dir: Path) -> None:
        server = mail.start(data_dir)
        try:
            with smtplib.SMTP(server.host, server.port, timeout=5) as client:
                client.sendmail("s@dom.example", "../../../evil@d.example", b"Subject: x\r\n\r\ny\r\n")
        finally:
            server.stop()

        assert [file.parent for file in data_dir.rglob("*evil*")] == [server.folder]


class TestKilledLauncher:
    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds a child to its parent's life")
    def test_kill_9_leaves_no_process_behind(self, data_dir: Path) -> None:
        with launch(START_ALL_AND_WAIT, str(data_dir)) as launcher:
            assert launcher.stdout is not None
            pids = json.loads(launcher.stdout.readline())
            family = psutil.Process(launcher.pid).children(recursive=True)
            launcher.kill()

        assert set(pids) <= {process.pid for process in family}
        assert len(family) > len(pids), "PostgreSQL has processes of its own"
        wait_for(lambda: all(is_gone(process) for process in family), "every server and its children ended")

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds a child to its parent's life")
    def test_the_database_ends_in_order_and_starts_again(
        self, data_dir: Path, cluster: postgres.PostgresFolder
    ) -> None:
        with launch(START_ALL_AND_WAIT, str(data_dir)) as launcher:
            assert launcher.stdout is not None
            server_pid = json.loads(launcher.stdout.readline())[0]
            launcher.kill()
        wait_for(lambda: not psutil.pid_exists(server_pid), "the database ended")
        assert (data_dir / "log" / "postgres.log").read_text().rstrip().endswith("database system is shut down")

        again = postgres.start(data_dir)
        try:
            assert kept_words(again.url) == ["still here"]
        finally:
            again.stop()


class TestTakenPort:
    @pytest.mark.parametrize(
        ("start", "setting"),
        [
            (postgres.start, "DOM_POSTGRES_PORT"),
            (temporal.start, "DOM_TEMPORAL_PORT"),
            (mail.start, "DOM_SMTP_PORT"),
        ],
    )
    def test_the_message_names_port_holder_and_setting(
        self, data_dir: Path, start: Callable[[Path, int], object], setting: str
    ) -> None:
        with closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(StartProblem) as problem:
                start(data_dir, port)

        assert f"port {port} is already in use" in problem.value.what
        assert setting in problem.value.what_to_do
        if sys.platform == "linux":
            assert f"(pid {os.getpid()})" in problem.value.what


class TestDataFolder:
    def test_only_one_dom_holds_it(self, data_dir: Path) -> None:
        folder = DataFolder(data_dir)
        folder.prepare()
        with folder.held():
            with pytest.raises(StartProblem, match=rf"already runs on .*\(pid {os.getpid()}\)"), folder.held():
                pass
            assert folder.is_held()
        assert not folder.is_held()

    def test_addresses_count_only_while_somebody_holds_it(self, data_dir: Path) -> None:
        folder = DataFolder(data_dir)
        folder.prepare()
        addresses = Addresses("postgresql+psycopg://u:p@h/d", "h:1", "h", 2, "http://h:3", "")
        with folder.held():
            folder.write_addresses(addresses)
            assert folder.addresses() == addresses
            assert folder.addresses_file.stat().st_mode & 0o077 == 0
        folder.write_addresses(addresses)
        assert folder.addresses() is None, "left behind by a killed one"

    def test_a_folder_that_cannot_be_written_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StartProblem, match=r"cannot be written .*DOM_DATA_DIR"):
            DataFolder(tmp_path / "file" / "var").prepare()

    def test_a_full_disk_says_how_much_is_needed(self, data_dir: Path) -> None:
        with pytest.raises(StartProblem, match=r"of 1000000000000 MB needed are free .*DOM_DATA_DIR"):
            DataFolder(data_dir).prepare(enough_bytes=10**18)

    def test_the_webhook_key_is_made_once_for_its_owner_only(self, data_dir: Path) -> None:
        folder = DataFolder(data_dir)
        folder.prepare()
        first = folder.webhook_secret()
        assert first.startswith("whsec_")
        assert folder.webhook_secret() == first
        assert (folder.secrets / "webhook").stat().st_mode & 0o077 == 0
