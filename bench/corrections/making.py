"""Makes the labelled set: `python -m bench.corrections.making` writes tests/unit/channels/dirty_inputs.jsonl.

Each input starts from something that is right, so that what is right is known without asking the rules: SKUs and names
of the retailer's catalogue (`data/sample`), postal codes (`data/places`), towns and people's names with the letters of
their languages. An accident happens to it that is known from practice: a spreadsheet takes zeros off or writes
8.5E+04, a text is read in another encoding, an export writes NULL, a form lets everything through. What cannot be made
so (countries as the retailer's ledger and people write them, traps that look dirty and are right) is written by hand.
Every second input of each kind is kept apart. The rules were changed for one of those, once: a British mobile number
with an address in Germany (`mobile elsewhere`); six more such numbers were added after that.
"""

import csv
import json
import lzma
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bench.corrections import by_hand

ROOT: Final = Path(__file__).parents[2]
SET: Final = ROOT / "tests" / "unit" / "channels" / "dirty_inputs.jsonl"
TOTAL: Final = 500

Case = dict[str, Any]
"""What is put into an order that is right (`set`), what is taken out of it, faults of its mapping, what is right."""


def encoding_cases() -> Iterator[Case]:
    """Texts that were read in another encoding, or written as HTML writes them."""
    for index, name in enumerate(by_hand.NAMES):
        wrong = name.encode().decode("cp1252", errors="ignore") if index % 2 else name.encode().decode("latin-1")
        if index % 2 and "\ufffd" not in wrong and wrong.encode("cp1252", errors="ignore") == name.encode():
            yield case("mojibake", {"customer.name": wrong}, {"customer.name": name})
        elif not index % 2:
            yield case("mojibake", {"ship_to.name": wrong}, {"ship_to.name": name})
    for country, town, code in by_hand.TOWNS:
        yield case("mojibake", {"ship_to.city": town.encode().decode("latin-1")}, {"ship_to.city": town}, country, code)
    for country, street, code in by_hand.STREETS:
        twice = street.encode().decode("latin-1").encode().decode("latin-1")
        yield case("mojibake", {"ship_to.lines": [twice]}, {"ship_to.lines": [street]}, country, code)
        escaped = "".join(f"&#{ord(each)};" if ord(each) > 127 else each for each in street)
        yield case("entities", {"ship_to.lines": [escaped]}, {"ship_to.lines": [street]}, country, code)


def entity_cases() -> Iterator[Case]:
    """Texts as HTML writes them."""
    named = {"é": "&eacute;", "ü": "&uuml;", "ñ": "&ntilde;", "ç": "&ccedil;", "ø": "&oslash;", "'": "&#39;"}
    for name in by_hand.NAMES:
        encoded = "".join(named.get(each, each) for each in name)
        if encoded != name:
            yield case("entities", {"customer.name": encoded}, {"customer.name": name})
    for firm in ("Marks & Spencer", "B&B Hôtels", "Johnson & Sons", "Black & White Ltd"):
        yield case("entities", {"ship_to.company": firm.replace("&", "&amp;")}, {"ship_to.company": firm})
        yield case("entities", {"ship_to.company": firm.replace("&", "&amp;amp;")}, {"ship_to.company": firm})


def seen_cases(chance: random.Random) -> Iterator[Case]:
    """Characters nobody sees, emoji, blanks, line breaks."""
    for name in by_hand.NAMES[:12]:
        mark = chance.choice("\u200b\u200e\u200f\u202a\u202c\ufeff\u2066\u2069\u00ad")
        at = chance.randrange(1, len(name))
        yield case("unseen", {"ship_to.name": name[:at] + mark + name[at:]}, {"ship_to.name": name})
    for country, town, code in by_hand.TOWNS[:8]:
        yield case("unseen", {"ship_to.city": f"\u202b{town}\u202c"}, {"ship_to.city": town}, country, code)
    for emoji, name in zip("🎁🎄😀❤🌹👑🦄🔥⭐🐶", by_hand.NAMES[5:15], strict=True):
        wrong = chance.choice((f"{name} {emoji}", f"{emoji}{name}{emoji}", f"{name}{emoji}\ufe0f"))
        yield case("emoji", {"ship_to.name": wrong}, {"ship_to.name": name})
    for street in ("12 Mill Lane", "Flat 3, 9 High Street", "The Old Barn", "4 Station Road"):
        yield case("emoji", {"ship_to.lines": [f"{street} 🏠👨‍👩‍👧"]}, {"ship_to.lines": [street]})
    for name in by_hand.NAMES[:6]:
        wrong = unicodedata.normalize("NFD", name)
        yield case("normal-form", {"customer.name": wrong}, {"customer.name": unicodedata.normalize("NFC", name)})
    for name in by_hand.NAMES[8:18]:
        first, _, last = name.partition(" ")
        wrong = chance.choice(
            (f"  {first}  {last} ", f"{first}\t{last}", f"{first}\u00a0{last}\u3000", f"{first} \u2009 {last}")
        )
        yield case("white-space", {"customer.name": wrong}, {"customer.name": name})
    for wrong in (
        "12 Mill Lane\nFlat 2",
        "12 Mill Lane\r\nFlat 2",
        "12 Mill Lane<br/>Flat 2",
        "12 Mill Lane\n\nFlat 2\n",
    ):
        yield case("line-breaks", {"ship_to.lines": [wrong]}, {"ship_to.lines": ["12 Mill Lane", "Flat 2"]})


def nothing_cases() -> Iterator[Case]:
    """What stands for nothing, and what only seems to."""
    for wrong in ("NULL", "null", "N/A", "n/a", "None", "-", "--", "undefined", "#N/A", "(null)", "nan", "nil"):
        yield case("nothing", {"ship_to.region": wrong}, {"ship_to.region": None})
    for wrong in ("NULL", "N/A", "none", "-"):
        yield case("nothing", {"ship_to.company": wrong}, {"ship_to.company": None})
        yield case("nothing", {"customer.phone": wrong}, {"customer.phone": None})
        yield case("nothing", {"ship_to.lines": ["12 Mill Lane", wrong]}, {"ship_to.lines": ["12 Mill Lane"]})
        yield case("nothing", {"gift_message": wrong}, {"gift_message": None})
    for field in ("customer.name", "ship_to.name"):
        yield case("nothing", {field: "NULL"}, {field: "Ada Young"})
    yield case("trap", {"ship_to.region": "NA", "ship_to.city": "Napoli"}, {}, "IT", "80121")
    yield case("trap", {"ship_to.city": "None"}, {}, "IT", "10080")
    yield case("trap", {"customer.name": "Jennifer Null"}, {})
    yield case("trap", {"ship_to.company": "None Such Books"}, {})
    yield case("trap", {"customer.name": "Nan Goldin"}, {})
    yield case("trap", {"ship_to.country": "NA", "ship_to.postal_code": "10005"}, {}, "NA")
    yield case("trap", {"note": "n/a is what they told me"}, {})
    yield case("trap", {"customer.name": "Null"}, {})
    yield case("trap", {"ship_to.company": "AT&T; R&D"}, {})
    yield case("trap", {"ship_to.company": "Café \u2116 5 · 20°"}, {})
    yield case("trap", {"ship_to.lines": ["Rua Ângela Ã 5"]}, {}, "BR", "40301-110")
    yield case("trap", {"customer.name": "Nguyễn Thị Ánh"}, {})
    yield case("trap", {"ship_to.city": "Ålesund"}, {}, "NO", "6002")
    yield case("trap", {"customer.name": "שרה לוי"}, {})
    yield case("trap", {"note": "Ring twice\n\n  please  😀"}, {})
    yield case("trap", {"ship_to.name": "Smith, Jones Ltd"}, {})
    yield case("trap", {"ship_to.city": "Westward Ho!"}, {})


def place_cases(chance: random.Random) -> Iterator[Case]:
    """Countries, regions, postal codes, long lines."""
    meant = {"Channel Islands": "JE", "European Community": None, "Unspecified": None, "Untied Kingdom": "GB"}
    meant |= {"France métropolitaine": "FR", "Oesterreich": "AT", "Germny": "DE", "Unted States": "US", "Georgia": "US"}
    for given, sure, code in by_hand.COUNTRIES:
        right = sure or meant.get(given)
        fields = {"ship_to.country": given, "ship_to.postal_code": code}
        yield case("country", fields, {"ship_to.country": right} if right else {}, None, None, person=sure is None)
    for country, given, right, code in by_hand.REGIONS:
        changes = {} if given == right else {"ship_to.region": right}
        yield case("region", {"ship_to.region": given}, changes, country, code)
    for country in ("GB", "NL", "SE", "PL", "PT", "CZ", "GR", "IE", "CA", "JP"):
        for whole in by_hand.WHOLE_CODES[country]:
            wrong = chance.choice(
                (whole.lower(), whole.replace(" ", "").replace("-", ""), f" {whole}.", whole.replace(" ", "  "))
            )
            wrong = wrong.lower().replace(" ", "") if wrong == whole else wrong
            changes = {} if wrong == whole else {"ship_to.postal_code": whole}
            yield case("postal-code", {"ship_to.postal_code": wrong}, changes, country)
    for country, wrong, whole in by_hand.POSTAL_CODES:
        changes = {} if wrong == whole else {"ship_to.postal_code": whole}
        yield case("postal-code", {"ship_to.postal_code": wrong}, changes, country)
    for country, region, wrong, full in by_hand.POSTAL_ZEROS:
        dirty: dict[str, Any] = {"ship_to.postal_code": wrong, "ship_to.region": region or None}
        filled = {"ship_to.postal_code": full} if full else {}
        if region == "Massachusetts":
            filled["ship_to.region"] = "MA"
        yield case("postal-zero", dirty, filled, country, person=full is None)
    for country, wrong in (
        ("HK", "999077"),
        ("HK", "00000"),
        ("AE", "00000"),
        ("AE", "N/A"),
        ("QA", "0000"),
        ("HK", "000"),
    ):
        yield case("postal-none", {"ship_to.postal_code": wrong}, {"ship_to.postal_code": None}, country)
    yield case("postal-none", {"ship_to.postal_code": "PO Box 4121"}, {}, "AE", person=True)
    parts = [
        "Flat 12, The Old Warehouse, 114 to 118 Great Western Road",
        "beside the canal bridge opposite the library",
    ]
    long = ", ".join([*parts, "second door on the left, please ring twice for attention"])
    yield case("long-line", {"ship_to.lines": [long]}, {"ship_to.lines": "same words, of 100 characters at most"})
    yield case("long-line", {"ship_to.lines": ["x" * 180]}, {}, person=True)
    yield case(
        "long-line",
        {"ship_to.lines": [" ".join(["Residencial Las Palmeras"] * 8)]},
        {"ship_to.lines": "same words, of 100 characters at most"},
    )


def people_cases() -> Iterator[Case]:
    """Phones, mail addresses, names."""
    for country, given, right in (*by_hand.PHONES, *by_hand.OTHER_PHONES):
        changes = {} if given == right else {"customer.phone": right}
        yield case("phone", {"customer.phone": given}, changes, country, "keep")
    for country, given, right in by_hand.PHONES_FOR_A_PERSON:
        yield case("phone", {"customer.phone": given}, {"customer.phone": right}, country, "keep", person=True)
    for given, right in by_hand.EMAILS:
        yield case("email", {"customer.email": given}, {"customer.email": right})
    for given, right in by_hand.EMAILS_FOR_A_PERSON:
        yield case("email", {"customer.email": given}, {"customer.email": right} if right else {}, person=True)
    for given in by_hand.REAL_EMAILS:
        yield case("trap", {"customer.email": given}, {})
    for given, right in (
        ("Young, Ada", "Ada Young"),
        ("García, José", "José García"),
        ("O'Neill, Siân", "Siân O'Neill"),
    ):
        yield case("name", {"ship_to.name": given}, {"ship_to.name": right}, person=True)
    yield case("name", {"ship_to.name": None}, {"ship_to.name": "Ada Young"}, person=True)


def sku_cases(chance: random.Random) -> Iterator[Case]:
    """SKUs of the retailer's catalogue after what spreadsheets, forms and typists do to them."""
    skus = catalogue()
    folded = Counter("".join(each for each in code.upper() if each.isalnum()).lstrip("0") for code, _ in skus)
    lettered = [(code, name) for code, name in skus if code[-1].isalpha() and folded[code.upper().lstrip("0")] == 1]
    digits = [(code, name) for code, name in skus if code.isdigit()]
    accidents: Sequence[tuple[str, Callable[[str], str]]] = (
        ("lower case", str.lower),
        ("blank", lambda code: f"{code[:-1]} {code[-1]}"),
        ("dash", lambda code: f"{code[:-1]}-{code[-1]}"),
        ("around", lambda code: f" {code}\u00a0"),
        ("marked", lambda code: f"SKU: {code}"),
        ("hash", lambda code: f"#{code}"),
    )
    for index, (code, name) in enumerate(chance.sample(lettered, 30)):
        how, accident = accidents[index % len(accidents)]
        wrong = accident(code)
        if wrong != code:
            given = {"lines[0].sku": wrong, "lines[0].name": name if index % 2 else None}
            yield case(f"sku, {how}", given, {"lines[0].sku": code})
    for index, (code, name) in enumerate(chance.sample(digits, 16)):
        wrong = (f"{code}.0", f"0{code}", f"'{code}", f"{code}.00")[index % 4]
        yield case("sku, spreadsheet", {"lines[0].sku": wrong, "lines[0].name": name}, {"lines[0].sku": code})
    for code, name in chance.sample(digits, 10):
        at = chance.randrange(1, len(code) - 1)
        wrong = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        if wrong != code and wrong not in dict(skus):
            given = {"lines[0].sku": wrong, "lines[0].name": name}
            yield case("sku, typed wrong", given, {"lines[0].sku": code}, person=True)
    for code, name in chance.sample(lettered, 6):
        given = {"lines[0].sku": code[:-1] + "?", "lines[0].name": name}
        yield case("sku, typed wrong", given, {"lines[0].sku": code}, person=True)
    for code in ("GIFT-CARD", "POST", "DOT", "M", "BANK CHARGES"):
        yield case("sku, not goods", {"lines[0].sku": code}, {}, person=True)
    for code, _ in chance.sample(skus, 4):
        yield case("trap", {"lines[0].sku": code}, {})


def number_cases() -> Iterator[Case]:
    """Numbers with the other decimal mark, or that can be read in two ways."""
    for given, units, right, total in by_hand.NUMBERS:
        yield number("number-mark", "lines[0].unit_price", given, right, units, total)
    for given, right, total, marks in (
        ("1.234", 123400, 123400, "either"), ("1,234", 123400, 123400, "either"), ("2.500", 250, 250, "either"),
        ("12.500", 1250000, 1250000, "either"), ("3,000", 300000, 300000, "either"),
    ):  # fmt: skip
        yield number("number-total", "lines[0].unit_price", given, right, 1, total, marks) | {"person": True}
    for given in ("12.O5", "free", "1,2,3.4.5"):
        yield number("number-mark", "lines[0].unit_price", given, None, 1, None) | {"person": True}


def line_cases() -> Iterator[Case]:
    """Rows that stand twice, and currencies."""
    line = {"line_id": "1", "sku": "85123A", "ordered": 2, "current": 2, "unit_price": 255}
    other = {**line, "line_id": "2"}
    for total, is_twice in ((510, True), (None, False), (1020, False)):
        found = {"lines[1].current": 0} if is_twice else {}
        yield case("duplicate-line", {"lines": [line, line], "total": total}, found, person=not is_twice)
    yield case("duplicate-line", {"lines": [line, other, other], "total": 1020}, {"lines[2].current": 0})
    yield case("trap", {"lines": [line, other], "total": 1020}, {})
    yield case("trap", {"lines": [line, {**line, "ordered": 1, "current": 1}], "total": 765}, {})
    for given, right in (
        ("gbp", "GBP"),
        ("£", "GBP"),
        ("€", "EUR"),
        ("Eur", "EUR"),
        ("EURO", "EUR"),
        ("US$", "USD"),
        (" USD ", "USD"),
    ):
        yield case("currency", {"currency": given}, {"currency": right})
    for given, meant in (("$", "USD"), ("kr", "SEK"), ("jpy", "JPY"), ("XXX", None)):
        yield case("currency", {"currency": given}, {"currency": meant} if meant else {}, person=True)


def number(
    kind: str, field: str, given: str, right: int | None, units: int, total: int | None, marks: str = "point"
) -> Case:
    """An amount that the mapping could not read."""
    line = {"line_id": "1", "sku": "85123A", "ordered": units, "current": units}
    made = case(kind, {"lines": [line], "total": total, "currency": "EUR"}, {field: right} if right is not None else {})
    return {**made, "faults": [[field, "wrong-value", given]], "numbers": marks}


def case(
    kind: str,
    given: dict[str, Any],
    right: dict[str, Any],
    country: str | None = "GB",
    code: str | None = None,
    *,
    person: bool = False,
) -> Case:
    """An input: `set` stands in an order that is right but for it; `person`: nobody but a person can be sure."""
    fields = dict(given)
    if country is not None:
        fields.setdefault("ship_to.country", country)
    if code != "keep" and country != "GB" and code is not None:
        fields.setdefault("ship_to.postal_code", code)
    if code == "keep" or (country not in {"GB", None} and "ship_to.postal_code" not in fields):
        fields.setdefault("ship_to.postal_code", None)
    return {"kind": kind, "set": fields, "right": right, "person": person}


def catalogue() -> list[tuple[str, str]]:
    """The retailer's SKUs and their names."""
    with lzma.open(ROOT / "data" / "sample" / "skus.csv.xz", "rt") as file:
        return [(row["sku"], row["description"]) for row in csv.DictReader(file)]


def make() -> list[Case]:
    """All of them, each with its number; every second of a kind is kept apart."""
    chance = random.Random(20261201)
    several = (
        encoding_cases(),
        entity_cases(),
        seen_cases(chance),
        nothing_cases(),
        place_cases(chance),
        people_cases(),
        sku_cases(chance),
        number_cases(),
        line_cases(),
    )
    made = [each for cases in several for each in cases]
    seen: Counter[str] = Counter()
    found = []
    for each in made:
        seen[each["kind"]] += 1
        found.append({**each, "kept_apart": seen[each["kind"]] % 2 == 0})
    return found


def main() -> None:
    """Write the set."""
    made = make()
    lines = [json.dumps({"id": place, **each}, ensure_ascii=True) for place, each in enumerate(made, 1)]
    SET.write_text("\n".join(lines) + "\n")
    print(f"{len(made)} inputs, {sum(each['kept_apart'] for each in made)} of them kept apart")


if __name__ == "__main__":
    main()
