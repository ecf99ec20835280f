"""X12: orders and their changes in, acknowledgements out."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.dropping import Inbox
from tests.worlds.trading import answers, change_860, interchange_x12, lines_850, named, order_850, x12


async def receive(folder: Path, *files: bytes, inbox: Inbox | None = None, **settings: Any) -> Inbox:
    """What comes of these files, one after the other."""
    inbox = inbox or Inbox()
    for number, body in enumerate(files):
        (folder / f"{inbox.pages:04d}-{number}.edi").write_bytes(body)
        await inbox.pull(x12(folder, **settings))
    return inbox


def brief(message: Any) -> tuple[str, str, dict[str, str]]:
    """Number, purpose and units by SKU of a message."""
    return message["number"], message["purpose"], {line["ids"]["VP"]: line["quantity"] for line in message["lines"]}


async def test_an_order_has_named_fields_and_every_segment(tmp_path: Path) -> None:
    inbox = await receive(tmp_path, interchange_x12(1, order_850("PO1", lines_850(A=2, B=3))))
    message = json.loads(inbox.bodies[0])
    assert brief(message) == ("PO1", "original", {"A": "2", "B": "3"})
    assert (message["date"], message["sent_at"]) == ("2026-03-02", "2026-03-02T12:00:00+00:00")
    assert message["parties"]["ST"] == {
        "name": "BUYER Store 12", "qualifier": "92", "id": "0012", "lines": ["1 Main Street", "Dock 4"],
        "city": "Springfield", "region": "IL", "postal_code": "62701", "country": "US",
    }  # fmt: skip
    assert message["contact"] == {"contact": "Grace Hopper", "email": "grace@buyer.example"}
    assert (message["carrier"]["routing"], message["carrier"]["service"]) == ("", "SE")
    assert message["dates"] == {"002": "2026-03-10"}
    assert message["segments"][0] == ["ST", "850", "0001"]
    assert message["interchange"]["control"] == "000000001"
    assert message["interchange"]["test"] is False


@pytest.mark.parametrize("marks", ["*>~^", "|:\n^", "+:'!", "^@\x1c|"])
@pytest.mark.parametrize("release", ["004010", "005010"])
async def test_any_delimiters(tmp_path: Path, marks: str, release: str) -> None:
    body = interchange_x12(1, order_850("PO1", lines_850(A=2)), marks=marks, release=release)
    inbox = await receive(tmp_path, body.replace(b"\n\n", b"\n"))
    assert inbox.orders(brief) == [("PO1", "original", {"A": "2"})]


async def test_every_group_is_acknowledged(tmp_path: Path) -> None:
    await receive(tmp_path, interchange_x12(7, order_850("PO1", lines_850(A=2)), order_850("PO2", lines_850(A=1))))
    (found,) = answers(tmp_path)
    assert named(found, "TA1", "AK1", "AK2", "AK5", "AK9") == [
        "AK1*PO*7", "AK2*850*0001", "AK5*A", "AK2*850*0002", "AK5*A", "AK9*A*2*2*2",
    ]  # fmt: skip
    assert (found[0][6].strip(), found[0][8].strip(), found[0][13]) == ("DOM", "BUYER", "000000001")
    assert named(found, "SE", "GE", "IEA") == ["SE*8*0001", "GE*1*1", "IEA*1*000000001"]


async def test_a_ta1_comes_where_it_is_asked_for(tmp_path: Path) -> None:
    await receive(tmp_path, interchange_x12(7, order_850("PO1", lines_850(A=2)), acknowledge="1"))
    assert named(answers(tmp_path)[0], "TA1") == ["TA1*000000007*260302*1200*A*000"]


async def test_what_is_wrong_is_told_by_segment_and_element(tmp_path: Path) -> None:
    wrong = order_850("PO1", ["PO1*1*two*EA*2.5**VP*A", "PO1*2**EA*1**VP*B"])
    wrong[0] = "BEG*99*SA***20260230"
    inbox = await receive(tmp_path, interchange_x12(7, wrong, order_850("PO2", lines_850(A=1))))
    assert named(answers(tmp_path)[0], "AK2", "AK3", "AK4", "AK5", "AK9") == [
        "AK2*850*0001",
        "AK3*BEG*2**8", "AK4*1**7*99", "AK4*3**1", "AK4*5**8*20260230",
        "AK3*PO1*10**8", "AK4*2**6*two",
        "AK3*PO1*11**8", "AK4*2**1",
        "AK5*R*5",
        "AK2*850*0002", "AK5*A", "AK9*P*2*2*1",
    ]  # fmt: skip
    assert inbox.orders(brief) == [("PO2", "original", {"A": "1"})]
    assert inbox.raw[0].startswith(b"ST*850*0001~")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"SE*12*0001", b"SE*9*0001", ["AK5*R*4", "AK9*R*1*1*0"]),
        (b"SE*12*0001", b"SE*12*0002", ["AK5*R*3", "AK9*R*1*1*0"]),
        (b"SE*12*0001~\n", b"", ["AK5*R*2", "AK9*R*1*1*0"]),
        (b"ST*850*0001", b"ST*810*0001", ["AK5*R*1", "AK9*R*1*1*0"]),
        (b"GE*1*7", b"GE*2*7", ["AK5*A", "AK9*E*2*1*1*5"]),
        (b"GE*1*7", b"GE*1*8", ["AK5*A", "AK9*E*1*1*1*4"]),
        (b"IEA*1*000000007", b"IEA*1*000000008", ["TA1*000000007*260302*1200*R*001"]),
        (b"IEA*1*000000007", b"IEA*2*000000007", ["TA1*000000007*260302*1200*R*021"]),
        (b"IEA*1*000000007~\n", b"", ["TA1*000000007*260302*1200*R*023"]),
        (b"BUYER          *ZZ*DOM", b"OTHER          *ZZ*DOM", ["TA1*000000007*260302*1200*R*006"]),
        (b"*ZZ*DOM            *", b"*ZZ*OTHER          *", ["TA1*000000007*260302*1200*R*008"]),
        (b"GS*PO*", b"N1*PO*", ["TA1*000000007*260302*1200*R*022"]),
    ],
)
async def test_envelopes_that_are_wrong(tmp_path: Path, old: bytes, new: bytes, told: list[str]) -> None:
    whole = interchange_x12(7, order_850("PO1", lines_850(A=2)))
    inbox = await receive(tmp_path, whole.replace(old, new))
    assert named(answers(tmp_path)[0], "TA1", "AK5", "AK9") == told
    assert inbox.came == 1
    assert bool(inbox.raw) == ("AK5*A" not in told)


class TestInterchangesThatComeAgain:
    """They are told by their control number."""

    async def test_with_the_same_content(self, tmp_path: Path) -> None:
        body = interchange_x12(7, order_850("PO1", lines_850(A=2)))
        inbox = await receive(tmp_path, body, body + b"\n")
        assert (inbox.came, inbox.position["duplicates"]) == (1, 1)
        assert named(answers(tmp_path)[1], "TA1", "AK1") == ["TA1*000000007*260302*1200*R*025"]

    async def test_with_other_content_a_person_sees_it(self, tmp_path: Path) -> None:
        inbox = await receive(
            tmp_path,
            interchange_x12(7, order_850("PO1", lines_850(A=2))),
            interchange_x12(7, order_850("PO2", lines_850(A=2))),
        )
        assert (len(inbox.orders(brief)), len(inbox.raw)) == (1, 1)

    async def test_in_one_file(self, tmp_path: Path) -> None:
        body = interchange_x12(7, order_850("PO1", lines_850(A=2)))
        inbox = await receive(tmp_path, body + body + interchange_x12(8, order_850("PO2", lines_850(A=2))))
        assert [each[0] for each in inbox.orders(brief)] == ["PO1", "PO2"]
        assert len(answers(tmp_path)) == 3

    async def test_a_refused_one_may_come_again_whole(self, tmp_path: Path) -> None:
        body = interchange_x12(7, order_850("PO1", lines_850(A=2)))
        inbox = await receive(tmp_path, body[:-30], body)
        assert (len(inbox.raw), inbox.orders(brief)) == (1, [("PO1", "original", {"A": "2"})])


class TestChanges:
    """An order is always told whole."""

    async def test_an_860_changes_the_lines_it_names(self, tmp_path: Path) -> None:
        changes = ["POC*1*QD*1**EA*2.5**VP*A", "POC*2*DI", "POC*3*AI*4**EA*1**VP*C"]
        inbox = await receive(
            tmp_path,
            interchange_x12(1, order_850("PO1", lines_850(A=2, B=3))),
            interchange_x12(2, change_860("PO1", changes), kind="860", time="1300"),
        )
        message = inbox.orders(dict)[1]
        assert brief(message) == ("PO1", "change", {"A": "1", "B": "0", "C": "4"})
        assert [line["ordered"] for line in message["lines"]] == ["2", "3", "4"]
        assert message["parties"]["ST"]["city"] == "Springfield"

    async def test_of_an_order_that_nobody_knows_a_person_sees(self, tmp_path: Path) -> None:
        inbox = await receive(tmp_path, interchange_x12(2, change_860("PO1", ["POC*1*QD*1"]), kind="860"))
        (message,) = inbox.orders(dict)
        assert (message["lines"], message["changes"][0]["change"]) == ([], "QD")

    async def test_a_cancellation_without_lines_is_about_all_of_them(self, tmp_path: Path) -> None:
        inbox = await receive(
            tmp_path,
            interchange_x12(1, order_850("PO1", lines_850(A=2))),
            interchange_x12(2, change_860("PO1", [], "01"), kind="860"),
        )
        assert inbox.orders(brief)[1] == ("PO1", "cancel", {"A": "2"})

    async def test_a_replacement_has_what_was_ordered_first(self, tmp_path: Path) -> None:
        inbox = await receive(
            tmp_path,
            interchange_x12(1, order_850("PO1", lines_850(A=2))),
            interchange_x12(2, order_850("PO1", lines_850(A=1), "05")),
        )
        message = inbox.orders(dict)[1]
        assert (message["purpose"], message["lines"][0]["ordered"], message["lines"][0]["quantity"]) == (
            "replace", "2", "1",
        )  # fmt: skip


async def test_acknowledgements_of_ours_are_not_acknowledged(tmp_path: Path) -> None:
    good, bad = ["AK1*PR*1", "AK9*A*1*1*1"], ["AK1*PR*2", "AK2*855*0001", "AK5*R*5", "AK9*R*1*1*0"]
    inbox = await receive(tmp_path, interchange_x12(1, good, kind="997"), interchange_x12(2, bad, kind="997"))
    assert (len(inbox.raw), inbox.came) == (1, 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("body", [b"no interchange", b"ISA*00", b"\xff\xfe\x00", b"ISA" * 50])
async def test_what_is_no_interchange_goes_to_a_person(tmp_path: Path, body: bytes) -> None:
    inbox = await receive(tmp_path, body)
    assert inbox.raw == [body]


async def test_a_broken_interchange_takes_no_other_with_it(tmp_path: Path) -> None:
    good = [interchange_x12(each, order_850(f"PO{each}", lines_850(A=1))) for each in (1, 2, 3)]
    inbox = await receive(tmp_path, good[0] + b"junk\n" + good[1][:-40] + good[2])
    assert [each[0] for each in inbox.orders(brief)] == ["PO1", "PO3"]
    assert len(inbox.raw) == 2
