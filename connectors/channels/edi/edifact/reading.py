"""ORDERS and ORDCHG as messages that mappings read: named fields for what orders are made of, and every segment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.channels.edi.edifact import checks
from connectors.channels.edi.edifact.checks import EdifactFault
from connectors.channels.edi.edifact.tokens import (
    EdifactEnvelope,
    EdifactSet,
    Element,
    Elements,
    envelopes,
    part,
)
from connectors.channels.edi.interchange import Interchange, Message, OrderSet, Refusal, moment


@dataclass(slots=True)
class EdifactVerdict:
    """What is said of a message in a CONTRL: the code of the whole, and what is wrong with segments."""

    header: Elements
    code: str
    faults: list[EdifactFault]

    @property
    def is_accepted(self) -> bool:
        """Whether it is read."""
        return not self.code and not self.faults


@dataclass(slots=True)
class EdifactReport:
    """What is said of an interchange in a CONTRL."""

    envelope: EdifactEnvelope
    verdicts: list[EdifactVerdict] = field(default_factory=list)


def read(raw: bytes) -> list[Interchange]:
    """The interchanges of a file."""
    return [_interchange(raw[found.start : found.stop], found, raw) for found in envelopes(raw)]


def _interchange(raw: bytes, envelope: EdifactEnvelope, whole: bytes) -> Interchange:
    header = envelope.header
    if not header or not part(header, 5):
        return Interchange(raw, refusal=Refusal.STRUCTURE)
    report = EdifactReport(envelope)
    made = Interchange(
        raw,
        sender=f"{part(header, 2, 1)}:{part(header, 2)}",
        receiver=f"{part(header, 3, 1)}:{part(header, 3)}",
        control=part(header, 5),
        refusal=envelope.fault,
        report=report,
    )
    known = set()
    for found in envelope.sets:
        verdict = _verdict(found)
        reference = part(verdict.header, 1)
        if reference in known:
            verdict.code = verdict.code or checks.INVALID
        known.add(reference)
        report.verdicts.append(verdict)
        made.sets.append(_order_set(made, found, verdict, whole))
    return made


def _verdict(found: EdifactSet) -> EdifactVerdict:
    header = found.segments[0]
    kind, code = part(header, 2), found.fault
    if not part(header, 1):
        code = code or checks.MISSING
    if kind not in {checks.ORDERS, checks.ORDCHG, *checks.ANSWERS}:
        code = code or checks.NOT_SUPPORTED
    wrong = checks.faults(found) if kind in {checks.ORDERS, checks.ORDCHG} else []
    return EdifactVerdict(header, code, wrong)


def _order_set(made: Interchange, found: EdifactSet, verdict: EdifactVerdict, whole: bytes) -> OrderSet:
    kind = part(verdict.header, 2)
    name, raw = f"{kind}/{part(verdict.header, 1)}", whole[found.start : found.stop]
    if kind in checks.ANSWERS:
        return OrderSet(name, raw, is_answer=kind == "CONTRL" and not _refuses(found))
    return OrderSet(name, raw, _message(made, found) if verdict.is_accepted else None)


def _refuses(found: EdifactSet) -> bool:
    """Whether the partner refuses something that we sent: a person must look at it."""
    places = {"UCI": 4, "UCM": 3}
    return any(part(each, places[part(each, 0)]) == "4" for each in found.segments if part(each, 0) in places)


# --- the message -----------------------------------------------------------------------------------------------------


def _message(made: Interchange, found: EdifactSet) -> Message:
    envelope: EdifactEnvelope = made.report.envelope
    header, of_set = envelope.header, found.segments[0]
    kind = part(of_set, 2)
    message: Message = {
        "number": "", "kind": kind, "type": "", "purpose": "", "is_delta": kind == checks.ORDCHG, "date": None,
        "sent_at": moment(part(header, 4), part(header, 4, 1)[:4]), "currency": "", "parties": {}, "references": {},
        "dates": {}, "carrier": {}, "notes": [], "lines": [], "totals": {},
    }  # fmt: skip
    _Reader(message, envelope.marks.decimal).read(found.segments)
    message["segments"] = [list(segment) for segment in found.segments]
    message["interchange"] = {
        "standard": "EDIFACT", "sender": made.sender, "receiver": made.receiver, "control": made.control,
        "set": part(of_set, 1), "release": f"{part(of_set, 2, 1)}:{part(of_set, 2, 2)}",
        "test": part(header, 11) == "1",
    }  # fmt: skip
    return message


@dataclass(slots=True)
class _Reader:
    """Goes through the segments. What follows a line is of that line, what follows a party of that party."""

    into: Message
    decimal: str
    party: dict[str, Any] | None = None
    line: dict[str, Any] | None = None

    def read(self, segments: Sequence[Elements]) -> None:
        """Read them all."""
        for segment in segments:
            read = _READERS.get(part(segment, 0))
            if read is not None:
                read(self, segment)

    def bgm(self, segment: Elements) -> None:
        """The head: what kind of order, its number, what the message is for."""
        self.into |= {
            "type": part(segment, 1), "number": part(segment, 2), "purpose": checks.PURPOSES[part(segment, 3)],
        }  # fmt: skip

    def dtm(self, segment: Elements) -> None:
        """A date by its kind: 137 is of the document, 2 is wanted on."""
        kind, at = part(segment, 1), checks.moment(segment)
        if kind == "137" and self.line is None:
            self.into["date"] = at
        self._of()["dates"][kind] = at

    def rff(self, segment: Elements) -> None:
        """A reference by its kind: ON is the order that an ORDCHG changes."""
        if self.party is not None:
            return
        self._of()["references"][part(segment, 1)] = part(segment, 1, 1)
        if part(segment, 1) == "ON" and self.line is None and self.into["is_delta"]:
            self.into["change"], self.into["number"] = self.into["number"], part(segment, 1, 1)

    def nad(self, segment: Elements) -> None:
        """A party by its kind: BY buys, DP is delivered to, IV is invoiced."""
        names = _texts(segment, 4)
        described = _texts(segment, 3)
        self.party = {
            "name": names[0] if names else described[0] if described else "", "names": names,
            "qualifier": part(segment, 2, 2), "id": part(segment, 2), "lines": _texts(segment, 5) or described[1:],
            "city": part(segment, 6), "region": part(segment, 7), "postal_code": part(segment, 8),
            "country": part(segment, 9),
        }  # fmt: skip
        if self.line is None:
            self.into["parties"][part(segment, 1)] = self.party

    def cta(self, segment: Elements) -> None:
        """Whom to ask."""
        self._contact()["contact"] = part(segment, 2, 1) or part(segment, 2)

    def com(self, segment: Elements) -> None:
        """How to reach him."""
        for element in segment[1:]:
            kind = {"EM": "email", "TE": "phone", "AL": "phone"}.get(part((element,), 0, 1))
            if kind:
                self._contact()[kind] = part((element,), 0)

    def cux(self, segment: Elements) -> None:
        """The currency."""
        if self.line is None and part(segment, 1, 1):
            self.into["currency"] = part(segment, 1, 1)

    def tdt(self, segment: Elements) -> None:
        """How it is to be sent."""
        if self.line is None:
            self.into["carrier"] = {
                "mode": part(segment, 3), "code": part(segment, 5), "routing": part(segment, 5, 3),
                "service": part(segment, 4),
            }  # fmt: skip

    def tod(self, segment: Elements) -> None:
        """Terms of delivery."""
        self.into["terms"] = part(segment, 3)

    def ftx(self, segment: Elements) -> None:
        """A note in words."""
        text = " ".join(_texts(segment, 4))
        if text:
            self._of()["notes"].append(text)

    def lin(self, segment: Elements) -> None:
        """A line: its number, what is changed of it, its article."""
        taken = {line["line"] for line in self.into["lines"]}
        name = part(segment, 1) or str(len(taken) + 1)
        while name in taken and not self.into["is_delta"]:
            name += "+"
        self.party = None
        self.line = {
            "line": name, "quantity": "", "ordered": "", "unit": "", "price": "", "basis": "", "ids": {},
            "description": "", "references": {}, "dates": {}, "notes": [], "amounts": {},
        }  # fmt: skip
        if self.into["is_delta"]:
            self.line["change"] = checks.CHANGES[part(segment, 2)]
        self._identify(segment[3:4])
        self.into["lines"].append(self.line)

    def pia(self, segment: Elements) -> None:
        """Other numbers of the article: SA is ours, IN the buyer's."""
        self._identify(segment[2:])

    def _identify(self, elements: Sequence[Element]) -> None:
        for element in elements:
            kind = part((element,), 0, 1)
            if self.line is not None and kind:
                self.line["ids"][kind] = part((element,), 0)

    def imd(self, segment: Elements) -> None:
        """What the article is called."""
        if self.line is not None and not self.line["description"]:
            self.line["description"] = part(segment, 3, 3) or part(segment, 3)

    def qty(self, segment: Elements) -> None:
        """Units: 21 were ordered."""
        if self.line is not None and part(segment, 1) in {"21", "1"}:
            amount = self._number(part(segment, 1, 1))
            self.line |= {"quantity": amount, "ordered": amount, "unit": part(segment, 1, 2)}

    def pri(self, segment: Elements) -> None:
        """The price of so many units: AAA is net, which counts before others."""
        if self.line is not None and (not self.line["price"] or part(segment, 1) == "AAA"):
            self.line |= {"price": self._number(part(segment, 1, 1)), "basis": self._number(part(segment, 1, 4))}

    def moa(self, segment: Elements) -> None:
        """An amount by its kind: 86 is the total, 203 that of a line."""
        into = self.into["totals"] if self.line is None else self.line["amounts"]
        into[part(segment, 1)] = self._number(part(segment, 1, 1))

    def uns(self, segment: Elements) -> None:
        """Behind it stands what is of the whole order again."""
        del segment
        self.line, self.party = None, None

    def cnt(self, segment: Elements) -> None:
        """How many lines there are."""
        if part(segment, 1) == "2":
            self.into["totals"]["lines"] = part(segment, 1, 1)

    def _number(self, text: str) -> str:
        """With a decimal point; partners write a comma where their service characters say a point, too."""
        return text.replace(self.decimal, ".").replace(",", ".")

    def _contact(self) -> dict[str, Any]:
        contact: dict[str, Any] = self.into.setdefault("contact", {}) if self.party is None else self.party
        return contact

    def _of(self) -> dict[str, Any]:
        return self.into if self.line is None else self.line


def _texts(segment: Elements, place: int) -> list[str]:
    """The components of an element that say anything."""
    element = segment[place] if place < len(segment) else ""
    parts = [element] if isinstance(element, str) else element
    return [each.strip() for each in parts if each.strip()]


_READERS: Final = {
    "BGM": _Reader.bgm, "DTM": _Reader.dtm, "RFF": _Reader.rff, "NAD": _Reader.nad, "CTA": _Reader.cta,
    "COM": _Reader.com, "CUX": _Reader.cux, "TDT": _Reader.tdt, "TOD": _Reader.tod, "FTX": _Reader.ftx,
    "LIN": _Reader.lin, "PIA": _Reader.pia, "IMD": _Reader.imd, "QTY": _Reader.qty, "PRI": _Reader.pri,
    "MOA": _Reader.moa, "UNS": _Reader.uns, "CNT": _Reader.cnt,
}  # fmt: skip
