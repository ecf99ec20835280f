"""What a partner gets: 997 and TA1 for what came, 855 for orders, 856 for parcels.

Source: the code lists of X12 release 004010: I18 (TA1-05), 716 and 717 (AK5), 715 and 716 (AK9), 668 (ACK-01).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from connectors.channels.edi.interchange import AnsweredLine, Despatch, Interchange, Message, Refusal, Render
from connectors.channels.edi.settings import X12Settings
from connectors.channels.edi.x12.reading import X12Report, X12Verdict
from connectors.channels.edi.x12.reading import read as read_interchanges
from connectors.channels.edi.x12.tokens import X12Group, part

_TA1_CODES: Final = {
    None: "000",
    Refusal.CONTROL_NUMBER: "001",
    Refusal.SENDER: "006",
    Refusal.RECEIVER: "008",
    Refusal.COUNT: "021",
    Refusal.STRUCTURE: "022",
    Refusal.CUT: "023",
    Refusal.DUPLICATE: "025",
}
_MOST_CODES: Final = 5
_ELEMENT, _COMPONENT, _TERMINATOR, _REPETITION = "*", ">", "~", "^"
_MARKS: Final = str.maketrans(dict.fromkeys("*>~^\r\n\t", " "))
"""X12 knows no way to write its own delimiters: they become blanks."""
_FUNCTION: Final = {"997": "FA", "855": "PR", "856": "SH"}
Written = list[Sequence[str | int]]


class X12:
    """X12 with one partner."""

    extension = "x12"

    def __init__(self, settings: X12Settings) -> None:
        self._settings = settings

    def read(self, raw: bytes) -> list[Interchange]:
        """As `Standard` says."""
        return read_interchanges(raw)

    # --- acknowledgements --------------------------------------------------------------------------------------------

    def acknowledgement(self, interchange: Interchange) -> Render | None:
        """A TA1 where it is asked for or something is wrong, and a 997 for each group of what is not refused whole."""
        report: X12Report | None = interchange.report
        if report is None or interchange.is_answer:
            return None
        header = report.envelope.header
        ta1: list[Written] = []
        if interchange.refusal is not None or part(header, 14) == "1":
            verdict = "R" if interchange.refusal else "A"
            code = _TA1_CODES[interchange.refusal]
            ta1 = [[["TA1", part(header, 13), part(header, 9), part(header, 10), verdict, code]]]
        groups = [] if interchange.refusal else [_acknowledged(group, verdicts) for group, verdicts in report.groups]
        groups = [each for each in groups if each]
        return self._render("997", groups, ta1[0] if ta1 else []) if groups or ta1 else None

    # --- answers -----------------------------------------------------------------------------------------------------

    def response(self, order: Message, lines: Sequence[AnsweredLine], *, is_first: bool) -> Render:
        """An 855: each line with what we say of it."""
        all_come = all(each.accepted == each.ordered for each in lines)
        none_comes = not any(each.accepted or each.is_backordered for each in lines)
        verdict = "RD" if none_comes else "AD" if all_come else "AC"
        date = (order.get("date") or "").replace("-", "")
        segments: Written = [["BAK", "00" if is_first else "04", verdict, order["number"], date]]
        for each in lines:
            line = each.line
            ids = [part for pair in line["ids"].items() for part in pair]
            segments.append(["PO1", line["line"], line["quantity"], line["unit"], line["price"], line["basis"], *ids])
            segments += [["ACK", code, units, line["unit"]] for code, units in _codes(each)]
        segments.append(["CTT", len(lines)])
        return self._render("855", [segments])

    def despatch_advice(self, order: Message, despatch: Despatch) -> Render:
        """An 856: shipment, order, pack, item."""
        ship_to = order["parties"].get("ST", {})
        units = sum([count for _, count in despatch.lines])

        def render(number: int, now: datetime) -> bytes:
            segments: Written = [
                ["BSN", "00", despatch.id[:30], f"{now:%Y%m%d}", f"{now:%H%M}", "0001"],
                ["HL", 1, "", "S"],
                ["TD1", "CTN", 1],
                ["TD5", "", 2 if despatch.carrier else "", despatch.carrier],
                ["REF", "CN", despatch.tracking_number],
                ["DTM", "011", f"{now:%Y%m%d}"],
                ["N1", "ST", ship_to.get("name", ""), ship_to.get("qualifier", ""), ship_to.get("id", "")],
                ["HL", 2, 1, "O"],
                ["PRF", order["number"], "", "", (order.get("date") or "").replace("-", "")],
                ["HL", 3, 2, "P"],
                ["MAN", "CP", despatch.tracking_number],
            ]
            for place, (line, count) in enumerate(despatch.lines, 4):
                ids = [part for pair in line["ids"].items() for part in pair]
                segments.append(["HL", place, 3, "I"])
                segments.append(["LIN", line["line"], *ids])
                segments.append(["SN1", line["line"], count, line["unit"] or "EA", "", line["quantity"], line["unit"]])
            segments.append(["CTT", 3 + len(despatch.lines), units])
            told = [each for each in segments if each[0] not in {"TD5", "REF", "MAN"} or each[-1]]
            return self._render("856", [told])(number, now)

        return render

    # --- envelopes ---------------------------------------------------------------------------------------------------

    def _render(self, kind: str, sets: Sequence[Written], before: Written | None = None) -> Render:
        """An interchange with one group of these sets; `before` are segments that stand before it."""

        def render(number: int, now: datetime) -> bytes:
            written: Written = list(before or [])
            if sets:
                written.append(self._group_header(kind, number, now))
                for place, segments in enumerate(sets, 1):
                    control = f"{place:04d}"
                    written += [["ST", kind, control], *segments, ["SE", len(segments) + 2, control]]
                written.append(["GE", len(sets), number])
            written.append(["IEA", 1 if sets else 0, f"{number:09d}"])
            body = self._header(number, now) + "".join([_segment(each) for each in written])
            return body.encode()

        return render

    def _header(self, number: int, now: datetime) -> str:
        own = self._settings
        is_old = own.release < "00402"
        parts = [
            "ISA", "00", " " * 10, "00", " " * 10, f"{own.own_qualifier:2.2}", f"{own.own_id:15.15}",
            f"{own.partner_qualifier:2.2}", f"{own.partner_id:15.15}", f"{now:%y%m%d}", f"{now:%H%M}",
            "U" if is_old else _REPETITION, own.release[:5], f"{number:09d}", "0", "T" if own.test else "P", _COMPONENT,
        ]  # fmt: skip
        return _ELEMENT.join(parts) + _TERMINATOR + "\n"

    def _group_header(self, kind: str, number: int, now: datetime) -> Sequence[str | int]:
        own = self._settings
        return [
            "GS", _FUNCTION[kind], own.own_group_id or own.own_id[:15], own.partner_group_id or own.partner_id[:15],
            f"{now:%Y%m%d}", f"{now:%H%M}", number, "X", own.release,
        ]  # fmt: skip


def _segment(parts: Sequence[str | int]) -> str:
    """A segment; empty elements at its end are left out."""
    written = [str(each).translate(_MARKS) for each in parts]
    while not written[-1]:
        written.pop()
    return _ELEMENT.join(written) + _TERMINATOR + "\n"


def _codes(line: AnsweredLine) -> list[tuple[str, int]]:
    """ACK-01: IA comes as ordered, IQ comes in another quantity, IB waits, IR does not come."""
    missing = line.ordered - line.accepted
    if not missing:
        return [("IA", line.accepted)]
    if line.is_backordered:
        return [*([("IA", line.accepted)] if line.accepted else []), ("IB", missing)]
    return [("IQ", line.accepted)] if line.accepted else [("IR", line.ordered)]


def _acknowledged(group: X12Group, verdicts: Sequence[X12Verdict]) -> Written:
    """The segments of a 997; nothing for a group of acknowledgements, which are not acknowledged."""
    if part(group.header, 1) == "FA":
        return []
    written: Written = [["AK1", part(group.header, 1), part(group.header, 6)]]
    for verdict in verdicts:
        written += _verdict(verdict)
    accepted = sum([verdict.is_accepted for verdict in verdicts])
    all_in = accepted == len(verdicts)
    whole = "A" if all_in and not group.codes else "E" if all_in else "P" if accepted else "R"
    told = part(group.trailer, 1) if group.trailer else ""
    codes = group.codes[:_MOST_CODES]
    return [*written, ["AK9", whole, told or len(verdicts), len(verdicts), accepted, *codes]]


def _verdict(verdict: X12Verdict) -> Written:
    written: Written = [["AK2", verdict.kind, verdict.control]]
    for fault in verdict.faults:
        written.append(["AK3", fault.name, fault.place, "", fault.code])
        written += [["AK4", each.place, "", each.code, each.value] for each in fault.elements]
    codes = list(dict.fromkeys(verdict.codes))[:_MOST_CODES]
    return [*written, ["AK5", "R" if codes else "A", *codes]]
