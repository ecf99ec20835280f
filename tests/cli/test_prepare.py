"""Servers of one's own that nobody prepared: who starts says what to run, and one command prepares them."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import create_engine, text
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bootstrap import namespace
from cli.embedded.temporal import EmbeddedTemporal
from cli.ports import free_port
from cli.process import python_module
from tests.worlds.commands import clean_environment, dom, refused
from workflows.pricing import SCHEDULE_ID


async def bare_namespace(client: Client) -> str:
    """A namespace without our search attributes."""
    name = f"n-{uuid4().hex[:12]}"
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86400))
    try:
        await client.workflow_service.register_namespace(request, retry=True)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:  # by an attempt whose answer was lost
            raise
    return name


def settings(url: str, temporal: EmbeddedTemporal, named: str) -> dict[str, str]:
    return {
        "DOM_DATABASE_URL": url,
        "DOM_TEMPORAL_ADDRESS": temporal.address,
        "DOM_TEMPORAL_NAMESPACE": named,
        "DOM_SMTP_HOST": "127.0.0.1",
        "DOM_API_PORT": str(free_port()),
    }


@pytest.mark.parametrize("command", [("check",), ("revive", "--all")])
async def test_orders_say_what_to_run(
    tmp_path: Path,
    empty_url: str,
    world_url: str,
    temporal_server: EmbeddedTemporal,
    temporal_client: Client,
    command: tuple[str, ...],
) -> None:
    code = 2 if command == ("check",) else 1  # nothing could be compared
    unmigrated = refused(dom(tmp_path, "orders", *command, **settings(empty_url, temporal_server, "default")), code)
    assert "has no schema yet" in unmigrated
    assert "`dom prepare`" in unmigrated

    nowhere = refused(dom(tmp_path, "orders", *command, **settings(world_url, temporal_server, "nowhere")), code)
    assert "has no namespace nowhere" in nowhere
    assert "`dom prepare`" in nowhere

    named = await bare_namespace(temporal_client)
    bare = refused(dom(tmp_path, "orders", *command, **settings(world_url, temporal_server, named)), code)
    assert "does not know the search attributes" in bare


class TestWorker:
    """One line, exit code 1, no traceback."""

    def test_a_namespace_that_does_not_exist(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        line = refused(dom(tmp_path, "worker", **settings(world_url, temporal_server, "nowhere")))

        assert "has no namespace nowhere" in line
        assert "`dom prepare`" in line

    async def test_a_namespace_without_our_search_attributes(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal, temporal_client: Client
    ) -> None:
        named = await bare_namespace(temporal_client)
        line = refused(dom(tmp_path, "worker", **settings(world_url, temporal_server, named)))

        assert "does not know the search attributes DomChannel, DomCustomer, DomNode, DomStatus" in line
        assert "`dom prepare`" in line

    async def test_a_search_attribute_of_another_type(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal, temporal_client: Client
    ) -> None:
        named = await bare_namespace(temporal_client)
        await temporal_client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=named, search_attributes={"DomStatus": IndexedValueType.INDEXED_VALUE_TYPE_TEXT}
            )
        )
        wanted = settings(world_url, temporal_server, named)

        for command in ("worker", "prepare"):
            assert "DomStatus as Text and not as Keyword" in refused(dom(tmp_path, command, **wanted))

    def test_a_database_without_a_schema(
        self, tmp_path: Path, empty_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        line = refused(dom(tmp_path, "worker", **settings(empty_url, temporal_server, "default")))

        assert "has no schema yet" in line
        assert "`dom prepare`" in line

    def test_a_database_without_a_policy(
        self, tmp_path: Path, database_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        line = refused(dom(tmp_path, "worker", **settings(database_url, temporal_server, "default")))

        assert "no OFL policy is published; `dom seed`" in line

    def test_a_database_that_takes_no_writes(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        wanted = settings(world_url + "?options=-cdefault_transaction_read_only%3Don", temporal_server, "default")

        assert "takes no writes" in refused(dom(tmp_path, "worker", **wanted))

    def test_servers_that_do_not_answer(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        wanted = settings(world_url, temporal_server, "default")
        nobody = f"127.0.0.1:{free_port()}"

        away = refused(dom(tmp_path, "worker", **{**wanted, "DOM_TEMPORAL_ADDRESS": nobody}))
        assert f"no Temporal server answers at {nobody}" in away
        unknown = {**wanted, "DOM_TEMPORAL_ADDRESS": "temporal.invalid:7233"}
        assert "the host of temporal.invalid:7233 is not known" in refused(dom(tmp_path, "worker", **unknown))
        nowhere = {**wanted, "DOM_DATABASE_URL": f"postgresql://u:swordfish@{nobody}/d"}
        line = refused(dom(tmp_path, "worker", **nowhere))
        assert "DOM_DATABASE_URL" in line
        assert "swordfish" not in line

    def test_a_webhook_secret_that_is_none(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        wanted = settings(world_url, temporal_server, "default")
        line = refused(
            dom(tmp_path, "worker", **wanted, DOM_WEBHOOK_URL="http://127.0.0.1:1/", DOM_WEBHOOK_SECRET="swordfish")
        )

        assert "DOM_WEBHOOK_SECRET" in line
        assert "swordfish" not in line

    @pytest.mark.parametrize("module", ["worker", "api"])
    def test_a_wrong_setting_without_the_command_in_front(self, module: str) -> None:
        answer = subprocess.run(
            python_module(module),
            env=clean_environment(DOM_API_PORT="http"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert "DOM_API_PORT is wrong" in refused(answer)


class TestOtherCommands:
    @pytest.mark.parametrize("command", [("stock", "check"), ("ofl", "show"), ("order", "web-1")])
    def test_a_database_without_a_schema(self, tmp_path: Path, empty_url: str, command: tuple[str, ...]) -> None:
        line = refused(dom(tmp_path, *command, DOM_DATABASE_URL=empty_url))

        assert "has no schema yet" in line

    @pytest.mark.parametrize("command", ["migrate", "seed", "prepare"])
    def test_a_role_that_may_not(
        self, tmp_path: Path, empty_url: str, temporal_server: EmbeddedTemporal, command: str
    ) -> None:
        engine = create_engine(empty_url, isolation_level="AUTOCOMMIT")
        role = f"r_{uuid4().hex[:8]}"
        with engine.connect() as connection:
            connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'p'"))
        engine.dispose()
        url = f"postgresql://{role}:p@{empty_url.rpartition('@')[2]}"
        line = refused(dom(tmp_path, command, **settings(url, temporal_server, "default")))

        assert "permission denied" in line

    def test_a_newer_schema_is_an_upgrade_under_way(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        engine = create_engine(world_url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        engine.dispose()
        wanted = settings(world_url, temporal_server, "default")

        assert dom(tmp_path, "stock", "check", **wanted).returncode == 0
        prepared = dom(tmp_path, "prepare", **wanted)
        assert prepared.returncode == 0, prepared
        assert "newer than this program" in prepared.stdout


class TestPrepare:
    async def test_it_makes_all_that_is_missing_again_and_again(
        self, tmp_path: Path, empty_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        named = f"n-{uuid4().hex[:12]}"
        wanted = settings(empty_url, temporal_server, named)

        first = dom(tmp_path, "prepare", **wanted)
        assert first.returncode == 0, first
        assert f"made namespace {named}" in first.stdout
        assert "search attributes Dom" in first.stdout
        client = await Client.connect(temporal_server.address, namespace=named)
        assert await namespace.lacking(client) is None
        assert (await client.get_schedule_handle(SCHEDULE_ID).describe()).id == SCHEDULE_ID

        again = dom(tmp_path, "prepare", **wanted)
        assert again.returncode == 0, again
        assert "made" not in again.stdout
        assert "up to date" in again.stdout

    async def test_it_adds_what_a_namespace_lacks(
        self, tmp_path: Path, database_url: str, temporal_server: EmbeddedTemporal, temporal_client: Client
    ) -> None:
        named = await bare_namespace(temporal_client)
        prepared = dom(tmp_path, "prepare", **settings(database_url, temporal_server, named))

        assert prepared.returncode == 0, prepared
        assert await namespace.lacking(await Client.connect(temporal_server.address, namespace=named)) is None

    def test_without_servers_it_says_so(self, tmp_path: Path) -> None:
        assert "set DOM_DATABASE_URL and DOM_TEMPORAL_ADDRESS" in refused(dom(tmp_path, "prepare"))


def row(shown: str, what: str) -> str:
    """The row of a doctor's table, its folded lines put together."""
    lines, found = shown.splitlines(), ""
    for line in lines:
        cells = [cell.strip() for cell in line.split("│")[1:-1]]
        if cells and cells[0] == what:
            found = " ".join(cells[1:])
        elif found and cells and not cells[0] and not cells[1]:
            found += " " + cells[2]
        elif found:
            break
    assert found, f"no row {what}: {shown}"
    return found


def working(said: str) -> dict[str, int]:
    """How many workers and APIs the doctor sees at the database server, which the tests of this process share."""
    found = re.search(r"at most 11 for each of (\d+) workers and 8 for each of (\d+) APIs", row(said, "connections"))
    return dict(zip(("workers", "APIs"), map(int, found.groups()) if found else (0, 0), strict=True))


class TestDoctor:
    async def test_what_nobody_prepared_blocks(
        self,
        tmp_path: Path,
        world_url: str,
        empty_url: str,
        temporal_server: EmbeddedTemporal,
        temporal_client: Client,
    ) -> None:
        bare = await bare_namespace(temporal_client)
        for url, named, what, words in (
            (world_url, "nowhere", "namespace", "has no namespace nowhere"),
            (world_url, bare, "namespace", "does not know the search attributes"),
            (empty_url, "default", "schema", "has no schema yet"),
        ):
            answer = dom(tmp_path, "doctor", COLUMNS="200", **settings(url, temporal_server, named))
            assert answer.returncode == 1, answer.stdout
            said = row(answer.stdout, what)
            assert said.startswith("blocks")
            assert words in said
            assert "`dom prepare`" in said

    def test_it_sees_whether_anybody_works_and_our_own_api(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal, serving: Callable[..., None]
    ) -> None:
        ready = tmp_path / "ready"
        wanted = {
            **settings(world_url, temporal_server, "default"),
            "DOM_TASK_QUEUE": f"q-{uuid4().hex}",
            "DOM_SMTP_HOST": "",
            "DOM_SMTP_PORT": str(free_port()),
            "COLUMNS": "200",
        }
        before = dom(tmp_path, "doctor", **wanted)
        assert before.returncode == 3, before.stdout
        assert row(before.stdout, "running").startswith("not running")
        assert "no worker polls it" in row(before.stdout, "task queue")
        assert row(before.stdout, "connections").startswith("fine")

        serving("worker", ready.exists, **wanted, DOM_READY_FILE=str(ready))
        serving("api", lambda: "our API serves" in dom(tmp_path, "doctor", **wanted).stdout, **wanted)
        beside = dom(tmp_path, "doctor", **wanted)
        assert beside.returncode == 0, beside.stdout
        assert row(beside.stdout, "running").startswith("fine")
        assert row(beside.stdout, "task queue").endswith("polled by 1 workers")
        assert f"{wanted['DOM_API_PORT']}: our API serves there" in row(beside.stdout, "API port")
        assert working(beside.stdout) == {kind: count + 1 for kind, count in working(before.stdout).items()}

    @pytest.fixture
    def serving(self) -> Iterator[Callable[..., None]]:
        """Starts processes that are ended with the test."""
        running: list[subprocess.Popen[bytes]] = []

        def begin(module: str, ready: Callable[[], bool], **wanted: str) -> None:
            running.append(
                subprocess.Popen(python_module(module), env=clean_environment(**wanted), stderr=subprocess.DEVNULL)
            )
            deadline = time.monotonic() + 60
            while not ready():
                assert time.monotonic() < deadline
                assert running[-1].poll() is None
                time.sleep(0.2)

        yield begin
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)

    def test_another_program_on_the_port_still_blocks(
        self, tmp_path: Path, world_url: str, temporal_server: EmbeddedTemporal
    ) -> None:
        wanted = settings(world_url, temporal_server, "default")
        wanted["DOM_API_PORT"] = temporal_server.address.rpartition(":")[2]
        answer = dom(tmp_path, "doctor", COLUMNS="200", **wanted)

        assert answer.returncode == 1
        assert "already in use" in row(answer.stdout, "API port")
