"""`dom ofl`: show, change, publish; a wrong policy is refused with its fields."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Dom


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.json"


class TestPublish:
    def test_what_is_shown_can_be_changed_and_published(self, dom: Dom, file: Path) -> None:
        policy = json.loads(dom("ofl", "show").stdout)
        assert policy["name"] == "small"
        file.write_text(json.dumps({**policy, "name": "fewer parcels", "split_penalty": 900}))

        assert "fewer parcels as version 2" in dom("ofl", "publish", str(file)).stdout

        assert json.loads(dom("ofl", "show").stdout)["split_penalty"] == 900
        assert json.loads(dom("ofl", "show", "1").stdout) == policy, "published versions do not change"
        listed = dom("ofl", "versions").stdout
        assert listed.index("fewer parcels") < listed.index("small")
        assert "ada" in listed

    def test_the_live_policy_again_makes_no_version(self, dom: Dom, file: Path) -> None:
        file.write_text(dom("ofl", "show").stdout)
        again = dom("ofl", "publish", str(file))
        assert again.exit_code == 0
        assert "live already" in again.stdout
        assert dom("ofl", "show", "2").exit_code == 1

    @pytest.mark.parametrize(
        ("content", "named"),
        [
            ('{"name": "x", "split_penalty": -1}', "split_penalty: "),
            ('{"name": "x", "split_penaltie": 1}', "split_penaltie: "),
            ('{"name": "x", "maximum_distance_km": {"shed": 3}}', "maximum_distance_km.shed"),
            ('{"split_penalty": 1, "maximum_shipments": 99}', "maximum_shipments: "),
            ('{"name": "x",', "Invalid JSON"),
            ("[]", "the file: "),
        ],
    )
    def test_a_wrong_field_is_named_and_nothing_is_published(
        self, dom: Dom, file: Path, content: str, named: str
    ) -> None:
        file.write_text(content)
        refused = dom("ofl", "publish", str(file))
        assert refused.exit_code == 1
        (line,) = refused.stderr.splitlines()
        assert named in line
        assert "nothing was published" in line
        assert dom("ofl", "show", "2").exit_code == 1

    def test_a_missing_file_is_named(self, dom: Dom, file: Path) -> None:
        refused = dom("ofl", "publish", str(file))
        assert refused.exit_code == 1
        assert str(file) in refused.stderr


class TestShow:
    def test_a_version_that_never_was(self, dom: Dom) -> None:
        refused = dom("ofl", "show", "7")
        assert refused.exit_code == 1
        assert "version 7 was never published" in refused.stderr
