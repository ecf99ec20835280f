"""The stock bench's own reasoning: what it says must follow from what it measured."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.measure import Spread
from bench.stock import importing, table
from bench.stock.importing import BAD_ROWS, HEADER, Memory, lines, memory
from bench.stock.looking import judged
from bench.stock.pgbench import rate_of, script
from bench.stock.recording import access
from bench.stock.results import (
    BASELINE,
    HOT_8,
    HOT_32,
    HOT_BARE,
    HOT_GROUPED,
    HOT_POOL_8,
    HOT_POOL_32,
    IMPORT,
    ONE_SKU,
    UNIFORM,
    UNIFORM_GROUPED,
    Results,
    Round,
)
from store.enums import ImportKind
from store.imports.rows import Format, Rows

REPORT = """
transaction type: <builtin: simple update>
number of transactions actually processed: 6031
number of failed transactions: {failed} (0.000%)
latency average = 1.326 ms
tps = 6031.918923 (without initial connection time)
"""


class TestPgBench:
    def test_finds_the_rate(self) -> None:
        assert rate_of(REPORT.format(failed=0)) == pytest.approx(6031.918923)

    @pytest.mark.parametrize("report", [REPORT.format(failed=3), "", "latency average = 1.3 ms"])
    def test_a_run_that_failed_in_part_counts_for_nothing(self, report: str) -> None:
        with pytest.raises(ValueError, match="counts"):
            rate_of(report)

    def test_a_statement_of_the_store_becomes_a_script(self) -> None:
        written = script(
            "SELECT %(node)s::text,\n %(sku)s, 5 %% 2", {"node": "'n' || :k", "sku": "'s'"}, {"k": "random(1, 2)"}
        )
        assert written == "\\set k random(1, 2)\nSELECT 'n' || :k::text, 's', 5 % 2;\n"

    def test_a_parameter_nobody_thought_of_is_not_passed_over(self) -> None:
        with pytest.raises(KeyError, match="new"):
            script("SELECT %(new)s", {}, {})


PLAN = {
    "Node Type": "Nested Loop",
    "Plans": [
        {"Node Type": "Function Scan"},
        {"Node Type": "Limit", "Plans": [{"Node Type": "Index Scan", "Relation Name": "stock"}]},
    ],
}


class TestPlans:
    def test_every_reader_of_a_table_is_found(self) -> None:
        both = {"Node Type": "Append", "Plans": [PLAN, {"Node Type": "Seq Scan", "Relation Name": "nodes"}]}
        assert access(both) == [("Index Scan", "stock"), ("Seq Scan", "nodes")]

    def test_an_index_is_reported_and_a_small_table_may_be_read_whole(self) -> None:
        assert judged([("Index Scan", "stock"), ("Seq Scan", "nodes")]) == "stock: Index Scan"

    @pytest.mark.parametrize("found", [[("Seq Scan", "stock"), ("Index Scan", "stock")], [("Seq Scan", "nodes")], []])
    def test_a_scan_of_all_balances_or_no_look_at_them_is_a_failure(self, found: list[tuple[str, str]]) -> None:
        with pytest.raises(RuntimeError):
            judged(found)


class TestFile:
    def test_has_37_wrong_rows_spread_to_the_last(self) -> None:
        wrong = [number for number, (_, right) in enumerate(lines(20, 50), 1) if not right]
        assert len(wrong) == BAD_ROWS
        assert wrong[-1] == 1000
        assert wrong[0] < 50

    def test_rows_a_reader_can_refuse_are_refused_by_it_and_no_other(self) -> None:
        rows = Rows(ImportKind.COUNTS, Format.CSV)
        found = rows.staged([HEADER.encode(), *(line.encode() for line, _ in lines(20, 50))])
        refused = {row.row for row in found if row.outcome is not None}
        unknown = {row.row for row in found if row.node_id == "nowhere" or row.sku == "nothing"}
        wrong = {number for number, (_, right) in enumerate(lines(20, 50), 2) if not right}
        assert refused | unknown == wrong
        assert refused
        assert unknown

    def test_the_numbers_of_wrong_lines_are_those_of_an_editor(self, tmp_path: Path) -> None:
        wrong = importing.write_file(tmp_path / "counts.csv", 20, 50)
        written = (tmp_path / "counts.csv").read_text().splitlines()
        right = {number for number, line in enumerate(written, 1) if line.endswith(f",{importing.COUNTED}")}
        assert right == set(range(2, len(written) + 1)) - set(wrong)

    def test_memory_that_is_taken_for_a_moment_is_seen(self) -> None:
        with memory(every=0.005) as used:
            taken = bytearray(b"x") * 60_000_000
            while used.peak < used.start + 50_000_000:
                pass
            del taken
        assert used.end < used.peak
        assert str(Memory(1 << 20, 3 << 20, 2 << 20)) == "1 / 3 / 2 MB"


def results() -> Results:
    found = Results()
    for number in (1, 2, 3):
        found.add(BASELINE, Round(1000.0 * number))
        found.add(HOT_BARE, Round(600.0 * number))
        found.add(HOT_8, Round(500.0 * number))
        found.add(HOT_32, Round(475.0 * number))
        found.add(HOT_POOL_8, Round(100.0, [0.001]))
        found.add(HOT_POOL_32, Round(50.0, [0.001]))
        found.add(HOT_GROUPED, Round(1100.0, [0.004, 0.012]))
        found.add(UNIFORM, Round(800.0 * number))
        found.add(UNIFORM_GROUPED, Round(1600.0 * number))
    found.add(IMPORT, Round(40_000.0, note="37 wrong rows named"))
    return found


class TestResults:
    def test_compares_round_by_round(self) -> None:
        assert results().ratio(HOT_8) == Spread(0.5, 0.5, 0.5)
        assert results().ratio(HOT_GROUPED) == Spread(1100 / 3000, 0.55, 1.1)

    def test_compares_nothing_that_pgbench_has_no_measure_for(self) -> None:
        found = results()
        for _ in range(3):
            found.add(ONE_SKU, Round(300.0))
        assert not found.comparable(ONE_SKU)
        assert not found.comparable(IMPORT)
        assert found.comparable(HOT_8)

    def test_says_of_every_aim_whether_it_was_reached(self) -> None:
        said = table.aims(results())
        assert [line.rpartition(" ")[2] for line in said if "aim" in line] == [
            "MISSED",
            "reached",
            "MISSED",
            "reached",
            "reached",
            "MISSED",
        ]

    def test_the_table_fits_and_leaves_nothing_out(self) -> None:
        said = io.StringIO()
        table.show(results(), Console(file=said, width=100))
        for name in results().rounds:
            assert name in said.getvalue()
        assert "37 wrong rows named" in said.getvalue()

    def test_everything_is_there_for_machines(self) -> None:
        found = results().as_json()
        assert found["of_pgbench"][HOT_8]["middle"] == 0.5
        assert found["notes"][IMPORT] == ["37 wrong rows named"]
