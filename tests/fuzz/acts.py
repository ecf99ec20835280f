"""What is done to an order, as data: it is drawn, carried out, printed, shortened and kept in a file.

Work is named by its number, a parcel by its work and booking ("1/2"), events, keys and returns by what they were drawn
as; so that a sequence can be carried out again for another order, and without some of its acts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Act = dict[str, Any]
"""`do` says what, the rest with what."""
KEPT = Path(__file__).parent / "kept"


@dataclass(frozen=True)
class Story:
    """How an order begins, and what is done to it."""

    start: Mapping[str, Any]
    acts: Sequence[Act]

    def as_json(self) -> str:
        """One act a line."""
        acts = ",\n  ".join(json.dumps(act) for act in self.acts)
        return f'{{"start": {json.dumps(self.start)},\n "acts": [\n  {acts}\n ]}}\n'


def read(file: Path) -> Story:
    """A kept story."""
    document = json.loads(file.read_text(encoding="utf-8"))
    return Story(document["start"], document["acts"])
