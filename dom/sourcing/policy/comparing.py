"""What changes from one policy to another: every field by its place, and in words, strategy by strategy."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from pydantic import Field

from dom.documents.findings import Path, listed, written
from dom.shared.base import Value
from dom.sourcing.policy.document import Policy


class PolicyChangeKind(StrEnum):
    """What happened to a strategy, a group or a field."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    MOVED = "moved"
    CHANGED = "changed"


class PolicyChange(Value):
    """One difference. `path` is a place in the newer policy, of what was removed one in the older.

    Fields that were not written stand there with what they mean. Of a strategy that moved, `before` and `after` are
    its places in the list, from 1.
    """

    kind: PolicyChangeKind
    strategy: str | None = Field(default=None, description="The strategy's name, where it is about one.")
    path: str = Field(examples=["strategies[1].cost.split_penalty"])
    before: Any = None
    after: Any = None
    words: str = Field(examples=["express: split_penalty goes from 250 to 125"])


Document = Mapping[str, Any]


def compare(before: Policy, after: Policy) -> tuple[PolicyChange, ...]:
    """Every difference, in the order of the newer policy. Strategies are matched by name, wherever they stand."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    found = list(_own(old, new))
    found += _strategies(old["strategies"], new["strategies"])
    return tuple(found)


def _own(old: Document, new: Document) -> Iterator[PolicyChange]:
    """What is not about one strategy."""
    for field in new:
        if field != "strategies":
            yield from _fields(old[field], new[field], (field,), "", None)


def _strategies(old: Sequence[Document], new: Sequence[Document]) -> Iterator[PolicyChange]:
    was, now = _by_name(old), _by_name(new)
    gone = {name: old[place] for name, place in was.items() if name not in now}
    come = {name: new[place] for name, place in now.items() if name not in was}
    renamed = _renamed(gone, come)
    moved = _moved([name for name in was if name in now], [name for name in now if name in was])
    for name, strategy in gone.items():
        if name not in renamed.values():
            yield _change(PolicyChangeKind.REMOVED, name, (was[name],), strategy, None, "the strategy is removed")
    for name, place in now.items():
        if name in renamed:
            before = renamed[name]
            yield _change(PolicyChangeKind.RENAMED, name, (place, "name"), before, name, f"is what was called {before}")
        elif name in come:
            yield _change(
                PolicyChangeKind.ADDED, name, (place,), None, new[place], f"a new strategy, at place {place + 1}"
            )
        else:
            if name in moved:
                first, then = was[name] + 1, place + 1
                yield _change(
                    PolicyChangeKind.MOVED, name, (place,), first, then, f"moves from place {first} to {then}"
                )
            yield from _fields(old[was[name]], new[place], ("strategies", place), f"{name}: ", name)


def _change(kind: PolicyChangeKind, name: str, path: Path, before: Any, after: Any, words: str) -> PolicyChange:
    at = written(("strategies", *path))
    return PolicyChange(kind=kind, strategy=name, path=at, before=before, after=after, words=f"{name}: {words}")


def _by_name(strategies: Sequence[Document]) -> dict[str, int]:
    """The place of each strategy by name; of two of one name, the second has a number."""
    found: dict[str, int] = {}
    for place, strategy in enumerate(strategies):
        name, count = str(strategy["name"]), 1
        while name in found:
            count += 1
            name = f"{strategy['name']} ({count})"
        found[name] = place
    return found


def _renamed(gone: Mapping[str, Document], come: Mapping[str, Document]) -> dict[str, str]:
    """The older name by the newer, of strategies that differ in nothing else."""
    found: dict[str, str] = {}
    for name, strategy in come.items():
        for older, other in gone.items():
            if older not in found.values() and {**other, "name": strategy["name"]} == strategy:
                found[name] = older
                break
    return found


def _moved(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """The names that do not keep their place among the others."""
    kept: set[str] = set()
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        kept.update(old[block.a : block.a + block.size])
    return set(new) - kept


def _fields(old: Any, new: Any, path: Path, prefix: str, strategy: str | None) -> Iterator[PolicyChange]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*new, *(name for name in old if name not in new)]:
            yield from _fields(old.get(name), new.get(name), (*path, name), prefix, strategy)
        return
    kind = (
        PolicyChangeKind.ADDED if old is None else PolicyChangeKind.REMOVED if new is None else PolicyChangeKind.CHANGED
    )
    words = prefix + _in_words(_called(path), old, new)
    yield PolicyChange(kind=kind, strategy=strategy, path=written(path), before=old, after=new, words=words)


def _called(path: Path) -> str:
    """A field by the names that tell it: a strategy's without the list it stands in."""
    steps = path[2:] if path[0] == "strategies" else path
    inner = steps[1:] if len(steps) > 1 and steps[0] in {"fences", "cost", "split"} else steps
    return " ".join(str(step) for step in inner)


def _in_words(field: str, old: Any, new: Any) -> str:
    if _is_nothing(old):
        return f"sets {field} to {shown(new)}"
    if _is_nothing(new):
        return f"drops {field}, which was {shown(old)}"
    if isinstance(old, list) and isinstance(new, list):
        return _lists_in_words(field, old, new)
    return f"{field} goes from {shown(old)} to {shown(new)}"


def _lists_in_words(field: str, old: Sequence[Any], new: Sequence[Any]) -> str:
    was, now = set(map(shown, old)), set(map(shown, new))
    added, dropped = [each for each in new if shown(each) not in was], [each for each in old if shown(each) not in now]
    said = [f"adds {shown(added)} to {field}"] if added else []
    said += [f"takes {shown(dropped)} out of {field}"] if dropped else []
    return " and ".join(said) or f"{field} in another order: {shown(new)}"


def _is_nothing(value: Any) -> bool:
    return value is None or value in ([], {}, "")


def shown(value: Any) -> str:
    """A value of the document as a person would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(each)}" for name, each in value.items() if not _is_nothing(each))
    if isinstance(value, list):
        return listed([shown(each) for each in value])
    return str(value)
