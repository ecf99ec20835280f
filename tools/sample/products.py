"""SKUs with their texts from the ledger, and with weights and sizes assigned by the words in them."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tools.sample.draw import fraction
from tools.sample.read import Row

T = TypeVar("T", str, int)

CHEAPEST_PENCE, DEAREST_PENCE = 20, 3000
PRICE_WEIGHT = 0.6
OVERSIZE_EDGE_MM = 1000
OVERSIZE_GRAMS = 12_000
HAZMAT = re.compile(r"\bMATCHES\b|BATTERY OPERATED|FRAGRANCE OIL")
COLD = re.compile(r"^GROW YOUR OWN PLANT|FLYTRAP|HERBS SET")


@dataclass(frozen=True, slots=True)
class Build:
    """What goods of a kind weigh (grams, from to) and measure (millimetres, at the middle weight)."""

    words: re.Pattern[str]
    grams: tuple[int, int]
    size_mm: tuple[int, int, int]


def build(grams: tuple[int, int], size_mm: tuple[int, int, int], words: str) -> Build:
    return Build(re.compile(rf"\b(?:{words})"), grams, size_mm)


# The first kind whose word stands in the text counts: furniture before the mirror on it, bags before the cards in them.
BUILDS = (
    build(
        (900, 3200), (380, 300, 120), "KEY CABINET|BEACH HUT|WALL CABINET|MEDICINE CABINET|CURIO CABINET|EMBOSSED HEART"
    ),
    build((6000, 18000), (700, 450, 350), "CABINET|CHEST OF|CHEST 7|CHEST NATURAL|DESK|BAR STOOL|FOLDING CHAIR"),
    build((2000, 6000), (650, 400, 200), "CHAIR|STOOL|TRAY TABLE|PARASOL|GARDEN PLANT LADDER|DRESSING"),
    build(
        (15, 90),
        (90, 70, 25),
        "NECKL|BRACELET|EARRING|RING\\b|PENDANT|CHARM|BROOCH|HAIR|PHONE|KEY.RING|KEY.CHAIN|BADGE",
    ),
    build(
        (25, 220),
        (240, 160, 15),
        "CARD|WRAP|STICKER|TISSUE|NAPKIN|DOIL|TAPE|TRANSFER|GIFT TAG|RIBBON|PAPER|PATCH|INVITES",
    ),
    build(
        (30, 180), (180, 90, 35), "CAKE CASES|CASES|PENCIL|PENS?\\b|ERASER|RUBBER|SHARPENER|RULER|CHALK|CRAYON|BALLOON"
    ),
    build(
        (60, 350),
        (190, 130, 25),
        "NOTEBOOK|BOOK|JOTTER|JOURNAL|SKETCHBOOK|ORGANISER|CALENDAR|PASSPORT|WALLET|PURSE|MAGNET",
    ),
    build((1200, 2600), (700, 400, 60), "DOORMAT|RUG|QUILT|THROW|BEANBAG"),
    build((250, 700), (400, 400, 120), "CUSHION|FILLER PAD|PILLOW|SOFT TOY|PLUSH"),
    build(
        (80, 450), (300, 250, 40), "BAG|APRON|TOWEL|FLANNEL|SCARF|GLOVE|SLIPPER|TABLECLOTH|LACE|BUNTING|GARLAND|HANDBAG"
    ),
    build((90, 650), (140, 110, 90), "MATCHES"),
    build((250, 550), (330, 200, 60), "HOT WATER BOTTLE|WARMER|COSY"),
    build(
        (800, 2600), (320, 280, 220), "CAKESTAND|CAKE STAND|TEAPOT|TEA FOR ONE|SCALES|BREAD BIN|JUG|BUCKET|WATERING CAN"
    ),
    build(
        (400, 2400), (300, 220, 110), "CLOCK|LAMP|LANTERN|MIRROR|CHANDELIER|FRAME|PICTURE|WALL ART|BIRDCAGE|BIRD CAGE"
    ),
    build((250, 900), (160, 140, 110), "MUG|CUP|SAUCER|GLASS|TUMBLER|GOBLET|PLATE|BOWL|DISH|POT\\b|JAR|VASE|BOTTLE"),
    build((180, 1500), (260, 190, 120), "TINS?\\b|LUNCH BOX|SNACK BOX|STORAGE|BASKET|BOX|CASE|CRATE|DRAWER"),
    build((90, 650), (140, 110, 90), "CANDLE|T-LIGHT|INCENSE|OIL BURNER"),
    build((150, 1100), (260, 150, 40), "SIGN|HOOK|HANGER|KNOB|TILE|RACK|TIDY|NUMBER|LETTER|THERMOMETER|DOORSTOP"),
    build((150, 800), (200, 140, 90), "LIGHT|BULB|DISCO"),
    build((150, 700), (600, 90, 60), "UMBRELLA|BRUSH|SPADE|TROWEL|RAKE|TORCH|FAN\\b"),
    build(
        (120, 1200), (240, 180, 70), "JIGSAW|GAME|SKITTLES|PUZZLE|DOLL|TOY|SNAKES|BINGO|DOMINO|SPINNING|RACING|KIT\\b"
    ),
    build(
        (120, 900), (300, 200, 50), "CUTLERY|TRAY|MOULD|CUTTER|SPOON|WHISK|TONGS|COLANDER|TIMER|MEASURING|ROLLING PIN"
    ),
    build(
        (40, 300), (140, 100, 60), "DECORATION|ANGEL|BAUBLE|TREE|REINDEER|SNOW|STAR|HEART|EASTER|EGG|CHICK|RABBIT|FELT"
    ),
)
ANYTHING_ELSE = build((80, 700), (200, 140, 80), ".")


@dataclass(frozen=True, slots=True)
class Product:
    """One SKU. The flags ask for special handling: dangerous goods, cold chain, too large or heavy for one person."""

    sku: str
    description: str
    weight_grams: int
    size_mm: tuple[int, int, int]
    hazmat: bool
    cold: bool
    oversize: bool
    list_price_pence: int


def products_from(rows: Iterable[Row]) -> dict[str, Product]:
    """All SKUs of the rows, sorted; the most frequent text and price of a SKU count, the smaller of equals."""
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    prices: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        texts[row.sku][row.description] += 1
        prices[row.sku][row.price_pence] += 1
    return {sku: product(sku, most_frequent(texts[sku]), most_frequent(prices[sku])) for sku in sorted(texts)}


def most_frequent(counts: Mapping[T, int]) -> T:
    return min(counts, key=lambda choice: (-counts[choice], choice))


def product(sku: str, description: str, price_pence: int) -> Product:
    kind = kind_of(description.upper())
    grams = weight_grams(sku, price_pence, kind)
    size = size_mm(grams, kind)
    return Product(
        sku=sku,
        description=description,
        weight_grams=grams,
        size_mm=size,
        hazmat=bool(HAZMAT.search(description.upper())),
        cold=bool(COLD.search(description.upper())),
        oversize=max(size) >= OVERSIZE_EDGE_MM or grams >= OVERSIZE_GRAMS,
        list_price_pence=price_pence,
    )


def kind_of(description: str) -> Build:
    return next((kind for kind in BUILDS if kind.words.search(description)), ANYTHING_ELSE)


def weight_grams(sku: str, price_pence: int, kind: Build) -> int:
    """Between the kind's bounds: six tenths by price (logarithmic), four tenths by the SKU's hash; whole 5 g."""
    span = math.log(DEAREST_PENCE / CHEAPEST_PENCE)
    by_price = min(max(math.log(price_pence / CHEAPEST_PENCE) / span, 0.0), 1.0)
    position = PRICE_WEIGHT * by_price + (1 - PRICE_WEIGHT) * fraction("weight", sku)
    light, heavy = kind.grams
    return max(5, round((light + (heavy - light) * position) / 5) * 5)


def size_mm(grams: int, kind: Build) -> tuple[int, int, int]:
    """Length, width and height: the kind's proportions, the volume in step with the weight; whole 5 mm."""
    scale = (grams / (sum(kind.grams) / 2)) ** (1 / 3)
    length, width, height = (max(5, round(edge * scale / 5) * 5) for edge in kind.size_mm)
    return length, width, height
