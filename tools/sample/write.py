"""Writes files that are the same bytes whenever their content is the same."""

import csv
import io
import json
import lzma
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def compressed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def write_json(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def write_json_lines(path: Path, documents: Iterable[Any]) -> None:
    lines = (json.dumps(document, ensure_ascii=False, separators=(",", ":")) for document in documents)
    compressed(path, "".join(f"{line}\n" for line in lines))


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = ",") -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    compressed(path, text.getvalue())
