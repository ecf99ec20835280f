"""Files of counts and changes."""

from typing import Final

from api.contract.example import Example

IMPORT: Final[Example] = {
    "id": "import-5f0c6a1e9b7d42c8a913",
    "kind": "counts",
    "status": "applying",
    "all_or_nothing": False,
    "source": "wms-daventry",
    "actor": "nightly stocktake",
    "as_of": "2026-03-02T02:00:00Z",
    "sequence": 4712,
    "rows": 1000000,
    "done": 440000,
    "outcomes": {"applied": 439963, "refused": 37},
    "detail": "",
    "rows_per_second": 21000,
    "created_at": "2026-03-02T02:10:00Z",
    "finished_at": None,
    "links": {
        "self": "/v1/inventory/imports/import-5f0c6a1e9b7d42c8a913",
        "problems": "/v1/inventory/imports/import-5f0c6a1e9b7d42c8a913/problems",
    },
}
IMPORT_CANCELLED: Final[Example] = IMPORT | {
    "status": "cancelled",
    "done": 1000000,
    "outcomes": {"applied": 439963, "refused": 37, "cancelled": 560000},
    "detail": "cancelled by operations",
    "finished_at": "2026-03-02T02:10:21Z",
}
IMPORT_LIST: Final[Example] = {"items": [IMPORT], "next_cursor": None}
IMPORT_FILES: Final[dict[str, str]] = {
    "counts, as CSV": "node_id,sku,quantity,reason_code\nexample-node,EXAMPLE-1,141,cycle_count\n",
}
IMPORT_PROBLEMS: Final[dict[str, str]] = {
    "text/csv": (
        "row,node_id,sku,quantity,key,outcome,problem,field,detail,raw\n"
        "17,dc-daventry,85123Z,4,,refused,unknown-sku,sku,there is no SKU 85123Z,\n"
    ),
    "application/x-ndjson": (
        '{"row":17,"node_id":"dc-daventry","sku":"85123Z","quantity":4,"key":null,"outcome":"refused",'
        '"problem":"unknown-sku","field":"sku","detail":"there is no SKU 85123Z","raw":null}\n'
    ),
}
