"""Holds the running API against its own document: `python -m tools.contract_test [SCHEMATHESIS OPTION ...]`.

Starts `dom up` with the sample in a folder of its own and lets schemathesis ask it: every operation with valid and with
wrong input, and chains of calls that belong together. Exit code 1 if an answer is not what the document says.

The budget is small and its seed fixed, so that two runs ask the same; `CONTRACT_EXAMPLES=200 CONTRACT_SEED=$RANDOM` and
`CONTRACT_SECONDS=3600` make it larger and another.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.folder import DataFolder
from tests.worlds.stack import RunningStack

EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "8")
SEED = os.environ.get("CONTRACT_SEED", "20261129")
SECONDS = os.environ.get("CONTRACT_SECONDS", "")
CONFIGURATION = Path(__file__).with_name("contract_test.toml")


def command(url: str, headers: Mapping[str, str], further: Sequence[str]) -> list[str]:
    """What is run against the API at this address, by who sends these headers."""
    budget = ["--max-time", SECONDS] if SECONDS else []
    return [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(CONFIGURATION), "run", f"{url}/openapi.json"),
        # All checks are on by default; `--checks all` would turn those on again that the file turns off.
        *(part for name, value in headers.items() for part in ("--header", f"{name}: {value}")),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--no-shrink"),
        *budget,
        *further,
    ]


def main(further: Sequence[str]) -> int:
    """Start everything, ask, stop everything; the exit code of schemathesis."""
    with TemporaryDirectory(prefix="dom-contract-") as folder:
        stack = RunningStack(DataFolder(Path(folder) / "var"))
        try:
            stack.up()
            return subprocess.run(command(stack.url, stack.headers, further), check=False, cwd=folder).returncode
        finally:
            stack.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
