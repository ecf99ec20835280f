"""EDIFACT: orders and their changes in, CONTRL, ORDRSP and DESADV out."""

import json
from pathlib import Path
from typing import Any

import pytest

from dom.channels.telling import PlatformOrder, StepKind, TellStep
from tests.worlds.dropping import Inbox
from tests.worlds.trading import (
    change_edifact,
    edifact,
    edifact_answers,
    interchange_edifact,
    lines_orders,
    order_edifact,
)


async def receive(folder: Path, *files: bytes) -> Inbox:
    """What comes of these files, one after the other."""
    inbox = Inbox()
    for body in files:
        (folder / f"{inbox.pages:04d}.edi").write_bytes(body)
        await inbox.pull(edifact(folder))
    return inbox


def brief(message: Any) -> tuple[str, str, dict[str, str]]:
    """Number, purpose and units by SKU of a message."""
    return message["number"], message["purpose"], {line["ids"]["SA"]: line["quantity"] for line in message["lines"]}


def named(found: list[str], *names: str) -> list[str]:
    """Segments of these names."""
    return [each for each in found if each.split("+")[0] in names]


async def test_an_order_has_named_fields_and_every_segment(tmp_path: Path) -> None:
    inbox = await receive(tmp_path, interchange_edifact(1, order_edifact("PO1", lines_orders(A=2, B=3))))
    message = json.loads(inbox.bodies[0])
    assert brief(message) == ("PO1", "original", {"A": "2", "B": "3"})
    assert (message["date"], message["sent_at"]) == ("2026-03-02", "2026-03-02T12:00:00+00:00")
    assert message["parties"]["DP"] == {
        "name": "Lager Süd", "names": ["Lager Süd", "Tor 4"], "qualifier": "9", "id": "4000002000011",
        "lines": ["Hafenstr. 1"], "city": "Ulm", "region": "", "postal_code": "89073", "country": "DE",
    }  # fmt: skip
    assert message["parties"]["BY"]["email"] == "einkauf@buyer.example"
    assert message["lines"][0]["ids"] == {"EN": "4006381333001", "SA": "A"}
    assert message["segments"][-1] == ["UNT", "19", "1"]


@pytest.mark.parametrize("una", ["", "UNA:+.? '", "UNA:+,? '", "UNA|^.! ~", "UNA\x1f\x1d.  \x1c"])
@pytest.mark.parametrize("syntax", ["UNOC", "UNOY", "UNOA"])
async def test_any_service_characters(tmp_path: Path, una: str, syntax: str) -> None:
    inbox = await receive(
        tmp_path, interchange_edifact(1, order_edifact("PO1", lines_orders(A=2)), una=una, syntax=syntax)
    )
    message = json.loads(inbox.bodies[0])
    assert (brief(message), message["lines"][0]["price"]) == (("PO1", "original", {"A": "2"}), "2.5")
    assert message["parties"]["DP"]["name"] == "Lager Süd"


async def test_texts_may_hold_service_characters(tmp_path: Path) -> None:
    orders = [order_edifact(number, lines_orders(A=2)) for number in ("PO1", "PO2")]
    orders[1][3] = "NAD+BY+4000002000004::9++O?'UNA ?+ S?:hne??"
    body = b"".join([interchange_edifact(place, each, una="") for place, each in enumerate(orders, 1)])
    messages = (await receive(tmp_path, body)).orders(dict)
    assert [each["parties"]["BY"]["name"] for each in messages] == ["Buyer GmbH", "O'UNA + S:hne?"]


async def test_every_message_is_acknowledged(tmp_path: Path) -> None:
    await receive(tmp_path, interchange_edifact(7, order_edifact("PO1", lines_orders(A=2))))
    assert edifact_answers(tmp_path)[0][1:] == [
        "UNH+1+CONTRL:D:3:UN", "UCI+7+4000002000004:14+4000001000005:14+7", "UCM+1+ORDERS:D:96A:UN+7", "UNT+4+1",
        "UNZ+1+1",
    ]  # fmt: skip


async def test_what_is_wrong_is_told_by_segment_and_element(tmp_path: Path) -> None:
    wrong = order_edifact("", ["LIN+1++1:EN'QTY+21:two'PRI+AAA:x"], "99")
    wrong[1] = "DTM+137:20260230:102"
    inbox = await receive(tmp_path, interchange_edifact(7, wrong, order_edifact("PO2", lines_orders(A=1))))
    assert named(edifact_answers(tmp_path)[0], "UCM", "UCS", "UCD") == [
        "UCM+1+ORDERS:D:96A:UN+4",
        "UCS+2", "UCD+13+3:1", "UCS+2", "UCD+12+4", "UCS+3", "UCD+12+2:2",
        "UCS+10", "UCD+12+2:2", "UCS+11", "UCD+12+2:2",
        "UCM+2+ORDERS:D:96A:UN+7",
    ]  # fmt: skip
    assert (len(inbox.raw), inbox.orders(brief)) == (1, [("PO2", "original", {"A": "1"})])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"UNT+15+1", b"UNT+9+1", ["UCI+7", "UCM+1+ORDERS:D:96A:UN+4+29"]),
        (b"UNT+15+1", b"UNT+15+2", ["UCI+7", "UCM+1+ORDERS:D:96A:UN+4+28"]),
        (b"UNT+15+1'\n", b"", ["UCI+7", "UCM+1+ORDERS:D:96A:UN+4+13"]),
        (b"ORDERS:D", b"INVOIC:D", ["UCI+7", "UCM+1+INVOIC:D:96A:UN+4+15"]),
        (b"UNZ+1+7", b"UNZ+1+8", ["UCI+4+28"]),
        (b"UNZ+1+7", b"UNZ+2+7", ["UCI+4+29"]),
        (b"UNZ+1+7'\n", b"", ["UCI+4+13"]),
        (b"+4000002000004:14+", b"+4000002000099:14+", ["UCI+4+23"]),
        (b"+4000001000005:14+", b"+4000001000099:14+", ["UCI+4+7"]),
        (b"UNH+1", b"BGM+1", ["UCI+4+18"]),
    ],
)
async def test_envelopes_that_are_wrong(tmp_path: Path, old: bytes, new: bytes, told: list[str]) -> None:
    whole = interchange_edifact(7, order_edifact("PO1", lines_orders(A=2)))
    assert old in whole
    inbox = await receive(tmp_path, whole.replace(old, new))
    found = named(edifact_answers(tmp_path)[0], "UCI", "UCM")
    uci = "UCI+" + "+".join(found[0].split("+")[4:])
    assert ([uci, *found[1:]], len(inbox.raw), inbox.came) == (told, 1, 1)


async def test_a_repeated_control_number_is_a_duplicate(tmp_path: Path) -> None:
    body = interchange_edifact(7, order_edifact("PO1", lines_orders(A=2)))
    inbox = await receive(tmp_path, body, b"\n" + body)
    assert (inbox.came, inbox.position["duplicates"]) == (1, 1)
    assert named(edifact_answers(tmp_path)[1], "UCI", "UCM") == ["UCI+7+4000002000004:14+4000001000005:14+4+26"]


async def test_an_ordchg_changes_the_lines_it_names(tmp_path: Path) -> None:
    changes = ["LIN+1+3'QTY+21:1", "LIN+2+2", "LIN+3+1++4006381333003:EN'PIA+5+C:SA'QTY+21:4'PRI+AAA:1"]
    inbox = await receive(
        tmp_path,
        interchange_edifact(1, order_edifact("PO1", lines_orders(A=2, B=3))),
        interchange_edifact(2, change_edifact("PO1", changes), kind="ORDCHG", time="1300"),
    )
    message = inbox.orders(dict)[1]
    assert brief(message) == ("PO1", "change", {"A": "1", "B": "0", "C": "4"})
    assert [line["ordered"] for line in message["lines"]] == ["2", "3", "4"]


@pytest.mark.parametrize("body", [b"no interchange", b"UNB", b"UNB+UNOC'", b"UNA:+.? '", b"\xff\xfe\x00'"])
async def test_what_is_no_interchange_goes_to_a_person(tmp_path: Path, body: bytes) -> None:
    inbox = await receive(tmp_path, body)
    assert inbox.raw == [body]


async def test_a_broken_interchange_takes_no_other_with_it(tmp_path: Path) -> None:
    good = [interchange_edifact(each, order_edifact(f"PO{each}", lines_orders(A=1))) for each in (1, 2, 3)]
    inbox = await receive(tmp_path, good[0] + b"junk'\n" + good[1][:-40] + good[2])
    assert [each[0] for each in inbox.orders(brief)] == ["PO1", "PO3"]
    assert len(inbox.raw) == 2


class TestAnswers:
    """What the partner is told of its order of two of A and three of B."""

    async def told(self, folder: Path, step: TellStep) -> list[str]:
        """The answer to a step."""
        await receive(folder, interchange_edifact(1, order_edifact("PO1", lines_orders(A=2, B=3))))
        connector = edifact(folder)
        body = await connector.order("PO1")
        assert body is not None
        order: PlatformOrder = connector.known(body)
        await connector.carry_out(order, step)
        return edifact_answers(folder)[-1]

    async def test_an_order_is_accepted(self, tmp_path: Path) -> None:
        found = await self.told(tmp_path, TellStep(StepKind.ACCEPT, "accept"))
        assert named(found, "UNH", "BGM", "RFF", "LIN", "PIA", "QTY", "CNT") == [
            "UNH+1+ORDRSP:D:96A:UN", "BGM+231+2+29", "RFF+ON:PO1",
            "LIN+1+5+4006381333001:EN", "PIA+1+A:SA", "QTY+21:2:PCE", "QTY+113:2:PCE",
            "LIN+2+5+4006381333002:EN", "PIA+1+B:SA", "QTY+21:3:PCE", "QTY+113:3:PCE", "CNT+2:2",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("step", "told"),
        [
            (TellStep(StepKind.CANCEL, "c", lines={"1": 2}), ["4", "7", "5"]),
            (TellStep(StepKind.CANCEL, "c", lines={"2": 1}), ["4", "5", "3"]),
            (TellStep(StepKind.CANCEL, "c", lines={"1": 2, "2": 3}), ["27", "7", "7"]),
        ],
    )
    async def test_what_does_not_come_has_its_code(self, tmp_path: Path, step: TellStep, told: list[str]) -> None:
        found = await self.told(tmp_path, step)
        actions = [each.split("+")[2] for each in named(found, "LIN")]
        assert [named(found, "BGM")[0].split("+")[3], *actions] == told

    async def test_what_waits_is_said(self, tmp_path: Path) -> None:
        step = TellStep(StepKind.ACCEPT, "a", lines={"1": 2, "2": 1}, reason="backorder")
        assert named(await self.told(tmp_path, step), "QTY")[-1] == "QTY+83:2:PCE"

    async def test_a_parcel_left(self, tmp_path: Path) -> None:
        step = TellStep(StepKind.FULFIL, "F-1", lines={"1": 2}, carrier="DHL", tracking_number="00340+434'1")
        found = await self.told(tmp_path, step)
        assert found[1] == "UNH+1+DESADV:D:96A:UN"
        assert named(found, "BGM", "RFF", "TDT", "CPS", "GIN", "LIN", "QTY", "CNT") == [
            "BGM+351+F-1+9", "RFF+ON:PO1", "RFF+CN:00340?+434?'1", "TDT+20++++:::DHL", "CPS+1", "GIN+AW+00340?+434?'1",
            "LIN+1++4006381333001:EN", "QTY+12:2:PCE", "RFF+ON:PO1:1",
        ]  # fmt: skip
        assert f"UNT+{len(found) - 2}+1" in found
