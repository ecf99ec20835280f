"""`make lint` refuses what is too long, a second public class of a name, and exceptions opened anywhere."""

from pathlib import Path

import pytest

from tools import limits


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree within its limits: two rooms of source, tests, and a list without entries."""
    for package in ("store", "store/migrations", "api", "tests", "tools"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    write(tmp_path, "store/orders.py", "class Order:\n    pass\n\n\nclass _Row:\n    pass\n")
    write(tmp_path, "api/orders.py", "class OrderBody:\n    pass\n\n\nclass _Row:\n    pass\n")
    write(tmp_path, limits.OPENS_EXCEPTIONS, 'OPEN = "INSERT INTO exceptions (kind) VALUES (:kind)"\n')
    write(tmp_path, "tools/limits.toml", "# The head stays.\n")
    return tmp_path


def write(tree: Path, path: str, content: str) -> None:
    (tree / path).write_text(content)


def lines(count: int) -> str:
    return "x = 1\n" * count


def function(count: int, name: str = "work") -> str:
    """A function of so many lines."""
    return f"def {name}() -> None:\n" + "    pass\n" * (count - 1)


def said(tree: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """What the check says of a tree; nothing if it passes."""
    code = limits.main(list(arguments), tree)
    told = capsys.readouterr().out.splitlines()
    assert code == (0 if told == ["All within their limits."] else 1)
    return told if code else []


def listed(tree: Path, rule: str, key: str, value: int) -> None:
    write(tree, "tools/limits.toml", f'# The head stays.\n\n[{rule}]\n"{key}" = {value}\n')


def test_the_tree_keeps_its_own_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(limits.ROOT, capsys) == []


class TestWhatFails:
    def test_nothing_within_the_limits(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(tree, "store/long.py", lines(400))
        write(tree, "api/work.py", function(70))
        assert said(tree, capsys) == []

    @pytest.mark.parametrize("path", ["store/long.py", "tests/test_long.py", "tools/long.py", "worker.py"])
    def test_a_module_of_401_lines(self, tree: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
        write(tree, path, lines(401))
        assert said(tree, capsys) == [f"{path}: 401 lines, of at most 400"]

    def test_a_function_of_71_lines(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(tree, "api/work.py", "async " + function(71))
        assert said(tree, capsys) == ["api/work.py::work: 71 lines, of at most 70"]

    def test_a_method_and_a_function_within_another(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        inner = "".join(f"        {line}\n" for line in function(71, "inner").splitlines())
        write(tree, "api/work.py", f"class Work:\n    def outer(self) -> None:\n{inner}")
        assert said(tree, capsys) == [
            "api/work.py::Work.outer: 72 lines, of at most 70",
            "api/work.py::Work.outer.inner: 71 lines, of at most 70",
        ]

    def test_a_second_public_class_of_a_name(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(tree, "api/models.py", "class Order:\n    pass\n")
        (problem,) = said(tree, capsys)
        assert problem.startswith("Order: 2 public classes have this name, of at most 1")

    @pytest.mark.parametrize(
        ("path", "content"),
        [
            ("store/orders.py", 'OPEN = """\n    insert into exceptions (kind) VALUES (:kind)"""\n'),
            ("store/counts.sql", "WITH opened AS (INSERT INTO\n  exceptions (kind) VALUES ('x'))"),
            ("store/migrations/0002.sql", "INSERT INTO exceptions (kind) VALUES ('x')"),
        ],
    )
    def test_exceptions_opened_elsewhere(
        self, tree: Path, capsys: pytest.CaptureFixture[str], path: str, content: str
    ) -> None:
        write(tree, path, content)
        assert said(tree, capsys) == [f"{path}: 1 times INSERT INTO exceptions, of at most 0; call store.exceptions"]


class TestWhatIsExcepted:
    def test_migrations_may_be_of_any_length(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(tree, "store/migrations/first.py", function(500))
        assert said(tree, capsys) == []

    def test_tests_may_name_classes_and_write_statements(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(tree, "tests/test_work.py", 'class Order:\n    sql = "INSERT INTO exceptions"\n' + function(71))
        assert said(tree, capsys) == []

    def test_other_tables_of_a_like_name(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(tree, "store/orders.py", 'OPEN = "INSERT INTO exceptions_of_nodes"\n')
        assert said(tree, capsys) == []


class TestTheList:
    def test_an_entry_allows_as_much_as_it_says(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(tree, "store/long.py", lines(405))
        listed(tree, "modules", "store/long.py", 405)
        assert said(tree, capsys) == []
        write(tree, "store/long.py", lines(406))
        assert said(tree, capsys) == ["store/long.py: 406 lines, of at most 405"]

    @pytest.mark.parametrize("count", [404, 400])
    def test_an_entry_is_lowered_when_it_can_be(
        self, tree: Path, capsys: pytest.CaptureFixture[str], count: int
    ) -> None:
        write(tree, "store/long.py", lines(count))
        listed(tree, "modules", "store/long.py", 405)
        (problem,) = said(tree, capsys)
        assert "[modules] store/long.py = 405 is more than is needed" in problem
        assert said(tree, capsys, "--lower") == []
        assert limits.read(tree) == {"modules": {"store/long.py": 404} if count == 404 else {}}
        assert (tree / limits.LISTED).read_text().startswith("# The head stays.\n")

    def test_lowering_adds_and_raises_nothing(self, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(tree, "store/long.py", lines(410))
        write(tree, "api/long.py", lines(401))
        listed(tree, "modules", "store/long.py", 405)
        assert len(said(tree, capsys, "--lower")) == 2
        assert limits.read(tree) == {"modules": {"store/long.py": 405}}

    def test_an_unknown_rule_is_refused(self, tree: Path) -> None:
        listed(tree, "clases", "Order", 2)
        with pytest.raises(ValueError, match="clases"):
            limits.main([], tree)
