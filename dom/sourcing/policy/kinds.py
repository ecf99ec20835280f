"""Numbers that a policy gives by kind of node."""

from typing import Annotated, Final, Literal

from pydantic import Field

from dom.network import NodeKind

ANY: Final = "any"
ByKind = dict[NodeKind | Literal["any"], Annotated[int, Field(ge=0, le=10**9)]]
"""A number by node kind; `any` is for kinds that are not named."""


def by_kind(numbers: ByKind, kind: NodeKind) -> int | None:
    """The number for a node kind; None where the policy names none."""
    return numbers.get(kind, numbers.get(ANY))
