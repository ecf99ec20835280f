"""Makes the labelled set: `python -m bench.corrections.making` writes tests/unit/channels/dirty_inputs.jsonl.

Each input starts from something that is right, so that what is right is known without asking the rules: SKUs and names
of the retailer's catalogue (`data/sample`), postal codes (`data/places`), towns and people's names with the letters of
their languages. An accident happens to it that is known from practice: a spreadsheet takes zeros off or writes
8.5E+04, a text is read in another encoding, an export writes NULL, a form lets everything through. What cannot be made
so (countries as the retailer's ledger and people write them, traps that look dirty and are right) is written by hand.
Every second input of each kind is kept apart: the rules were never changed for one of those.
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

ROOT: Final = Path(__file__).parents[2]
SET: Final = ROOT / "tests" / "unit" / "channels" / "dirty_inputs.jsonl"
TOTAL: Final = 500

Case = dict[str, Any]
"""What is put into an order that is right (`set`), what is taken out of it, faults of its mapping, what is right."""

NAMES: Final = (
    "Zoë Müller", "Łukasz Żak", "José García", "Renée Noël", "Søren Ågård", "Jürgen Groß", "François Lefèvre",
    "Anaïs Béranger", "Siân O'Neill", "Márta Szőke", "Jiří Dvořák", "Öykü Çelik", "Inês Conceição", "Chloë Brontë",
    "Ştefan Ionuţ", "Þóra Björk", "Ana Muñoz", "Bjørn Håkonsen", "Hélène Côté", "Aoife Ní Dhónaill",
)  # fmt: skip
TOWNS: Final = (
    ("DE", "München", "80331"), ("DE", "Köln", "50667"), ("FR", "Orléans", "45000"), ("ES", "Málaga", "29001"),
    ("SE", "Malmö", "211 20"), ("DK", "Ærøskøbing", "5970"), ("PL", "Łódź", "90-001"), ("CH", "Zürich", "8001"),
    ("PT", "Évora", "7000-500"), ("CZ", "Plzeň", "301 00"), ("HU", "Győr", "9021"), ("NO", "Tromsø", "9008"),
    ("FI", "Jyväskylä", "40100"), ("IE", "Dún Laoghaire", "A96 E2R3"), ("AT", "Mödling", "2340"),
)  # fmt: skip
STREETS: Final = (
    ("DE", "Königstraße 12", "70173"), ("FR", "12 rue de l'Église", "75015"), ("ES", "Calle Peña 3", "28013"),
    ("DE", "Übergasse 4", "65183"), ("SE", "Södra vägen 8", "411 35"), ("PT", "Rua São João 9", "4050-553"),
)  # fmt: skip


def text_cases(chance: random.Random) -> Iterator[Case]:
    """Encodings, entities, characters nobody sees, emoji, blanks."""
    for index, name in enumerate(NAMES):
        wrong = name.encode().decode("cp1252", errors="ignore") if index % 2 else name.encode().decode("latin-1")
        if index % 2 and "\ufffd" not in wrong and wrong.encode("cp1252", errors="ignore") == name.encode():
            yield case("mojibake", {"customer.name": wrong}, {"customer.name": name})
        elif not index % 2:
            yield case("mojibake", {"ship_to.name": wrong}, {"ship_to.name": name})
    for country, town, code in TOWNS:
        yield case("mojibake", {"ship_to.city": town.encode().decode("latin-1")}, {"ship_to.city": town}, country, code)
    for country, street, code in STREETS:
        twice = street.encode().decode("latin-1").encode().decode("latin-1")
        yield case("mojibake", {"ship_to.lines": [twice]}, {"ship_to.lines": [street]}, country, code)
        escaped = "".join(f"&#{ord(each)};" if ord(each) > 127 else each for each in street)
        yield case("entities", {"ship_to.lines": [escaped]}, {"ship_to.lines": [street]}, country, code)
    named = {"é": "&eacute;", "ü": "&uuml;", "ñ": "&ntilde;", "ç": "&ccedil;", "ø": "&oslash;", "'": "&#39;"}
    for name in NAMES:
        encoded = "".join(named.get(each, each) for each in name)
        if encoded != name:
            yield case("entities", {"customer.name": encoded}, {"customer.name": name})
    for firm in ("Marks & Spencer", "B&B Hôtels", "Johnson & Sons", "Black & White Ltd"):
        yield case("entities", {"ship_to.company": firm.replace("&", "&amp;")}, {"ship_to.company": firm})
        yield case("entities", {"ship_to.company": firm.replace("&", "&amp;amp;")}, {"ship_to.company": firm})
    for name in NAMES[:12]:
        mark = chance.choice("\u200b\u200e\u200f\u202a\u202c\ufeff\u2066\u2069\u00ad")
        at = chance.randrange(1, len(name))
        yield case("unseen", {"ship_to.name": name[:at] + mark + name[at:]}, {"ship_to.name": name})
    for country, town, code in TOWNS[:8]:
        yield case("unseen", {"ship_to.city": f"\u202b{town}\u202c"}, {"ship_to.city": town}, country, code)
    for emoji, name in zip("🎁🎄😀❤🌹👑🦄🔥⭐🐶", NAMES[5:15], strict=True):
        wrong = chance.choice((f"{name} {emoji}", f"{emoji}{name}{emoji}", f"{name}{emoji}\ufe0f"))
        yield case("emoji", {"ship_to.name": wrong}, {"ship_to.name": name})
    for street in ("12 Mill Lane", "Flat 3, 9 High Street", "The Old Barn", "4 Station Road"):
        yield case("emoji", {"ship_to.lines": [f"{street} 🏠👨‍👩‍👧"]}, {"ship_to.lines": [street]})
    for name in NAMES[:6]:
        wrong = unicodedata.normalize("NFD", name)
        yield case("normal-form", {"customer.name": wrong}, {"customer.name": unicodedata.normalize("NFC", name)})
    for name in NAMES[8:18]:
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
    yield case("trap", {"ship_to.company": "Café № 5 · 20°"}, {})
    yield case("trap", {"ship_to.lines": ["Rua Ângela Ã 5"]}, {}, "BR", "40301-110")
    yield case("trap", {"customer.name": "Nguyễn Thị Ánh"}, {})
    yield case("trap", {"ship_to.city": "Ålesund"}, {}, "NO", "6002")
    yield case("trap", {"customer.name": "שרה לוי"}, {})
    yield case("trap", {"note": "Ring twice\n\n  please  😀"}, {})
    yield case("trap", {"ship_to.name": "Smith, Jones Ltd"}, {})
    yield case("trap", {"ship_to.city": "Westward Ho!"}, {})


COUNTRIES: Final = (
    # as the retailer's ledger has them
    ("EIRE", "IE", "D02 X285"), ("RSA", "ZA", "8001"), ("USA", "US", "02139"), ("Germany", "DE", "10115"),
    ("Channel Islands", None, "JE2 3AB"), ("European Community", None, "1000"), ("Unspecified", None, ""),
    ("United Kingdom", "GB", "LS1 4AP"), ("Czech Republic", "CZ", "110 00"), ("Saudi Arabia", "SA", "12211"),
    # as forms and people have them
    ("gb", "GB", "LS1 4AP"), ("Gb", "GB", "LS1 4AP"), ("UK", "GB", "LS1 4AP"), ("U.K.", "GB", "LS1 4AP"),
    ("England", "GB", "LS1 4AP"), ("SCOTLAND", "GB", "EH1 1YZ"), ("Great Britain", "GB", "LS1 4AP"),
    ("GBR", "GB", "LS1 4AP"), ("Deutschland", "DE", "10115"), ("Allemagne", "DE", "10115"), ("DEU", "DE", "10115"),
    ("de", "DE", "10115"), ("Niemcy", "DE", "10115"), ("France métropolitaine", None, "75001"), ("FRA", "FR", "75001"),
    ("Frankreich", "FR", "75001"), ("España", "ES", "28013"), ("Espana", "ES", "28013"), ("Italia", "IT", "00184"),
    ("The Netherlands", "NL", "1012 AB"), ("Holland", "NL", "1012 AB"), ("Nederland", "NL", "1012 AB"),
    ("Schweiz", "CH", "8001"), ("Suisse", "CH", "1201"), ("Svizzera", "CH", "6900"), ("Österreich", "AT", "1010"),
    ("Oesterreich", None, "1010"), ("Belgique", "BE", "1000"), ("België", "BE", "1000"), ("Sverige", "SE", "111 22"),
    ("Danmark", "DK", "1050"), ("Norge", "NO", "0150"), ("Suomi", "FI", "00100"), ("Polska", "PL", "00-950"),
    ("Ελλάδα", "GR", "105 57"), ("EL", "GR", "105 57"), ("Россия", "RU", "101000"), ("日本", "JP", "100-0001"),
    ("Untied Kingdom", None, "LS1 4AP"), ("Germny", None, "10115"), ("Unted States", None, "10001"),
    ("Viet Nam", "VN", "10000"), ("South Korea", "KR", "03051"), ("Côte d'Ivoire", "CI", ""), ("CIV", "CI", ""),
    ("Georgia", None, "30301"), ("Georgia", "GE", "0101"), ("Jersey", "JE", "JE2 3AB"), ("Ireland", "IE", "D02 X285"),
    ("Northern Ireland", "GB", "BT1 1AA"), ("Czechia", "CZ", "110 00"), ("Türkiye", "TR", "34000"),
    ("Hong Kong", "HK", ""), ("America", "US", "10001"), ("DK.", "DK", "1050"), (" fr ", "FR", "75001"),
)  # fmt: skip
REGIONS: Final = (
    ("US", "Massachusetts", "MA", "02139"), ("US", "california", "CA", "90001"), ("US", "New York", "NY", "10001"),
    ("US", "ny", "NY", "10001"), ("CA", "Ontario", "ON", "K1A 0B1"), ("CA", "British Columbia", "BC", "V5K 0A1"),
    ("CA", "quebec", "QC", "H2X 1Y4"), ("AU", "Victoria", "VIC", "3000"), ("AU", "New South Wales", "NSW", "2000"),
    ("AU", "nsw", "NSW", "2000"), ("BR", "São Paulo", "SP", "01310-100"), ("IT", "Milano", "MI", "20121"),
    ("IT", "napoli", "NA", "80121"), ("US", "TEXAS", "TX", "73301"), ("US", "District of Columbia", "DC", "20001"),
    ("GB", "Yorkshire", "Yorkshire", "LS1 4AP"), ("DE", "Bayern", "Bayern", "80331"), ("US", "Mass.", "MA", "02139"),
    ("IE", "Co. Dublin", "Co. Dublin", "D02 X285"), ("CA", "PEI", "PE", "C1A 1A1"),
)  # fmt: skip


def place_cases(chance: random.Random) -> Iterator[Case]:
    """Countries, regions, postal codes, long lines."""
    meant = {"Channel Islands": "JE", "European Community": None, "Unspecified": None, "Untied Kingdom": "GB"}
    meant |= {"France métropolitaine": "FR", "Oesterreich": "AT", "Germny": "DE", "Unted States": "US", "Georgia": "US"}
    for given, sure, code in COUNTRIES:
        right = sure or meant.get(given)
        fields = {"ship_to.country": given, "ship_to.postal_code": code}
        yield case("country", fields, {"ship_to.country": right} if right else {}, None, None, person=sure is None)
    for country, given, right, code in REGIONS:
        changes = {} if given == right else {"ship_to.region": right}
        yield case("region", {"ship_to.region": given}, changes, country, code)
    codes = _postal_codes()
    for country in ("GB", "NL", "SE", "PL", "PT", "CZ", "GR", "IE", "CA", "JP"):
        for whole in codes[country]:
            wrong = chance.choice(
                (whole.lower(), whole.replace(" ", "").replace("-", ""), f" {whole}.", whole.replace(" ", "  "))
            )
            wrong = wrong.lower().replace(" ", "") if wrong == whole else wrong
            changes = {} if wrong == whole else {"ship_to.postal_code": whole}
            yield case("postal-code", {"ship_to.postal_code": wrong}, changes, country)
    for country, wrong, whole in (
        ("DE", "D-10115", "10115"), ("SE", "SE-111 22", "111 22"), ("AT", "A-1010", "1010"), ("CH", "CH-8001", "8001"),
        ("GB", "LS1_4AP", "LS1 4AP"), ("US", "02139-4307", "02139-4307"), ("FR", "F-75001", "75001"),
        ("DE", "１０１１５", "10115"), ("GB", "LS1—4AP", "LS1 4AP"), ("GB", "SW1A OAA", "SW1A 0AA"),
        ("GB", "LSI 4AP", "LS1 4AP"), ("NL", "1012-AB", "1012 AB"),
    ):  # fmt: skip
        changes = {} if wrong == whole else {"ship_to.postal_code": whole}
        yield case("postal-code", {"ship_to.postal_code": wrong}, changes, country)
    for country, region, wrong, whole in (
        ("US", "MA", "2139", "02139"), ("US", "NJ", "7030", "07030"), ("US", "CT", "6510", "06510"),
        ("US", "PR", "901", "00901"), ("US", "Massachusetts", "2139.0", "02139"), ("US", "", "2139", "02139"),
        ("DE", "", "1067", "01067"), ("FR", "", "6000", "06000"), ("IT", "RM", "184", "00184"), ("ES", "", "8001", "08001"),
        ("US", "TX", "7330", None), ("US", "CA", "9021", None),
    ):  # fmt: skip
        fields = {"ship_to.postal_code": wrong, "ship_to.region": region or None}
        right = {"ship_to.postal_code": whole} if whole else {}
        if region == "Massachusetts":
            right["ship_to.region"] = "MA"
        yield case("postal-zero", fields, right, country, person=whole is None)
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


PHONES: Final = (
    ("GB", "0113 496 0000", "+441134960000"), ("GB", "(0113) 496-0000", "+441134960000"),
    ("GB", "+44 (0)113 496 0000", "+441134960000"), ("GB", "0044 113 496 0000", "+441134960000"),
    ("GB", "07400 123456", "+447400123456"), ("GB", "+44 7400 123456", "+447400123456"),
    ("GB", "Tel: 07400 123456", "+447400123456"), ("GB", "07400123456.0", "+447400123456"),
    ("GB", "'07400123456", "+447400123456"), ("GB", "7400123456", "+447400123456"), ("GB", "447400123456", "+447400123456"),
    ("GB", "０７４００ １２３４５６", "+447400123456"), ("GB", "07400-123-456", "+447400123456"),
    ("DE", "030 901820", "+4930901820"), ("DE", "+49 (0) 30 901820", "+4930901820"), ("DE", "0170/1234567", "+491701234567"),
    ("DE", "089 / 233-00", "+498923300"), ("FR", "01 42 68 53 00", "+33142685300"), ("FR", "06.12.34.56.78", "+33612345678"),
    ("FR", "+33 (0)6 12 34 56 78", "+33612345678"), ("ES", "612 34 56 78", "+34612345678"), ("IT", "06 6982", "+39066982"),
    ("IT", "333 1234567", "+393331234567"), ("NL", "020-624 1111", "+31206241111"), ("NL", "06 12345678", "+31612345678"),
    ("SE", "08-508 290 00", "+46850829000"), ("DK", "33 66 33 66", "+4533663366"), ("PL", "22 443 02 00", "+48224430200"),
    ("US", "(617) 253-0000", "+16172530000"), ("US", "617.253.0000", "+16172530000"), ("US", "1-617-253-0000", "+16172530000"),
    ("CA", "416-392-2489", "+14163922489"), ("AU", "0412 345 678", "+61412345678"), ("AU", "02 9265 9333", "+61292659333"),
    ("JP", "03-5321-1111", "+81353211111"), ("CH", "044 412 11 11", "+41444121111"), ("IE", "01 222 2222", "+35312222222"),
    ("IE", "087 123 4567", "+353871234567"), ("AT", "01 525500", "+431525500"), ("BE", "02 279 22 11", "+3222792211"),
)  # fmt: skip
OTHER_PHONES: Final = (
    ("GB", "0", None), ("GB", "0000000000", None), ("GB", "unknown", None), ("GB", "no", None), ("GB", "NULL", None),
)  # fmt: skip
PHONES_FOR_A_PERSON: Final = (
    ("GB", "0113 496 0000 / 07400 123456", "+441134960000"), ("GB", "call my wife", None), ("GB", "12345", None),
    ("GB", "7.4001E+10", None), ("DE", "07400 123456", "+447400123456"), ("FR", "07400 123456", "+447400123456"),
    ("IE", "028 9032 0202", "+442890320202"), ("US", "020 7946 0000", "+442079460000"), ("ES", "07400 123456", "+447400123456"),
    ("GB", "07400 12345", None),
)  # fmt: skip
"""In the last ones somebody gave the number of another country without saying so."""
EMAILS: Final = (
    ("mailto:ada@customer.example", "ada@customer.example"), ("ada@CUSTOMER.EXAMPLE", "ada@customer.example"),
    (" ada@customer.example ", "ada@customer.example"), ("<ada@customer.example>", "ada@customer.example"),
    ("Ada Young <ada@customer.example>", "ada@customer.example"), ("ada＠customer.example", "ada@customer.example"),
    ("ada@customer.example.", "ada@customer.example"), ("ada@customer.example,", "ada@customer.example"),
    ("'ada@customer.example'", "ada@customer.example"), ("Ada.Young@Customer.Example", "Ada.Young@customer.example"),
    ("ada@customer.example;", "ada@customer.example"), ("\u200bada@customer.example", "ada@customer.example"),
    ("MAILTO:ada@customer.example", "ada@customer.example"), ("ada@customer.example\n", "ada@customer.example"),
)  # fmt: skip
EMAILS_FOR_A_PERSON: Final = (
    ("ada@gmial.com", "ada@gmail.com"), ("ada@gmail.con", "ada@gmail.com"), ("ada@hotnail.com", "ada@hotmail.com"),
    ("ada@yaho.com", "ada@yahoo.com"), ("ada@gmail,com", "ada@gmail.com"), ("ada young@customer.example", "adayoung@customer.example"),
    ("ada@@customer.example", "ada@customer.example"), ("ada(at)customer.example", "ada@customer.example"),
    ("ada@customer", None), ("no email", None), ("ada@outlok.com", "ada@outlook.com"),
    ("ada@customer.example;bo@customer.example", "ada@customer.example"), ("ada..young@customer.example", "ada.young@customer.example"),
    ("ada@iclould.com", "ada@icloud.com"), ("ada@ gmail.com", "ada@gmail.com"),
)  # fmt: skip
REAL_EMAILS: Final = ("ada@gmx.com", "ada@ymail.com", "ada@mail.com", "o'neill@customer.example", "a+b@live.de")


def people_cases() -> Iterator[Case]:
    """Phones, mail addresses, names."""
    for country, given, right in (*PHONES, *OTHER_PHONES):
        changes = {} if given == right else {"customer.phone": right}
        yield case("phone", {"customer.phone": given}, changes, country, "keep")
    for country, given, right in PHONES_FOR_A_PERSON:
        yield case("phone", {"customer.phone": given}, {"customer.phone": right}, country, "keep", person=True)
    for given, right in EMAILS:
        yield case("email", {"customer.email": given}, {"customer.email": right})
    for given, right in EMAILS_FOR_A_PERSON:
        yield case("email", {"customer.email": given}, {"customer.email": right} if right else {}, person=True)
    for given in REAL_EMAILS:
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
        ("lower case", str.lower), ("blank", lambda code: f"{code[:-1]} {code[-1]}"), ("dash", lambda code: f"{code[:-1]}-{code[-1]}"),
        ("around", lambda code: f" {code}\u00a0"), ("marked", lambda code: f"SKU: {code}"), ("hash", lambda code: f"#{code}"),
    )  # fmt: skip
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
    """Numbers with another decimal mark than the mapping's, numbers that can be read in two ways, rows that stand twice,
    currencies.
    """
    for given, units, right, total in (
        ("12,50", 2, 1250, 2500), ("1.234,50", 1, 123450, 123450), ("0,99", 3, 99, None), ("12,5", 1, 1250, 1250),
        ("1 234,50", 1, 123450, None), ("EUR 9,95", 1, 995, 995), ("2.999,00", 1, 299900, 299900), ("7,00 €", 2, 700, 1400),
    ):  # fmt: skip
        yield number("number-mark", "lines[0].unit_price", given, right, units, total)
    for given, right, total, marks in (
        ("1.234", 123400, 123400, "either"), ("1,234", 123400, 123400, "either"), ("2.500", 250, 250, "either"),
        ("12.500", 1250000, 1250000, "either"), ("3,000", 300000, 300000, "either"),
    ):  # fmt: skip
        yield number("number-total", "lines[0].unit_price", given, right, 1, total, marks) | {"person": True}
    for given in ("12.O5", "free", "1,2,3.4.5"):
        yield number("number-mark", "lines[0].unit_price", given, None, 1, None) | {"person": True}
    line = {"line_id": "1", "sku": "85123A", "ordered": 2, "current": 2, "unit_price": 255}
    other = {**line, "line_id": "2"}
    for total, lines, right in ((510, [line, line], 0), (None, [line, line], None), (1020, [line, line], None)):
        found = {"lines[1].current": right} if right is not None else {}
        yield case("duplicate-line", {"lines": lines, "total": total}, found, person=right is None)
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
    for given, right in (("$", "USD"), ("kr", "SEK"), ("jpy", "JPY"), ("XXX", None)):
        yield case("currency", {"currency": given}, {"currency": right} if right else {}, person=True)


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


def _postal_codes() -> dict[str, list[str]]:
    """Whole codes as their countries' posts write them."""
    return {
        "GB": ["EC1Y 8SY", "GIR 0AA", "M2 5BQ", "M34 4AB", "CR0 2YR", "DN16 9AA", "W1A 4ZZ", "EC1A 1HQ", "OX14 4PG", "BS18 8HF"],
        "NL": ["1234 AB", "2490 AA"], "SE": ["114 55", "123 45"], "PL": ["00-950", "05-470"], "PT": ["2725-079", "1250-096"],
        "CZ": ["100 00", "251 66"], "GR": ["151 24", "101 88"], "IE": ["A65 F4E2", "D02 X285"],
        "CA": ["H3Z 2Y7", "V8X 3X4"], "JP": ["154-0023", "350-1106"],
    }  # fmt: skip


def make() -> list[Case]:
    """All of them, each with its number; every second of a kind is kept apart."""
    chance = random.Random(20261201)
    several = (
        text_cases(chance),
        nothing_cases(),
        place_cases(chance),
        people_cases(),
        sku_cases(chance),
        number_cases(),
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
