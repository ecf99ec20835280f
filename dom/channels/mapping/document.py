"""A mapping: where each field of an order comes from in a channel's messages. A document, as policies are.

    name: our shop
    numbers: point
    order:
      number: {path: name, strip: "#"}
      placed_at: created_at
      currency: currency
      state: {path: cancelled_at, lookup: {"": open}, otherwise: cancelled}
      customer.name: {join: [customer.first_name, customer.last_name]}
      ship_to.country: shipping_address.country_code
    lines:
      each: line_items
      fields: {sku: sku, ordered: quantity, unit_price: price}

A path names keys and, from 0, places of lists: `shipping_lines[0].code`. Of several paths the first that holds
something counts. `{when: ...}` and `{cel: ...}` are CEL over `message`, and over `line` in lines and tenders.
"""

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from dom.channels.corrections import USUAL, CorrectionSettings
from dom.channels.mapping.values import Numbers
from dom.shared.base import Text, Value

PATH: Final = r"^(@|[^\s.\[\]]+(\[\d+\])*(\.[^\s.\[\]]+(\[\d+\])*)*)$"
SourcePath = Annotated[str, Field(min_length=1, max_length=200, pattern=PATH)]
Scalar = str | int | float | bool
Table = dict[Annotated[str, Field(max_length=200)], Scalar]
MOST_RULES: Final = 200


class FieldRule(Value):
    """Where the value of a field comes from: one of `path`, `join`, `value` and `cel`, and what is made of it then."""

    path: tuple[SourcePath, ...] | None = Field(
        default=None, description="where it stands in the message; of several the first that holds something"
    )
    join: tuple[SourcePath, ...] | None = Field(default=None, description="several texts in one, with `between` them")
    between: str = Field(default=" ", max_length=20, description="what stands between joined texts")
    value: Scalar | None = Field(default=None, description="always this")
    cel: str | None = Field(default=None, description="a CEL expression over `message` and, in lines, `line`")
    when: str | None = Field(default=None, description="a CEL condition; where it does not hold, `default` counts")
    strip: str = Field(default="", max_length=40, description="taken off the front of a text")
    lookup: str | Table | None = Field(
        default=None, description="what stands for each value: a table of `tables`, or one written here"
    )
    otherwise: Scalar | None = Field(default=None, description="for values that `lookup` does not name")
    default: Scalar | None = Field(default=None, description="where the message holds nothing")
    minor: bool | None = Field(default=None, description="amounts: whether they are minor units already")
    numbers: Numbers | None = Field(default=None, description="numbers, as in the mapping")

    @model_validator(mode="before")
    @classmethod
    def _a_text_is_a_path(cls, given: Any) -> Any:
        """`currency: currency` and `phone: [phone, mobile]` are short for rules with a path."""
        if isinstance(given, str | list):
            given = {"path": given}
        if not isinstance(given, dict):
            return given
        one = {"path": (given["path"],)} if isinstance(given.get("path"), str) else {}
        # What a validator has looked at is no JSON any more, where a list would do for a tuple.
        lists = {name: tuple(part) for name, part in given.items() if isinstance(part, list)}
        return {**given, **lists, **one}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("path", "join", "value", "cel") if getattr(self, name) is not None]
        if len(given) != 1:
            said = "comes from nowhere" if not given else f"has several sources: {', '.join(given)}"
            raise ValueError(f"it {said}; name one of path, join, value and cel")
        return self


Fields = Annotated[dict[Annotated[str, Field(max_length=60)], FieldRule], Field(max_length=MOST_RULES)]


class ItemRules(Value):
    """Items of a list in the message, each of which becomes a line or a tender."""

    each: SourcePath = Field(description="where the list stands; `@`: the message is the list, or is one item itself")
    where: str | None = Field(
        default=None, description="a CEL condition over `line`: items for which it does not hold are left out"
    )
    fields: Fields = Field(description="Where each field of an item comes from.")


class Mapping(Value):
    """How a channel's messages are read. `zone` is the time zone of times that come without one."""

    name: Text
    comment: str = Field(default="", max_length=2_000)
    numbers: Numbers = Field(
        default="point", description="the decimal mark; `either` takes what the number itself shows"
    )
    minor: bool = Field(default=False, description="whether amounts are minor units already")
    zone: str = Field(default="UTC", max_length=60, description="IANA name, as Europe/London")
    times: str | None = Field(
        default=None, max_length=60, description="strptime format of times; none: ISO 8601 or seconds"
    )
    tables: dict[Annotated[str, Field(max_length=60)], Table] = Field(
        default={}, max_length=50, description="Tables that `lookup` names: what stands for each value."
    )
    order: Fields
    lines: ItemRules
    tenders: ItemRules | None = Field(default=None, description="How payments are read; none: they are not.")
    corrections: CorrectionSettings = Field(
        default=USUAL, description="From what confidence on what is read is corrected, and when quarantine is too full."
    )

    def table(self, rule: FieldRule) -> Table | None:
        """The table a rule looks up in. KeyError for one that the mapping has not."""
        return self.tables[rule.lookup] if isinstance(rule.lookup, str) else rule.lookup
