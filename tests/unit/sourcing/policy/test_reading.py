"""From text to a policy: YAML by the core schema of 1.2 and JSON, everything with its place, within bounds."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dom.documents import text
from dom.documents.places import PlacedText, TextPlace, Unreadable
from dom.documents.text import plain, read_text
from dom.sourcing.policy.checking import linted
from dom.sourcing.policy.document import Policy
from dom.sourcing.policy.reading import read, read_policy
from dom.sourcing.policy.schema import json_schema
from dom.sourcing.policy.writing import as_yaml
from tests.worlds.policies import policy, strategy
from tests.worlds.policy_files import BROKEN, CLEAN

A_POLICY = "name: x\nstrategies:\n  - name: a\n"


class TestValues:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("NO", "NO"),
            ("on", "on"),
            ("yes", "yes"),
            ("12:30", "12:30"),
            ("2026-03-02", "2026-03-02"),
            ("0o17", "0o17"),
            ("1_000", "1_000"),
            ("true", True),
            ("False", False),
            ("null", None),
            ("~", None),
            ("-7", -7),
            ("1.5", 1.5),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("dc-1", "dc-1"),
            ("=", "="),
        ],
    )
    def test_words_mean_what_yaml_1_2_says(self, written: str, meant: object) -> None:
        assert plain(written) == meant
        assert read_text(f"a: {written}").data == {"a": meant}
        assert read_text(f'a: "{written}"').data == {"a": written}

    def test_strictly(self) -> None:
        for wrong in ('split_penalty: "250"', "split_penalty: true", "split_penalty: 2.5", "freight_weight: .inf"):
            (finding,) = read(f"{A_POLICY}    cost:\n      {wrong}\n").findings
            assert (finding.line, finding.code) == (5, "wrong-shape")
        assert read_policy(f"{A_POLICY}    cost: {{freight_weight: 2}}").strategies[0].cost.freight_weight == 2.0

    def test_anchors_aliases_and_merge_keys(self) -> None:
        read_ = read_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{z: 9}, *a], x: 0}\nd: *a\n")
        assert read_.data == {
            "a": {"x": 1, "y": 2},
            "b": {"y": 3, "x": 1},
            "c": {"x": 0, "z": 9, "y": 2},
            "d": {"x": 1, "y": 2},
        }
        assert read_.at(("b", "y")) == TextPlace(2, 16)
        assert read_.at(("b", "x")) == TextPlace(1, 11), "where it is written"
        assert read_.at(("d", "x")) == TextPlace(1, 11)

    @settings(deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5).filter(lambda key: key != "<<"), inner, max_size=3)
            ),
            max_leaves=15,
        )
    )
    def test_json_says_the_same_as_json(self, data: object) -> None:
        written = json.dumps({"a": data}, indent="\t")
        unkept = "\\u0000" in written
        placed = read_text(written)
        assert placed.data == {"a": data}
        assert bool(placed.mistakes) == unkept


class TestPlaces:
    def test_of_scalars_lists_and_mappings(self) -> None:
        placed = read_text('name: x\nlist:\n  - one\n  - {two: 2}\nflow: [a,  b]\ndeep:\n  er: "q"\n')
        assert placed.at(("name",)) == TextPlace(1, 7)
        assert placed.at(("list",)) == TextPlace(2, 1), "what stands below its key is told by its key"
        assert placed.at(("list", 0)) == TextPlace(3, 5)
        assert placed.at(("list", 1, "two")) == TextPlace(4, 11)
        assert placed.key(("list", 1, "two")) == TextPlace(4, 6)
        assert placed.at(("flow", 1)) == TextPlace(5, 12)
        assert placed.at(("deep", "er")) == TextPlace(7, 7)

    def test_of_what_is_not_there(self) -> None:
        placed = read_text("a:\n  b: 1\n")
        assert placed.at(("a", "c", "d")) == TextPlace(1, 1)
        assert placed.at(("z",)) == TextPlace(1, 1)
        assert PlacedText("").at(("a", 0)) == TextPlace(1, 1)

    @pytest.mark.parametrize(
        ("written", "line", "column"),
        [
            ("a: one two", 1, 8),
            ("a: 'one two'", 1, 9),
            ("a:    one two", 1, 11),
            ("a: |\n   one two", 2, 8),
            ("a: >-\n  one\n  two", 3, 3),
            ("a: one\n   two", 2, 4),
            ("a: |\n  x\n", 2, 3),
        ],
    )
    def test_within_a_text(self, written: str, line: int, column: int) -> None:
        offset = 4 if "two" in written else 0
        assert read_text(written).at(("a",), offset) == TextPlace(line, column)

    def test_a_byte_order_of_lines_does_not_matter(self) -> None:
        assert [each.line for each in read("name: x\r\nstrategies: [{name: a, nme: b}]\r\n").findings] == [2]


class TestBounds:
    def test_a_long_text(self) -> None:
        (finding,) = read("#" * (text.MAX_CHARACTERS + 1)).findings
        assert finding.code == "too-large"
        assert read(A_POLICY + "#" * (text.MAX_CHARACTERS - len(A_POLICY))).document is not None

    @pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 50_000, "- " * 50_000, "? " * 20_000, "a: {" * 9_000])
    def test_a_deep_one(self, deep: str) -> None:
        with pytest.raises(Unreadable) as refused:
            read_text(deep)
        assert refused.value.mistake.code in {"too-large", "not-yaml"}

    def test_values_are_counted_where_they_are_used(self) -> None:
        rows = ", ".join(["x"] * 300)
        few = f"a: &a [{rows}]\nb: [{', '.join(['*a'] * 100)}]\n"
        assert len(read_text(few).data["b"]) == 100
        with pytest.raises(Unreadable, match="unfolds"):
            read_text(few + f"c: [{', '.join(['*a'] * 100)}]\n")

    @settings(deadline=None)
    @given(st.text(max_size=200))
    def test_no_text_breaks_the_reader(self, any_text: str) -> None:
        checked = linted(read(any_text))
        assert checked.policy is None or isinstance(checked.policy, Policy)
        assert checked.policy is not None or checked.findings

    @pytest.mark.parametrize("key", ["\0", "\ud800", "na\0me"])
    def test_nor_does_a_key_that_cannot_be_kept(self, key: str) -> None:
        found = read(json.dumps({key: {key: None}})).findings
        assert "wrong-character" in {each.code for each in found}

    @settings(deadline=None)
    @given(
        file=st.sampled_from([*BROKEN, *CLEAN]), at=st.integers(0, 2000), other=st.sampled_from('"{}[]:,-&*!|>#\t x')
    )
    def test_nor_does_a_slip_of_the_finger(self, file: Path, at: int, other: str) -> None:
        whole = file.read_text()
        checked = linted(read(whole[: at % len(whole)] + other + whole[at % len(whole) + 1 :]))
        assert checked.policy is not None or checked.findings


class TestReadPolicy:
    def test_names_every_mistake_with_its_line(self) -> None:
        with pytest.raises(ValueError, match=r"line 3: there is no field nme .*, line 4: split_penalty takes"):
            read_policy("name: x\nstrategies:\n  - {name: a, nme: b}\n  - {name: c, cost: {split_penalty: high}}\n")

    def test_a_key_that_stands_twice_is_no_policy(self) -> None:
        with pytest.raises(ValueError, match="name stands twice, first in line 1"):
            read_policy(A_POLICY + "name: y\n")


class TestWriting:
    @pytest.mark.parametrize("file", CLEAN, ids=lambda file: file.name)
    def test_what_is_written_says_the_same(self, file: Path) -> None:
        known = read_policy(file.read_text())
        assert read_policy(as_yaml(known)) == known

    @settings(deadline=None)
    @given(st.text(alphabet=st.characters(exclude_categories=["C"]), min_size=1, max_size=40))
    def test_no_text_becomes_something_else(self, name: str) -> None:
        known = policy(strategy(tags=[name]), name=name)
        assert read_policy(as_yaml(known)) == known

    def test_what_looks_like_a_number_or_a_truth_stays_a_text(self) -> None:
        for name in ("1e3", "0x1", "NO", "true", "null", "~", "12", ".5", "2026-01-01", "- a", "# b", "<<", "="):
            known = policy(name=name)
            assert read_policy(as_yaml(known)) == known, name
            assert yaml.safe_load(as_yaml(known))["name"] == name, "readers of YAML 1.1 see it too"


class TestSchema:
    def test_names_its_dialect_and_every_section(self) -> None:
        schema = json_schema()
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert set(schema["properties"]) == set(Policy.model_fields)
        assert "strategies" in schema["required"]
        assert schema["additionalProperties"] is False
