"""Draws docs/first-minutes.svg: what `make run` shows in a terminal of 80 columns.

`python -m tools.first_minutes record` starts `dom up --demo` in a folder of its own, on the configured ports
(`DOM_*_PORT`), and keeps in docs/first-minutes.txt what stands on the screen some time after the summary.
`python -m tools.first_minutes draw` makes the picture of that file, always the same one; nothing is fetched for it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCREEN = DOCS / "first-minutes.txt"
PICTURE = DOCS / "first-minutes.svg"
COLUMNS, ROWS = 80, 60
LONGEST_RUN_SECONDS = 300.0
WATCHED_SECONDS = 20.0
"""How long the replay goes on after it said what to look at."""
STOP_SECONDS = 60.0
LAST_HINT = "what waits"
CONTROL = re.compile(r"\x1b\[(\?25[lh]|\d*A|2K)|\r|\n")


def record() -> None:
    """Runs the demo and keeps its screen."""
    with tempfile.TemporaryDirectory() as folder:
        said = _said_by([sys.executable, "-m", "cli", "up", "--demo"], os.environ | {"DOM_DATA_DIR": f"{folder}/var"})
        lines = [_without(f"{folder}/", line) for line in on_screen(said)]
    SCREEN.write_text("\n".join(lines) + "\n")


def _without(folder: str, line: str) -> str:
    """The line of a box with a shorter path in it, as wide as before."""
    if folder not in line:
        return line
    return line.replace(folder, "")[:-1].ljust(len(line) - 1) + line[-1]


def _said_by(command: list[str], environment: dict[str, str]) -> str:
    """What a program writes to a terminal until `WATCHED_SECONDS` after the last hint; then it gets a Ctrl-C."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    program = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment | {"TERM": "xterm-256color"}
    )
    os.close(theirs)
    said, until = b"", time.monotonic() + LONGEST_RUN_SECONDS
    hinted = False
    try:
        while time.monotonic() < until and program.poll() is None:
            if select.select([ours], [], [], 1.0)[0]:
                said += os.read(ours, 65536)
            if not hinted and LAST_HINT.encode() in said:
                hinted, until = True, time.monotonic() + WATCHED_SECONDS
    finally:
        program.send_signal(signal.SIGINT)
        program.wait(STOP_SECONDS)
        os.close(ours)
    if not hinted:
        raise SystemExit(f"the demo did not come as far as {LAST_HINT!r}: {said[-2000:].decode(errors='replace')}")
    return said.decode(errors="replace")


def on_screen(said: str) -> list[str]:
    """The lines of a terminal after so much output, with their colours. Knows what rich's live display uses."""
    lines, row, at = [""], 0, 0
    for control in CONTROL.finditer(said):
        lines[row] += said[at : control.start()]
        at = control.end()
        if control[0] == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif control[0].endswith("A"):
            row = max(0, row - int(control[1][:-1] or 1))
        elif control[0].endswith("2K"):
            lines[row] = ""
    lines[row] += said[at:]
    return lines


def draw(screen: str) -> str:
    """The picture of a screen, as SVG without a reference to anything outside."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(screen), soft_wrap=False)
    drawn = console.export_svg(title="make run", unique_id="first-minutes")
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return re.sub(r"<!--.*?-->\s*", "", drawn, flags=re.DOTALL)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["record"]:
            record()
        case ["draw"]:
            PICTURE.write_text(draw(SCREEN.read_text()))
        case _:
            raise SystemExit(__doc__)
