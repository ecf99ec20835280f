"""The whole system as people start it: `dom up` in a process of its own, on free ports, in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as modern
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.rows import dict_row

from cli import local_keys
from cli.folder import DataFolder
from cli.ports import free_port
from cli.process import Command, launch_arguments, python_module
from cli.stack import answers_ready

PORTS = ("DOM_API_PORT", "DOM_POSTGRES_PORT", "DOM_TEMPORAL_PORT", "DOM_TEMPORAL_UI_PORT", "DOM_SMTP_PORT")
UP_SECONDS = 120.0
STOP_SECONDS = 60.0


def until(what: str, condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits until the condition holds; AssertionError, saying what was waited for, when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


@dataclass
class RunningStack:
    """`dom up` and other commands on one data folder; what they say is kept in `<name>.out` beside it."""

    folder: DataFolder
    environment: dict[str, str] = field(init=False)
    _up: subprocess.Popen[bytes] | None = None
    _children: list[psutil.Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Settings of our own, whatever the environment of the tests holds."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOM_")}
        ports = {name: str(free_port()) for name in PORTS}
        self.environment = {**inherited, **ports, "DOM_DATA_DIR": str(self.folder.root)}

    @property
    def url(self) -> str:
        """Where the API listens."""
        return f"http://127.0.0.1:{self.environment['DOM_API_PORT']}"

    @property
    def headers(self) -> dict[str, str]:
        """What the operator of this folder sends to the API."""
        return {"X-API-Key": self.folder.key_file(local_keys.OPERATOR).read_text()}

    @property
    def temporal_address(self) -> str:
        """Where the Temporal server listens."""
        return f"127.0.0.1:{self.environment['DOM_TEMPORAL_PORT']}"

    def up(self, *arguments: str) -> None:
        """Starts `dom up`; ready on return."""
        self._up = self.begin("up", *arguments)
        until("the API is ready", self._is_ready, UP_SECONDS)
        self._children = psutil.Process(self._up.pid).children(recursive=True)

    def _is_ready(self) -> bool:
        assert self._up is not None
        assert self._up.poll() is None, f"`dom up` ended: {self.said('up')}"
        return self.folder.addresses() is not None and self.api_is_ready()

    def api_is_ready(self) -> bool:
        """Whether the API says that it can serve orders."""
        return answers_ready("127.0.0.1", int(self.environment["DOM_API_PORT"]))

    def stop(self) -> int:
        """Ctrl-C; answers the exit code. AssertionError if a process is left behind."""
        assert self._up is not None
        known = {*self._children, *psutil.Process(self._up.pid).children(recursive=True)}
        self._up.send_signal(signal.SIGINT)
        code = self._up.wait(STOP_SECONDS)
        self._up, self._children = None, []
        left = [process for process in known if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
        assert not left, f"left behind: {left}"
        return code

    def close(self) -> None:
        """Ends what still runs, however a test went."""
        if self._up is not None:
            self._up.terminate()
            try:
                self._up.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._up.kill()
                self._up.wait()

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts a `dom` command that ends with this process; what it says goes to the file of its name."""
        command = Command(name=arguments[0], argv=python_module("cli", *arguments), death_signal=signal.SIGTERM)
        with self._out(arguments[0]).open("ab") as out:
            return subprocess.Popen(launch_arguments(command), stdout=out, stderr=out, env=self.environment)

    def dom(self, *arguments: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Runs a `dom` command to its end."""
        return subprocess.run(
            python_module("cli", *arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def said(self, name: str) -> str:
        """What a command begun here has said so far."""
        return self._out(name).read_text()

    def _out(self, name: str) -> Path:
        return self.folder.root.with_name(f"{name}.out")

    def pid(self, part: str) -> int:
        """The process id of a part of the stack, as `dom up` wrote it down; 0 while there is none."""
        with suppress(OSError, ValueError):
            return int((self.folder.run / f"{part}.pid").read_text())
        return 0

    def mails(self) -> list[EmailMessage]:
        """Every mail the customers got, oldest first."""
        files = sorted(self.folder.mail.glob("*.eml"))
        return [BytesParser(policy=modern).parsebytes(file.read_bytes()) for file in files]

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the database answers."""
        addresses = self.folder.addresses()
        assert addresses is not None, "nothing runs"
        url = addresses.database_url.replace("+psycopg", "")
        with psycopg.connect(url, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()
