"""Looks for examples nobody thought of: the property tests with new random seeds, until a time is over.

    python -m tools.explore --seconds 600          # again with --seed N: the same tests in the same sequence

`make test` tries the same examples every time. What is found here prints its seed, the example and a line
`@reproduce_failure(...)`; the example goes into the test as `@example(...)`, and stays.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random, SystemRandom
from time import monotonic

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
FOUND = ROOT / "var" / "explore"
"""Where the whole output of what failed is kept."""
FUZZERS: tuple[str, ...] = ("tests.fuzz.carrier_feed",)
"""Modules that explore by themselves: each takes `--seconds` and `--seed`, and exits with 1 if it found something."""
STORMS: tuple[str, ...] = ("tests/chaos/test_stock_storm.py",)
"""Tests that draw by `STORM_SEED`."""
PATIENCE = 60.0
"""Seconds a run has to stop its servers when the time is over."""
LONGEST = 300.0
"""Seconds one file of tests or one fuzzer has at most, so that all have their turn."""


def property_tests() -> list[Path]:
    """The files whose tests draw examples."""
    return sorted(file for file in TESTS.rglob("test_*.py") if "from hypothesis" in file.read_text(encoding="utf-8"))


def command(what: str, seed: int, seconds: float) -> list[str]:
    """How a file of tests or a fuzzer is run with a seed."""
    if what in FUZZERS:
        return [sys.executable, "-m", what, "--seconds", f"{seconds:.0f}", "--seed", f"{seed}"]
    return [sys.executable, "-m", "pytest", what, "-q", "-x", "--no-header", f"--hypothesis-seed={seed}"]


def run(what: str, seed: int, seconds: float) -> bool:
    """Whether it went well; what has no time left went well so far, and stops the servers it started."""
    surroundings = {**os.environ, "HYPOTHESIS_PROFILE": "explore", "STORM_SEED": str(seed)}
    going = subprocess.Popen(
        command(what, seed, seconds),
        cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        said, _ = going.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        going.send_signal(signal.SIGINT)
        try:
            going.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            going.kill()
            going.communicate()
        return True
    if not going.returncode:
        return True
    FOUND.mkdir(parents=True, exist_ok=True)
    kept = FOUND / f"{Path(what).stem}-{seed}.log"
    kept.write_text(said, encoding="utf-8")
    print(f"{what} failed with seed {seed}; all of it: {kept}\n{said[-8000:]}", flush=True)
    return False


def main() -> int:
    """Run until the time is over; 1 if anything was found."""
    parser = argparse.ArgumentParser(description="Property tests with new random seeds, until a time is over.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(2**32))
    asked = parser.parse_args()
    chance, until = Random(asked.seed), monotonic() + asked.seconds
    everything = [*[str(file.relative_to(ROOT)) for file in property_tests()], *STORMS, *FUZZERS]
    print(f"exploring {len(everything)} files for {asked.seconds:.0f} s with seed {asked.seed}", flush=True)
    tried, failed = 0, set[str]()
    while everything and monotonic() < until:
        for what in chance.sample(everything, len(everything)):
            left = until - monotonic()
            if left <= 0:
                break
            seed = chance.randrange(2**32)
            if what not in failed and not run(what, seed, min(left, LONGEST)):
                failed.add(what)
            tried += 1
        everything = [what for what in everything if what not in failed]
    print(f"{tried} runs, {len(failed)} with something found{': ' if failed else ''}{', '.join(sorted(failed))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
