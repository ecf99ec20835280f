"""`make test` is no lottery, and what `make explore` finds is kept."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tools import explore


@pytest.mark.skipif("HYPOTHESIS_PROFILE" in os.environ, reason="somebody chose other examples")
def test_the_examples_of_a_usual_run_are_the_same_every_time() -> None:
    default = settings()
    assert default.derandomize
    assert default.deadline is None, "a busy machine is no mistake"


def test_every_file_that_draws_examples_has_its_turn() -> None:
    files = {file.relative_to(explore.ROOT).as_posix() for file in explore.property_tests()}
    assert {"tests/unit/stock/test_atp.py", "tests/store/stock/test_machine.py"} <= files


def test_what_fails_is_kept_with_its_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (
        "from hypothesis import given, settings, strategies as st",
        "@settings(database=None, print_blob=True)",
        "@given(st.integers())",
        "def test_small(number): assert number < 500",
    )
    failing = tmp_path / "test_small.py"
    failing.write_text("\n".join(lines))
    assert not explore.run(str(failing), 7, 60)
    said = capsys.readouterr().out
    assert "failed with seed 7" in said
    assert "reproduce_failure" in said
    kept = explore.FOUND / "test_small-7.log"
    assert "assert 500 < 500" in kept.read_text()
    kept.unlink()
