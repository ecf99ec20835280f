"""Bookings happen once, and a label says what was booked."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from connectors.carriers import s10
from connectors.carriers.labels import render_label, unprinted
from connectors.carriers.lettering import roman
from connectors.carriers.port import Booking, BookingRequest, Carrier
from connectors.carriers.scripts import laid_out
from connectors.carriers.table_rate import carriers_from
from dom.delivery.parcels import ParcelSize, measure, piece
from dom.delivery.tariffs import Tariff, quote
from dom.network import NodeAddress, ShippingMethod
from dom.orders.order import ShipTo
from dom.shared.errors import OutsideFailure
from tests.worlds.sourcing import sku

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "tariffs.json"
TARIFFS = TypeAdapter(tuple[Tariff, ...]).validate_json(SAMPLE.read_text())
LODZ = ShipTo(name="Żaneta Łęcka", lines=("ul. Długa 12/4",), city="Łódź", postal_code="90-001", country="PL")


def request_with(**changes: Any) -> BookingRequest:
    plain = {
        "booking_key": "web-536365-F1-B1",
        "method": ShippingMethod.STANDARD,
        "sender_name": "Daventry DC",
        "sender": NodeAddress(lines=("Royal Oak Way",), city="Daventry", postal_code="NN11 8QY", country="GB"),
        "recipient": LODZ,
        "size": ParcelSize(weight_grams=1500, volume_cm3=9000),
        "reference": "web-536365-F1",
        "ship_by": datetime(2011, 1, 5, 16, tzinfo=UTC),
    }
    return BookingRequest.model_validate(plain | changes)


@pytest.fixture
def carrier() -> Carrier:
    return carriers_from(TARIFFS)["northline"]


class TestCheckDigit:
    @pytest.mark.parametrize(
        ("serial", "digit"),
        [
            ("47312482", 9),  # RA 473 124 829 GB, the worked example of descriptions of S10
            ("12345678", 5),  # RA 123 456 785 GB, printed on many operators' specimen labels
            ("00000000", 5),  # sum 0: 11 becomes 5
            ("00000008", 0),  # sum 56: 11 - 1 = 10 becomes 0
        ],
    )
    def test_of_published_numbers(self, serial: str, digit: int) -> None:
        assert s10.check_digit(serial) == digit

    @given(st.integers(0, 10**8 - 1), st.integers(0, 7), st.integers(1, 9))
    def test_one_wrong_figure_shows(self, number: int, place: int, off: int) -> None:
        right = f"{number:08d}"
        wrong = right[:place] + str((int(right[place]) + off) % 10) + right[place + 1 :]
        digits = {s10.check_digit(right), s10.check_digit(wrong)}
        # the standard folds the remainders 10 and 0 onto figures that are taken: only there two numbers can agree
        assert len(digits) == 2 or digits <= {0, 5}

    @pytest.mark.parametrize("serial", ["1234567", "123456789", "1234567a", "", "١٢٣٤٥٦٧٨"])
    def test_of_anything_but_eight_digits_is_refused(self, serial: str) -> None:
        with pytest.raises(ValueError, match="eight digits"):
            s10.check_digit(serial)

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.sampled_from(["GB", "DE"]))
    def test_every_tracking_number_has_the_form(self, seed: str, country: str) -> None:
        number = s10.tracking_number(seed, country)
        assert re.fullmatch(r"[BDNPZ][A-Z][0-9]{9}" + country, number, re.ASCII)
        assert number[10] == str(s10.check_digit(number[2:10]))
        assert number == s10.tracking_number(seed, country)

    def test_ten_thousand_shipments_hardly_ever_share_a_number(self) -> None:
        numbers = {s10.tracking_number(f"northline/web-{n}-F1-B1", "GB") for n in range(10_000)}
        assert len(numbers) == 10_000


class TestBooking:
    async def test_the_same_key_gives_the_same_booking_from_any_process(self, carrier: Carrier) -> None:
        first = await carrier.book(request_with())
        await carrier.void("web-536365-F1-B1")
        again = await carriers_from(TARIFFS)["northline"].book(request_with())
        assert again == first

    async def test_another_key_gives_another_tracking_number(self, carrier: Carrier) -> None:
        numbers = {(await carrier.book(request_with(booking_key=f"web-1-F1-B{n}"))).tracking_number for n in range(50)}
        assert len(numbers) == 50

    async def test_two_carriers_do_not_share_a_tracking_number(self) -> None:
        numbers = {(await carrier.book(request_with())).tracking_number for carrier in carriers_from(TARIFFS).values()}
        assert len(numbers) == len(TARIFFS)

    async def test_it_costs_what_was_quoted(self) -> None:
        request = request_with(size=ParcelSize(weight_grams=45_000, volume_cm3=1000))
        for tariff in TARIFFS:
            booked = await carriers_from(TARIFFS)[tariff.carrier].book(request)
            offer = quote(tariff, ShippingMethod.STANDARD, "GB", "PL", request.size)
            assert offer is not None
            assert (booked.carrier, booked.price, booked.currency) == (tariff.carrier, offer.price, offer.currency)
            assert booked.parcels == offer.parcels
            assert booked.transit_days_max == offer.transit_days_max

    async def test_where_it_does_not_go_is_refused_for_good(self) -> None:
        australia = ShipTo(
            name="Ada", lines=("1 Kent St",), city="Sydney", region="NSW", postal_code="2000", country="AU"
        )
        with pytest.raises(OutsideFailure, match="parcelo has no standard service from GB to AU"):
            await carriers_from(TARIFFS)["parcelo"].book(request_with(recipient=australia))

    async def test_parcels_that_are_too_heavy_are_refused_for_good(self, carrier: Carrier) -> None:
        heavy = ParcelSize(weight_grams=30_001, volume_cm3=1)
        with pytest.raises(OutsideFailure, match="30001 g as 2 parcels, not as 1"):
            await carrier.book(request_with(size=heavy, parcels=1))
        assert (await carrier.book(request_with(size=heavy, parcels=2))).parcels == 2
        assert (await carrier.book(request_with(size=heavy))).parcels == 2

    async def test_a_unit_that_is_too_heavy_is_refused_for_good_and_not_cut(self, carrier: Carrier) -> None:
        safe = sku("SAFE", 35_000)
        size = measure([("SAFE", 1)], {"SAFE": safe})
        with pytest.raises(OutsideFailure, match=r"northline does not take a unit of 35\.15 kg with packaging"):
            await carrier.book(request_with(size=size, pieces=(piece(safe),)))
        booked = await carriers_from(TARIFFS)["swiftmail"].book(request_with(size=size, pieces=(piece(safe),)))
        assert booked.parcels == 1

    async def test_a_unit_that_is_too_long_is_refused_for_good(self, carrier: Carrier) -> None:
        pole = sku("POLE", 2_000).model_copy(update={"width_mm": 4_000})
        with pytest.raises(OutsideFailure, match=r"4 m long, of at most 1\.75 m"):
            await carrier.book(request_with(pieces=(piece(pole),)))

    async def test_a_parcel_holds_whole_units(self, carrier: Carrier) -> None:
        stool = sku("STOOL", 16_000)
        size = measure([("STOOL", 3)], {"STOOL": stool})
        booked = await carrier.book(request_with(size=size, pieces=(piece(stool, 3),)))
        assert booked.parcels == 3

    def test_a_carrier_with_two_tariffs_is_refused(self) -> None:
        with pytest.raises(ValueError, match="northline"):
            carriers_from((*TARIFFS, TARIFFS[0]))


def printed(label: bytes, page: int = 0) -> str:
    with pypdfium2.PdfDocument(label) as document:
        return " ".join(document[page].get_textpage().get_text_bounded().split())


def scanned(label: bytes, page: int = 0) -> list[tuple[str, str]]:
    with pypdfium2.PdfDocument(label) as document:
        image = document[page].render(scale=3).to_pil()
    return [(str(found.format), found.text) for found in zxingcpp.read_barcodes(image)]


def pages(label: bytes) -> int:
    with pypdfium2.PdfDocument(label) as document:
        return len(document)


class TestLabel:
    async def test_the_barcode_is_the_tracking_number(self, carrier: Carrier) -> None:
        request = request_with()
        booking = await carrier.book(request)
        [(kind, text)] = scanned(await carrier.label(request, booking))
        assert text == booking.tracking_number
        assert "128" in kind

    async def test_it_says_from_to_service_weight_and_reference(self, carrier: Carrier) -> None:
        request = request_with()
        text = printed(await carrier.label(request, await carrier.book(request)))
        for said in (
            "Daventry DC",
            "90-001",
            "STANDARD",
            "1.50 kg",
            "Parcel 1 of 1",
            "web-536365-F1",
            "2011-01-05 16:00",
        ):
            assert said in text

    async def test_it_can_be_drawn_again_to_the_byte(self, carrier: Carrier) -> None:
        request = request_with()
        booking = await carrier.book(request)
        assert await carrier.label(request, booking) == await carrier.label(request, booking)

    async def test_each_parcel_has_its_page(self, carrier: Carrier) -> None:
        request = request_with(size=ParcelSize(weight_grams=70_000, volume_cm3=1))
        booking = await carrier.book(request)
        label = await carrier.label(request, booking)
        assert pages(label) == 3
        assert [f"Parcel {n + 1} of 3" in printed(label, n) for n in range(3)] == [True] * 3
        assert scanned(label, 2)[0][1] == booking.tracking_number

    @pytest.mark.parametrize(
        ("name", "on_paper"),
        [
            ("Zoë Müller-Ångström", "Zoë Müller-Ångström"),
            ("Żaneta Łęcka", "Zaneta Lecka"),
            ("Şükrü Yıldız", "Sükrü Yildiz"),  # noqa: RUF001
            ("Γιώργος Παπαδόπουλος", "Giorgos Papadopoylos"),
            ("Юлия Щукина", "Iuliia Shchukina"),
            ("สมชาย ใจดี", "smchay aichdi"),
            ("Ada\x00 Fenn\u200b", "Ada Fenn"),
        ],
    )
    async def test_names_of_every_script_print(self, carrier: Carrier, name: str, on_paper: str) -> None:
        request = request_with(recipient=LODZ.model_copy(update={"name": name}))
        assert on_paper in printed(await carrier.label(request, await carrier.book(request)))

    @pytest.mark.parametrize(
        ("name", "country", "on_paper"),
        [
            ("山田太郎", "JP", "山田太郎"),
            ("カタカナ ハナコ", "JP", "カタカナ ハナコ"),
            ("王小明", "CN", "王小明"),
            ("陳大文", "TW", "陳大文"),
            ("김철수", "KR", "김철수"),
            ("דוד כהן", "IL", "דוד כהן"[::-1]),
            ("Ada דוד", "IL", "דוד"[::-1]),
        ],
    )
    async def test_what_there_is_a_font_for_prints_as_it_is_written(
        self, carrier: Carrier, name: str, country: str, on_paper: str
    ) -> None:
        to = LODZ.model_copy(update={"name": name, "country": country})
        request = request_with(recipient=to)
        label = render_label("Northline", request, BOOKED)
        text = printed(label)
        assert on_paper in text or on_paper[::-1] in text
        assert "?" not in text
        assert unprinted(request) == ()
        assert len(label) < 100_000, "only the letters used are in it"

    async def test_arabic_letters_are_joined(self) -> None:
        request = request_with(recipient=LODZ.model_copy(update={"name": "محمد علي", "country": "AE"}))
        assert unprinted(request) == ()
        runs = laid_out("محمد علي", "Helvetica", "AE")
        assert [run.font for run in runs if run.text.strip()] == ["NotoSansArabic"] * 2
        assert runs[-1].text[-1] == "\ufee3", "the first letter stands at the right, in its initial form"

    async def test_what_is_written_in_roman_is_told(self, carrier: Carrier) -> None:
        thai = request_with(recipient=LODZ.model_copy(update={"name": "สมชาย ใจดี", "city": "Kraków"}))
        assert (await carrier.book(thai)).unprinted == ("สมชาย ใจดี",)
        assert (await carrier.book(request_with())).unprinted == ()

    @pytest.mark.parametrize("name", ["Northline (made-up carrier)", "The Extraordinarily Long Carriers of Leeds"])
    async def test_the_carriers_name_is_not_cut(self, name: str) -> None:
        text = printed(render_label(name, request_with(), BOOKED))
        assert name in " ".join(text.replace("STANDARD", "").split())

    async def test_the_time_to_ship_by_is_the_nodes(self) -> None:
        for zone, said in (("Europe/Paris", "2011-01-05 17:00 CET"), ("Asia/Tokyo", "2011-01-06 01:00 JST")):
            assert said in printed(render_label("x", request_with(sender_zone=zone), BOOKED))

    async def test_the_longest_address_leaves_the_barcode_readable(self, carrier: Carrier) -> None:
        long = "Where " * 33
        request = request_with(
            recipient=LODZ.model_copy(update={"name": long, "lines": (long,) * 4, "city": long, "region": long}),
            sender_name=long,
            reference="R" * 300,
        )
        booking = await carrier.book(request)
        label = await carrier.label(request, booking)
        assert [text for _, text in scanned(label)] == [booking.tracking_number]
        assert " PL Shipment weight" in printed(label)
        assert "Reference RRRRRRRRRR" in printed(label)

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60))
    def test_no_name_breaks_the_drawing(self, name: str) -> None:
        request = request_with(recipient=LODZ.model_copy(update={"name": name}), reference=name)
        assert pages(render_label("Northline", request, BOOKED)) == 1


BOOKED = Booking(
    carrier="northline",
    booking_key="k",
    tracking_number="RA473124829GB",
    parcels=1,
    price=1,
    currency="GBP",
    transit_days_min=1,
    transit_days_max=2,
)


class TestRomanLetters:
    @given(st.text())
    def test_everything_fits_the_printers_letters(self, text: str) -> None:
        roman(text).encode("cp1252")
        assert all(character.isprintable() or character == "\u00a0" for character in roman(text))

    @given(st.text(st.characters(codec="cp1252", categories=["L", "N"])))
    def test_what_the_printer_has_stays(self, text: str) -> None:
        assert roman(text) == text
