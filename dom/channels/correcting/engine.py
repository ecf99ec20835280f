"""The rules in their sequence, over one order. A correction that is sure enough is made before the next rule looks;
others are proposed. Nothing is changed without a record, and nothing that a person put there.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dom.channels import intake
from dom.channels.channel_order import ChannelOrder
from dom.channels.correcting import numbers, people, places, skus, texts
from dom.channels.correcting.case import CorrectionCase, CorrectionFinding, KnownSkus, Rule
from dom.channels.correcting.learned import LearnedRule, learned
from dom.channels.corrections import USUAL, CorrectionRule, CorrectionSettings, FieldCorrection, kept
from dom.channels.faults import FaultCode, FaultProposal, FaultSeverity, MessageFault, shown
from dom.channels.mapping import paths
from dom.channels.mapping.applying import Mapped
from dom.channels.mapping.document import Mapping as ChannelMapping
from dom.shared.texts import keepable

_R = CorrectionRule
SEQUENCE: Final[Sequence[tuple[CorrectionRule, Rule]]] = (
    (_R.NORMAL_FORM, texts.normal_form),
    (_R.MOJIBAKE, texts.mojibake),
    (_R.ENTITIES, texts.entities),
    (_R.LINE_BREAKS, texts.line_breaks),
    (_R.UNSEEN, texts.unseen),
    (_R.EMOJI, texts.emoji),
    (_R.WHITE_SPACE, texts.white_space),
    (_R.NOTHING, texts.nothing),
    (_R.CURRENCY, numbers.currency),
    (_R.COUNTRY, places.country),
    (_R.POSTAL_NONE, places.postal_none),
    (_R.REGION, places.region),
    (_R.POSTAL_CODE, places.postal_code),
    (_R.LONG_LINE, places.long_lines),
    (_R.NAME, people.names),
    (_R.PHONE, people.phone),
    (_R.EMAIL, people.email),
    (_R.EMAIL_DOMAIN, people.email_domain),
    (_R.NUMBER_MARK, numbers.number_marks),
    (_R.NUMBER_TOTAL, numbers.number_totals),
    (_R.DUPLICATE_LINE, numbers.duplicate_lines),
)
"""Before the catalogue is asked. Later rules look at what earlier ones left."""
OF_SKUS: Final[Sequence[tuple[CorrectionRule, Rule]]] = (
    (_R.SKU_FORM, skus.form),
    (_R.SKU_SIMILAR, skus.alike),
)
DOUBTS: Final = (texts.lost_characters, places.region_doubts, numbers.total_doubts)
"""What may be wrong, and no rule knows what is right: warnings."""
Rejected = Collection[tuple[str, str, str]]
"""Field, rule and value (as text) of what a person said is wrong."""


@dataclass(slots=True)
class Correcting:
    """One order on its way through the rules. `failed` names rules that broke: they changed nothing."""

    case: CorrectionCase
    settings: CorrectionSettings = USUAL
    repaired: Collection[str] = ()
    rejected: Rejected = frozenset()
    applied: list[FieldCorrection] = field(default_factory=list)
    proposed: list[FieldCorrection] = field(default_factory=list)
    doubts: list[MessageFault] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def tidy(self, rules: Sequence[LearnedRule] = ()) -> None:
        """Everything that can be told without the catalogue."""
        self._run("learned", lambda case: learned(case, rules))
        for name, rule in SEQUENCE:
            self._run(name, rule)
            if name is _R.WHITE_SPACE:
                self._run("learned", lambda case: learned(case, rules))
        for doubts in DOUBTS:
            self._doubt(doubts)

    def match_skus(self, known: KnownSkus) -> None:
        """What the catalogue knows of its SKUs."""
        self.case.skus = known
        for name, rule in OF_SKUS:
            self._run(name, rule)

    def codes(self) -> tuple[str, ...]:
        """SKUs of the order as they stand."""
        return tuple(dict.fromkeys([code for _, line in self.case.lines() if (code := line.get("sku")) is not None]))

    def unknown_skus(self, order: ChannelOrder) -> list[MessageFault]:
        """Lines of which something is to be sent, and that the catalogue does not hold as they were corrected."""
        known = {*self.case.skus.held, *[each.after for each in self.applied if each.field.endswith("].sku")]}
        return [
            MessageFault(
                field=f"lines[{index}].sku",
                code=FaultCode.UNKNOWN_SKU,
                message=f"there is no SKU {line.sku}",
                value=shown(line.sku),
            )
            for index, line in enumerate(order.lines)
            if line.ships and line.wanted and line.sku not in known
        ]

    def mapped(self) -> Mapped:
        """The order as corrected; faults of fields that were corrected are gone, others have their proposals."""
        done = {each.field for each in self.applied if each.after is not None}
        left = [fault for fault in self.case.faults if fault.field not in done]
        return Mapped(self.case.order, tuple(left))

    def _run(self, name: str, rule: Callable[[CorrectionCase], Iterator[CorrectionFinding]]) -> None:
        try:
            for each in list(rule(self.case)):
                self._take(each, each.rule or name)
        except Exception:  # a mistake in a rule of ours must not hold up orders
            self.failed.append(str(name))

    def _doubt(self, doubts: Callable[[CorrectionCase], Iterator[tuple[str, FaultCode, str]]]) -> None:
        try:
            self.doubts += [
                MessageFault(
                    field=place,
                    code=code,
                    message=keepable(said),
                    value=shown(paths.at(self.case.order, place)),
                    severity=FaultSeverity.WARNING,
                )
                for place, code, said in doubts(self.case)
            ]
        except Exception:  # as above
            self.failed.append(doubts.__name__)

    def _take(self, found: CorrectionFinding, rule: str) -> None:
        if any(_touches(found.field, name) for name in self.repaired):
            return
        if (found.field, str(rule), str(found.after)) in self.rejected:
            return
        before = paths.at(self.case.order, found.field)
        made = FieldCorrection(
            field=found.field,
            before=before if before is not None else self._stood(found.field),
            after=found.after,
            rule=str(rule),
            confidence=found.confidence,
            why=keepable(found.why),
        )
        if not self.settings.acts(made):
            if made not in self.proposed:
                self.proposed.append(made)
            return
        self.case.order = intake.put(self.case.order, found.field, found.after)
        if found.field.endswith(".ordered") and isinstance(found.after, int):
            self._current(found.field, found.after)
        self.applied.append(made)

    def _current(self, ordered: str, units: int) -> None:
        """A line of which no later count is told is as it was ordered."""
        current = f"{ordered.removesuffix('ordered')}current"
        if paths.at(self.case.order, current) is None:
            self.case.order = intake.put(self.case.order, current, units)

    def _stood(self, name: str) -> str | None:
        """What stood there that could not be read."""
        return next((fault.value for fault in self.case.faults if fault.field == name and fault.value), None)


def begin(
    mapped: Mapped,
    *,
    mapping: ChannelMapping | None = None,
    repairs: Mapping[str, Any] | None = None,
    rejected: Rejected = frozenset(),
) -> Correcting:
    """An order before its rules, with what a person put in place of its fields."""
    order: Any = mapped.order
    for name, value in (repairs or {}).items():
        try:
            order = intake.put(order, name, intake.as_field(name, value))
        except LookupError:  # it is told as a fault when the order is checked
            continue
    case = CorrectionCase(order, mapped.faults, mapping)
    settings = USUAL if mapping is None else mapping.corrections
    return Correcting(case, settings, tuple(repairs or ()), rejected)


def explained(
    faults: Sequence[MessageFault], proposed: Sequence[FieldCorrection], doubts: Sequence[MessageFault]
) -> tuple[MessageFault, ...]:
    """Faults with what is proposed for their fields, then warnings: what may be wrong in fields that can be read."""
    by_field: dict[str, list[FieldCorrection]] = {}
    for each in proposed:
        by_field.setdefault(each.field, []).append(each)
    told = [
        fault.model_copy(update={"proposals": _proposals(by_field.pop(fault.field, ()))})
        if fault.severity is FaultSeverity.ERROR and not fault.proposals
        else fault
        for fault in faults
    ]
    for name, several in by_field.items():
        first = several[0]
        told.append(
            MessageFault(
                field=name,
                code=FaultCode.DOUBTFUL,
                message=first.why or "it may be wrong",
                value=shown("" if first.before is None else first.before),
                severity=FaultSeverity.WARNING,
                proposals=_proposals(several),
            )
        )
    return (*told, *[doubt for doubt in doubts if doubt.field not in by_field])


def _proposals(given: Sequence[FieldCorrection]) -> tuple[FaultProposal, ...]:
    return tuple(
        [
            FaultProposal(value=kept(each.after), rule=each.rule, confidence=each.confidence, why=each.why)
            for each in given
        ]
    )


def _touches(name: str, repaired: str) -> bool:
    """Whether a person's value stands in the field, in a part of it, or in what it is a part of."""
    return name == repaired or name.startswith((f"{repaired}.", f"{repaired}[")) or repaired.startswith(f"{name}[")
