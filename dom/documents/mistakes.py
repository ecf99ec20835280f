"""What a document's model refuses, in words a person who writes documents understands, each with what was meant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from dom.documents.findings import Mistake, Path, did_you_mean, error, listed, written
from dom.documents.schema import DocumentSchema

MOST: Final = 200
_SHAPES: Final = {
    "tuple_type": ("a list", "write it as a list: [one, another]"),
    "model_type": ("a mapping of fields", "write its fields below it, indented"),
    "dict_type": ("a mapping", "write its entries below it, indented: name: value"),
    "int_type": ("a whole number", "write a number without quotes; amounts are minor units"),
    "int_from_float": ("a whole number", "amounts are minor units: 250, not 2.50"),
    "float_type": ("a number", "write a number without quotes"),
    "bool_type": ("true or false", "write true or false, without quotes"),
    "string_type": ("a text", "put it in quotes"),
}


@dataclass(frozen=True, slots=True)
class DocumentWords:
    """How a kind of document is spoken of: its name, what its patterns mean, the keys its mappings may have, and what
    its items are called, by the list they stand in.
    """

    name: str
    patterns: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    items: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Puts into words what the model of a kind of document refuses."""

    schema: DocumentSchema
    words: DocumentWords

    def mistakes_of(self, refused: ValidationError, data: Any) -> list[Mistake]:
        """The places the model refused, once each, in the document's order; not too many."""
        found: dict[Path, Mistake] = {}
        for problem in refused.errors(include_url=False):
            if len(found) == MOST:
                break
            path, of_key = _path(problem["loc"], data)
            if path in found or _not_meant(problem):
                continue
            found[path] = self._of_key(path, problem) if of_key else self._mistake(problem, path)
        return list(found.values())

    def _of_key(self, path: Path, problem: Mapping[str, Any]) -> Mistake:
        name = str(path[-1])
        if problem["type"] in {"enum", "literal_error"}:
            known = self.words.keys
            mistake = error("unknown-value", path, f"{name} is none of {listed(known)}", _probably(name, known))
        else:
            hint = self.words.patterns.get(str(problem.get("ctx", {}).get("pattern")), "")
            mistake = error("wrong-name", path, f"{name} cannot be a name here", hint)
        return mistake.model_copy(update={"at_key": True})

    def _mistake(self, problem: Mapping[str, Any], path: Path) -> Mistake:
        kind, given = str(problem["type"]), problem["input"]
        name = str(path[-1]) if path else f"the {self.words.name}"
        if kind == "extra_forbidden":
            return self._unknown_field(path, name)
        if kind == "missing":
            meaning = self._meaning(path)
            return error(
                "missing-field", path, f"{name} is missing", f"write `{name}:`" + (f", {meaning}" if meaning else "")
            )
        if kind in {"enum", "literal_error"}:
            known = self.schema.choices(path)
            said = f"{_shown(given)} is none of {listed(known)}"
            return error("unknown-value", path, said, _probably(str(given), known))
        if kind in _SHAPES:
            wanted, hint = _SHAPES[kind]
            return error("wrong-shape", path, f"{name} takes {wanted}, not {_shown(given)}", hint)
        if kind == "string_pattern_mismatch":
            hint = self.words.patterns.get(str(problem["ctx"]["pattern"]), "")
            return error("wrong-value", path, f"{self._called(path)} cannot be {_shown(given)}", hint)
        said = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
        return error("wrong-value", path, f"{self._called(path)} {said}", self._meaning(path))

    def _unknown_field(self, path: Path, name: str) -> Mistake:
        known = self.schema.fields(path[:-1])
        homes = [field for field in known if name in self.schema.fields((*path[:-1], field))]
        hint = f"it belongs into `{homes[0]}:`" if homes else did_you_mean(name, known)
        mistake = error("unknown-field", path, f"there is no field {name} {self._in(path[:-1])}", hint)
        return mistake.model_copy(update={"at_key": True})

    def _in(self, path: Path) -> str:
        named = [step for step in path if isinstance(step, str)]
        if not named:
            return f"in a {self.words.name}"
        if path[:-1] == (named[0],) and named[0] in self.words.items:
            return f"in a {self.words.items[named[0]]}"
        return f"in {written(path)}"

    def _called(self, path: Path) -> str:
        named = [step for step in path if isinstance(step, str)]
        return named[-1] if named else f"the {self.words.name}"

    def _meaning(self, path: Path) -> str:
        said = self.schema.part(path).get("description", "")
        return str(said) if "\n" not in said else ""


def _path(location: tuple[str | int, ...], data: Any) -> tuple[Path, bool]:
    """The place as far as the document goes, the missing field included; and whether its key is what is wrong."""
    path: list[str | int] = []
    for step in location:
        if step == "[key]":
            return tuple(path), True
        inside = isinstance(data, Mapping) or (isinstance(data, list) and isinstance(step, int))
        if not inside:
            break
        path.append(step)
        data = data.get(step) if isinstance(data, Mapping) else data[step] if step < len(data) else None  # type: ignore[operator]
    return tuple(path), False


def _not_meant(problem: Mapping[str, Any]) -> bool:
    """Pydantic counts the items that are right: a list of wrong ones is not short."""
    return problem["type"] == "too_short" and bool(problem["input"])


def _probably(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, known, otherwise="write one of them")


def _shown(given: Any) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, list):
        return "a list"
    if isinstance(given, dict):
        return "a mapping"
    text = str(given)
    return text if len(text) <= 40 else text[:39] + "…"  # noqa: PLR2004 - of a long text the beginning tells
