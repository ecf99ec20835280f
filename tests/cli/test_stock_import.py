"""`dom stock import` takes a file in, says what became of it, and names what was wrong."""

from pathlib import Path

import psycopg

from tests.cli.conftest import Dom


def on_hand(url: str, node: str, sku: str) -> int:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        query = "SELECT on_hand FROM stock WHERE node_id = %s AND sku = %s"
        found = connection.execute(query, (node, sku)).fetchone()
        assert found
        return int(found[0])


def test_counts(dom: Dom, world_url: str, tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("node_id,sku,quantity\ndc-leeds,A,90\nwh-london,A,50\n")
    answer = dom("stock", "import", str(file), "--kind", "counts")
    assert answer.exit_code == 0, answer.output
    assert "is done: 2 rows, 2 applied" in answer.output
    assert on_hand(world_url, "dc-leeds", "A") == 90


def test_bad_rows_are_printed_and_the_exit_code_says_so(dom: Dom, world_url: str, tmp_path: Path) -> None:
    file = tmp_path / "changes.jsonl"
    good = '{"node_id": "dc-leeds", "sku": "A", "quantity": -4, "key": "k"}\n'
    file.write_text(good + '{"node_id": "dc-leeds", "sku": "[red]", "quantity": 1}\n')
    answer = dom("stock", "import", str(file), "--kind", "deltas")
    assert answer.exit_code == 1, answer.output
    assert "there is no SKU [red]" in answer.output
    assert "1 applied, 1 refused" in answer.output
    assert on_hand(world_url, "dc-leeds", "A") == 96
    assert dom("stock", "import", str(file), "--kind", "deltas", "--all-or-nothing").exit_code == 1
    assert on_hand(world_url, "dc-leeds", "A") == 96


def test_the_same_key_is_the_same_file(dom: Dom, world_url: str, tmp_path: Path) -> None:
    file = tmp_path / "changes.csv"
    file.write_text("node_id,sku,quantity\ndc-leeds,A,5\n")
    for _ in range(2):
        answer = dom("stock", "import", str(file), "--kind", "deltas", "--key", "monday")
        assert answer.exit_code == 0, answer.output
    assert on_hand(world_url, "dc-leeds", "A") == 105


def test_a_file_that_is_none(dom: Dom, tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("where,what\n")
    answer = dom("stock", "import", str(file), "--kind", "counts")
    assert answer.exit_code == 1
    assert "'where' is none" in answer.output
