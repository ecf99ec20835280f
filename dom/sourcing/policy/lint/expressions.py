"""Expressions that do not compile, answer something else than yes or no, or would cost too much."""

from collections.abc import Iterator

from dom.documents.expressions import ExpressionProblem, compile_expression
from dom.documents.findings import Mistake, error
from dom.sourcing.policy.document import Policy


def expressions(policy: Policy) -> Iterator[Mistake]:
    """What is wrong with each strategy's `when`."""
    for position, strategy in enumerate(policy.strategies):
        if strategy.match.when is None:
            continue
        try:
            compile_expression(strategy.match.when)
        except ExpressionProblem as problem:
            path = ("strategies", position, "match", "when")
            yield error("wrong-expression", path, problem.message, problem.hint, problem.offset)
