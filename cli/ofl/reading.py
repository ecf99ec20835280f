"""Policies as commands name them: files, versions, drafts; and what is said when one has mistakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from cli.calling import environment, problems_as_one_line

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.documents.findings import Finding
    from dom.sourcing.policy.document import Policy
    from dom.sourcing.policy.reading import Reading

Result = TypeVar("Result")

DRAFT = "draft:"


def in_database(work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    """What `work` answers, in one transaction; raises StartProblem where there is no database."""
    from cli.records import in_database as work_on

    return work_on(*environment(), work)


@contextmanager
def refusals(file: Path | None = None) -> Iterator[None]:
    """Shows what is refused: a document's mistakes a line each, all else as one line; ends with exit code 1."""
    from cli.problems import StartProblem
    from dom.shared.errors import DomError, MappingInvalid, PolicyInvalid

    with problems_as_one_line():
        try:
            yield
        except (PolicyInvalid, MappingInvalid) as error:
            show_findings(file or Path("policy"), _findings(error), err=True)
            typer.echo(f"dom: {error.title[0].lower()}{error.title[1:]}. Mend them; nothing was changed.", err=True)
            raise typer.Exit(1) from error
        except DomError as error:
            raise StartProblem(error.detail, "nothing was changed") from error


def _findings(error: Exception) -> list[Finding]:
    from dom.documents.findings import Finding

    return [Finding.model_validate(each) for each in getattr(error, "data", {}).get("findings", [])]


def show_findings(file: Path, findings: Iterable[Finding], *, err: bool = False) -> None:
    """A line a finding: where, how bad, which, what, and how to mend it."""
    for each in findings:
        hint = f" ({each.hint})" if each.hint else ""
        typer.echo(f"{file}:{each.line}:{each.column}: {each.severity} {each.code}: {each.message}{hint}", err=err)


def text_of(file: Path) -> str:
    """The text of a file; raises StartProblem for one that cannot be read."""
    from cli.problems import StartProblem

    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StartProblem(f"{file} cannot be read ({error.strerror})", "name a file with a policy") from error
    except UnicodeDecodeError as error:
        raise StartProblem(f"{file} is not UTF-8 (byte {error.start})", "save it as UTF-8") from error


def reading_of(file: Path) -> Reading:
    """The policy of a file, read and not yet looked at against the network."""
    from dom.sourcing.policy.reading import read

    return read(text_of(file))


def is_file(which: str) -> bool:
    """Whether a policy is named by its file: neither a version, nor `live`, nor a draft."""
    return not (which == "live" or which.isdecimal() or which.startswith(DRAFT))


async def named(connection: AsyncConnection, which: str) -> Policy:
    """A version, the live policy or a draft. Raises NotFound."""
    from store.policy import drafts, policies

    if which.startswith(DRAFT):
        return (await drafts.get(connection, which.removeprefix(DRAFT))).policy
    return (await policies.get(connection, None if which == "live" else int(which))).policy
