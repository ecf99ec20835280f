"""`python -m api.openapi`: writes the OpenAPI document, and refuses where it would break those who use the API."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from api.app import create_app
from api.contract.compatibility import breaks
from settings import Settings

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "openapi.json"


def generate() -> dict[str, Any]:
    """The document of the API as it is now."""
    return json.loads(json.dumps(create_app(Settings()).openapi()))  # type: ignore[no-any-return]


def main(arguments: list[str] | None = None) -> int:
    """Compare with the committed document, then write; exit code 1 if callers would break and nobody said they may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--allow-breaks", action="store_true", help="write although callers would break")
    parser.add_argument("--to", type=Path, default=DOCUMENT, help="where the document is")
    options = parser.parse_args(arguments)
    document = generate()
    path: Path = options.to
    found = breaks(json.loads(path.read_text(encoding="utf-8")), document) if path.exists() else []
    for broken in found:
        sys.stderr.write(f"breaks callers: {broken}\n")
    if found and not options.allow_breaks:
        return 1
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
