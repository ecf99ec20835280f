"""Keeps the parts of the stack alive until somebody wants them to end, then ends them in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType

from cli.folder import LEAST_SPACE_BYTES, DataFolder
from cli.problems import StartProblem
from cli.process import Child, Command, describe_exit
from dom.shared.backoff import pause

WATCH_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
STABLE_AFTER_SECONDS = 30.0
HURRY_AFTER_REQUESTS = 2
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def nothing() -> None:
    """What a part without needs prepares."""


@dataclass(frozen=True, slots=True)
class Part:
    """One server of the stack: how to run it, when it is ready, what must be right before each start."""

    command: Command
    ready: Callable[[], bool]
    prepare: Callable[[], None] = nothing

    @property
    def name(self) -> str:
        """What people and pid files call it."""
        return self.command.name


class ProcessEnded(Exception):
    """Raised where work in progress should be given up because we were asked to end."""


class EndRequests:
    """Counts the requests to end (Ctrl-C, SIGTERM, a closed terminal); the second one means: at once."""

    def __init__(self) -> None:
        self.count = 0
        for number in ENDING_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # `nohup dom up` goes on
                signal.signal(number, self._note)

    @property
    def in_a_hurry(self) -> bool:
        """Whether somebody asked again."""
        return self.count >= HURRY_AFTER_REQUESTS

    def check(self) -> None:
        """Raises ProcessEnded when somebody asked us to end."""
        if self.count:
            raise ProcessEnded

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


@dataclass(slots=True)
class _Watched:
    part: Part
    child: Child
    started_at: float = field(default_factory=time.monotonic)
    failures: int = 0
    restart_at: float | None = None


class Supervisor:
    """Starts parts, restarts those that die, stops all of them last to first."""

    def __init__(self, folder: DataFolder, requests: EndRequests, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._requests = requests
        self._say = say
        self._watched: list[_Watched] = []

    def start(self, parts: Iterable[Part]) -> None:
        """Starts the parts side by side and waits until all are ready; raises StartProblem or ProcessEnded."""
        started = []
        for part in parts:
            self._requests.check()
            part.prepare()
            started.append(_Watched(part, Child(part.command, self._folder)))
            self._watched.append(started[-1])
        for watched in started:
            watched.child.wait_until(self._unless_ended(watched.part.ready))

    @property
    def runs_something(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._watched)

    def run(self, command: Command) -> int:
        """Runs a program to its end while keeping the parts alive, and gives its exit code; raises ProcessEnded."""
        child = Child(command, self._folder)
        try:
            self.watch(lambda: child.exit_code is not None)
            return child.exit_code or 0
        finally:
            child.stop(lambda: self._requests.in_a_hurry)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keeps the parts alive until the condition holds; raises ProcessEnded when we are asked to end before."""
        while not until():
            self._requests.check()
            for watched in self._watched:
                self._look_after(watched)
            time.sleep(WATCH_SECONDS)

    def stop(self) -> None:
        """Stops all parts, last to first."""
        while self._watched:
            self._watched.pop().child.stop(lambda: self._requests.in_a_hurry)

    def _unless_ended(self, ready: Callable[[], bool]) -> Callable[[], bool]:
        def checked() -> bool:
            self._requests.check()
            return ready()

        return checked

    def _look_after(self, watched: _Watched) -> None:
        code = watched.child.exit_code
        if code is None:
            return
        if watched.restart_at is None:
            if time.monotonic() - watched.started_at > STABLE_AFTER_SECONDS:
                watched.failures = 0
            self._plan_restart(watched, f"ended with {describe_exit(code)}")
        elif time.monotonic() >= watched.restart_at:
            self._restart(watched)

    def _plan_restart(self, watched: _Watched, what: str) -> None:
        watched.failures += 1
        rest = pause(watched.failures, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        watched.restart_at = time.monotonic() + rest
        self._say(f"{watched.part.name} {what}; starting it again in {rest:g} s ({watched.child.log_file})")

    def _restart(self, watched: _Watched) -> None:
        try:
            self._folder.require_space(LEAST_SPACE_BYTES)
            watched.part.prepare()
        except StartProblem as problem:
            self._plan_restart(watched, f"cannot start: {problem.what}")
            return
        watched.child = Child(watched.part.command, self._folder)
        watched.started_at = time.monotonic()
        watched.restart_at = None
