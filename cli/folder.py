"""The data folder: what lies where, who holds it, and where the running servers listen."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from json import dumps, loads
from pathlib import Path
from typing import IO

from cli.problems import StartProblem

ENOUGH_SPACE_BYTES = 500_000_000
LEAST_SPACE_BYTES = 50_000_000
MEGABYTE = 1_000_000
LOCK_PATIENCE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers of a running stack listen; `database_url` carries a password."""

    database_url: str = field(repr=False)
    temporal_address: str
    smtp_host: str
    smtp_port: int
    api_url: str
    temporal_ui_url: str


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Everything the embedded servers keep, below one folder (the setting `data_dir`)."""

    root: Path

    @property
    def run(self) -> Path:
        """Pid files, the lock and the addresses: of use only while something runs."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        """One log file a child."""
        return self.root / "log"

    @property
    def mail(self) -> Path:
        """Every mail the embedded catcher took, one file each."""
        return self.root / "mail"

    @property
    def secrets(self) -> Path:
        """Keys made for this folder; readable by their owner only."""
        return self.root / "secrets"

    @property
    def keys(self) -> Path:
        """API keys of `dom up`, a file each; readable by their owner only."""
        return self.root / "keys"

    def key_file(self, name: str) -> Path:
        """The file of one of these keys."""
        return self.keys / name

    def prepare(self, enough_bytes: int = ENOUGH_SPACE_BYTES) -> None:
        """Makes the folder; raises StartProblem when it cannot be written or the disk is nearly full."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.run.mkdir(exist_ok=True)
            self.log.mkdir(exist_ok=True)
            self.secrets.mkdir(mode=0o700, exist_ok=True)
            probe = self.run / f"probe-{os.getpid()}"
            probe.write_bytes(b"writable")
            probe.unlink()
        except OSError as error:
            raise StartProblem(
                f"the data folder {self.root} cannot be written ({error.strerror})",
                "make it writable for this user, or set DOM_DATA_DIR to another folder",
            ) from error
        self.require_space(enough_bytes)

    def require_space(self, enough_bytes: int) -> None:
        """Raises StartProblem when the disk of this folder has less room than that."""
        free = shutil.disk_usage(self.root).free
        if free < enough_bytes:
            raise StartProblem(
                f"only {free // MEGABYTE} of {enough_bytes // MEGABYTE} MB needed are free on the disk of {self.root}",
                "free some space, or set DOM_DATA_DIR to a folder on another disk",
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder against a second `dom up`; the kernel lets go when this process ends, however it ends."""
        with self._lock_file.open("a+") as lock:
            if not _locked(lock):
                raise StartProblem(
                    f"another `dom` already runs on {self.root}{self._holder()}",
                    "use that one, stop it, or set DOM_DATA_DIR to another folder",
                )
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            try:
                yield
            finally:
                self.addresses_file.unlink(missing_ok=True)
                self.worker_ready_file.unlink(missing_ok=True)
                lock.truncate(0)

    def is_held(self) -> bool:
        """Whether a `dom` runs on this folder right now."""
        try:
            with self._lock_file.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def write_addresses(self, addresses: Addresses) -> None:
        """Tells other commands where the servers are, readable by their owner only."""
        write_private(self.addresses_file, dumps(asdict(addresses), indent=2))

    def addresses(self) -> Addresses | None:
        """Where the servers of the running stack are; None when none runs on this folder or it is not ready yet."""
        if not self.is_held() or not self.addresses_file.exists():
            return None
        return Addresses(**loads(self.addresses_file.read_text()))

    def webhook_secret(self) -> str:
        """The key webhooks are signed with (format of standardwebhooks.com), made on first use."""
        file = self.secrets / "webhook"
        if not file.exists():
            write_private(file, "whsec_" + b64encode(secrets.token_bytes(32)).decode())
        return file.read_text()

    def link_secret(self) -> str:
        """The key customers' links are signed with, made on first use."""
        file = self.secrets / "links"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(32))
        return file.read_text()

    @property
    def addresses_file(self) -> Path:
        """Written when the stack is ready, removed when it stops."""
        return self.run / "addresses.json"

    @property
    def worker_ready_file(self) -> Path:
        """Made by the worker of the stack once it polls."""
        return self.run / "worker.ready"

    @property
    def _lock_file(self) -> Path:
        return self.run / "lock"

    def _holder(self) -> str:
        pid = self._lock_file.read_text().strip()
        return f" (pid {pid})" if pid else ""


def _locked(lock: IO[str]) -> bool:
    """Takes the lock; tries for a moment, because somebody who only looks holds it for an instant too."""
    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def write_private(file: Path, text: str) -> None:
    """Writes the file as a whole or not at all, readable by its owner only."""
    new = file.with_name(f"{file.name}.new-{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
