"""Conditions and values in CEL over data of any form: of it only the names of the variables are known beforehand.

What they may cost is bounded as in `dom.documents.expressions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dom.documents.expressions import (
    FUNCTIONS,
    LOOKS,
    METHODS,
    TYPES,
    WORDS,
    Token,
    check_brackets,
    check_looks,
    check_patterns,
    expect,
    looks,
    misread,
    plain_failure,
    tokens_of,
)


class ExpressionFailed(ValueError):
    """An expression that gives no value for what it was asked about."""


@dataclass(frozen=True, slots=True)
class OpenExpression:
    """A checked expression over data of any form, of which only the names of the variables are known beforehand."""

    text: str
    program: Any
    named: frozenset[str]

    def value(self, **variables: Any) -> Any:
        """Its value. Raises ExpressionFailed.

        It is given only what it names: a large message is not handed over once more for each of its lines.
        """
        try:
            return self.program.execute({name: each for name, each in variables.items() if name in self.named})
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:
            raise ExpressionFailed(plain_failure(error)) from error


@lru_cache(maxsize=2048)
def compile_open(text: str, variables: tuple[str, ...]) -> OpenExpression:
    """The expression over these variables, ready for use. Raises ExpressionProblem."""
    import cel

    tokens = tokens_of(text)
    check_brackets(tokens)
    check_looks(tokens)
    _check_names(tokens, variables)
    check_patterns(tokens)
    try:
        named = frozenset([token.text for token in tokens if token.kind == "name"])
        return OpenExpression(text, cel.compile(text), named)
    except Exception as error:
        raise misread(text, str(error)) from error


def _check_names(tokens: Sequence[Token], variables: Sequence[str]) -> None:
    """Every variable and function is one that is there; what members the data has is not known."""
    scopes = list(looks(tokens))
    for at, token in enumerate(tokens):
        if token.kind != "name" or token.text in WORDS:
            continue
        before = tokens[at - 1].text if at else ""
        after = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if before == ".":
            if after == "(":
                expect(token, METHODS | LOOKS, "there is no function")
        elif after == "(":
            expect(token, FUNCTIONS, "there is no function")
        elif not (before in {"{", ","} and after == ":"):
            looked_at = {scope.variable for scope in scopes if scope.start < at < scope.end}
            expect(token, {*variables, *looked_at, *TYPES}, "there is no")
