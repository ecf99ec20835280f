"""A trading partner in the tests: it writes interchanges, and reads our answers."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from connectors.channels.edi.partner import PartnerConnector
from connectors.channels.edi.x12.connector import X12Connector
from dom.channels.connection import Platform
from tests.worlds.dropping import connection

X12_IDS: Final = {"own_id": "DOM", "partner_id": "BUYER"}


def x12(folder: Path, **settings: Any) -> PartnerConnector:
    """Who trades with BUYER through a folder."""
    return X12Connector(connection(folder, Platform.X12, **{**X12_IDS, **settings}), {})


def lines_850(**units: int) -> list[str]:
    """PO1 segments of so many units of each SKU."""
    return [f"PO1*{place}*{count}*EA*2.5**VP*{sku}" for place, (sku, count) in enumerate(units.items(), 1)]


def order_850(number: str, lines: Sequence[str], purpose: str = "00") -> list[str]:
    """The segments of a purchase order, without its envelope."""
    return [
        f"BEG*{purpose}*SA*{number}**20260302",
        "CUR*BY*USD",
        "PER*BD*Grace Hopper*EM*grace@buyer.example",
        "DTM*002*20260310",
        "TD5**2*UPSN*********SE",
        "N1*ST*BUYER Store 12*92*0012",
        "N3*1 Main Street*Dock 4",
        "N4*Springfield*IL*62701*US",
        *lines,
        f"CTT*{len(lines)}",
    ]


def change_860(number: str, changes: Sequence[str], purpose: str = "04") -> list[str]:
    """The segments of a change of a purchase order."""
    return [f"BCH*{purpose}*SA*{number}**1*20260302", *changes, f"CTT*{len(changes)}"]


def interchange_x12(
    control: int,
    *sets: Sequence[str],
    kind: str = "850",
    sender: str = "BUYER",
    time: str = "1200",
    usage: str = "P",
    marks: str = "*>~^",
    acknowledge: str = "0",
    release: str = "004010",
) -> bytes:
    """An interchange with one group of sets, with any delimiters."""
    group = {"850": "PO", "860": "PC", "997": "FA"}.get(kind, "IN")
    repetition = "U" if release < "00402" else marks[3]
    header = [
        "ISA", "00", " " * 10, "00", " " * 10, "ZZ", f"{sender:15}", "ZZ", f"{'DOM':15}", "260302", time, repetition,
        release[:5], f"{control:09d}", acknowledge, usage, marks[1],
    ]  # fmt: skip
    written = ["*".join(header), f"GS*{group}*{sender}*DOM*20260302*{time}*{control}*X*{release}"]
    for place, segments in enumerate(sets, 1):
        written += [f"ST*{kind}*{place:04d}", *segments, f"SE*{len(segments) + 2}*{place:04d}"]
    written += [f"GE*{len(sets)}*{control}", f"IEA*1*{control:09d}"]
    return "".join([each.replace("*", marks[0]) + marks[2] + "\n" for each in written]).encode()


def answers(folder: Path, kind: str = "") -> list[list[list[str]]]:
    """What lies in the out folder, in the sequence of control numbers: segments of elements of each file."""
    found = sorted([each for each in (folder / "out").iterdir() if kind in each.name])
    return [segments(each.read_bytes()) for each in found]


def segments(raw: bytes) -> list[list[str]]:
    """The segments of an X12 interchange of ours."""
    return [each.split("*") for each in raw.decode().replace("\n", "").split("~") if each]


def named(found: Iterable[Sequence[str]], *names: str) -> list[str]:
    """Segments of these names, as they are written."""
    return ["*".join(each) for each in found if each[0] in names]
