"""Tests that share a Temporal server must not share an order: the second would find the process of the first."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent.parent
NEEDS_TEMPORAL = {"temporal_client", "house", "running"}
"""Parameters of tests that start processes on the server of the test run."""


def needs_temporal(node: ast.AST) -> bool:
    """Whether it is a test that starts processes."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test"):
        return False
    return bool(NEEDS_TEMPORAL & {argument.arg for argument in node.args.args})


def numbers(test: ast.AST) -> Iterator[str]:
    """The order numbers that a test writes down: the first argument of every call of `order`."""
    for call in ast.walk(test):
        if isinstance(call, ast.Call) and call.args:
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            given = call.args[0]
            if name == "order" and isinstance(given, ast.Constant) and isinstance(given.value, str):
                yield given.value


def test_no_two_tests_send_an_order_of_one_number() -> None:
    senders: dict[str, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for test in filter(needs_temporal, ast.walk(ast.parse(path.read_text()))):
            for number in numbers(test):
                senders[number].add(f"{path.name}::{getattr(test, 'name', '')}")
    assert len(senders) > 100, "the numbers are no longer found"
    assert {number: tests for number, tests in senders.items() if len(tests) > 1} == {}
