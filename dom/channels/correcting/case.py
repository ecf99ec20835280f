"""The order that is corrected, and what is known beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dom.channels.corrections import CorrectionRule
from dom.channels.faults import MessageFault
from dom.channels.mapping import paths
from dom.channels.mapping.document import Mapping as ChannelMapping


@dataclass(frozen=True, slots=True)
class CatalogueSku:
    """A SKU of the catalogue; `bought`: the customer ordered it before."""

    id: str
    name: str = ""
    bought: bool = False


@dataclass(frozen=True, slots=True)
class KnownSkus:
    """What the catalogue knows of the SKUs of an order: those it holds, and by code what each other could be.

    `by_form`: SKUs that differ in case, blanks, dashes or leading zeros alone. `alike`: those with a similar code or
    name, and what the customer ordered before.
    """

    held: frozenset[str] = frozenset()
    by_form: Mapping[str, Sequence[CatalogueSku]] = field(default_factory=dict)
    alike: Mapping[str, Sequence[CatalogueSku]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CorrectionFinding:
    """What a rule would put in a field, how sure it is (per mille) and why. `rule` is empty for the one that runs."""

    field: str
    after: Any
    confidence: int
    why: str
    rule: CorrectionRule | str = ""


@dataclass(slots=True)
class CorrectionCase:
    """An order as it stands after the rules that ran; `faults` are those of its mapping."""

    order: Any
    faults: Sequence[MessageFault] = ()
    mapping: ChannelMapping | None = None
    skus: KnownSkus = field(default_factory=KnownSkus)

    def text(self, name: str) -> str:
        """The text of a field; empty where it holds none."""
        found = paths.at(self.order, name)
        return found if isinstance(found, str) else ""

    @property
    def country(self) -> str:
        """The country the goods go to, as it stands."""
        return self.text("ship_to.country")

    def items(self, name: str) -> list[Any]:
        """The items of a list."""
        found = paths.at(self.order, name)
        return list(found) if isinstance(found, list | tuple) else []

    def lines(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The lines, with their places."""
        for index, line in enumerate(self.items("lines")):
            if isinstance(line, Mapping):
                yield index, line


Rule = Callable[[CorrectionCase], Iterator[CorrectionFinding]]
