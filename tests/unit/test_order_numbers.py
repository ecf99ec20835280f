"""Tests that share a Temporal server must not share an order: the second would find the process of the first."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent.parent
NEEDS_TEMPORAL = {"temporal_client", "house", "running"}
"""Parameters of tests that start processes on the server of the test run."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def needs_temporal(node: ast.AST) -> bool:
    """Whether it is a test that starts processes."""
    if not isinstance(node, Function) or not node.name.startswith("test"):
        return False
    return bool(NEEDS_TEMPORAL & {argument.arg for argument in node.args.args})


def numbers(tree: ast.AST, takes: dict[str, int]) -> Iterator[ast.expr]:
    """What is given as an order's number in calls of functions that take one; `takes`: at which place each does."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in takes and len(call.args) > takes[name]:
                yield call.args[takes[name]]


def takers(module: ast.Module, known_before: dict[str, int]) -> dict[str, int]:
    """The functions that take an order's number, with its place among their arguments: those known, and the module's.

    A function takes one that hands a parameter of its own to a function that does.
    """
    found = dict(known_before)
    functions = [node for node in ast.walk(module) if isinstance(node, Function)]
    while True:
        known = dict(found)
        for function in functions:
            parameters = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
            given = {part.id for part in numbers(function, known) if isinstance(part, ast.Name)}
            for name in given & set(parameters):
                found[function.name] = parameters.index(name)
        if found == known:
            return found


def test_no_two_tests_send_an_order_of_one_number() -> None:
    senders: dict[str, set[str]] = defaultdict(set)
    shared = [path for path in TESTS.rglob("*.py") if not path.name.startswith("test_")]
    helpers = ast.Module([part for path in shared for part in ast.parse(path.read_text()).body], [])
    of_helpers = takers(helpers, {"order": 0})
    for path in TESTS.rglob("test_*.py"):
        module = ast.parse(path.read_text())
        takes = takers(module, of_helpers)
        for test in filter(needs_temporal, ast.walk(module)):
            for given in numbers(test, takes):
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    senders[given.value].add(f"{path.name}::{getattr(test, 'name', '')}")
    assert len(senders) > 100, "the numbers are no longer found"
    assert {number: tests for number, tests in senders.items() if len(tests) > 1} == {}
