"""X12: what the partner is told of its orders, and how answers are numbered."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from connectors.channels.edi.numbers import NumberedFiles
from connectors.channels.edi.partner import PartnerConnector
from connectors.channels.files.folder import LocalFolder
from dom.channels.telling import OurFulfilment, OurOrder, PlatformOrder, StepKind, TellStep, steps
from dom.orders.status import FulfilmentStatus
from dom.shared.errors import OutsideFailure
from tests.unit.channels.edi.test_x12_orders import receive
from tests.worlds.trading import answers, change_860, interchange_x12, lines_850, named, order_850, x12

CAN = frozenset({StepKind.ACCEPT, StepKind.FULFIL, StepKind.CANCEL})


async def ordered(folder: Path) -> PartnerConnector:
    """A partner who ordered two of A and three of B."""
    await receive(folder, interchange_x12(1, order_850("PO1", lines_850(A=2, B=3))))
    return x12(folder)


async def known(connector: PartnerConnector, number: str = "PO1") -> PlatformOrder:
    """What the partner knows of an order."""
    body = await connector.order(number)
    assert body is not None
    return connector.known(body)


async def test_nobody_knows_an_order_that_never_came(tmp_path: Path) -> None:
    await ordered(tmp_path)
    assert await x12(tmp_path).order("PO2") is None


async def test_an_order_is_accepted_line_by_line(tmp_path: Path) -> None:
    connector = await ordered(tmp_path)
    await connector.carry_out(await known(connector), TellStep(StepKind.ACCEPT, "accept"))
    (found,) = answers(tmp_path, "response")
    assert named(found, "BAK", "PO1", "ACK", "CTT") == [
        "BAK*00*AD*PO1*20260302",
        "PO1*1*2*EA*2.5**VP*A", "ACK*IA*2*EA", "PO1*2*3*EA*2.5**VP*B", "ACK*IA*3*EA", "CTT*2",
    ]  # fmt: skip
    assert (await known(connector)).is_accepted


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (TellStep(StepKind.CANCEL, "c", lines={"1": 2}), ["AC", "ACK*IR*2*EA", "ACK*IA*3*EA"]),
        (TellStep(StepKind.CANCEL, "c", lines={"2": 1}), ["AC", "ACK*IA*2*EA", "ACK*IQ*2*EA"]),
        (TellStep(StepKind.CANCEL, "c", lines={"1": 2, "2": 3}, whole=True), ["RD", "ACK*IR*2*EA", "ACK*IR*3*EA"]),
        (
            TellStep(StepKind.ACCEPT, "a", lines={"1": 2, "2": 1}, reason="backorder"),
            ["AC", "ACK*IA*2*EA", "ACK*IA*1*EA", "ACK*IB*2*EA"],
        ),
    ],
)
async def test_what_does_not_come_has_its_code(tmp_path: Path, step: TellStep, told: list[str]) -> None:
    connector = await ordered(tmp_path)
    await connector.carry_out(await known(connector), step)
    (found,) = answers(tmp_path, "response")
    assert [found[3][2], *named(found, "ACK")] == told


async def test_a_parcel_has_levels_shipment_order_pack_item(tmp_path: Path) -> None:
    connector = await ordered(tmp_path)
    step = TellStep(StepKind.FULFIL, "F-1", lines={"1": 2, "2": 1}, carrier="UPSN", tracking_number="1Z999")
    assert (await connector.carry_out(await known(connector), step)).platform_id == "F-1"
    (found,) = answers(tmp_path, "despatch")
    assert named(found, "HL", "PRF", "MAN", "LIN", "SN1", "CTT") == [
        "HL*1**S", "HL*2*1*O", "PRF*PO1***20260302", "HL*3*2*P", "MAN*CP*1Z999",
        "HL*4*3*I", "LIN*1*VP*A", "SN1*1*2*EA**2*EA", "HL*5*3*I", "LIN*2*VP*B", "SN1*2*1*EA**3*EA", "CTT*5*3",
    ]  # fmt: skip
    after = await known(connector)
    assert ([each.id for each in after.fulfilments], after.lines["2"].open) == (["F-1"], 2)


async def test_what_was_told_is_found_and_not_told_again(tmp_path: Path) -> None:
    connector = await ordered(tmp_path)
    parcel = OurFulfilment("F-1", FulfilmentStatus.HANDED_OVER, {"1": 2}, "UPSN", "1Z999")
    ours = OurOrder("dom-1", "PO1", wanted={"1": 2, "2": 0}, agreed={"1": 2, "2": 3}, fulfilments=[parcel])
    kinds = []
    for step in steps(ours, await known(connector), {}, CAN):
        kinds.append(step.kind)
        await connector.carry_out(await known(connector), step)
    assert kinds == [StepKind.ACCEPT, StepKind.FULFIL, StepKind.CANCEL]
    assert [step for step in steps(ours, await known(connector), {}, CAN) if step.known is None] == []


async def test_what_the_partner_changes_counts_anew(tmp_path: Path) -> None:
    connector = await ordered(tmp_path)
    await connector.carry_out(await known(connector), TellStep(StepKind.CANCEL, "c", lines={"1": 1, "2": 1}))
    await receive(tmp_path, interchange_x12(2, change_860("PO1", ["POC*2*QI*5"]), kind="860", time="1300"))
    after = await known(connector)
    assert {name: line.wanted for name, line in after.lines.items()} == {"1": 1, "2": 5}


async def test_the_same_step_is_the_same_file(tmp_path: Path) -> None:
    connector = await ordered(tmp_path)
    step = TellStep(StepKind.FULFIL, "F-1", lines={"1": 2})
    for _ in range(3):
        await x12(tmp_path).carry_out(await known(connector), step)
    assert len(answers(tmp_path, "despatch")) == 1
    assert (await known(connector)).lines["1"].open == 0


async def test_what_a_partner_cannot_be_told(tmp_path: Path) -> None:
    connector = await ordered(tmp_path)
    with pytest.raises(OutsideFailure):
        await connector.carry_out(await known(connector), TellStep(StepKind.REFUND, "r"))


class TestControlNumbers:
    """They rise without gaps, whoever writes."""

    async def test_across_connectors_at_once(self, tmp_path: Path) -> None:
        connector = await ordered(tmp_path)
        order = await known(connector)
        told = [TellStep(StepKind.FULFIL, f"F-{each % 20}", lines={"1": 1}) for each in range(40)]
        await asyncio.gather(*[x12(tmp_path).carry_out(order, step) for step in told])
        numbers = [int(found[0][13]) for found in answers(tmp_path)]
        assert numbers == list(range(1, 22))

    async def test_after_a_death_between_number_and_file(self, tmp_path: Path) -> None:
        (tmp_path / "state").mkdir()

        class Dying(LocalFolder):
            async def write(self, path: str, body: bytes) -> None:
                raise KeyboardInterrupt

        def numbered(folder: LocalFolder) -> NumberedFiles:
            return NumberedFiles(tmp_path / "state", folder, "out", "x12")

        from datetime import UTC, datetime

        now = datetime(2026, 3, 2, tzinfo=UTC)
        with pytest.raises(KeyboardInterrupt):
            await numbered(Dying(tmp_path)).send("a", "t", lambda number, _: b"%d" % number, now)
        after = numbered(LocalFolder(tmp_path))
        await after.send("b", "t", lambda number, _: b"%d" % number, now)
        await after.send("a", "t", lambda number, _: b"%d" % number, now)
        assert Counter([each.read_bytes() for each in (tmp_path / "out").iterdir()]) == {b"1": 1, b"2": 1}

    async def test_delimiters_within_texts_are_blanks(self, tmp_path: Path) -> None:
        connector = await ordered(tmp_path)
        step = TellStep(StepKind.FULFIL, "F-1", lines={"1": 1}, tracking_number="1Z*9~9\n")
        await connector.carry_out(await known(connector), step)
        assert named(answers(tmp_path, "despatch")[0], "MAN") == ["MAN*CP*1Z 9 9 "]
