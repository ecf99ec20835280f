"""Becomes another program, bound to the life of the process that started it.

Run as a script, without site-packages: `python -I -S launch.py SIGNAL PARENT_PID USER program argument...`.
Linux sends SIGNAL to the program when its parent dies, so a killed supervisor leaves nothing behind; elsewhere the
program is started plain. USER `own` maps this user to an ordinary one in a namespace of its own: PostgreSQL runs
neither as root nor as a user without a name, while another real user could not enter a directory closed to others.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x1000_0000
EXIT_NO_NAMESPACE = 120
EXIT_NOT_STARTED = 121


def die_with_parent(death_signal: int, parent: int) -> None:
    """Asks the kernel for the signal, then looks whether the parent is still there: it may have died before."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(EXIT_NOT_STARTED)


def become_ordinary_user() -> None:
    """Maps this process's user and group to an ordinary, known one; raises OSError where the kernel forbids it."""
    user, group = os.geteuid(), os.getegid()
    ordinary = min(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    own = Path("/proc/self")
    (own / "uid_map").write_text(f"{ordinary} {user} 1")
    (own / "setgroups").write_text("deny")
    (own / "gid_map").write_text(f"{ordinary} {group} 1")


def main(death_signal: str, parent: str, user: str, *program: str) -> None:
    """Prepares this process and replaces it by the program."""
    if user == "own":
        try:
            become_ordinary_user()
        except OSError as error:
            print(f"user namespace: {error}", file=sys.stderr)
            sys.exit(EXIT_NO_NAMESPACE)
    if sys.platform == "linux":
        die_with_parent(int(death_signal), int(parent))
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
