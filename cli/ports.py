"""Ports of this machine: which are free, and who holds the others."""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import closing
from pathlib import Path

from cli.problems import StartProblem

LISTENING = "0A"


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on right now; the kernel does not hand it out again for a while."""
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_open(host: str, port: int, timeout_seconds: float = 1.0) -> bool:
    """Whether somebody answers on this port."""
    try:
        with socket.create_connection((host, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False


def require_free(host: str, port: int, setting: str) -> None:
    """Raises StartProblem, with the process that holds it where it can be found, when the port cannot be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _problem(error, host, port, setting) from error


def _problem(error: OSError, host: str, port: int, setting: str) -> StartProblem:
    if error.errno == errno.EADDRINUSE:
        return StartProblem(
            f"port {port} is already in use{holder(port)}", f"stop that program, or set {setting} to a free port"
        )
    return StartProblem(f"{host}:{port} cannot be listened on ({error.strerror})", f"set {setting} to another port")


def holder(port: int) -> str:
    """` by name (pid 1)` of the process that listens on the port; empty where the system does not tell."""
    if sys.platform != "linux":
        return ""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        if sockets & _open_files(pid):
            return f" by {process_name(pid)} (pid {pid})"
    return ""


def process_name(pid: int) -> str:
    """The short name of a running process; `unknown` when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "unknown"


def _listening_inodes(port: int) -> list[str]:
    rows = [
        line.split()
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    ]
    return [row[9] for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]


def _open_files(pid: int) -> set[str]:
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return set()
    return {target for entry in entries if (target := _target(entry))}


def _target(link: Path) -> str:
    """Where the link points; empty when the file was closed meanwhile."""
    try:
        return str(link.readlink())
    except OSError:
        return ""
