"""From YAML or JSON to a document of a kind, or to what is wrong with it and where."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from dom.documents.findings import Finding, Mistake, error, listed, written
from dom.documents.mistakes import DocumentWords, Refusals
from dom.documents.places import PlacedText, TextPlace, Unreadable
from dom.documents.schema import DocumentSchema
from dom.documents.text import read_text

MOST_FINDINGS: Final = 200

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class DocumentReading(Generic[M]):
    """What a text was read as: the document (None where it is none), its places, and what is wrong with it so far."""

    document: M | None
    placed: PlacedText
    findings: tuple[Finding, ...]

    def get(self) -> M:
        """The document. ValueError, which names every mistake with its line, for what is none."""
        if self.document is None or self.findings:
            raise ValueError(listed((f"line {each.line}: {each.message}" for each in self.findings), MOST_FINDINGS))
        return self.document


def _never(_document: Any) -> Mistake | None:
    return None


@dataclass(frozen=True, slots=True)
class DocumentKind(Generic[M]):
    """A kind of document: its model, how it is spoken of, how one begins, and what makes one too large."""

    model: type[M]
    words: DocumentWords
    first_lines: str
    too_large: Callable[[M], Mistake | None] = _never

    def read(self, text: str) -> DocumentReading[M]:
        """Read one; every mistake that keeps it from being one has its line and column."""
        try:
            placed = read_text(text, self.words.name)
        except Unreadable as refused:
            return DocumentReading(None, PlacedText(text), (_finding(refused.mistake, refused.place),))
        document, refused_by_model = self._validated(placed.data)
        found = [_finding(mistake, place) for mistake, place in placed.mistakes]
        found += placed_findings(refused_by_model, placed)
        return DocumentReading(document, placed, tidy(found))

    def _validated(self, data: Any) -> tuple[M | None, list[Mistake]]:
        if not isinstance(data, dict):
            what = "empty" if data is None else "a list" if isinstance(data, list) else "one value"
            said = f"a {self.words.name} is a mapping of fields; this is {what}"
            return None, [error("wrong-shape", (), said, self.first_lines)]
        try:
            # As JSON and strictly: "250" is no number and 1 is not true, while lists and names become what it has.
            document = self.model.model_validate_json(json.dumps(data), strict=True)
        except ValidationError as refused:
            return None, Refusals(DocumentSchema(self.model), self.words).mistakes_of(refused, data)
        too_large = self.too_large(document)
        return (document, []) if too_large is None else (None, [too_large])


def placed_findings(mistakes: list[Mistake], placed: PlacedText) -> list[Finding]:
    """The mistakes as findings, each with its line and column."""
    return [
        _finding(each, placed.key(each.path) if each.at_key else placed.at(each.path, each.offset)) for each in mistakes
    ]


def tidy(findings: list[Finding]) -> tuple[Finding, ...]:
    """In the order of the text, each mistake once (an alias repeats what stands at its anchor), and not too many."""
    kept: dict[tuple[str, int, int, str], Finding] = {}
    for each in sorted(findings, key=lambda each: (each.line, each.column)):
        kept.setdefault((each.code, each.line, each.column, each.message if each.line else each.path), each)
    return tuple(kept.values())[:MOST_FINDINGS]


def _finding(mistake: Mistake, place: TextPlace) -> Finding:
    return Finding(
        severity=mistake.severity,
        code=mistake.code,
        path=written(mistake.path),
        line=place.line,
        column=place.column,
        message=mistake.message,
        hint=mistake.hint,
    )
