"""From YAML or JSON to a mapping, or to what is wrong with it and where."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dom.channels.channel_order import LINE_TYPES, NEEDED, NEEDED_OF_A_LINE, TENDER_TYPES, TYPES
from dom.channels.mapping.applying import OF_LINE, OF_MESSAGE
from dom.channels.mapping.document import PATH, FieldRule, Fields, ItemRules, Mapping
from dom.documents.expressions import ExpressionProblem
from dom.documents.findings import Finding, Mistake, Path, did_you_mean, error, has_errors, refused, warning
from dom.documents.mistakes import DocumentWords
from dom.documents.open_expressions import compile_open
from dom.documents.reading import DocumentKind, placed_findings, tidy
from dom.shared.errors import MappingInvalid

_KIND: Final = DocumentKind(
    Mapping,
    DocumentWords("mapping", {PATH: "keys with dots between, places of lists in brackets: shipping_lines[0].code"}),
    "begin with `name:`, `order:` and `lines:`; docs/channels.md shows one",
)


@dataclass(frozen=True, slots=True)
class CheckedMapping:
    """A text that was read as a mapping (None where it is none), and what was found."""

    text: str
    mapping: Mapping | None
    findings: tuple[Finding, ...]

    def publishable(self) -> Mapping:
        """The mapping. Raises MappingInvalid if it has errors; warnings pass."""
        if self.mapping is not None and not has_errors(self.findings):
            return self.mapping
        raise refused(self.findings, MappingInvalid)


def check(text: str) -> CheckedMapping:
    """Read a mapping; every mistake has its line and column."""
    reading = _KIND.read(text)
    found = list(reading.findings)
    if reading.document is not None:
        found += placed_findings(list(_lint(reading.document)), reading.placed)
    return CheckedMapping(text, reading.document, tidy(found))


def _lint(mapping: Mapping) -> Iterator[Mistake]:
    yield from _fields(mapping, ("order",), mapping.order, TYPES, NEEDED, OF_MESSAGE)
    yield from _items(mapping, ("lines",), mapping.lines, LINE_TYPES, NEEDED_OF_A_LINE)
    if mapping.tenders is not None:
        yield from _items(mapping, ("tenders",), mapping.tenders, TENDER_TYPES, ("method", "amount"))
    yield from _unused_tables(mapping)
    try:
        ZoneInfo(mapping.zone)
    except (ZoneInfoNotFoundError, ValueError):
        yield error("unknown-zone", ("zone",), f"there is no time zone {mapping.zone}", "write one as Europe/London")
    if mapping.times is not None and not _reads_itself(mapping.times):
        said = "times in this form cannot be read back"
        yield error("wrong-time-form", ("times",), said, "write it as strptime has it: %d/%m/%Y %H:%M")


def _items(
    mapping: Mapping, here: Path, rules: ItemRules, types: AnyMapping[str, str], needed: Iterable[str]
) -> Iterator[Mistake]:
    yield from _fields(mapping, (*here, "fields"), rules.fields, types, needed, OF_LINE)
    if rules.where is not None:
        yield from _expression((*here, "where"), rules.where, OF_LINE)


def _fields(
    mapping: Mapping,
    here: Path,
    fields: Fields,
    types: AnyMapping[str, str],
    needed: Iterable[str],
    variables: tuple[str, ...],
) -> Iterator[Mistake]:
    for name, rule in fields.items():
        path = (*here, name)
        if name not in types:
            said = f"an order has no field {name} here"
            yield error("unknown-field", path, said, did_you_mean(name, types)).model_copy(update={"at_key": True})
        yield from _rule(mapping, path, rule, variables)
    for name in needed:
        if name not in fields:
            yield error("missing-field", here, f"{name} comes from nowhere", f"write `{name}:` and its path")


def _rule(mapping: Mapping, path: Path, rule: FieldRule, variables: tuple[str, ...]) -> Iterator[Mistake]:
    for name in ("when", "cel"):
        text = getattr(rule, name)
        if text is not None:
            yield from _expression((*path, name), text, variables)
    if isinstance(rule.lookup, str) and rule.lookup not in mapping.tables:
        said = f"there is no table {rule.lookup}"
        yield error("unknown-table", (*path, "lookup"), said, did_you_mean(rule.lookup, mapping.tables))
    if rule.otherwise is not None and rule.lookup is None:
        yield warning(
            "otherwise-without-lookup", (*path, "otherwise"), "it never counts", "take it out, or add `lookup`"
        )


def _expression(path: Path, text: str, variables: tuple[str, ...]) -> Iterator[Mistake]:
    try:
        compile_open(text, variables)
    except ExpressionProblem as problem:
        yield error("wrong-expression", path, problem.message, problem.hint, problem.offset)


def _unused_tables(mapping: Mapping) -> Iterator[Mistake]:
    fields = [*mapping.order.values(), *mapping.lines.fields.values()]
    fields += [] if mapping.tenders is None else [*mapping.tenders.fields.values()]
    used = {rule.lookup for rule in fields if isinstance(rule.lookup, str)}
    for name in mapping.tables:
        if name not in used:
            yield warning("unused-table", ("tables", name), f"nothing looks up in {name}", "take it out")


def _reads_itself(form: str) -> bool:
    at = datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC)
    try:
        return datetime.strptime(at.strftime(form), form).day == at.day  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
