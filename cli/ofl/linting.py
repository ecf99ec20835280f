"""`dom ofl lint`: what is wrong with a policy, or with all of a folder, each mistake with its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.ofl.reading import in_database, reading_of, refusals, show_findings

if TYPE_CHECKING:
    from dom.sourcing.policy.lint import Known

Files = Annotated[Path, typer.Argument(help="A policy as YAML or JSON, or a folder of them.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="Without the network: nodes, carriers, channels and SKUs are not looked up.")
]
SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def lint(files: Files, offline: Offline = False) -> None:
    """Look for mistakes in a policy, or in every one of a folder; exit code 1 if there are errors."""
    from dom.documents.findings import Severity
    from dom.sourcing.policy.checking import linted

    with refusals():
        found = _policies(files)
        known = _known(offline=offline)
        errors = warnings = 0
        for file in found:
            findings = linted(reading_of(file), known).findings
            show_findings(file, findings)
            errors += sum(each.severity is Severity.ERROR for each in findings)
            warnings += sum(each.severity is Severity.WARNING for each in findings)
    typer.echo(f"{_many(len(found), 'policy', 'policies')}: {_many(errors, 'error')}, {_many(warnings, 'warning')}")
    raise typer.Exit(1 if errors else 0)


def _policies(files: Path) -> list[Path]:
    from cli.problems import StartProblem

    if not files.is_dir():
        return [files]
    found = sorted(file for file in files.rglob("*") if file.suffix in SUFFIXES and file.is_file())
    if not found:
        raise StartProblem(f"{files} holds no policy", f"name a folder with {', '.join(sorted(SUFFIXES))} files")
    return found


def _known(*, offline: bool) -> Known:
    from cli.problems import StartProblem
    from dom.sourcing.policy.lint import NOTHING
    from services import policies

    if offline:
        return NOTHING
    try:
        return in_database(policies.known)
    except StartProblem as problem:
        raise StartProblem(problem.what, f"{problem.what_to_do}, or give --offline") from problem


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
