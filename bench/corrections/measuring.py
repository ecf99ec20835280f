"""Runs the rules over labelled inputs, and counts: automatic corrections that are right, inputs that need a person."""

import copy
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from rapidfuzz import fuzz, process

from bench.corrections.making import SET, catalogue
from dom.channels import intake
from dom.channels.correcting import engine, skus
from dom.channels.correcting.case import CatalogueSku, KnownSkus
from dom.channels.corrections import USUAL, CorrectionSettings, FieldCorrection
from dom.channels.faults import FaultCode, MessageFault
from dom.channels.mapping import paths
from dom.channels.mapping.applying import Mapped

BASE: Final[Mapping[str, Any]] = {
    "number": "1",
    "currency": "GBP",
    "customer": {"name": "Ada Young", "email": "ada@customer.example", "phone": "+441134960000"},
    "ship_to": {
        "name": "Ada Young",
        "lines": ["12 Mill Lane"],
        "city": "Leeds",
        "postal_code": "LS1 4AP",
        "country": "GB",
    },
    "lines": [{"line_id": "1", "sku": "85123A", "ordered": 2, "current": 2, "unit_price": 255}],
}
"""An order that is right."""
_SAME_WORDS: Final = "same words"
_LONGEST: Final = 100
_ALIKE: Final = 12


@dataclass(frozen=True, slots=True)
class MeasuredField:
    """A field that was corrected by itself, by these rules one after the other."""

    input: int
    kind: str
    field: str
    before: Any
    after: Any
    right: Any
    is_right: bool
    rules: tuple[str, ...]


@dataclass(slots=True)
class Measured:
    """What came of the inputs. `unresolved`: the order was not right at the end; `proposed`: a proposal had it.

    `claimed`: by rule and the confidence it claims, whether its corrections, made or proposed, were right.
    """

    inputs: int = 0
    fields: list[MeasuredField] = field(default_factory=list)
    unresolved: list[int] = field(default_factory=list)
    proposed: int = 0
    by_rule: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    claimed: dict[tuple[str, int], Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    of_kind: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def wrong(self) -> list[MeasuredField]:
        """Automatic corrections that are wrong."""
        return [each for each in self.fields if not each.is_right]

    @property
    def precision(self) -> float:
        """Of the fields that were corrected by themselves, the share that is right."""
        return 1.0 if not self.fields else 1 - len(self.wrong) / len(self.fields)

    @property
    def needs_person(self) -> float:
        """The share of inputs whose order was not right by itself."""
        return len(self.unresolved) / self.inputs if self.inputs else 0.0


def inputs(path: Path = SET) -> list[dict[str, Any]]:
    """The labelled set."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def measure(cases: Iterable[Mapping[str, Any]], settings: CorrectionSettings = USUAL) -> Measured:
    """Run the rules over inputs."""
    found = Measured()
    for each in cases:
        _measure_one(found, each, settings)
    return found


def _measure_one(found: Measured, case: Mapping[str, Any], settings: CorrectionSettings) -> None:
    order = _with(copy.deepcopy(dict(BASE)), case["set"])
    faults = tuple(
        [
            MessageFault(field=name, code=FaultCode(code), message="", value=value)
            for name, code, value in case.get("faults", ())
        ]
    )
    expected = _with(order, {name: value for name, value in case["right"].items() if not _is_same_words(value)})
    correcting = engine.begin(Mapped(order, faults))
    correcting.settings = settings
    correcting.tidy()
    correcting.match_skus(known_skus(correcting.codes(), _names(correcting)))
    if correcting.failed:
        raise AssertionError(f"input {case['id']}: rules failed: {correcting.failed}")
    got = correcting.mapped().order
    chains: dict[str, list[FieldCorrection]] = {}
    for made in correcting.applied:
        chains.setdefault(_top(made.field), []).append(made)
    for name, chain in chains.items():
        right, after = paths.at(expected, name), paths.at(got, name)
        is_right = right == after
        if _is_same_words(case["right"].get(name)):
            is_right = _has_same_words(paths.at(order, name), after)
        rules = tuple([each.rule for each in chain])
        before = paths.at(order, name)
        found.fields.append(MeasuredField(case["id"], case["kind"], name, before, after, right, is_right, rules))
        for rule in set(rules):
            found.by_rule[rule][is_right] += 1
        for made in chain:
            found.claimed[made.rule, made.confidence][is_right] += 1
    for made in correcting.proposed:
        found.claimed[made.rule, made.confidence][paths.at(expected, made.field) == made.after] += 1
    found.inputs += 1
    same_words = [name for name, value in case["right"].items() if _is_same_words(value)]
    resolved = all(_has_same_words(paths.at(order, name), paths.at(got, name)) for name in same_words)
    if not same_words:
        resolved = got == expected and not (case["person"] and not case["right"])
    found.of_kind[case["kind"]]["right" if resolved else "left"] += 1
    if not resolved:
        found.unresolved.append(case["id"])
        offered = {(each.field, json.dumps(each.after)) for each in correcting.proposed}
        open_fields = [name for name, value in case["right"].items() if paths.at(got, name) != value]
        found.proposed += bool(open_fields) and all(
            (name, json.dumps(case["right"][name])) in offered for name in open_fields
        )


def _names(correcting: engine.Correcting) -> dict[str, str]:
    return {str(line.get("sku") or ""): str(line.get("name") or "") for _, line in correcting.case.lines()}


def _is_same_words(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_SAME_WORDS)


def _has_same_words(before: Any, after: Any) -> bool:
    def words(lines: Any) -> list[str]:
        return " ".join(lines).replace(",", " ").split()

    return words(before) == words(after) and all(len(line) <= _LONGEST for line in after)


def _with(order: dict[str, Any], values: Mapping[str, Any]) -> Any:
    made: Any = order
    for name, value in values.items():
        made = intake.put(made, name, value)
    return made


def _top(name: str) -> str:
    """A line of an address counts as the address's lines: rules put them together and take them apart."""
    return re.sub(r"^(ship_to\.lines)\[\d+\]$", r"\1", name)


# --- the catalogue, as the store looks it up -------------------------------------------------------------------------


@cache
def _catalogue() -> tuple[dict[str, CatalogueSku], dict[str, list[CatalogueSku]]]:
    held = {code: CatalogueSku(code, name) for code, name in catalogue()}
    by_key: dict[str, list[CatalogueSku]] = {}
    for sku in held.values():
        by_key.setdefault(skus.key(sku.id), []).append(sku)
    return held, by_key


def known_skus(codes: Sequence[str], names: Mapping[str, str]) -> KnownSkus:
    """What `store/inbox/sku_matches.py` finds, of the retailer's catalogue in memory."""
    held, by_key = _catalogue()
    unknown = [code for code in codes if code not in held]
    by_form = {code: next((by_key[key] for key, _ in skus.keys(code) if key in by_key), []) for code in unknown}
    alike = {}
    for code in (code for code in unknown if not by_form[code]):
        near = [sku_id for sku_id, _, _ in process.extract(code, held.keys(), scorer=fuzz.ratio, limit=_ALIKE)]
        if names.get(code):
            called = {sku.id: sku.name for sku in held.values()}
            near += [
                each[2] for each in process.extract(names[code], called, scorer=fuzz.token_sort_ratio, limit=_ALIKE)
            ]
        alike[code] = tuple([held[sku_id] for sku_id in dict.fromkeys(near)])
    return KnownSkus(frozenset(codes) & held.keys(), {code: each for code, each in by_form.items() if each}, alike)
