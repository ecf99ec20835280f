"""The rules by which the ledger's rows become orders, cancellations and rejections."""

import pytest

from tools.sample.cancellations import match_cancellations
from tools.sample.channels import Buyer, History, buyer_of
from tools.sample.clean import Reason, sort_rows
from tools.sample.draw import by_share, fraction
from tools.sample.invoices import invoices_from
from tools.sample.people import phone_of
from tools.sample.places import distance_km, place_key
from tools.sample.products import product
from tools.sample.read import Row, row_from

MUG, LAMP = "22114", "22726"


def row(
    invoice: str = "1",
    *,
    sku: str = MUG,
    quantity: int = 1,
    price: str = "1.25",
    customer: str = "17850",
    country: str = "United Kingdom",
    at: str = "2010-12-01T08:26",
    text: str = "RED MUG",
    number: int = 1,
) -> Row:
    return row_from(number, (invoice, sku, text, str(quantity), at, price, customer, country))


class TestReading:
    def test_pounds_become_pence_without_float_errors(self) -> None:
        assert row(price="8.29").price_pence == 829

    @pytest.mark.parametrize(("local", "utc"), [("2010-12-01T08:26", "08:26"), ("2011-07-01T08:26", "07:26")])
    def test_london_time_becomes_utc(self, local: str, utc: str) -> None:
        assert row(at=local).at.strftime("%H:%M %Z") == f"{utc} UTC"

    def test_codes_lose_their_lower_case(self) -> None:
        assert row(sku="72803b").sku == "72803B"


class TestSorting:
    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (row(sku="POST"), Reason.NOT_GOODS),
            (row(sku="GIFT_0001_20"), Reason.NOT_GOODS),
            (row(sku="D", invoice="C1", quantity=-1), Reason.NOT_GOODS),
            (row(price="0.0"), Reason.NO_PRICE),
            (row(price="0.0", customer="", text="found"), Reason.STOCK_CORRECTION),
            (row(price="0.0", customer="", quantity=-3), Reason.STOCK_CORRECTION),
            (row(quantity=-3), Reason.NEGATIVE_WITHOUT_INVOICE_C),
            (row(invoice="C1", quantity=3), Reason.POSITIVE_IN_INVOICE_C),
            (row(country="Hong Kong"), Reason.COUNTRY_WITHOUT_POSTAL_CODES),
            (row(country="Unspecified"), Reason.COUNTRY_UNKNOWN),
        ],
    )
    def test_names_what_is_wrong(self, bad: Row, reason: Reason) -> None:
        result = sort_rows([bad])
        assert [rejection.reason for rejection in result.rejected] == [reason]
        assert not result.lines
        assert not result.cancellations

    @pytest.mark.parametrize("code", ["85123A", "22114", "15056BL", "DCGS0003", "DCGSSBOY"])
    def test_goods_are_good(self, code: str) -> None:
        assert len(sort_rows([row(sku=code)]).lines) == 1

    def test_the_second_of_two_equal_rows_is_a_duplicate(self) -> None:
        result = sort_rows([row(number=1), row(number=2), row(number=3, quantity=2)])
        assert [line.number for line in result.lines] == [1, 3]
        assert [(entry.row.number, entry.reason) for entry in result.rejected] == [(2, Reason.DUPLICATE_ROW)]

    @pytest.mark.parametrize(
        ("customer", "postage", "consolidated"), [("", "25.01", True), ("", "25.00", False), ("17850", "99.0", False)]
    )
    def test_postage_of_many_parcels_marks_a_consolidated_invoice(
        self, customer: str, postage: str, consolidated: bool
    ) -> None:
        result = sort_rows([row(customer=customer), row(sku="DOT", price=postage, customer=customer)])
        reasons = {entry.reason for entry in result.rejected}
        assert (Reason.CONSOLIDATED_INVOICE in reasons) is consolidated
        assert Reason.NOT_GOODS in reasons


class TestMerging:
    def test_same_sku_and_price_is_one_line_and_another_price_a_line_of_its_own(self) -> None:
        (invoice,) = invoices_from([row(quantity=2), row(quantity=3), row(quantity=4, price="1.00"), row(sku=LAMP)])
        lines = [(line.line_id, line.sku, line.quantity, line.price_pence) for line in invoice.lines]
        assert lines == [("1", MUG, 5, 125), ("2", MUG, 4, 100), ("3", LAMP, 1, 125)]
        assert invoice.total_pence == 5 * 125 + 4 * 100 + 125

    def test_the_first_minute_counts_and_invoices_are_in_time_order(self) -> None:
        late, early = row("1", at="2010-12-02T09:01"), row("1", sku=LAMP, at="2010-12-02T09:00")
        invoices = invoices_from([late, early, row("2", at="2010-12-01T10:00")])
        assert [invoice.number for invoice in invoices] == ["2", "1"]
        assert invoices[1].placed_at == early.at


class TestMatching:
    bought = (
        row("1", quantity=5, at="2010-12-01T09:00"),
        row("2", quantity=5, price="1.00", at="2010-12-03T09:00"),
        row("3", quantity=5, at="2010-12-09T09:00"),
    )

    def taken_by(self, *rows: Row) -> list[tuple[str, dict[str, int]]]:
        found = match_cancellations(rows, invoices_from(self.bought)).cancellations
        return [(record.order_number, record.lines) for record in found]

    @pytest.mark.parametrize(
        ("quantity", "price", "taken"),
        [
            (-4, "1.25", [("1", {"1": 4})]),
            (-4, "1.00", [("2", {"1": 4})]),
            (-4, "0.50", [("2", {"1": 4})]),
            (-7, "1.25", [("1", {"1": 5}), ("2", {"1": 2})]),
        ],
    )
    def test_takes_the_same_price_first_then_the_latest(
        self, quantity: int, price: str, taken: list[tuple[str, dict[str, int]]]
    ) -> None:
        assert self.taken_by(row("C9", quantity=quantity, price=price, at="2010-12-05T09:00")) == taken

    def test_units_are_taken_once(self) -> None:
        back = [row(f"C{n}", quantity=-5, at=f"2010-12-05T09:0{n}") for n in (1, 2, 3)]
        matched = match_cancellations(back, invoices_from(self.bought))
        assert [record.order_number for record in matched.cancellations] == ["1", "2"]
        assert [entry.reason for entry in matched.rejected] == [Reason.CANCELLATION_WITHOUT_ORDER]

    @pytest.mark.parametrize(
        ("back", "reason"),
        [
            (row("C9", quantity=-1, at="2010-11-30T09:00"), Reason.CANCELLATION_WITHOUT_ORDER),
            (row("C9", quantity=-1, sku=LAMP, at="2010-12-30T09:00"), Reason.CANCELLATION_WITHOUT_ORDER),
            (row("C9", quantity=-1, customer="1", at="2010-12-30T09:00"), Reason.CANCELLATION_WITHOUT_ORDER),
            (row("C9", quantity=-1, customer="", at="2010-12-30T09:00"), Reason.CANCELLATION_WITHOUT_CUSTOMER),
            (row("C9", quantity=-16, at="2010-12-30T09:00"), Reason.CANCELLATION_EXCEEDS_ORDER),
        ],
    )
    def test_says_why_nothing_fits_and_takes_nothing(self, back: Row, reason: Reason) -> None:
        matched = match_cancellations([back], invoices_from(self.bought))
        assert [entry.reason for entry in matched.rejected] == [reason]
        assert not matched.cancellations
        assert not matched.rows


class TestAssigning:
    @pytest.mark.parametrize(
        ("history", "has_store", "buyer"),
        [
            (None, True, Buyer.GUEST_NEAR_STORE),
            (None, False, Buyer.GUEST),
            (History(60_000, 1, 3), True, Buyer.WHOLESALER),
            (History(100, 12, 3), True, Buyer.WHOLESALER),
            (History(59_999, 11, 10), True, Buyer.SMALL_BASKET),
            (History(59_999, 11, 11), True, Buyer.NEAR_STORE),
            (History(59_999, 11, 11), False, Buyer.ANYONE),
        ],
    )
    def test_kinds_of_buyers(self, history: History | None, has_store: bool, buyer: Buyer) -> None:
        assert buyer_of(history, has_store) is buyer

    def test_draws_follow_their_shares_and_nothing_else(self) -> None:
        drawn = [by_share({"a": 3, "b": 1}, n) for n in range(2000)]
        assert 0.72 < drawn.count("a") / len(drawn) < 0.78
        assert drawn == [by_share({"a": 3, "b": 1}, n) for n in range(2000)]
        assert 0 <= min(map(fraction, range(2000))) < 0.01

    def test_a_british_phone_number_is_one_kept_for_drama(self) -> None:
        prefixes = ("+447700900", "+442079460", "+441614960", "+441632960")
        assert all(
            phone_of(str(n), "GB").startswith(prefixes) and len(phone_of(str(n), "GB")) == 13 for n in range(200)
        )

    @pytest.mark.parametrize(
        ("country", "code", "key"),
        [
            ("GB", "LS9 8AB", "LS9"),
            ("GB", "ec1a1bb", "EC1A"),
            ("GB", "EC1A", "EC1A"),
            ("GB", "M2", "M2"),
            ("GB", "M2 5BQ", "M2"),
            ("IE", "D02 AF30", "D02"),
            ("NL", "1011 AB", "1011"),
            ("PT", "1000-001", "1000"),
            ("JP", "154-0023", "154"),
            ("SG", "049215", "04"),
            ("SE", "114 55", "11455"),
            ("PL", "00-950", "00-950"),
        ],
    )
    def test_place_keys(self, country: str, code: str, key: str) -> None:
        assert place_key(country, code) == key

    def test_distance_of_london_and_paris(self) -> None:
        assert distance_km(51.5074, -0.1278, 48.8566, 2.3522) == pytest.approx(343.6, abs=0.5)

    def test_heavier_goods_have_larger_boxes(self) -> None:
        cabinet, earrings = product("1", "HALL CABINET", 3995), product("2", "PEARL EARRINGS", 295)
        assert cabinet.oversize
        assert not earrings.oversize
        assert cabinet.weight_grams > 50 * earrings.weight_grams
        assert cabinet.size_mm > earrings.size_mm
