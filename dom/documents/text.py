"""A document's text: YAML or JSON as plain data, with the line and column of everything in it.

YAML is read by the core schema of YAML 1.2 (section 10.3): `no`, `on` and 12:30 are texts, as in JSON, where YAML 1.1
makes a truth value of Norway. Anchors, aliases and merge keys (`<<`) work. What is too large, too deep or unfolds
without end is refused before it is built.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from dom.documents.findings import Mistake, Path, error
from dom.documents.places import PlacedText, TextPlace, Unreadable

MAX_CHARACTERS: Final = 300_000
MAX_PARTS: Final = 50_000
"""Values of a document, those of aliases counted where they are used."""
MAX_DEPTH: Final = 40

_QUICKEST: Final[Any] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_PLAIN: Final = "plain"
_USUAL: Final = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"}
_INT: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_KEPT: Final = re.compile("[\x00\ud800-\udfff]")
_HALF: Final = re.compile(r"\\u([dD][89a-fA-F][0-9a-fA-F]{2})")


def read_text(text: str, name: str = "document") -> PlacedText:
    """The data of a text with its places; `name` is what such a document is called. Raises Unreadable."""
    if len(text) > MAX_CHARACTERS:
        detail = f"the text has {len(text):,} characters; a {name} may have {MAX_CHARACTERS:,}"
        raise Unreadable(error("too-large", (), detail, "take out what is not needed"), TextPlace(1, 1))
    as_json = _json(text)
    if as_json is None:
        return _placed(text)
    # JSON may be indented with tabs and write half pairs, YAML may not; of this reading only the places count.
    placed = _placed(_HALF.sub(_whole, text.replace("\t", " ")))
    placed.text, placed.data = text, as_json
    for path, each in _texts(as_json, ()):
        if _NOT_KEPT.search(each):
            placed.mistakes.append((_unkept(path), placed.at(path)))
    return placed


def _whole(half: re.Match[str]) -> str:
    """Another character for half a pair, of the private ones that nobody writes."""
    return f"\\u{int(half[1], 16) + 0x800:04x}"


def _json(text: str) -> Any:
    """The data of a JSON object; None if the text is none."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _texts(data: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, list):
        for index, each in enumerate(data):
            yield from _texts(each, (*path, index))
    elif isinstance(data, dict):
        for name, each in data.items():
            yield path, name
            yield from _texts(each, (*path, name))


def _placed(text: str) -> PlacedText:
    try:
        _bound(text)
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as refused:
        raise _unreadable(refused, text) from refused
    except RecursionError as refused:
        raise _too_deep(TextPlace(1, 1)) from refused
    placed = PlacedText(text)
    if node is not None:
        placed.data = _Builder(placed).build(node, ())
    return placed


def _bound(text: str) -> None:
    """Look through the text as it is written, without building anything of it."""
    depth = 0
    for parts, event in enumerate(yaml.parse(text, Loader=_QUICKEST), 1):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        place = _place(event.start_mark)
        if depth > MAX_DEPTH:
            raise _too_deep(place)
        if parts > 2 * MAX_PARTS:
            raise _too_many(place)


class _Builder:
    """Makes plain data of a text's nodes, and notes where everything stands."""

    def __init__(self, placed: PlacedText) -> None:
        self._placed = placed
        self._parts = 0

    def build(self, node: yaml.Node, path: Path) -> Any:
        self._parts += 1
        place = _place(node.start_mark)
        if self._parts > MAX_PARTS:
            raise _too_many(place)
        if len(path) > MAX_DEPTH:
            raise _too_deep(place)
        if isinstance(node, yaml.ScalarNode):
            self._placed.values[path] = place
            self._placed.styles[path] = node.style or ""
            return self._scalar(node, path)
        self._no_tag(node, path)
        if getattr(node, "flow_style", False) or path not in self._placed.keys:
            self._placed.values[path] = place
        if isinstance(node, yaml.SequenceNode):
            return [self.build(each, (*path, index)) for index, each in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        given: dict[str, int] = {}
        for key, value in self._pairs(node, path):
            name = str(key.value)
            here = (*path, name)
            if name in given:
                detail = f"{name} stands twice, first in line {given[name]}"
                self._note(error("duplicate-key", here, detail, "take one of them out"), key)
                continue
            given[name] = key.start_mark.line + 1
            self._placed.keys[here] = _place(key.start_mark)
            found[name] = self.build(value, here)
        for name, key, value in self._merged(node, path):
            if name not in found:
                self._placed.keys[*path, name] = _place(key.start_mark)
                found[name] = self.build(value, (*path, name))
        return found

    def _pairs(self, node: yaml.Node, path: Path) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        for key, value in node.value:
            if _is_merge(key):
                continue
            if isinstance(key, yaml.ScalarNode):
                yield key, value
            else:
                detail = "a key must be a name, not a list or a mapping"
                self._note(error("wrong-key", path, detail, "write a name"), key)

    def _merged(self, node: yaml.Node, path: Path, depth: int = 0) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """What merge keys bring, the first one first (YAML 1.1, https://yaml.org/type/merge.html)."""
        for key, value in node.value:
            if not _is_merge(key):
                continue
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in sources:
                self._parts += 1
                if depth > MAX_DEPTH or self._parts > MAX_PARTS:
                    raise _too_deep(_place(key.start_mark))
                if not isinstance(source, yaml.MappingNode):
                    detail = "`<<` takes the fields of a mapping, and this is none"
                    self._note(error("wrong-merge", path, detail, "name the anchor of a mapping"), key)
                    continue
                for each, child in source.value:
                    if isinstance(each, yaml.ScalarNode) and not _is_merge(each):
                        yield str(each.value), each, child
                yield from self._merged(source, path, depth + 1)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = str(node.value)
        if _NOT_KEPT.search(text):
            self._note(_unkept(path), node)
            return _NOT_KEPT.sub("", text)
        if node.tag == _PLAIN:
            return plain(text)
        self._no_tag(node, path)
        return text

    def _no_tag(self, node: yaml.Node, path: Path) -> None:
        if node.tag not in _USUAL:
            name = node.tag.removeprefix("tag:yaml.org,2002:")
            self._note(error("tag", path, f"the tag {name} means nothing here", "write the value without it"), node)

    def _note(self, mistake: Mistake, node: yaml.Node) -> None:
        self._placed.mistakes.append((mistake, _place(node.start_mark)))


def plain(text: str) -> Any:
    """What an unquoted word means by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) < 30 else text  # noqa: PLR2004 - a number nobody means
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


class _Loader(_QUICKEST):  # type: ignore[misc]
    """Leaves open what an unquoted word means; `plain` says it."""

    def resolve(self, kind: Any, _value: Any, implicit: Any) -> Any:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        return super().resolve(kind, None, (False, False))


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.tag == _PLAIN and key.value == "<<"


def _place(mark: Any) -> TextPlace:
    return TextPlace(mark.line + 1, mark.column + 1)


def _too_deep(place: TextPlace) -> Unreadable:
    detail = f"values lie more than {MAX_DEPTH} deep in each other"
    return Unreadable(error("too-large", (), detail, "a policy is some six levels deep, a mapping four"), place)


def _too_many(place: TextPlace) -> Unreadable:
    detail = f"the text unfolds to more than {MAX_PARTS:,} values"
    return Unreadable(error("too-large", (), detail, "use fewer aliases of aliases"), place)


def _unkept(path: Path) -> Mistake:
    return error("wrong-character", path, "a character here cannot be kept (NUL, or half a pair)", "take it out")


def _unreadable(refused: yaml.YAMLError, text: str) -> Unreadable:
    mark = getattr(refused, "problem_mark", None) or getattr(refused, "context_mark", None)
    place = _place(mark) if mark else TextPlace(1, 1)
    lines = text.splitlines() or [""]
    if place.line > len(lines):
        place = TextPlace(len(lines), len(lines[-1]) + 1)
    line = lines[place.line - 1]
    if line[place.column - 1 : place.column] == "\t":
        return Unreadable(error("tab", (), "a tab stands where YAML wants spaces", "indent with spaces"), place)
    problem = getattr(refused, "problem", None) or str(refused).partition("\n")[0]
    context = getattr(refused, "context", None)
    detail = f"this is neither YAML nor JSON: {context or ''} {problem}".replace("  ", " ")
    hint = "look at the indentation, the colons and the quotes of this line and the one before"
    return Unreadable(error("not-yaml", (), detail, hint), place)
