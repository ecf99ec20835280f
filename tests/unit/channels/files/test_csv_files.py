"""CSV files: what real ones look like, and what becomes of rows that cannot be read."""

from pathlib import Path
from typing import Any

import pytest

from connectors.channels.files.connector import FilesConnector
from tests.worlds.dropping import Inbox, connection

HEAD = b"order;sku;units;price\n"


async def read(folder: Path, body: bytes, name: str = "a.csv", **settings: Any) -> Inbox:
    """What comes of one file."""
    (folder / name).write_bytes(body)
    return await Inbox().pull(FilesConnector(connection(folder, **{"order_column": "order", **settings}), {}))


def lines(message: Any) -> tuple[str, ...]:
    """The order of a message, and the SKUs of its rows."""
    return (message["rows"][0]["order"], *[row["sku"] for row in message["rows"]])


async def test_rows_of_one_order_are_one_message(tmp_path: Path) -> None:
    inbox = await read(tmp_path, HEAD + b"1;A;2;9,95\n1;B;1;3\n2;A;1;9,95\n")
    assert inbox.orders(lambda message: message) == [
        {
            "rows": [
                {"order": "1", "sku": "A", "units": "2", "price": "9,95"},
                {"order": "1", "sku": "B", "units": "1", "price": "3"},
            ],
            "file": "a.csv",
            "line": 2,
        },
        {"rows": [{"order": "2", "sku": "A", "units": "1", "price": "9,95"}], "file": "a.csv", "line": 4},
    ]
    assert [each.name for each in (tmp_path / "done").iterdir()] == ["a.csv"]


async def test_rows_of_one_order_may_stand_apart_within_the_window(tmp_path: Path) -> None:
    body = HEAD + b"1;A;1;1\n2;A;1;1\n1;B;1;1\n3;A;1;1\n4;A;1;1\n1;C;1;1\n"
    inbox = await read(tmp_path, body, window=2)
    assert inbox.orders(lines) == [("1", "A", "B"), ("2", "A"), ("3", "A"), ("4", "A"), ("1", "C")]


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        ("order,sku,units,price\n7,Größe,1,2\n".encode(), {}),
        ("order\tsku\tunits\tprice\r\n7\tGröße\t1\t2\r\n".encode("windows-1252"), {}),
        ("order|sku|units|price\n7|Größe|1|2".encode("utf-8-sig"), {}),
        ("order;sku;units;price\n7;Größe;1;2\n".encode("utf-16"), {}),
        ("\ufefforder;sku;units;price\r\n7;Größe;1;2\r\n".encode("utf-16-be"), {}),
        ("7;Größe;1;2\n".encode("cp850"), {"encoding": "cp850", "columns": "order,sku,units,price"}),
        (' order ;"sku";units;price;\n7; "Größe";1;2\n'.replace(' "G', '"G').encode(), {}),
        ("order;sku;units;price\n7;Größe;1;2;\n".encode(), {}),
    ],
)
async def test_encodings_delimiters_and_line_ends(tmp_path: Path, body: bytes, settings: dict[str, Any]) -> None:
    assert (await read(tmp_path, body, **settings)).orders(lines) == [("7", "Größe")]


async def test_cells_may_hold_quotes_delimiters_and_line_breaks(tmp_path: Path) -> None:
    inbox = await read(tmp_path, HEAD + b'1;"Mug ""red"";\nlarge";1;2\n2;5" pipe;1;2\n')
    assert inbox.orders(lines) == [("1", 'Mug "red";\nlarge'), ("2", '5" pipe')]


async def test_empty_rows_and_repeated_headers_say_nothing(tmp_path: Path) -> None:
    inbox = await read(tmp_path, HEAD + b"\n1;A;1;1\n;;;\n" + HEAD + b"1;B;1;1\n\n")
    assert inbox.orders(lines) == [("1", "A", "B")]


class TestRowsThatCannotBeRead:
    """Nothing of an order goes on without one of its rows."""

    async def test_a_row_that_is_cut_keeps_its_order_back(self, tmp_path: Path) -> None:
        inbox = await read(tmp_path, HEAD + b"1;A;1;1\n1;B;\n2;A;1;1\n")
        assert inbox.orders(lines) == [("2", "A")]
        assert inbox.raw == [b"1;A;1;1\n1;B;\n"]

    async def test_a_row_that_names_no_order_is_taken_for_one_of_the_order_before(self, tmp_path: Path) -> None:
        inbox = await read(tmp_path, HEAD + b"1;A;1;1\n;B;1;1\n1;C;1;1\n2;A;1;1\n")
        assert inbox.orders(lines) == [("2", "A")]
        assert inbox.raw == [b"1;A;1;1\n;B;1;1\n1;C;1;1\n"]

    async def test_a_quote_that_is_never_closed_takes_no_other_rows_with_it(self, tmp_path: Path) -> None:
        inbox = await read(tmp_path, HEAD + b'1;"A;1;1\n2;B;1;1\n3;C;1;1\n')
        assert inbox.orders(lines) == [("2", "B"), ("3", "C")]
        assert inbox.raw == [b'1;"A;1;1\n']

    async def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        inbox = await read(tmp_path, HEAD + b"1;A\x81;1;1\n2;B;1;1\n", encoding="utf-8")
        assert (inbox.orders(lines), len(inbox.raw)) == ([("2", "B")], 1)

    async def test_a_line_without_end(self, tmp_path: Path) -> None:
        inbox = await read(tmp_path, HEAD + b"1;" + b"x" * 600_000 + b";1;1\n2;B;1;1\n")
        assert inbox.orders(lines) == [("2", "B")]
        assert b"".join(inbox.raw) == b"1;" + b"x" * 600_000 + b";1;1\n"

    async def test_a_file_without_the_column_is_put_aside_and_shown(self, tmp_path: Path) -> None:
        inbox = await read(tmp_path, b"nr;sku\n1;A\n")
        assert inbox.bodies == [b"nr;sku\n1;A\n"]
        assert [each.name for each in (tmp_path / "unread").iterdir()] == ["a.csv"]


async def test_column_names_become_keys_of_paths(tmp_path: Path) -> None:
    inbox = await read(tmp_path, b"Order No.;Ship to [1];;Order No.\n1;x;y;2\n", order_column="Order No.")
    assert inbox.orders(lambda message: list(message["rows"][0])) == [
        ["Order_No_", "Ship_to_1_", "column_3", "Order_No__2"]
    ]


async def test_json_lines(tmp_path: Path) -> None:
    body = b'{"id": 1, "price": 9.990000000000000001}\n\n{"id": 2\nnull\n{"id": NaN}\n{"id": 3}'
    inbox = await read(tmp_path, body, "a.jsonl", format="jsonl", order_column="")
    assert inbox.bodies[0] == b'{"rows": [{"id": 1, "price": 9.990000000000000001}], "file": "a.jsonl", "line": 1}'
    assert inbox.raw == [b'{"id": 2\n', b"null\n", b'{"id": NaN}\n']
    assert inbox.orders(lambda message: message["rows"][0]["id"]) == [1, 3]
