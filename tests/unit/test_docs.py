"""The documents know everything an operator or integrator can meet, and point only at what is there."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import SecretStr
from temporalio import workflow

import jobs
from api.http import problems
from api.openapi import generate
from cli.embedded import temporal
from cli.main import app
from connectors.secrets.environment import PREFIX as SECRET_PREFIX
from dom.exceptions import CATALOGUE, ExceptionKind
from dom.notifications.messages import MessageKind
from dom.orders.events import EVENTS, EventKind
from dom.orders.status import OrderStatus
from dom.sourcing.models import CostTerm
from dom.sourcing.policy.document import Fence
from settings import ENV_PREFIX, Settings
from store.tables import metadata
from tools import rooms
from worker import WORKFLOWS

ROOT = Path(__file__).parent.parent.parent
DESCRIPTION = (ROOT / "docs/technical-description.md").read_text()
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
OFL = (ROOT / "docs/ofl.md").read_text()
STOCK = (ROOT / "docs/stock.md").read_text()
TOP_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "data/README.md")
PAGES = sorted(
    [*(ROOT / page for page in TOP_PAGES), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
)
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
FILE = re.compile(
    r"`((?:activities|api|bench|bootstrap|cli|connectors|deploy|docs|dom|jobs|processes|services|simulator|store"
    r"|tests|tools|workflows)/[\w/.-]*)`"
)
"""A file or folder of the code, named by its path from the top."""
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
MOST_DECISION_LINES = 25
MOST_README_LINES = 150


def rows(text: str) -> list[list[str]]:
    """The cells of every table row."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def described(name: str, text: str = DESCRIPTION) -> bool:
    """Whether a table names it in code letters and says something about it."""
    return any(f"`{name}`" in row[0] and len(" ".join(row[1:])) > len("said") for row in rows(text))


def endpoints() -> Iterator[str]:
    for path, operations in generate()["paths"].items():
        yield from (f"{method.upper()} {path}" for method in operations)


def messages() -> Iterator[tuple[str, str]]:
    for kind in WORKFLOWS:
        definition = workflow._Definition.must_from_class(kind)
        for name in [*definition.signals, *definition.updates, *definition.queries]:
            yield str(definition.name), str(name)


def commands(command: Any, name: str) -> Iterator[str]:
    """What can be typed; only groups have commands of their own."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name
    else:
        for word, child in below.items():
            yield from commands(child, f"{name} {word}")


def names_of_jobs() -> set[str]:
    """What the log calls each background job."""
    modules = [importlib.import_module(f"jobs.{each.name}") for each in pkgutil.iter_modules(jobs.__path__)]
    return {
        name
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and hasattr(each, "run") and isinstance(name := getattr(each, "name", None), str)
    }


def options(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """What the commands below can be told, but for help and arguments."""
    for word, child in getattr(command, "commands", {}).items():
        yield from options(child, f"{name} {word}")
    for parameter in command.params:
        yield from ((name, option) for option in parameter.opts if option.startswith("--") and option != "--help")


def default_of(name: str) -> str:
    """The default of a setting as the environment would say it."""
    value = Settings.model_fields[name].default
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value}"


def made(page: Path) -> set[str]:
    """The targets of make that a page names, in words and in blocks of code."""
    named = re.findall(r"(?:`|^ {4,}|^\$ )make((?: +[A-Z_]+=\S+)*) +([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
    return {target for _, target in named}


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual hosts make them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


class TestEverythingIsDescribed:
    @pytest.mark.parametrize("name", Settings.model_fields)
    def test_setting_with_its_default(self, name: str) -> None:
        found = [row for row in rows(DESCRIPTION) if row[0] == f"`{ENV_PREFIX}{name.upper()}`"]

        assert len(found) == 1
        assert found[0][1].strip("`") == default_of(name)
        assert found[0][2]

    def test_no_setting_that_is_none(self) -> None:
        known = {ENV_PREFIX + name.upper() for name in Settings.model_fields}
        named = {name for page in PAGES for name in re.findall(r"\bDOM_[A-Z_]+\b", page.read_text())}

        assert {name for name in named if not name.startswith(SECRET_PREFIX)} <= known

    @pytest.mark.parametrize("endpoint", list(endpoints()))
    def test_endpoint(self, endpoint: str) -> None:
        assert described(endpoint)

    @pytest.mark.parametrize(("process", "message"), list(messages()))
    def test_signal_or_update(self, process: str, message: str) -> None:
        assert any(row[:2] == [f"`{process}`", f"`{message}`"] for row in rows(DESCRIPTION))

    @pytest.mark.parametrize("name", temporal.SEARCH_ATTRIBUTES)
    def test_search_attribute_with_its_type(self, name: str) -> None:
        assert [f"`{name}`", temporal.SEARCH_ATTRIBUTES[name]] in [row[:2] for row in rows(DESCRIPTION)]

    @pytest.mark.parametrize("name", problems.TYPES)
    def test_problem_type_with_its_status(self, name: str) -> None:
        assert [f"`{name}`", str(problems.TYPES[name].status)] in [row[:2] for row in rows(DESCRIPTION)]

    @pytest.mark.parametrize("kind", MessageKind)
    def test_message(self, kind: str) -> None:
        assert described(kind)

    @pytest.mark.parametrize("status", OrderStatus)
    def test_order_status(self, status: str) -> None:
        assert described(status)

    @pytest.mark.parametrize("name", list(commands(typer.main.get_command(app), "dom")))
    def test_command(self, name: str) -> None:
        assert described(name)

    @pytest.mark.parametrize(("command", "option"), list(options(typer.main.get_command(app), "dom")))
    def test_option(self, command: str, option: str) -> None:
        assert any(f"`{command}`" in row[0] and f"`{option}`" in row[1] for row in rows(DESCRIPTION))

    @pytest.mark.parametrize("name", [*Fence, *CostTerm])
    def test_fence_or_cost_of_the_policy(self, name: str) -> None:
        assert described(name, OFL)

    def test_every_background_job(self) -> None:
        table = STOCK.partition("\n## The background jobs")[2].partition("\n## ")[0]
        assert {row[0].strip("`") for row in rows(table)[2:]} == names_of_jobs()

    @pytest.mark.parametrize("name", metadata.tables)
    def test_table(self, name: str) -> None:
        assert described(name)

    @pytest.mark.parametrize("name", temporal.DYNAMIC_CONFIG)
    def test_server_setting(self, name: str) -> None:
        assert f"`{name}={temporal.DYNAMIC_CONFIG[name]}`" in DESCRIPTION

    def test_every_kind_of_exception(self) -> None:
        table = RUNBOOK.partition("\n## Exceptions")[2].partition("\n## ")[0]
        told = [
            [f"`{kind}`", str(info.severity), str(info.owner_role), info.meaning, info.next_steps]
            for kind, info in CATALOGUE.items()
        ]
        assert rows(table)[2:] == told
        assert set(CATALOGUE) == set(ExceptionKind)

    def test_every_kind_of_event_in_a_timeline(self) -> None:
        _, _, table = DESCRIPTION.partition("## The timeline of an order")
        table, _, _ = table.partition("\n## ")
        told = [
            [f"`{kind}`", info.meaning, ", ".join(f"`{name}`" for name in info.data.model_fields)]
            for kind, info in EVENTS.items()
        ]
        assert rows(table)[2:] == told
        assert set(EVENTS) == set(EventKind)


class TestPages:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_links_lead_somewhere(self, page: Path) -> None:
        for link in LINK.finditer(page.read_text()):
            target, _, anchor = link["target"].partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            file = (page.parent / target).resolve() if target else page
            assert file.exists(), link["target"]
            assert not anchor or anchor in headings(file), link["target"]

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_targets_of_make_that_are_named_exist(self, page: Path) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

        assert made(page) <= targets

    def test_targets_of_make_are_seen_in_words_and_in_blocks(self) -> None:
        assert {"run", "test"} <= made(ROOT / "README.md")
        assert {"bench", "bench-counts", "bench-stock", "bench-ofl"} <= made(ROOT / "docs/performance.md")

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_files_that_are_named_exist(self, page: Path) -> None:
        named = set(FILE.findall(page.read_text()))

        assert {name for name in named if not (ROOT / name).exists()} == set()

    def test_the_picture_of_the_architecture_is_that_of_the_imports(self) -> None:
        page = rooms.PAGE.read_text()

        assert rooms.drawn(page) == page, "python -m tools.rooms draws it anew"

    def test_the_readme_stays_short(self) -> None:
        assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_README_LINES

    def test_every_decision_is_short_dated_and_listed(self) -> None:
        index = (ROOT / "docs/decisions/README.md").read_text()

        assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
        for page in DECISIONS:
            text = page.read_text()
            assert text.count("\n") < MOST_DECISION_LINES, page.name
            assert re.search(r"^20\d\d-\d\d-\d\d$", text, re.MULTILINE), page.name
            assert all(f"**{part}.**" in text for part in ("Chosen", "Rejected", "Price")), page.name
            assert f"({page.name})" in index

    def test_the_changes_name_the_version_of_the_project(self) -> None:
        version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

        assert version is not None
        assert f"\n## {version[1]} (" in (ROOT / "CHANGELOG.md").read_text()
