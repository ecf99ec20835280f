"""Whether a new OpenAPI document breaks those who use the old one.

A caller breaks if a path, an operation or an answer is gone; if a field of an answer is gone, or may be absent or null
where it never was, or has another type; if a request needs what it did not need, or no longer takes what it took. New
paths, new answers' fields and new optional inputs break nobody. New values of an enumeration in an answer are allowed:
callers are told to expect them.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_LIMITS_FROM_BELOW = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_LIMITS_FROM_ABOVE = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_METHODS = ("get", "put", "post", "delete", "patch")


def breaks(old: Json, new: Json) -> list[str]:
    """What would break, in words; empty if nothing would."""
    return list(_Comparison(old, new).document())


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self._old = old
        self._new = new

    def document(self) -> Iterator[str]:
        for path, operations in self._old["paths"].items():
            if path not in self._new["paths"]:
                yield f"{path} is gone"
                continue
            for method in _METHODS:
                if method in operations:
                    yield from self._operation(
                        f"{method.upper()} {path}", operations[method], self._new["paths"][path].get(method)
                    )

    def _operation(self, name: str, old: Json, new: Json | None) -> Iterator[str]:
        if new is None:
            yield f"{name} is gone"
            return
        yield from self._parameters(name, old.get("parameters", []), new.get("parameters", []))
        yield from self._body(name, old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                yield f"{name} no longer answers {status}"
            else:
                yield from self._contents(f"{name} {status}", answer, new["responses"][status], of_request=False)

    def _parameters(self, name: str, old: list[Json], new: list[Json]) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in old}
        after = {(p["in"], p["name"]): p for p in new}
        for key, parameter in before.items():
            where = f"{name} {key[0]} {key[1]}"
            if key not in after:
                yield f"{where} is gone"
                continue
            if after[key].get("required") and not parameter.get("required"):
                yield f"{where} became required"
            yield from self._taken(where, parameter["schema"], after[key]["schema"], frozenset())
        for key in after.keys() - before.keys():
            if after[key].get("required"):
                yield f"{name} {key[0]} {key[1]} is new and required"

    def _body(self, name: str, old: Json | None, new: Json | None) -> Iterator[str]:
        if new is None:
            if old is not None:
                yield f"{name} no longer takes a body"
            return
        if new.get("required") and not (old or {}).get("required"):
            yield f"{name} needs a body"
        if old is not None:
            yield from self._contents(f"{name} body", old, new, of_request=True)

    def _contents(self, name: str, old: Json, new: Json, *, of_request: bool) -> Iterator[str]:
        for media_type, content in old.get("content", {}).items():
            if media_type not in new.get("content", {}):
                yield f"{name} is no longer {media_type}"
                continue
            before, after = content.get("schema", {}), new["content"][media_type].get("schema", {})
            compare = self._taken if of_request else self._answered
            yield from compare(name, before, after, frozenset())

    def _taken(self, name: str, old: Json, new: Json, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        """What a request may hold must still be taken."""
        yield from self._schema(name, old, new, seen, of_request=True)

    def _answered(self, name: str, old: Json, new: Json, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        """What an answer held must still be in it."""
        yield from self._schema(name, old, new, seen, of_request=False)

    def _schema(
        self, name: str, old: Json, new: Json, seen: frozenset[tuple[str, str]], *, of_request: bool
    ) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in seen:
                return
            seen |= {pair}
        old, new = self._resolved(self._old, old), self._resolved(self._new, new)
        before, after = self._types(self._old, old), self._types(self._new, new)
        lost = before - after if of_request else after - before
        if lost and after and before:
            yield f"{name} {'no longer takes' if of_request else 'may now be'} {', '.join(sorted(lost))}"
        yield from self._enumeration(name, old, new, of_request=of_request)
        if of_request:
            yield from _limits(name, old, new)
        yield from self._fields(name, old, new, seen, of_request=of_request)
        for key in ("items", "additionalProperties"):
            if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
                yield from self._schema(f"{name}[]", old[key], new[key], seen, of_request=of_request)
        yield from self._alternatives(name, old, new, seen, of_request=of_request)

    def _fields(
        self, name: str, old: Json, new: Json, seen: frozenset[tuple[str, str]], *, of_request: bool
    ) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed_after = set(old.get("required", [])), set(new.get("required", []))
        for field, schema in before.items():
            if field in after:
                yield from self._schema(f"{name} .{field}", schema, after[field], seen, of_request=of_request)
            elif not of_request or new.get("additionalProperties") is False:
                yield f"{name} .{field} is gone"
        if of_request:
            yield from (f"{name} .{field} became required" for field in sorted(needed_after - needed_before))
        else:
            absent = (needed_before - needed_after) & after.keys()
            yield from (f"{name} .{field} may now be absent" for field in sorted(absent))

    def _enumeration(self, name: str, old: Json, new: Json, *, of_request: bool) -> Iterator[str]:
        before, after = _values(old), _values(new)
        if not of_request or after is None:
            return
        if before is None:
            yield f"{name} takes only some values now"
        elif gone := before - after:
            yield f"{name} no longer takes {', '.join(sorted(gone))}"

    def _alternatives(
        self, name: str, old: Json, new: Json, seen: frozenset[tuple[str, str]], *, of_request: bool
    ) -> Iterator[str]:
        before, after = _not_null(old), _not_null(new)
        if len(before) == 1 and len(after) == 1 and ("anyOf" in old or "anyOf" in new):
            yield from self._schema(name, before[0], after[0], seen, of_request=of_request)

    def _types(self, document: Json, schema: Json) -> set[str]:
        if "anyOf" in schema:
            return {t for part in schema["anyOf"] for t in self._types(document, self._resolved(document, part))}
        kind = schema.get("type", [])
        return {kind} if isinstance(kind, str) else set(kind)

    def _resolved(self, document: Json, schema: Json) -> Json:
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


def _not_null(schema: Json) -> list[Json]:
    return [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]


def _values(schema: Json) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None


def _limits(name: str, old: Json, new: Json) -> Iterator[str]:
    for limit in _LIMITS_FROM_BELOW:
        if limit in new and new[limit] > old.get(limit, float("-inf")):
            yield f"{name} {limit} rose to {new[limit]}"
    for limit in _LIMITS_FROM_ABOVE:
        if limit in new and new[limit] < old.get(limit, float("inf")):
            yield f"{name} {limit} fell to {new[limit]}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{name} has another pattern"


def main(old: str, new: str) -> int:
    """Compare two documents; exit code 1 if callers would break."""
    found = breaks(*(json.loads(Path(path).read_text(encoding="utf-8")) for path in (old, new)))
    for broken in found:
        sys.stderr.write(f"breaks callers: {broken}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
