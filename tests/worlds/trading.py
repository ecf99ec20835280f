"""A trading partner in the tests: it writes interchanges, and reads our answers."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from connectors.channels.edi.edifact.connector import EdifactConnector
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


EDIFACT_IDS: Final = {"own_id": "4000001000005", "partner_id": "4000002000004"}


def edifact(folder: Path, **settings: Any) -> PartnerConnector:
    """Who trades with the partner 4000002000004 through a folder."""
    return EdifactConnector(connection(folder, Platform.EDIFACT, **{**EDIFACT_IDS, **settings}), {})


def lines_orders(**units: int) -> list[str]:
    """LIN groups of so many units of each SKU."""
    return [
        f"LIN+{place}++{4006381333000 + place}:EN'PIA+5+{sku}:SA'QTY+21:{count}:PCE'PRI+AAA:2.5"
        for place, (sku, count) in enumerate(units.items(), 1)
    ]


def order_edifact(number: str, lines: Sequence[str], purpose: str = "9") -> list[str]:
    """The segments of an ORDERS message, without its envelope."""
    return [
        f"BGM+220+{number}+{purpose}",
        "DTM+137:20260302:102",
        "DTM+2:20260310:102",
        "NAD+BY+4000002000004::9++Buyer GmbH",
        "COM+einkauf@buyer.example:EM",
        "NAD+DP+4000002000011::9++Lager Süd:Tor 4+Hafenstr. 1+Ulm++89073+DE",
        "CUX+2:EUR:9",
        *lines,
        "UNS+S",
        f"CNT+2:{len(lines)}",
    ]


def change_edifact(number: str, changes: Sequence[str], purpose: str = "4") -> list[str]:
    """The segments of an ORDCHG message."""
    return [f"BGM+230+C-{number}+{purpose}", "DTM+137:20260303:102", f"RFF+ON:{number}", *changes, "UNS+S"]


def interchange_edifact(
    control: int,
    *sets: Sequence[str],
    kind: str = "ORDERS",
    sender: str = "4000002000004",
    time: str = "1200",
    una: str = "UNA:+.? '",
    syntax: str = "UNOC",
) -> bytes:
    """An interchange of messages, with any service characters."""
    written = [f"UNB+{syntax}:3+{sender}:14+4000001000005:14+260302:{time}+{control}"]
    for place, segments in enumerate(sets, 1):
        count = sum([len(re.findall(r"(?<!\?)'", each)) + 1 for each in segments]) + 2
        written += [f"UNH+{place}+{kind}:D:96A:UN", *segments, f"UNT+{count}+{place}"]
    written.append(f"UNZ+{len(sets)}+{control}")
    body = "'\n".join(written) + "'\n"
    if una:
        marks = str.maketrans({":": una[3], "+": una[4], "'": una[8]})
        body = una + (body.translate(marks) if una[3:] != ":+.? '" else body)
        body = re.sub(r"(?<=\d)\.(?=\d)", una[5], body)
    return body.encode("iso-8859-1" if syntax == "UNOC" else "utf-8")


def edifact_answers(folder: Path, kind: str = "") -> list[list[str]]:
    """What lies in the out folder, in the sequence of control numbers: the segments of each file."""
    found = sorted([each for each in (folder / "out").iterdir() if kind in each.name])
    return [each.read_bytes().decode("iso-8859-1").removeprefix("UNA:+.? '\n").split("'\n")[:-1] for each in found]
