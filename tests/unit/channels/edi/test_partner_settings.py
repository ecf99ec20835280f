"""What a trading partner's connection must say, and what becomes of files that are too long."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.channels.edi import partner
from connectors.channels.edi.settings import EdifactSettings, X12Settings
from tests.worlds.dropping import Inbox
from tests.worlds.trading import X12_IDS, interchange_x12, lines_850, order_850, x12


@pytest.mark.parametrize(
    "settings",
    [
        {"folder": "/in", "own_id": "DOM"},
        {"folder": "/in", "own_id": "DOM", "partner_id": ""},
        {"folder": "/in", **X12_IDS, "out": "../elsewhere"},
        {"folder": "/in", **X12_IDS, "state_folder": "here"},
        {"folder": "sftp://shop@files.example/in", "host_key": "ssh-ed25519 A", **X12_IDS},
        {"folder": "/in", **X12_IDS, "release": "003010"},
        {"folder": "/in", "own_id": "DOM", "partner_id": "longer than fifteen"},
        {"folder": "/in", "own_id": "DOM", "partner_id": "Müller"},
    ],
)
def test_settings_that_no_partner_has(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        X12Settings.model_validate(settings)


def test_ids_of_digits_may_come_as_numbers() -> None:
    settings = {"folder": "/in", "own_id": 4000001000005, "partner_id": 4000002000004, "partner_qualifier": 14}
    assert EdifactSettings.model_validate(settings).own_id == "4000001000005"


async def test_a_file_that_is_too_long_is_put_aside_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner, "MOST_BYTES", 100)
    (tmp_path / "a.edi").write_bytes(interchange_x12(1, order_850("PO1", lines_850(A=1))))
    inbox = await Inbox().pull(x12(tmp_path))
    assert (len(inbox.raw), [each.name for each in (tmp_path / "unread").iterdir()]) == (1, ["a.edi"])


async def test_a_file_of_many_sets_comes_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner, "MOST_MESSAGES", 3)
    orders = [order_850(f"PO{number}", lines_850(A=1)) for number in range(7)]
    (tmp_path / "a.edi").write_bytes(interchange_x12(1, *orders))
    inbox = Inbox()
    while not inbox.pages or inbox.position["file"]:
        await inbox.pull(x12(tmp_path), most_pages=1)
    assert (inbox.came, inbox.pages) == (7, 4)
