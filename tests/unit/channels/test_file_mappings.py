"""The mappings of files that come with the system read what the connectors make of files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import connectors.channels
from connectors.channels.edi.partner import PartnerConnector
from connectors.channels.files.connector import FilesConnector
from dom.channels import intake
from dom.channels.channel_order import ChannelOrder
from dom.channels.mapping.applying import apply, order_number
from dom.channels.mapping.reading import check
from tests.worlds.dropping import Inbox, connection
from tests.worlds.trading import edifact, x12

TEMPLATES = Path(connectors.channels.__file__).parent / "templates"
SAMPLES = Path(__file__).parents[2] / "mappings" / "samples"


def as_order(name: str, body: bytes) -> ChannelOrder:
    """What the mapping of this name makes of a message; there is nothing wrong with it."""
    mapping = check((TEMPLATES / f"{name}.yaml").read_text()).publishable()
    message = json.loads(body)
    order, faults = intake.checked(apply(mapping, message), {})
    assert (order is not None, faults) == (True, ())
    assert order is not None
    assert order_number(mapping, message) == order.number
    return order


@pytest.mark.parametrize("name", ["files", "files-jsonl", "x12", "edifact"])
def test_they_are_published_without_findings(name: str) -> None:
    assert check((TEMPLATES / f"{name}.yaml").read_text()).findings == ()


@pytest.mark.parametrize(
    ("name", "sample", "settings"),
    [
        ("files", "orders.csv", {"order_column": "order_number"}),
        ("files-jsonl", "orders.jsonl", {"format": "jsonl"}),
    ],
)
async def test_they_read_files(tmp_path: Path, name: str, sample: str, settings: dict[str, Any]) -> None:
    (tmp_path / sample).write_bytes((SAMPLES / sample).read_bytes())
    inbox = await Inbox().pull(FilesConnector(connection(tmp_path, **settings), {}))
    first, second = [as_order(name, body) for body in inbox.bodies]
    assert [(line.sku, line.ordered, line.unit_price) for line in first.lines] == [
        ("85123A", 6, 255), ("71053", 2, 339),
    ]  # fmt: skip
    assert (first.number, first.currency, first.shipping, first.total) == ("SO-1001", "GBP", 395, 2603)
    assert (first.ship_to.name, first.ship_to.city, first.ship_to.country) == ("Zoë Müller", "Leeds", "GB")
    assert (second.number, second.state, second.shipping_method) == ("SO-1002", "cancelled", "express")
    assert intake.request("feed", first).lines[0].quantity == 6


@pytest.mark.parametrize(
    ("name", "sample", "partner", "currency"),
    [("x12", "850.x12", x12, "USD"), ("edifact", "orders.edi", edifact, "EUR")],
)
async def test_orders_by_edi_are_read(
    tmp_path: Path, name: str, sample: str, partner: Callable[[Path], PartnerConnector], currency: str
) -> None:
    (tmp_path / sample).write_bytes((SAMPLES / sample).read_bytes())
    inbox = await Inbox().pull(partner(tmp_path))
    first, changed, cancelled = [as_order(name, body) for body in inbox.bodies]
    assert (first.number, first.currency, first.requested_by is not None) == ("PO-7781", currency, True)
    assert (first.ship_to.city, first.ship_to.country, first.customer.email) in {
        ("Springfield", "US", "grace@buyer.example"), ("Ulm", "DE", "einkauf@buyer.example"),
    }  # fmt: skip
    assert [(line.line_id, line.sku, line.ordered, line.unit_price) for line in first.lines] == [
        ("1", "85123A", 6, 255), ("2", "71053", 2, 339),
    ]  # fmt: skip
    assert [(line.ordered, line.current) for line in changed.lines] == [(6, 4), (2, 0)]
    assert cancelled.state == "cancelled"
    assert intake.touched(first, changed) == frozenset({"1", "2"})
    assert intake.request("edi", first).lines[0].quantity == 6
