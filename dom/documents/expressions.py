"""Conditions in CEL, the Common Expression Language (https://cel.dev, spec v0.24), over one variable: `order`.

An expression is checked before it may be used. What it costs is bounded by its form: its length, how deep it nests,
and that a look at every one of an order's lines never stands inside another. So an order of 1,000 lines is answered in
some 20 ms at the worst, and one of ten in a tenth of a millisecond.

`order` is a map. Times are UTC; `requested_by` is null where the customer named no time.

| field | what it is |
|---|---|
| channel, country, region, shipping_method, customer_class, currency | texts; empty where not known |
| value | of the goods, in minor units of the policy's currency; null where it has no exchange rate |
| units, grams | of all goods |
| tags | list of texts |
| as_of, requested_by | timestamps |
| ship_complete | whether nothing is to be sent before everything can be |
| lines | list of maps: line_id, sku, quantity, unit_price (in `order.currency`), weight_grams, |
|   | hazmat, cold, oversize, attributes (map of texts) |
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Any, Final, NamedTuple

MAX_CHARACTERS: Final = 2_000
MAX_TOKENS: Final = 500
MAX_DEPTH: Final = 20
"""Brackets in brackets."""
MAX_REPEATS: Final = 1_000
"""The product of all `{n}` of a pattern: a pattern is built out that often."""

_LINE: Final[dict[str, Any]] = {
    "line_id": "1",
    "sku": "A",
    "quantity": 1,
    "unit_price": 1,
    "weight_grams": 1,
    "hazmat": False,
    "cold": False,
    "oversize": False,
    "attributes": {},
}
_ORDER: Final[dict[str, Any]] = {
    "channel": "web",
    "country": "GB",
    "region": "",
    "shipping_method": "standard",
    "value": 1,
    "units": 1,
    "grams": 1,
    "tags": ["tag"],
    "customer_class": "",
    "as_of": datetime(2026, 3, 2, 12, tzinfo=UTC),
    "requested_by": datetime(2026, 3, 4, 12, tzinfo=UTC),
    "ship_complete": False,
    "currency": "GBP",
    "lines": [_LINE],
}
"""An order to try an expression on."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What `order` is for an expression: one to try it on, with every field there is. Its `lines` has one line."""

    example: Mapping[str, Any]
    order_fields: frozenset[str] = field(init=False)
    line_fields: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """The names are those of the example."""
        object.__setattr__(self, "order_fields", frozenset(self.example))
        object.__setattr__(self, "line_fields", frozenset(self.example["lines"][0]))


SOURCING: Final = Vocabulary(_ORDER)
"""What an OFL policy's expressions can name."""

WORDS: Final = frozenset({"true", "false", "null", "in"})
TYPES: Final = frozenset({"int", "uint", "double", "string", "bytes", "duration", "timestamp"})
FUNCTIONS: Final = frozenset({"size", "has", "type", "dyn", *TYPES})
METHODS: Final = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches", "getFullYear", "getMonth", "getDate", "getDayOfMonth"}
    | {"getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"}
)
LOOKS: Final = frozenset({"all", "exists", "exists_one"})
"""Looks at every element of a list."""
_COPIES: Final = frozenset({"map", "filter"})
"""Build a new list; what that costs grows with the square of its length."""

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<text>[rRbB]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''
        |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[uU]?)
    |(?P<sign>&&|\|\||[=!<>]=|[-+*/%<>!?:.,(){}\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_CLOSES: Final = {")": "(", "]": "[", "}": "{"}
_PLACE: Final = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")
_UNKNOWN: Final = re.compile(r"Undefined variable or function: '([^']*)'")
_COUNT: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")


class ExpressionProblem(ValueError):
    """An expression that may not be used: why, how to mend it, and the character (from 0) where it goes wrong."""

    def __init__(self, message: str, hint: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.offset = offset


class Evaluation(NamedTuple):
    """Whether an expression holds for an order. One that fails does not hold, and says how it failed."""

    holds: bool
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. `asks_lines` says whether it reads `order.lines`: without it they need not be given."""

    text: str
    program: Any
    asks_lines: bool

    def holds(self, order: Mapping[str, Any]) -> bool:
        """Whether it holds for the order."""
        return self.answer(order).holds

    def answer(self, order: Mapping[str, Any]) -> Evaluation:
        """Whether it holds for the order, and what went wrong if something did. Raises nothing."""
        try:
            value = self.program.execute({"order": order})
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:
            return Evaluation(False, plain_failure(error))
        if not isinstance(value, bool):
            return Evaluation(False, f"it answers {type(value).__name__}, not true or false")
        return Evaluation(value)


@lru_cache(maxsize=512)
def compile_expression(text: str, vocabulary: Vocabulary = SOURCING) -> Expression:
    """The expression, ready for use. Raises ExpressionProblem for one that is wrong or could cost too much."""
    import cel

    tokens = tokens_of(text)
    check_brackets(tokens)
    check_looks(tokens)
    _check_names(tokens, vocabulary)
    check_patterns(tokens)
    try:
        program = cel.compile(text)
    except Exception as error:
        raise misread(text, str(error)) from error
    expression = Expression(text, program, any(token.text == "lines" for token in tokens))
    _try_out(expression, tokens, vocabulary)
    return expression


class Token(NamedTuple):
    kind: str
    text: str
    offset: int


def tokens_of(text: str) -> list[Token]:
    if len(text) > MAX_CHARACTERS:
        raise ExpressionProblem(
            f"the expression has {len(text):,} characters; it may have {MAX_CHARACTERS:,}", "split the strategy in two"
        )
    found: list[Token] = []
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            raise ExpressionProblem(f"{text[offset]!r} means nothing here", "take it out, or close the text", offset)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), offset))
        offset = match.end()
    if not found:
        raise ExpressionProblem("the expression is empty", 'write a condition, such as order.channel == "web"')
    if len(found) > MAX_TOKENS:
        raise ExpressionProblem(
            f"the expression has {len(found)} parts; it may have {MAX_TOKENS}",
            "split the strategy in two",
            found[MAX_TOKENS].offset,
        )
    return found


def check_brackets(tokens: Sequence[Token]) -> None:
    open_: list[Token] = []
    for token in tokens:
        if token.kind != "sign":
            continue
        if token.text in "([{":
            open_.append(token)
            if len(open_) > MAX_DEPTH:
                raise ExpressionProblem(
                    f"brackets lie more than {MAX_DEPTH} deep in each other", "write it flatter", token.offset
                )
        elif token.text in _CLOSES and (not open_ or open_.pop().text != _CLOSES[token.text]):
            raise ExpressionProblem(f"{token.text!r} closes nothing", "take it out", token.offset)
    if open_:
        raise ExpressionProblem(f"{open_[-1].text!r} is never closed", "close it", open_[-1].offset)


class _Look(NamedTuple):
    """A look at every element: where its brackets begin and end, among the tokens, and its variable."""

    at: int
    start: int
    end: int
    variable: str
    over_lines: bool


def looks(tokens: Sequence[Token]) -> Iterator[_Look]:
    for at in range(1, len(tokens) - 2):
        if tokens[at].text in LOOKS and tokens[at - 1].text == "." and tokens[at + 1].text == "(":
            over_lines = [token.text for token in tokens[max(0, at - 4) : at]] == ["order", ".", "lines", "."]
            yield _Look(at, at + 1, _closing(tokens, at + 1), tokens[at + 2].text, over_lines)


def _closing(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for at in range(start, len(tokens)):
        if tokens[at].kind == "sign":
            depth += (tokens[at].text in "([{") - (tokens[at].text in _CLOSES)
            if depth == 0:
                return at
    return len(tokens)


def check_looks(tokens: Sequence[Token]) -> None:
    """No look at all elements inside another, and nothing that copies a list."""
    for before, token in pairwise(tokens):
        if before.text == "." and token.text in _COPIES:
            raise ExpressionProblem(
                f"`{token.text}` builds a list, which costs too much for a large order",
                "use all, exists or exists_one; order.units, order.value and order.grams are the sums of the lines",
                token.offset,
            )
    for look in looks(tokens):
        for at in range(look.start, look.end):
            token = tokens[at]
            if token.text in LOOKS and tokens[at - 1].text == ".":
                raise ExpressionProblem(
                    f"`{token.text}` stands inside `{tokens[look.at].text}`: that is a look at every pair of elements",
                    "put the two side by side with && or ||",
                    token.offset,
                )
            if token.text == "lines" and tokens[at - 1].text == ".":
                raise ExpressionProblem(
                    f"`order.lines` is read for every element that `{tokens[look.at].text}` looks at",
                    "read it outside; order.units, order.value and order.grams are the sums of the lines",
                    token.offset,
                )
            if token.text == "matches":
                raise ExpressionProblem(
                    "`matches` would build its pattern for every element",
                    "use startsWith, endsWith, contains, == or in",
                    token.offset,
                )


def _check_names(tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
    """Every name is one that is there, as far as its place tells."""
    scopes = list(looks(tokens))
    for at, token in enumerate(tokens):
        if token.kind != "name" or token.text in WORDS:
            continue
        before = tokens[at - 1].text if at else ""
        after = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if before == ".":
            _check_member(tokens, at, scopes, vocabulary)
        elif after == "(":
            expect(token, FUNCTIONS, "there is no function")
        elif not (before in {"{", ","} and after == ":"):
            if token.text == "order" and after != ".":
                raise ExpressionProblem(
                    "`order` is used as a whole", "name its field: order.value, order.tags ...", token.offset
                )
            variables = {scope.variable for scope in scopes if scope.start < at < scope.end}
            expect(token, {"order", *variables, *TYPES}, "there is no")


def _check_member(tokens: Sequence[Token], at: int, scopes: Sequence[_Look], vocabulary: Vocabulary) -> None:
    after = tokens[at + 1].text if at + 1 < len(tokens) else ""
    token, owner = tokens[at], tokens[at - 2] if at > 1 else tokens[at - 1]
    of_a_name = at < 3 or tokens[at - 3].text != "."  # noqa: PLR2004
    if after == "(":
        expect(token, METHODS | LOOKS, "there is no function")
    elif owner.text == "order" and of_a_name:
        expect(token, vocabulary.order_fields, "an order has no")
    elif of_a_name and any(s.over_lines and s.variable == owner.text and s.start < at < s.end for s in scopes):
        expect(token, vocabulary.line_fields, "a line has no")


def expect(token: Token, known: frozenset[str] | set[str], complaint: str) -> None:
    if token.text in known:
        return
    close = get_close_matches(token.text, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
    raise ExpressionProblem(f"{complaint} {token.text}", hint, token.offset)


def check_patterns(tokens: Sequence[Token]) -> None:
    """A pattern is written out, and is not built out without end."""
    for at, token in enumerate(tokens):
        if token.text != "matches" or at + 1 >= len(tokens):
            continue
        inside = tokens[at + 2 : _closing(tokens, at + 1)]
        if not inside or inside[-1].kind != "text" or (len(inside) > 1 and inside[-2].text != ","):
            raise ExpressionProblem("a pattern must be a text", 'write it out: matches("^A[0-9]+$")', token.offset)
        counts = [int(high or low) for low, high in _COUNT.findall(inside[-1].text)]
        if prod(max(1, count) for count in counts) > MAX_REPEATS:
            raise ExpressionProblem(
                "the pattern repeats too much", f"its counts may multiply to {MAX_REPEATS:,}", inside[-1].offset
            )


def misread(text: str, error: str) -> ExpressionProblem:
    found = _PLACE.search(error)
    if found is None:
        return ExpressionProblem("this is no CEL expression", "see https://cel.dev")
    line, column, problem = int(found[1]), int(found[2]), found[3].partition(" expecting ")[0]
    offset = sum([len(each) + 1 for each in text.split("\n")[: line - 1]]) + column - 1
    if "<EOF>" in problem:
        return ExpressionProblem("the expression ends too early", "something is missing here", len(text))
    return ExpressionProblem(f"this is no CEL expression: {problem}", "see https://cel.dev", min(offset, len(text)))


_NOT_FOUND_OUT: Final = (KeyError, IndexError, ZeroDivisionError, OverflowError)
"""What fails on one order and need not on another."""


def _try_out(expression: Expression, tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
    """Evaluate it once: what is wrong with its types or functions comes to light."""
    try:
        value = expression.program.execute({"order": vocabulary.example})
    except _NOT_FOUND_OUT:
        return
    except Exception as error:
        unknown = _UNKNOWN.search(str(error))
        name = unknown[1] if unknown else ""
        offset = next((token.offset for token in tokens if token.text == name), 0)
        message = f"there is no {name} with these arguments" if unknown else plain_failure(error)
        hint = "see https://cel.dev" if unknown else "compare like with like: a number, a text, a time or a truth value"
        raise ExpressionProblem(message, hint, offset) from error
    if not isinstance(value, bool):
        raise ExpressionProblem(
            f"it answers {type(value).__name__}, not true or false", "compare it with something: ==, >, in ..."
        )


def plain_failure(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0] if error.args else 'such field'}"
    return str(error).partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__
