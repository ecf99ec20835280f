"""850 and 860 as messages that mappings read: named fields for what orders are made of, and every segment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.channels.edi.interchange import Interchange, Message, OrderSet, Refusal, moment
from connectors.channels.edi.x12 import checks
from connectors.channels.edi.x12.checks import SegmentFault, day
from connectors.channels.edi.x12.tokens import X12Envelope, X12Group, X12Set, envelopes, part

_IDS_OF_PO1: Final = 6
_IDS_OF_POC: Final = 8
_GROUPS: Final = {"PO": checks.ORDER, "PC": checks.CHANGE}
"""GS01: which sets a group of it holds."""


@dataclass(slots=True)
class X12Verdict:
    """What is said of a transaction set in a 997."""

    kind: str
    control: str
    codes: list[str]
    faults: list[SegmentFault]

    @property
    def is_accepted(self) -> bool:
        """Whether it is read."""
        return not self.codes


@dataclass(slots=True)
class X12Report:
    """What is said of an interchange in a TA1 and in 997s."""

    envelope: X12Envelope
    groups: list[tuple[X12Group, list[X12Verdict]]] = field(default_factory=list)


def read(raw: bytes) -> list[Interchange]:
    """The interchanges of a file."""
    return [_interchange(raw[found.start : found.stop], found, raw) for found in envelopes(raw)]


def _interchange(raw: bytes, envelope: X12Envelope, whole: bytes) -> Interchange:
    if not envelope.header:
        return Interchange(raw, refusal=Refusal.STRUCTURE)
    header = envelope.header
    report = X12Report(envelope)
    made = Interchange(
        raw,
        sender=f"{part(header, 5)}:{part(header, 6)}",
        receiver=f"{part(header, 7)}:{part(header, 8)}",
        control=part(header, 13),
        refusal=envelope.fault,
        report=report,
    )
    for place, group in enumerate(envelope.groups):
        verdicts = [_verdict(group, each) for each in group.sets]
        report.groups.append((group, verdicts))
        known = set()
        for each, verdict in zip(group.sets, verdicts, strict=True):
            if verdict.control in known:
                verdict.codes.append(checks.SET_NUMBER_MISSING)
            known.add(verdict.control)
            made.sets.append(_order_set(made, group, each, verdict, place, whole))
    return made


def _verdict(group: X12Group, found: X12Set) -> X12Verdict:
    kind, codes = found.element(1), list(found.codes)
    wrong: list[SegmentFault] = []
    if not found.element(2):
        codes.append(checks.SET_NUMBER_MISSING)
    if kind in {checks.ORDER, checks.CHANGE}:
        wrong = checks.faults(found)
        if _GROUPS.get(part(group.header, 1)) != kind:
            codes.append(checks.SET_NOT_SUPPORTED)
    elif kind not in checks.ANSWERS:
        codes.append(checks.SET_NOT_SUPPORTED)
    if wrong:
        codes.append(checks.SEGMENTS_IN_ERROR)
    return X12Verdict(kind, found.element(2), codes, wrong)


def _order_set(
    made: Interchange, group: X12Group, found: X12Set, verdict: X12Verdict, place: int, whole: bytes
) -> OrderSet:
    name = f"{verdict.kind}/{place + 1}/{part(group.header, 6)}/{verdict.control}"
    raw = whole[found.start : found.stop]
    if verdict.kind in checks.ANSWERS:
        return OrderSet(name, raw, is_answer=not _refuses(found))
    if not verdict.is_accepted:
        return OrderSet(name, raw)
    return OrderSet(name, raw, _message(made, group, found))


def _refuses(found: X12Set) -> bool:
    """Whether the partner refuses something that we sent: a person must look at it."""
    verdicts = [part(segment, 1) for segment in found.segments if segment[0] in {"AK5", "IK5", "AK9"}]
    return any(verdict not in {"A", "E"} for verdict in verdicts)


# --- the message -----------------------------------------------------------------------------------------------------


def _message(made: Interchange, group: X12Group, found: X12Set) -> Message:
    header = made.report.envelope.header
    message: Message = {
        "number": "", "kind": found.element(1), "type": "", "purpose": "",
        "is_delta": found.element(1) == checks.CHANGE, "date": None,
        "sent_at": moment(part(group.header, 4), part(group.header, 5)[:6]), "currency": "",
        "parties": {}, "references": {}, "dates": {}, "carrier": {}, "notes": [], "lines": [], "totals": {},
    }  # fmt: skip
    _Reader(message).read(found.segments)
    message["segments"] = [list(segment) for segment in found.segments]
    message["interchange"] = {
        "standard": "X12", "sender": made.sender, "receiver": made.receiver, "control": made.control,
        "group": part(group.header, 6), "set": found.element(2), "release": part(group.header, 8),
        "test": part(header, 15) == "T",
    }  # fmt: skip
    return message


@dataclass(slots=True)
class _Reader:
    """Goes through the segments. What follows a line is of that line, what follows a party of that party."""

    into: Message
    party: dict[str, Any] | None = None
    line: dict[str, Any] | None = None

    def read(self, segments: Sequence[Sequence[str]]) -> None:
        """Read them all."""
        for segment in segments:
            read = _READERS.get(segment[0])
            if read is not None:
                read(self, segment)

    def beg(self, segment: Sequence[str]) -> None:
        """The head of an order: purpose, type, number, date."""
        self.into |= {
            "purpose": checks.PURPOSES.get(part(segment, 1), ""), "type": part(segment, 2),
            "number": part(segment, 3), "release": part(segment, 4), "date": day(part(segment, 5)),
        }  # fmt: skip

    def bch(self, segment: Sequence[str]) -> None:
        """The head of a change; the order's own date, and that of the change."""
        self.into |= {
            "purpose": checks.PURPOSES.get(part(segment, 1), ""), "type": part(segment, 2),
            "number": part(segment, 3), "release": part(segment, 4), "change": part(segment, 5),
            "date": day(part(segment, 6)), "changed_on": day(part(segment, 11)),
        }  # fmt: skip

    def cur(self, segment: Sequence[str]) -> None:
        """The currency, of the order alone."""
        if self.line is None:
            self.into["currency"] = part(segment, 2)

    def ref(self, segment: Sequence[str]) -> None:
        """A reference by its kind."""
        if self.party is None:
            self._of()["references"][part(segment, 1)] = part(segment, 2) or part(segment, 3)

    def dtm(self, segment: Sequence[str]) -> None:
        """A date by its kind: 002 is wanted on, 010 shipped on."""
        self._of()["dates"][part(segment, 1)] = day(part(segment, 2))

    def td5(self, segment: Sequence[str]) -> None:
        """How it is to be sent."""
        if self.line is None:
            self.into["carrier"] = {
                "code": part(segment, 3), "mode": part(segment, 4), "routing": part(segment, 5),
                "service": part(segment, 12),
            }  # fmt: skip

    def note(self, segment: Sequence[str]) -> None:
        """A note in words."""
        text = part(segment, 1 if segment[0] == "MSG" else 2)
        if text:
            self._of()["notes"].append(text)

    def n1(self, segment: Sequence[str]) -> None:
        """A party by its kind: ST is shipped to, BT billed to, BY buys. A line's own party does not count."""
        self.party = {"name": part(segment, 2), "qualifier": part(segment, 3), "id": part(segment, 4), "lines": []}
        if self.line is None:
            self.into["parties"][part(segment, 1)] = self.party

    def n2(self, segment: Sequence[str]) -> None:
        """More of the name."""
        if self.party is not None:
            self.party["name_2"] = part(segment, 1)

    def n3(self, segment: Sequence[str]) -> None:
        """Lines of the address."""
        if self.party is not None:
            self.party["lines"] += [each for each in (part(segment, 1), part(segment, 2)) if each]

    def n4(self, segment: Sequence[str]) -> None:
        """City, state, postal code, country."""
        if self.party is not None:
            self.party |= {
                "city": part(segment, 1), "region": part(segment, 2), "postal_code": part(segment, 3),
                "country": part(segment, 4),
            }  # fmt: skip

    def per(self, segment: Sequence[str]) -> None:
        """Whom to ask: of the party, or of the order."""
        whose = self.into.setdefault("contact", {}) if self.party is None else self.party
        if part(segment, 2):
            whose["contact"] = part(segment, 2)
        for place in (3, 5, 7):
            kind = {"EM": "email", "TE": "phone"}.get(part(segment, place))
            if kind:
                whose[kind] = part(segment, place + 1)

    def po1(self, segment: Sequence[str]) -> None:
        """A line of an order."""
        taken = {line["line"] for line in self.into["lines"]}
        name = part(segment, 1) or str(len(taken) + 1)
        while name in taken:
            name += "+"
        self._line(segment, name, part(segment, 2), 3, _IDS_OF_PO1)

    def poc(self, segment: Sequence[str]) -> None:
        """A change of a line."""
        self._line(segment, part(segment, 1), part(segment, 3), 5, _IDS_OF_POC)
        if self.line is not None:
            self.line["change"] = part(segment, 2)

    def _line(self, segment: Sequence[str], name: str, quantity: str, unit_place: int, ids_place: int) -> None:
        pairs = range(ids_place, len(segment) - 1, 2)
        self.party = None
        self.line = {
            "line": name, "quantity": quantity, "ordered": quantity,
            "unit": part(segment, unit_place), "price": part(segment, unit_place + 1),
            "basis": part(segment, unit_place + 2), "ids": {part(segment, at): part(segment, at + 1) for at in pairs},
            "description": "", "references": {}, "dates": {}, "notes": [],
        }  # fmt: skip
        self.line["ids"].pop("", None)
        self.into["lines"].append(self.line)

    def pid(self, segment: Sequence[str]) -> None:
        """What a line is called."""
        if self.line is not None:
            self.line["description"] = part(segment, 5)

    def ctt(self, segment: Sequence[str]) -> None:
        """How many lines there are; behind it stands what is of the whole order again."""
        self.into["totals"]["lines"] = part(segment, 1)
        self.line, self.party = None, None

    def amt(self, segment: Sequence[str]) -> None:
        """An amount by its kind: TT is the total."""
        if self.line is None:
            self.into["totals"][part(segment, 1)] = part(segment, 2)

    def _of(self) -> dict[str, Any]:
        return self.into if self.line is None else self.line


_READERS: Final = {
    "BEG": _Reader.beg, "BCH": _Reader.bch, "CUR": _Reader.cur, "REF": _Reader.ref, "DTM": _Reader.dtm,
    "TD5": _Reader.td5, "MSG": _Reader.note, "NTE": _Reader.note, "MTX": _Reader.note, "N1": _Reader.n1,
    "N2": _Reader.n2, "N3": _Reader.n3, "N4": _Reader.n4, "PER": _Reader.per, "PO1": _Reader.po1, "POC": _Reader.poc,
    "PID": _Reader.pid, "CTT": _Reader.ctt, "AMT": _Reader.amt,
}  # fmt: skip
