"""A child process: started bound to our life, logged to a file, waited for, stopped in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cli.folder import LEAST_SPACE_BYTES, DataFolder
from cli.problems import StartProblem

LAUNCHER = Path(__file__).with_name("launch.py")
LARGEST_LOG_BYTES = 20_000_000
POLL_SECONDS = 0.02
LONGEST_LAST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Command:
    """What a child runs, and how it wants to be ended.

    `death_signal` is what it gets when we die without a word; `as_ordinary_user` hides from it that it runs as root;
    what it says goes to its log file, or `to_terminal`.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 10.0
    as_ordinary_user: bool = False
    to_terminal: bool = False


def launch_arguments(command: Command) -> list[str]:
    """The whole command line, with the launcher that binds the child to this process."""
    user = "own" if command.as_ordinary_user else "same"
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
    return [*launcher, str(int(command.death_signal)), str(os.getpid()), user, *command.argv]


class Child:
    """A running child. Start it from a thread that lives as long as it does: Linux ends it with that thread."""

    def __init__(self, command: Command, folder: DataFolder) -> None:
        self.command = command
        self._folder = folder
        self.log_file = folder.log / f"{command.name}.log"
        self._pid_file = folder.run / f"{command.name}.pid"
        folder.run.mkdir(parents=True, exist_ok=True)
        self._process = self._spawn()
        self._pid_file.write_text(str(self.pid))

    @classmethod
    def started(cls, command: Command, folder: DataFolder, ready: Callable[[], bool]) -> Self:
        """A child that is `ready`; raises StartProblem, and leaves none behind, when it does not come to that."""
        child = cls(command, folder)
        try:
            child.wait_until(ready)
        except BaseException:
            child.stop()
            raise
        return child

    @property
    def pid(self) -> int:
        """Process id, the same from the launcher to the program."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""
        return self._process.poll()

    def stop(self, in_a_hurry: Callable[[], bool] = lambda: False) -> None:
        """Asks it to end, kills it when that takes too long or we are in a hurry, and takes its pid file away."""
        if self.exit_code is None:
            self._process.send_signal(self.command.stop_signal)
            deadline = time.monotonic() + self.command.stop_seconds
            while self.exit_code is None and time.monotonic() < deadline and not in_a_hurry():
                time.sleep(POLL_SECONDS)
            self._process.kill()
            self._process.wait()
        self._pid_file.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The last line it logged; of a long one the end, where the cause stands."""
        lines = self.log_file.read_text(errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it logged nothing")
        return last if len(last) <= LONGEST_LAST_WORDS else f"...{last[-LONGEST_LAST_WORDS:]}"

    def wait_until(self, ready: Callable[[], bool], timeout_seconds: float = 60.0) -> None:
        """Waits until `ready`; raises StartProblem with the child's last words when it ends or takes too long."""
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if self.exit_code is not None:
                raise self._problem(f"ended with {describe_exit(self.exit_code)}")
            if time.monotonic() > deadline:
                raise self._problem(f"was not ready after {timeout_seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def _problem(self, what: str) -> StartProblem:
        self._folder.require_space(LEAST_SPACE_BYTES)
        return StartProblem(f"{self.command.name} {what}: {self.last_words()}", f"see {self.log_file}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LARGEST_LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                launch_arguments(self.command),
                stdin=subprocess.DEVNULL,
                stdout=None if self.command.to_terminal else log,
                stderr=None if self.command.to_terminal else log,
                env={**os.environ, **self.command.environment},
                start_new_session=True,  # Ctrl-C reaches us alone: we end the children in order
            )


def describe_exit(code: int) -> str:
    """`exit code 1`, `signal SIGKILL`."""
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of one of our modules; the working folder cannot shadow it."""
    return (sys.executable, "-P", "-m", module, *arguments)
