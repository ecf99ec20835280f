"""`dom keys`, the keys of `dom up`, and `dom secrets`."""

import stat
from pathlib import Path

import psycopg
import pytest

from cli import local_keys
from cli.folder import DataFolder
from tests.cli.conftest import Dom


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []


class TestKeys:
    def test_a_key_stands_alone_on_the_output(self, dom: Dom, world_url: str) -> None:
        made = dom("keys", "create", "night shift", "--role", "node", "--node", "dc-leeds", "--node", "st-york")
        assert made.exit_code == 0, made.output
        key = made.stdout.strip()
        assert key.startswith("dom_")
        assert "\n" not in key
        assert "shown this once" in made.stderr
        listed = dom("keys", "list")
        assert "night shift" in listed.output
        assert "dc-leeds, st-york" in listed.output
        assert key.split("_")[1] in listed.output
        assert key.split("_", 2)[2] not in listed.output

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("x", "--role", "channel"), "channels: a key of a channel is limited to its channels"),
            (("x", "--role", "node", "--node", "nowhere"), "nodes: there is no node nowhere"),
            (("system:ofl", "--role", "operator"), "name: a name begins with a letter or digit"),
            (("x", "--role", "support", "--scope", "access:manage"), "scopes: a support has no scope access:manage"),
            (
                ("x", "--role", "operator", "--carrier", "northline"),
                "carriers: the role operator has no limit",
            ),
            (("x", "--role", "operator", "--expires", "2020-01-01"), "expires_at: it would have expired already"),
        ],
    )
    def test_what_cannot_be_is_said_in_one_line(self, dom: Dom, arguments: tuple[str, ...], said: str) -> None:
        answer = dom("keys", "create", *arguments)
        assert answer.exit_code == 1
        assert answer.stdout == ""
        assert answer.stderr.startswith(f"dom: {said}")
        assert answer.stderr.count("\n") == 1

    def test_one_is_rotated_and_revoked(self, dom: Dom, world_url: str) -> None:
        old = dom("keys", "create", "console", "--role", "operator", "--scope", "orders:read").stdout.split("_")[1]
        new = dom("keys", "rotate", old, "--overlap-hours", "1").stdout.split("_")[1]
        rows = execute(world_url, "SELECT id, scopes FROM api_keys WHERE rotated_from IS NOT NULL")
        assert rows == [(new, ["orders:read"])]
        assert dom("keys", "revoke", new).exit_code == 0
        assert "revoked" in dom("keys", "list").output
        again = dom("keys", "rotate", new)
        assert again.exit_code == 1
        assert "has ended" in again.stderr
        assert "there is no key" in dom("keys", "revoke", "nothing").stderr


class TestSecrets:
    def test_one_is_made_rotated_and_revoked(self, dom: Dom, world_url: str) -> None:
        made = dom("secrets", "create", "northline")
        assert made.exit_code == 0, made.output
        secret = made.stdout.strip()
        assert secret.startswith("whsec_")
        assert "shown this once" in made.stderr
        ((old,),) = execute(world_url, "SELECT id FROM signing_secrets")
        assert dom("secrets", "rotate", str(old), "--overlap-hours", "0").stdout.startswith("whsec_")
        rows = execute(world_url, "SELECT carrier, rotated_from, expires_at IS NULL FROM signing_secrets ORDER BY 3")
        assert rows == [("northline", None, False), ("northline", old, True)]
        assert dom("secrets", "revoke", str(old)).exit_code == 0
        listed = dom("secrets", "list")
        assert "northline" in listed.output
        assert "revoked" in listed.output
        assert secret not in listed.output

    def test_what_cannot_be_is_said_in_one_line(self, dom: Dom) -> None:
        for arguments, said in (
            (("create", "nobody"), "carrier: there is no carrier nobody"),
            (("revoke", "nothing"), "there is no secret nothing"),
        ):
            answer = dom("secrets", *arguments)
            assert (answer.exit_code, answer.stdout, answer.stderr) == (1, "", f"dom: {said}\n")


class TestLocalKeys:
    def test_are_made_once_and_kept_for_their_owner_alone(self, world_url: str, tmp_path: Path) -> None:
        folder = DataFolder(tmp_path / "var")
        folder.prepare(0)
        made = local_keys.ensure(world_url, folder)
        assert set(made) == {"operator", "nodes", "carriers"}, "the small network has no channel"
        for name, key in made.items():
            assert folder.key_file(name).read_text() == key
            assert stat.S_IMODE(folder.key_file(name).stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.keys.stat().st_mode) == 0o700
        assert local_keys.ensure(world_url, folder) == {}

    def test_are_made_anew_for_another_database_and_when_they_ended(
        self, world_url: str, database_url: str, tmp_path: Path
    ) -> None:
        folder = DataFolder(tmp_path / "var")
        folder.prepare(0)
        first = local_keys.ensure(world_url, folder)["operator"]
        execute(world_url, "UPDATE api_keys SET expires_at = now() WHERE subject = 'local operator'")
        second = local_keys.ensure(world_url, folder)
        assert set(second) == {"operator"}
        assert second["operator"] != first
        assert set(local_keys.ensure(database_url, folder)) == {"operator"}, "nodes and carriers are not there"
