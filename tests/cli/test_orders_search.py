"""`dom orders search` finds what the API finds."""

import json

from tests.cli.conftest import Dom
from tests.cli.test_order_command import capture


class TestSearch:
    def test_by_text_and_by_state(self, dom: Dom, world_url: str) -> None:
        capture(world_url, "search-1", "search-2")
        found = dom("orders", "search", "search-2", "--not-stuck", "--channel", "web", "--json")
        assert found.exit_code == 0, found.output
        assert [row["order_id"] for row in json.loads(found.stdout)] == ["web-search-2"]
        shown = dom("orders", "search", "--waiting", "--sort", "promise", "--limit", "1")
        assert shown.exit_code == 0, shown.output
        assert "1 found; there may be more" in shown.stdout
        assert "0 found" in dom("orders", "search", "--tracking", "BV7713").stdout

    def test_what_cannot_be_asked(self, dom: Dom) -> None:
        refused = dom("orders", "search", "--placed-from", "soon")
        assert refused.exit_code == 1
        assert refused.stderr.startswith("dom: --placed-from: ")
