"""Our answers, read and checked by another program's dictionaries (mock-edi), as strictly as it can."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mockedi import edifact as edifact_reader
from mockedi import validate
from mockedi import x12 as x12_reader

from connectors.channels.edi.partner import PartnerConnector
from dom.channels.telling import StepKind, TellStep
from tests.worlds.dropping import Inbox
from tests.worlds.trading import (
    edifact,
    interchange_edifact,
    interchange_x12,
    lines_850,
    lines_orders,
    order_850,
    order_edifact,
    x12,
)

UNKNOWN_THERE = {
    ("856", "MAN"), ("ORDRSP", "BGM"), ("DESADV", "PCI"), ("DESADV", "GIN"), ("ORDRSP", "UNH"), ("DESADV", "UNH"),
}  # fmt: skip
"""What its dictionaries do not have: the marks of a parcel, 29 (accepted without amendment) of 1225, and D.01B."""

STEPS = [
    TellStep(StepKind.ACCEPT, "accept"),
    TellStep(StepKind.ACCEPT, "again", lines={"1": 1}, reason="backorder"),
    TellStep(StepKind.FULFIL, "F-1", lines={"1": 2, "2": 1}, carrier="UPSN", tracking_number="1Z999"),
    TellStep(StepKind.FULFIL, "F-2", lines={"2": 1}),
    TellStep(StepKind.CANCEL, "cancel", lines={"2": 1}),
]


def _x12(release: str) -> bytes:
    wrong = order_850("", ["PO1*1*two*EA*2.5**VP*A"])
    return interchange_x12(1, order_850("PO1", lines_850(A=2, B=3)), wrong, acknowledge="1", release=release)


def _edifact(_: str) -> bytes:
    wrong = order_edifact("", ["LIN+1++1:EN'QTY+21:two"])
    return interchange_edifact(1, order_edifact("PO1", lines_orders(A=2, B=3)), wrong)


@pytest.mark.parametrize(
    ("partner", "body", "reader", "settings"),
    [
        (x12, _x12, x12_reader, {"release": "004010"}),
        (x12, _x12, x12_reader, {"release": "005010"}),
        (edifact, _edifact, edifact_reader, {"directory": "D:96A"}),
        (edifact, _edifact, edifact_reader, {"directory": "D:01B"}),
    ],
)
async def test_there_is_nothing_wrong_with_our_answers(
    tmp_path: Path, partner: Callable[..., PartnerConnector], body: Callable[[str], bytes], reader: Any, settings: Any
) -> None:
    connector = partner(tmp_path, **settings)
    received = body(settings.get("release", ""))
    (tmp_path / "a.edi").write_bytes(received)
    (tmp_path / "b.edi").write_bytes(received + b"\n")
    await Inbox().pull(connector)
    for step in STEPS:
        await connector.carry_out(connector.known(await connector.order("PO1") or b""), step)
    found = sorted((tmp_path / "out").iterdir())
    assert len(found) == 2 + len(STEPS)
    for each in found:
        report = validate.validate(reader.parse(each.read_text("iso-8859-1")), strict=True)
        assert (report.envelope_errors, report.group_errors, report.interchange_findings) == ([], {}, [])
        for message in report.messages:
            assert {(message.code, finding.tag) for finding in message.segments} <= UNKNOWN_THERE
