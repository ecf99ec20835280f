"""What a partner gets: CONTRL for what came, ORDRSP for orders, DESADV for parcels.

Source: UN/EDIFACT directories D.96A and D.01B; CONTRL as in ISO 9735 part 4. Texts are escaped by `pydifact`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydifact.control import Characters
from pydifact.serializer import Serializer

from connectors.channels.edi.edifact.checks import EdifactFault
from connectors.channels.edi.edifact.reading import EdifactReport, EdifactVerdict
from connectors.channels.edi.edifact.reading import read as read_interchanges
from connectors.channels.edi.edifact.tokens import Elements, part
from connectors.channels.edi.interchange import AnsweredLine, Despatch, Interchange, Message, Refusal, Render
from connectors.channels.edi.settings import EdifactSettings

_ACKNOWLEDGED: Final = "7"
_REFUSED: Final = "4"
_CODES: Final = {
    Refusal.DUPLICATE: "26",
    Refusal.SENDER: "23",
    Refusal.RECEIVER: "7",
    Refusal.CONTROL_NUMBER: "28",
    Refusal.COUNT: "29",
    Refusal.CUT: "13",
    Refusal.STRUCTURE: "18",
}
"""0085: why an interchange is refused."""
_SERIALIZER: Final = Serializer(Characters())
Part = str | int
Written = list[Sequence[Part | Sequence[Part]]]


class Edifact:
    """EDIFACT with one partner."""

    extension = "edi"

    def __init__(self, settings: EdifactSettings) -> None:
        self._settings = settings

    def read(self, raw: bytes) -> list[Interchange]:
        """As `Standard` says."""
        return read_interchanges(raw)

    # --- acknowledgements --------------------------------------------------------------------------------------------

    def acknowledgement(self, interchange: Interchange) -> Render | None:
        """A CONTRL: of the whole, and of each message."""
        report: EdifactReport | None = interchange.report
        if report is None or interchange.is_answer:
            return None
        header = report.envelope.header
        refusal = interchange.refusal
        verdict: list[Part] = [_REFUSED, _CODES[refusal]] if refusal else [_ACKNOWLEDGED]
        sides = [_as_written(header, 2), _as_written(header, 3)]
        written: Written = [["UCI", part(header, 5), *sides, *verdict]]
        if refusal is None:
            for each in report.verdicts:
                written += _acknowledged(each)
        return self._render("CONTRL", "D:3", written)

    # --- answers -----------------------------------------------------------------------------------------------------

    def response(self, order: Message, lines: Sequence[AnsweredLine], *, is_first: bool) -> Render:
        """An ORDRSP: each line with what we say of it. Further ones replace the first."""
        del is_first
        all_come = all(each.accepted == each.ordered for each in lines)
        none_comes = not any(each.accepted or each.is_backordered for each in lines)
        verdict = "27" if none_comes else "29" if all_come else "4"

        def render(number: int, now: datetime) -> bytes:
            written: Written = [
                ["BGM", "231", f"{number}", verdict],
                ["DTM", ["137", f"{now:%Y%m%d%H%M}", "203"]],
                ["RFF", ["ON", order["number"]]],
                *self._parties(),
            ]
            for each in lines:
                written += _answered(each)
            written += [["UNS", "S"], ["CNT", ["2", len(lines)]]]
            return self._render("ORDRSP", self._settings.directory, written)(number, now)

        return render

    def despatch_advice(self, order: Message, despatch: Despatch) -> Render:
        """A DESADV: one consignment, one package, its items."""
        delivered = order["parties"].get("DP") or order["parties"].get("BY") or {}

        def render(number: int, now: datetime) -> bytes:
            written: Written = [
                ["BGM", "351", despatch.id[:35], "9"],
                ["DTM", ["137", f"{now:%Y%m%d%H%M}", "203"]],
                ["DTM", ["11", f"{now:%Y%m%d}", "102"]],
                ["RFF", ["ON", order["number"]]],
                *([["RFF", ["CN", despatch.tracking_number]]] if despatch.tracking_number else []),
                *self._parties(),
                *([["NAD", "DP", [delivered["id"], "", delivered["qualifier"] or "9"]]] if delivered.get("id") else []),
                *([["TDT", "20", "", "", "", ["", "", "", despatch.carrier]]] if despatch.carrier else []),
                ["CPS", "1"],
                ["PAC", "1"],
                *([["PCI", "33E"], ["GIN", "AW", despatch.tracking_number]] if despatch.tracking_number else []),
            ]
            for line, count in despatch.lines:
                written += [*_article(line), ["QTY", _quantity("12", count, line)]]
                written.append(["RFF", ["ON", order["number"], line["line"]]])
            return self._render("DESADV", self._settings.directory, written)(number, now)

        return render

    def _parties(self) -> Written:
        own = self._settings
        return [["NAD", "BY", [own.partner_id, "", "9"]], ["NAD", "SU", [own.own_id, "", "9"]]]

    # --- envelopes ---------------------------------------------------------------------------------------------------

    def _render(self, kind: str, directory: str, written: Written) -> Render:
        def render(number: int, now: datetime) -> bytes:
            own = self._settings
            last: list[Part] = ["", "", "", "", "", "1"] if own.test else []
            all_of: Written = [
                [
                    "UNB", ["UNOC", "3"], [own.own_id, own.own_qualifier], [own.partner_id, own.partner_qualifier],
                    [f"{now:%y%m%d}", f"{now:%H%M}"], number, *last,
                ],
                ["UNH", "1", [kind, *directory.split(":"), "UN"]],
                *written,
                ["UNT", len(written) + 2, "1"],
                ["UNZ", "1", number],
            ]  # fmt: skip
            body = "UNA:+.? '\n" + "".join([_segment(each) for each in all_of])
            return body.encode("iso-8859-1", "replace")

        return render


def _segment(parts: Sequence[Part | Sequence[Part]]) -> str:
    """A segment; empty elements at its end, and empty components at theirs, are left out."""
    written = [_element(each) for each in parts]
    while not written[-1]:
        written.pop()
    return "+".join(written) + "'\n"


def _element(element: Part | Sequence[Part]) -> str:
    components = [_text(each) for each in ([element] if isinstance(element, str | int) else element)]
    while len(components) > 1 and not components[-1]:
        components.pop()
    return ":".join(components)


def _text(given: Part) -> str:
    escaped: str = _SERIALIZER.escape(" ".join(str(given).split()))
    return escaped


def _as_written(segment: Elements, place: int) -> Sequence[Part]:
    return [part(segment, place), part(segment, place, 1)]


def _acknowledged(verdict: EdifactVerdict) -> Written:
    header = verdict.header
    told = [part(header, 2, at) for at in range(4)]
    if verdict.is_accepted:
        return [["UCM", part(header, 1), told, _ACKNOWLEDGED]]
    codes: list[Part] = [verdict.code] if verdict.code else []
    written: Written = [["UCM", part(header, 1), told, _REFUSED, *codes]]
    for fault in verdict.faults:
        written += _told(fault)
    return written


def _told(fault: EdifactFault) -> Written:
    if not fault.element:
        return [["UCS", fault.place, fault.code]]
    # The segment's own tag is the first element there (S011), and is none of ours.
    at: list[Part] = [fault.element + 1, *([fault.component] if fault.component else [])]
    return [["UCS", fault.place], ["UCD", fault.code, at]]


def _article(line: Message, action: str = "") -> Written:
    """The line and its article: a GTIN with the line itself, other numbers behind it."""
    gtin = next((kind for kind in ("EN", "SRV", "UP") if kind in line["ids"]), "")
    written: Written = [["LIN", line["line"], action, [line["ids"][gtin], gtin] if gtin else ""]]
    others = [[number, kind] for kind, number in line["ids"].items() if kind != gtin]
    return [*written, *([["PIA", "1", *others[:5]]] if others else [])]


def _answered(answer: AnsweredLine) -> Written:
    """1229 of LIN: 5 as ordered, 3 in another quantity, 7 not; QTY 113 will come, 83 waits."""
    line, missing = answer.line, answer.ordered - answer.accepted
    action = "5" if not missing else "3" if answer.accepted or answer.is_backordered else "7"
    written: Written = [*_article(line, action), ["QTY", _quantity("21", answer.ordered, line)]]
    written.append(["QTY", _quantity("113", answer.accepted, line)])
    if missing and answer.is_backordered:
        written.append(["QTY", _quantity("83", missing, line)])
    return written


def _quantity(kind: str, count: int, line: Message) -> Sequence[Part]:
    return [kind, count, line["unit"]] if line["unit"] else [kind, count]
