"""Policies with mistakes, which mistakes, and the network they are looked at against."""

import json
import re
from pathlib import Path

from dom.delivery.tariffs import Tariff
from dom.network import Node
from dom.sourcing.policy.checking import Checked, linted
from dom.sourcing.policy.lint import NOTHING, Known
from dom.sourcing.policy.reading import read

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
BROKEN = sorted((ROOT / "tests" / "policies" / "broken").glob("*.yaml"))
CLEAN = [SAMPLE / "policy.yaml", *sorted((ROOT / "tests" / "policies" / "clean").glob("*"))]

KNOWN = Known(
    nodes=tuple(Node.model_validate(each) for each in json.loads((SAMPLE / "network.json").read_text())["nodes"]),
    tariffs=tuple(Tariff.model_validate(each) for each in json.loads((SAMPLE / "tariffs.json").read_text())),
    channels=tuple(each["channel"]["id"] for each in json.loads((SAMPLE / "channels.json").read_text())),
    attributes={"brand": frozenset({"acme", "umbrella"}), "set": None},
)
"""The sample's network, and SKUs with two attributes."""


def check(text: str, known: Known = NOTHING) -> Checked:
    """Read a policy and look for every mistake there is."""
    return linted(read(text), known)


def expected(file: Path) -> list[tuple[int, str]]:
    """The lines and codes of the mistakes, as the head of the file has them."""
    return [(int(line), code) for line, code in re.findall(r"^# line (\d+): (\S+)$", file.read_text(), re.MULTILINE)]
