"""`python -m tools.limits`: modules and functions stay small, a class's name says which class it is, and exceptions
are opened in one place.

What is over a limit already is listed in `tools/limits.toml` with its measure. That list may only shrink: what grows
beyond its entry fails, and so does an entry that is higher than what is measured; `--lower` lowers and removes such
entries and never adds one.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
LISTED: Final = Path("tools/limits.toml")
MODULE_LINES: Final = 400
FUNCTION_LINES: Final = 70
OPENS_EXCEPTIONS: Final = "store/exceptions.py"

_MIGRATIONS: Final = "store/migrations/"
_NOT_SHIPPED: Final = ("tests/", "tools/", "bench/")
_INSERT: Final = re.compile(r"\bINSERT\s+INTO\s+exceptions\b", re.IGNORECASE)

Found = dict[str, dict[str, int]]
"""By rule, what is over its limit, and by how much it measures."""

RULES: Final[Mapping[str, tuple[int, str]]] = {
    "modules": (MODULE_LINES, "{0}: {1} lines, of at most {2}"),
    "functions": (FUNCTION_LINES, "{0}: {1} lines, of at most {2}"),
    "classes": (1, "{0}: {1} public classes have this name, of at most {2}; `grep -rn 'class {0}\\b'` finds them"),
    "inserts": (0, "{0}: {1} times INSERT INTO exceptions, of at most {2}; call store.exceptions"),
}
"""By rule, what is allowed to everybody, and how a breach reads."""


def measure(root: Path) -> Found:
    """What is over a limit in the tree; paths are relative to it.

    Migrations may be of any length. Of tests only the length of modules counts; classes and statements count in what
    is shipped.
    """
    found: Found = {rule: {} for rule in RULES}
    names: Counter[str] = Counter()
    for file in sources(root):
        path = file.relative_to(root).as_posix()
        content = file.read_text(encoding="utf-8")
        shipped = not path.startswith(_NOT_SHIPPED)
        if shipped and path != OPENS_EXCEPTIONS:
            found["inserts"][path] = len(_INSERT.findall(content))
        if file.suffix != ".py" or path.startswith(_MIGRATIONS):
            continue
        found["modules"][path] = len(content.splitlines())
        tree = ast.parse(content, path)
        if not path.startswith("tests/"):
            found["functions"].update({f"{path}::{name}": lines for name, lines in functions(tree)})
        if shipped:
            names.update(public_classes(tree))
    found["classes"] = dict(names)
    return {
        rule: {key: value for key, value in sorted(measured.items()) if value > RULES[rule][0]}
        for rule, measured in found.items()
    }


def sources(root: Path) -> Iterator[Path]:
    """Python and SQL of the root and of its packages."""
    yield from sorted(root.glob("*.py"))
    for package in sorted(each.parent for each in root.glob("*/__init__.py")):
        yield from sorted(file for file in package.rglob("*") if file.suffix in {".py", ".sql"})


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, int]]:
    """Each function and method by its qualified name, with its lines from `def` to its end."""
    for node in ast.iter_child_nodes(tree):
        name = within
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{within}.{node.name}".lstrip(".")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, (node.end_lineno or node.lineno) - node.lineno + 1
        yield from functions(node, name)


def public_classes(tree: ast.Module) -> Iterator[str]:
    """Names of the classes that other modules may import."""
    return (node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))


def problems(found: Found, listed: Found) -> list[str]:
    """What is over its limit or its entry, and entries that are higher than what is measured."""
    said = []
    for rule, (limit, reads) in RULES.items():
        measured, allowed = found[rule], listed.get(rule, {})
        said += [
            reads.format(key, value, allowed.get(key, limit))
            for key, value in measured.items()
            if value > allowed.get(key, limit)
        ]
        said += [
            f"{LISTED}: [{rule}] {key} = {value} is more than is needed; run `python -m tools.limits --lower`"
            for key, value in allowed.items()
            if value > measured.get(key, limit)
        ]
    return said


def lowered(found: Found, listed: Found) -> Found:
    """The entries that are still needed, none higher than before."""
    return {
        rule: {key: min(value, found[rule][key]) for key, value in allowed.items() if key in found[rule]}
        for rule, allowed in listed.items()
    }


def read(root: Path) -> Found:
    """The entries of the list. Raises ValueError if it names a rule that there is none of."""
    listed: Found = tomllib.loads((root / LISTED).read_text(encoding="utf-8"))
    if unknown := listed.keys() - RULES.keys():
        raise ValueError(f"{LISTED}: there is no rule {', '.join(sorted(unknown))}")
    return listed


def write(root: Path, listed: Found) -> None:
    """Replace the entries and keep the comment at the head of the list."""
    file = root / LISTED
    head, _, _ = file.read_text(encoding="utf-8").partition("\n[")
    rules = ["\n".join([f"[{rule}]", *(f'"{key}" = {n}' for key, n in listed[rule].items())]) for rule in listed]
    file.write_text(f"{head.rstrip()}\n\n" + "\n\n".join(rules) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Say what is over its limit; 1 if anything is."""
    parser = argparse.ArgumentParser(description="Checks the size of modules and functions, and names used twice.")
    parser.add_argument("--lower", action="store_true", help="lower and remove entries that are higher than needed")
    found = measure(root)
    if parser.parse_args(arguments).lower:
        write(root, lowered(found, read(root)))
    said = problems(found, read(root))
    print("\n".join(said) if said else "All within their limits.")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
