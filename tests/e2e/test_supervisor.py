"""The supervisor keeps the parts of `dom up` alive and ends them together; what the command itself says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from cli.folder import DataFolder
from cli.ports import free_port
from cli.problems import StartProblem
from cli.process import Command, python_module
from cli.supervisor import ENDING_SIGNALS, EndRequests, Part, ProcessEnded, Supervisor


@pytest.fixture
def requests() -> Iterator[EndRequests]:
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    yield EndRequests()
    for number, handler in before.items():
        signal.signal(number, handler)


def say_nothing(_line: str) -> None:
    """For supervisors whose lines nobody reads."""


def python_part(name: str, code: str, ready: Callable[[], bool] = lambda: True) -> Part:
    return Part(Command(name=name, argv=(sys.executable, "-c", code)), ready=ready)


class TestSupervisor:
    def test_a_killed_part_comes_back_with_one_line(self, data_dir: Path, requests: EndRequests) -> None:
        folder, said = DataFolder(data_dir), list[str]()
        folder.prepare()
        pid_file = folder.run / "sleeper.pid"
        supervisor = Supervisor(folder, requests, said.append)
        try:
            supervisor.start([python_part("sleeper", "import time; time.sleep(600)")])
            first = int(pid_file.read_text())
            os.kill(first, signal.SIGKILL)
            supervisor.watch(until=lambda: int(pid_file.read_text()) != first)
            second = int(pid_file.read_text())
            assert psutil.pid_exists(second)
        finally:
            supervisor.stop()

        assert len(said) == 1
        assert said[0].startswith("sleeper ended with signal SIGKILL; starting it again in 0.5 s")
        assert not psutil.pid_exists(second)
        assert not pid_file.exists()

    def test_parts_end_last_to_first(self, data_dir: Path, requests: EndRequests) -> None:
        folder = DataFolder(data_dir)
        folder.prepare()
        ended = data_dir / "ended"
        code = (
            "import pathlib, signal, time\n"
            "def end(*_):\n"
            f"    pathlib.Path({str(ended)!r}).open('a').write('{{name}} ')\n"
            "    raise SystemExit\n"
            "signal.signal(signal.SIGTERM, end)\n"
            f"pathlib.Path({str(data_dir)!r}, '{{name}}.up').touch()\n"
            "time.sleep(600)"
        )
        supervisor = Supervisor(folder, requests, say_nothing)
        supervisor.start(
            python_part(name, code.format(name=name), (data_dir / f"{name}.up").exists) for name in ("one", "two")
        )
        supervisor.stop()

        assert ended.read_text() == "two one "

    def test_sigterm_ends_the_watch_and_a_deaf_part_is_killed_on_the_second(
        self, data_dir: Path, requests: EndRequests
    ) -> None:
        folder = DataFolder(data_dir)
        folder.prepare()
        deaf = (
            "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            f"pathlib.Path({str(data_dir)!r}, 'up').touch(); time.sleep(600)"
        )
        supervisor = Supervisor(folder, requests, say_nothing)
        supervisor.start([python_part("deaf", deaf, (data_dir / "up").exists)])
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(ProcessEnded):
            supervisor.watch()
        os.kill(os.getpid(), signal.SIGTERM)
        started = time.monotonic()
        supervisor.stop()

        assert time.monotonic() - started < 5, "the second request waits for nobody"

    def test_a_part_that_cannot_start_says_why(self, data_dir: Path, requests: EndRequests) -> None:
        folder = DataFolder(data_dir)
        folder.prepare()
        supervisor = Supervisor(folder, requests, say_nothing)
        broken = python_part("broken", "raise SystemExit('the lamp is broken')", lambda: False)
        try:
            with pytest.raises(StartProblem, match=r"broken ended with exit code 1: the lamp is broken\. See .*\.log"):
                supervisor.start([broken])
        finally:
            supervisor.stop()


class TestCommand:
    """Every start problem is one line on standard error, and exit code 1."""

    @staticmethod
    def dom(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOM_")}
        return subprocess.run(
            python_module("cli", *arguments),
            env={**environment, **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def refused(self, *arguments: str, **settings: str) -> str:
        answer = self.dom(*arguments, **settings)
        assert answer.returncode == 1, answer
        (line,) = answer.stderr.splitlines()
        assert line.startswith("dom: ")
        return line

    def test_a_second_up_on_the_same_folder(self, data_dir: Path) -> None:
        folder = DataFolder(data_dir)
        folder.prepare()
        with folder.held():
            line = self.refused("up", DOM_DATA_DIR=str(data_dir), DOM_API_PORT=str(free_port()))
        assert f"(pid {os.getpid()})" in line

    def test_up_on_a_taken_port_starts_nothing(self, data_dir: Path) -> None:
        with closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            line = self.refused("up", DOM_DATA_DIR=str(data_dir), DOM_API_PORT=port)
        assert "DOM_API_PORT" in line
        assert not (data_dir / "postgres").exists()

    def test_a_wrong_setting(self) -> None:
        assert "DOM_API_PORT is wrong" in self.refused("up", DOM_API_PORT="http")

    def test_a_configured_database_that_does_not_answer(self, data_dir: Path) -> None:
        url = f"postgresql://u:swordfish@127.0.0.1:{free_port()}/d"
        line = self.refused("up", DOM_DATA_DIR=str(data_dir), DOM_DATABASE_URL=url, DOM_API_PORT=str(free_port()))
        assert "DOM_DATABASE_URL" in line
        assert "swordfish" not in line

    def test_a_worker_without_servers(self, data_dir: Path) -> None:
        assert "start `dom up`" in self.refused("worker", DOM_DATA_DIR=str(data_dir)).lower()

    def test_the_doctor_blocks_on_what_a_start_would(self, data_dir: Path) -> None:
        ports = {
            name: str(free_port())
            for name in (
                "DOM_API_PORT",
                "DOM_POSTGRES_PORT",
                "DOM_TEMPORAL_PORT",
                "DOM_TEMPORAL_UI_PORT",
                "DOM_SMTP_PORT",
            )
        }
        healthy = self.dom("doctor", DOM_DATA_DIR=str(data_dir), **ports)
        assert healthy.returncode == 3, healthy.stdout
        assert not data_dir.exists(), "the doctor only looks"

        (data_dir / "postgres" / "data").mkdir(parents=True)
        ill = self.dom("doctor", DOM_DATA_DIR=str(data_dir), DOM_API_PRT="1", **ports)
        assert ill.returncode == 1
        assert "half-written" in ill.stdout
        assert "DOM_API_PORT?" in ill.stdout

    def test_help_loads_nothing_that_takes_long(self) -> None:
        answer = self.dom("--help", PYTHONPROFILEIMPORTTIME="1")
        assert "doctor" in answer.stdout
        loaded = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
        assert "typer" in loaded
        assert not loaded & {"fastapi", "highspy", "psycopg", "sqlalchemy", "temporalio"}
