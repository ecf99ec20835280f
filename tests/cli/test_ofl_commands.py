"""`dom ofl`: show, change, look for mistakes, publish, compare, go back; a wrong policy is refused with its places."""

import json
from pathlib import Path

import pytest

from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.reading import read_policy
from tests.cli.conftest import Dom
from tests.worlds import small
from tests.worlds.policy_files import BROKEN, CLEAN, expected

CHEAPER = """\
name: cheaper   # what we try in March
strategies:
  - name: everything
    cost: {split_penalty: 100}
"""
WRONG = "name: x\nstrategies:\n  - name: a\n    fences: {nodes: [dc-leds]}\n    on_none: {relax: [place]}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "policy.yaml"
    written.write_text(CHEAPER)
    return written


class TestShow:
    def test_yaml_that_says_the_same(self, dom: Dom) -> None:
        assert read_policy(dom("ofl", "show").stdout) == small.POLICY

    def test_json_with_every_field(self, dom: Dom) -> None:
        document = json.loads(dom("ofl", "show", "--json").stdout)
        assert document == small.POLICY.model_dump(mode="json")

    def test_as_it_was_written(self, dom: Dom, file: Path) -> None:
        dom("ofl", "publish", str(file))
        assert dom("ofl", "show").stdout == CHEAPER
        assert read_policy(dom("ofl", "show", "1").stdout) == small.POLICY, "published versions do not change"

    def test_a_version_that_never_was(self, dom: Dom) -> None:
        refused = dom("ofl", "show", "7")
        assert refused.exit_code == 1
        assert "version 7 was never published" in refused.stderr


class TestPublish:
    def test_what_is_shown_can_be_changed_and_published(self, dom: Dom, file: Path) -> None:
        document = json.loads(dom("ofl", "show", "--json").stdout)
        document["name"] = "fewer parcels"
        document["strategies"][0]["cost"]["split_penalty"] = 900
        file.write_text(json.dumps(document, indent="\t"))

        published = dom("ofl", "publish", str(file), "--by", "ben", "--comment", "before Christmas")
        assert "fewer parcels as version 2" in published.stdout

        assert read_policy(dom("ofl", "show").stdout).strategies[0].cost.split_penalty == 900
        listed = dom("ofl", "versions").stdout
        assert listed.index("fewer parcels") < listed.index("small")
        assert "ben" in listed
        assert "before Christmas" in listed

    def test_by_whom_if_nobody_is_named(self, dom: Dom, file: Path) -> None:
        dom("ofl", "publish", str(file))
        assert "ada" in dom("ofl", "versions").stdout, "the one who is logged in"

    def test_the_live_policy_again_makes_no_version(self, dom: Dom, file: Path) -> None:
        file.write_text(dom("ofl", "show").stdout)
        again = dom("ofl", "publish", str(file))
        assert again.exit_code == 0
        assert "live already, as version 1" in again.stdout
        assert dom("ofl", "show", "2").exit_code == 1

    def test_mistakes_are_told_with_their_places_and_nothing_is_published(self, dom: Dom, file: Path) -> None:
        file.write_text(WRONG)
        refused = dom("ofl", "publish", str(file))
        assert refused.exit_code == 1
        first, second, last = refused.stderr.splitlines()
        assert first == f"{file}:4:22: error unknown-node: there is no node dc-leds (did you mean dc-leeds?)"
        assert second.startswith(f"{file}:5:23: warning relax-without-fence: ")
        assert "nothing was changed" in last
        assert dom("ofl", "show", "2").exit_code == 1

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            ('{"name": "x", "strategies": [{"name": "a", "cost": {"split_penalty": -1}}]}', "1:70: error wrong-value"),
            ("name: x\nstrategies:\n- name: a\n  splitt: {}\n", "4:3: error unknown-field"),
            ('{"name": "x",', "1:14: error not-yaml"),
            ("[]", "1:1: error wrong-shape"),
            ("", "1:1: error wrong-shape"),
        ],
    )
    def test_what_is_no_policy(self, dom: Dom, file: Path, content: str, told: str) -> None:
        file.write_text(content)
        refused = dom("ofl", "publish", str(file))
        assert refused.exit_code == 1
        assert f"{file}:{told}" in refused.stderr

    def test_warnings_are_told_and_pass(self, dom: Dom, file: Path) -> None:
        file.write_text(CHEAPER + "    on_none: {relax: [place]}\n")
        published = dom("ofl", "publish", str(file))
        assert published.exit_code == 0
        assert "warning relax-without-fence" in published.stderr

    def test_not_over_what_somebody_else_published(self, dom: Dom, file: Path) -> None:
        dom("ofl", "publish", str(file), "--by", "ben")
        file.write_text(CHEAPER.replace("100", "90"))
        refused = dom("ofl", "publish", str(file), "--based-on", "1")
        assert refused.exit_code == 1
        assert "ben has published version 2" in refused.stderr

    def test_files_that_cannot_be_read(self, dom: Dom, tmp_path: Path) -> None:
        absent = dom("ofl", "publish", str(tmp_path / "absent.yaml"))
        assert (absent.exit_code, "absent.yaml" in absent.stderr) == (1, True)
        (tmp_path / "odd.yaml").write_bytes(b"name: \xff")
        odd = dom("ofl", "publish", str(tmp_path / "odd.yaml"))
        assert (odd.exit_code, "not UTF-8" in odd.stderr) == (1, True)


class TestRollback:
    def test_brings_an_earlier_version_back_as_the_next_one(self, dom: Dom, file: Path) -> None:
        dom("ofl", "publish", str(file))
        assert "small as version 3" in dom("ofl", "rollback", "1", "--by", "ben").stdout
        assert read_policy(dom("ofl", "show").stdout) == small.POLICY
        assert "back to version 1" in dom("ofl", "versions").stdout

    def test_a_version_that_never_was(self, dom: Dom) -> None:
        refused = dom("ofl", "rollback", "7")
        assert (refused.exit_code, "never published" in refused.stderr) == (1, True)


class TestLint:
    def test_a_folder_of_broken_ones_each_mistake_with_its_place(self, dom: Dom) -> None:
        told = dom("ofl", "lint", str(BROKEN[0].parent), "--offline")
        assert told.exit_code == 1
        for file in BROKEN:
            lines = [line for line in told.stdout.splitlines() if line.startswith(f"{file}:")]
            places = [(int(line.split(":")[1]), line.split(":")[3].split()[1]) for line in lines]
            assert set(places) <= set(expected(file))
            assert places or {"unknown", "no", "currency", "empty"} & {code.split("-")[0] for _, code in expected(file)}
        assert told.stdout.splitlines()[-1].startswith(f"{len(BROKEN)} policies: ")

    @pytest.mark.parametrize("clean", CLEAN, ids=lambda clean: clean.name)
    def test_nothing_is_told_of_what_is_right(self, dom: Dom, clean: Path) -> None:
        told = dom("ofl", "lint", str(clean), "--offline")
        assert (told.exit_code, told.stdout) == (0, "1 policy: 0 errors, 0 warnings\n")

    def test_against_the_network_there_is(self, dom: Dom, file: Path) -> None:
        file.write_text(WRONG)
        assert "unknown-node" in dom("ofl", "lint", str(file)).stdout
        alone = dom("ofl", "lint", str(file), "--offline")
        assert (alone.exit_code, "unknown-node" in alone.stdout) == (0, False), "one warning is left"

    def test_without_a_database(self, dom: Dom, file: Path) -> None:
        nothing = {"DOM_DATABASE_URL": ""}
        assert dom("ofl", "lint", str(file), "--offline", **nothing).exit_code == 0
        refused = dom("ofl", "lint", str(file), **nothing)
        assert (refused.exit_code, "--offline" in refused.stderr) == (1, True)

    def test_an_empty_folder(self, dom: Dom, tmp_path: Path) -> None:
        refused = dom("ofl", "lint", str(tmp_path))
        assert (refused.exit_code, "holds no policy" in refused.stderr) == (1, True)


class TestDiff:
    def test_of_what_is_live_and_a_file(self, dom: Dom, file: Path) -> None:
        told = dom("ofl", "diff", "live", str(file)).stdout.splitlines()
        assert "name goes from small to cheaper" in told
        assert "everything: split_penalty goes from 250 to 100" in told

    def test_by_place_as_json(self, dom: Dom, file: Path) -> None:
        (file.parent / "other.yaml").write_text(CHEAPER.replace("100", "90"))
        told = json.loads(dom("ofl", "diff", str(file), str(file.parent / "other.yaml"), "--json").stdout)
        assert [(each["path"], each["before"], each["after"]) for each in told] == [
            ("strategies[0].cost.split_penalty", 100, 90)
        ]

    def test_of_the_same(self, dom: Dom) -> None:
        assert dom("ofl", "diff", "1", "live").stdout == "They say the same.\n"

    def test_of_what_is_not_there(self, dom: Dom, file: Path) -> None:
        for which in ("7", "draft:none", str(file) + "x"):
            assert dom("ofl", "diff", "live", which).exit_code == 1


class TestDrafts:
    def test_from_first_word_to_publishing(self, dom: Dom, file: Path) -> None:
        saved = dom("ofl", "draft", "save", "march", str(file), "--comment", "a try")
        assert "Saved march as revision 1, begun from version 1." in saved.stdout
        assert dom("ofl", "draft", "show", "march").stdout == CHEAPER
        file.write_text(CHEAPER.replace("100", "90"))
        assert dom("ofl", "draft", "save", "march", str(file)).exit_code == 1, "somebody may have written it since"
        assert "revision 2" in dom("ofl", "draft", "save", "march", str(file), "--revision", "1").stdout
        assert "march" in dom("ofl", "draft", "list").stdout
        told = dom("ofl", "diff", "live", "draft:march").stdout
        assert "split_penalty goes from" in told
        assert "cheaper as version 2" in dom("ofl", "draft", "publish", "march", "--by", "ben").stdout
        assert dom("ofl", "draft", "show", "march").exit_code == 1
        assert "ben" in dom("ofl", "versions").stdout

    def test_mistakes_may_be_kept_and_are_told(self, dom: Dom, file: Path) -> None:
        file.write_text(WRONG)
        saved = dom("ofl", "draft", "save", "wrong", str(file))
        assert saved.exit_code == 0
        assert "unknown-node" in saved.stderr
        refused = dom("ofl", "draft", "publish", "wrong")
        assert (refused.exit_code, "unknown-node" in refused.stderr) == (1, True)
        assert "Threw wrong away." in dom("ofl", "draft", "delete", "wrong").stdout

    def test_what_is_no_name(self, dom: Dom, file: Path) -> None:
        refused = dom("ofl", "draft", "save", "My Draft", str(file))
        assert (refused.exit_code, "cannot be a draft's name" in refused.stderr) == (1, True)


class TestSchema:
    def test_is_the_documents(self, dom: Dom) -> None:
        schema = json.loads(dom("ofl", "schema", DOM_DATABASE_URL="").stdout)
        assert set(schema["properties"]) == set(Policy.model_fields)
