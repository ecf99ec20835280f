"""Customers and addresses of several countries, drawn with a fixed seed: names in four scripts, few common and many
rare ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from dom.orders.order import Customer, ShipTo

_MAIL = ("mail.example", "post.example", "inbox.example", "web.example", "letters.example", "firm.example")
_MAIL_WEIGHTS = (45, 25, 12, 10, 6, 2)
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True, slots=True)
class _Land:
    first: tuple[str, ...]
    last: tuple[str, ...]
    endings: tuple[str, ...]
    """They make rare surnames of common ones."""
    towns: tuple[str, ...]
    dialled: str
    code: Callable[[Random], str]


def _gb(random: Random) -> str:
    area = random.choice(("LS", "M", "SW", "E", "B", "YO", "EH", "BS", "NE", "CF"))
    return f"{area}{random.randint(1, 20)} {random.randint(1, 9)}{random.choice(_LETTERS)}{random.choice(_LETTERS)}"


def _digits(count: int) -> Callable[[Random], str]:
    return lambda random: str(random.randrange(10 ** (count - 1), 10**count))


def _pl(random: Random) -> str:
    return f"{random.randint(10, 99)}-{random.randint(100, 999)}"


def _jp(random: Random) -> str:
    return f"{random.randint(100, 999)}-{random.randint(1000, 9999)}"


LANDS = {
    "GB": _Land(
        ("Ada", "Oliver", "Amelia", "Noah", "Zoë", "George", "Siân", "Harry", "Freya", "Conor"),
        ("Smith", "Jones", "Taylor", "Brown", "O'Brien", "Walker", "Hughes", "Clarke", "Whitfield", "Ashdown"),
        ("", "", "", "ton", "field", "worth", "ley", "well", "combe", "shaw"),
        ("Leeds", "Manchester", "London", "Bristol", "York", "Cardiff"),
        "+447",
        _gb,
    ),
    "DE": _Land(
        ("Jürgen", "Anna", "Sören", "Käthe", "Lukas", "Mia", "Björn", "Grete", "Jonas", "Ömer"),
        ("Müller", "Schmidt", "Weiß", "Krämer", "Fischer", "Groß", "Böhm", "Vogel", "Jäger", "Lange"),
        ("", "", "", "mann", "hauer", "bach", "berger", "meier", "stein", "hof"),
        ("Berlin", "München", "Köln", "Hamburg", "Düsseldorf", "Leipzig"),
        "+4917",
        _digits(5),
    ),
    "FR": _Land(
        ("Chloé", "Léa", "Théo", "Hélène", "Loïc", "Manon", "Jérôme", "Agnès", "Hugo", "Inès"),
        ("Lefèvre", "Dubois", "Moreau", "Garçon", "Noël", "Rousseau", "Hébert", "Fontaine", "Béranger", "Petit"),
        ("", "", "", "elle", "ière", "ot", "ard", "eau", "in", "ois"),
        ("Lille", "Paris", "Orléans", "Besançon", "Nîmes", "Lyon"),
        "+336",
        _digits(5),
    ),
    "PL": _Land(
        ("Łukasz", "Zofia", "Jakub", "Małgorzata", "Paweł", "Żaneta", "Michał", "Ewa", "Józef", "Kinga"),
        ("Wójcik", "Kowal", "Zieliń", "Szymań", "Woźniak", "Dąbrow", "Kamiń", "Łukas", "Pawłow", "Mazur"),
        ("", "", "ski", "ska", "czyk", "iak", "owicz", "ewski", "ek", "arz"),
        ("Łódź", "Kraków", "Gdańsk", "Poznań", "Wrocław", "Szczecin"),
        "+485",
        _pl,
    ),
    "UA": _Land(
        ("Олена", "Іван", "Марія", "Андрій", "Оксана", "Степан", "Юлія", "Петро", "Ганна", "Богдан"),
        ("Шевчен", "Коваль", "Бондар", "Ткач", "Мельни", "Кравчу", "Олійни", "Лисен", "Марчу", "Савчен"),
        ("ко", "чук", "енко", "ський", "ик", "ів", "юк", "ець", "ак", "ова"),
        ("Київ", "Львів", "Одеса", "Харків", "Дніпро", "Полтава"),
        "+3806",
        _digits(5),
    ),
    "JP": _Land(
        ("葵", "陽翔", "結衣", "蓮", "美咲", "大翔", "さくら", "翔太", "花子", "健一"),
        ("佐藤", "鈴木", "高橋", "田中", "渡辺", "伊藤", "山本", "中村", "小林", "加藤"),
        ("", "", "", "原", "川", "島", "田", "村", "崎", "沢"),
        ("東京都", "大阪市", "名古屋市", "札幌市", "福岡市", "京都市"),
        "+8190",
        _jp,
    ),
}
_COUNTRIES = tuple(LANDS)
_SHARES = (45, 25, 14, 8, 5, 3)


def person(random: Random, number: int) -> tuple[Customer, ShipTo]:
    """A customer and where the goods go; not checked again, as orders from the store are not."""
    country = random.choices(_COUNTRIES, _SHARES)[0]
    land = LANDS[country]
    last = random.choice(land.last) + random.choice(land.endings)
    if random.random() < 0.5:
        last += random.choice(land.endings)
    name = f"{random.choice(land.first)} {last}"
    domain = random.choices(_MAIL, _MAIL_WEIGHTS)[0]
    box = name.replace(" ", ".").lower() if name.isascii() else f"k{number:x}"
    customer = Customer.model_construct(
        id=f"C{random.randrange(400_000):06d}",
        name=name,
        email=f"{box}{random.randrange(10_000)}@{domain}",
        phone=f"{land.dialled}{random.randrange(10**8):08d}" if random.random() < 0.8 else "",
        customer_class="",
    )
    ship_to = ShipTo.model_construct(
        name=name if random.random() < 0.9 else f"{random.choice(land.first)} {last}",
        lines=(f"{random.randint(1, 200)} Mill Lane",),
        city=random.choice(land.towns),
        region="",
        postal_code=land.code(random),
        country=country,
    )
    return customer, ship_to
