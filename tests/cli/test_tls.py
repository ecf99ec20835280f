"""Servers behind TLS: `TEMPORAL_*` and profiles for Temporal, `sslmode=verify-full` for PostgreSQL.

Every check runs a command in a process of its own, as `dom worker` and the others are run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from bootstrap import profile
from bootstrap.problems import StartProblem
from cli.embedded.postgres import EmbeddedPostgres
from cli.embedded.temporal import EmbeddedTemporal
from tests.worlds import keyed, tls
from tests.worlds.commands import dom, refused
from tests.worlds.tls import Authority


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    """The CA that signed the server's certificate."""
    return tls.authority(tmp_path / "ours")


@pytest.fixture
def strange(tmp_path: Path) -> Authority:
    """A CA that signed nothing here."""
    return tls.authority(tmp_path / "strange")


@pytest.fixture
def port(temporal_server: EmbeddedTemporal, ours: Authority) -> Iterator[int]:
    """Temporal behind TLS."""
    with tls.front(temporal_server.address, ours) as listening:
        yield listening


@pytest.fixture
def mutual(temporal_server: EmbeddedTemporal, ours: Authority) -> Iterator[int]:
    """Temporal behind TLS that wants a client certificate."""
    with tls.front(temporal_server.address, ours, clients=ours) as listening:
        yield listening


@pytest.fixture
def prepare(tmp_path: Path, database_url: str) -> dict[str, str]:
    """What every `dom prepare` here is told; it goes all the way through namespace, attributes and schedule."""
    return {"DOM_DATABASE_URL": database_url, "DOM_SMTP_HOST": "127.0.0.1", "DOM_TEMPORAL_NAMESPACE": f"n-{uuid4()}"}


class TestTemporal:
    def test_with_the_ca_it_is_reached(
        self, tmp_path: Path, prepare: dict[str, str], port: int, ours: Authority
    ) -> None:
        secured = {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(ours.certificate)}
        answer = dom(tmp_path, "prepare", **prepare, **secured, DOM_TEMPORAL_ADDRESS=f"localhost:{port}")

        assert answer.returncode == 0, answer
        assert "made namespace" in answer.stdout

    def test_all_of_it_from_a_profile(self, tmp_path: Path, database_url: str, mutual: int, ours: Authority) -> None:
        certificate, key = ours.client()
        file = tmp_path / "temporal.toml"
        file.write_text(
            f'[profile.shop]\naddress = "127.0.0.1:{mutual}"\nnamespace = "n-{uuid4()}"\n[profile.shop.tls]\n'
            f'server_name = "localhost"\nserver_ca_cert_path = "{ours.certificate}"\n'
            f'client_cert_path = "{certificate}"\nclient_key_path = "{key}"\n'
        )
        named = {"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "shop", "DOM_DATABASE_URL": database_url}
        answer = dom(tmp_path, "prepare", **named)
        assert answer.returncode == 0, answer

        doctor = dom(tmp_path, "doctor", **named, COLUMNS="200", DOM_SMTP_HOST="")
        assert f"127.0.0.1:{mutual} answers" in doctor.stdout

    def test_without_a_word_about_tls(self, tmp_path: Path, prepare: dict[str, str], port: int) -> None:
        line = refused(dom(tmp_path, "prepare", **prepare, DOM_TEMPORAL_ADDRESS=f"localhost:{port}"))

        assert "speaks TLS and we do not" in line
        assert "TEMPORAL_TLS=true" in line

    def test_a_ca_that_did_not_sign(
        self, tmp_path: Path, prepare: dict[str, str], port: int, strange: Authority
    ) -> None:
        secured = {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(strange.certificate)}
        line = refused(dom(tmp_path, "prepare", **prepare, **secured, DOM_TEMPORAL_ADDRESS=f"localhost:{port}"))

        assert "certificate of the Temporal server" in line
        assert "TEMPORAL_TLS_SERVER_CA_CERT_PATH" in line

    def test_a_name_it_does_not_stand_for(
        self, tmp_path: Path, prepare: dict[str, str], port: int, ours: Authority
    ) -> None:
        secured = {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(ours.certificate)}
        wanted = {**prepare, **secured, "DOM_TEMPORAL_ADDRESS": f"127.0.0.1:{port}"}
        line = refused(dom(tmp_path, "prepare", **wanted))

        assert "127.0.0.1" in line
        assert "TEMPORAL_TLS_SERVER_NAME" in line
        assert dom(tmp_path, "prepare", **wanted, TEMPORAL_TLS_SERVER_NAME="localhost").returncode == 0

    def test_a_client_certificate_is_missing_or_wrong(
        self, tmp_path: Path, prepare: dict[str, str], mutual: int, ours: Authority, strange: Authority
    ) -> None:
        wanted = {
            **prepare,
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(ours.certificate),
            "DOM_TEMPORAL_ADDRESS": f"localhost:{mutual}",
        }
        assert "wants a client certificate" in refused(dom(tmp_path, "prepare", **wanted))

        certificate, key = strange.client()
        given = {"TEMPORAL_TLS_CLIENT_CERT_PATH": str(certificate), "TEMPORAL_TLS_CLIENT_KEY_PATH": str(key)}
        assert "does not accept our client certificate" in refused(dom(tmp_path, "prepare", **wanted, **given))

    def test_tls_to_a_server_without(
        self, tmp_path: Path, prepare: dict[str, str], temporal_server: EmbeddedTemporal
    ) -> None:
        wanted = {**prepare, "DOM_TEMPORAL_ADDRESS": temporal_server.address, "TEMPORAL_API_KEY": "swordfish"}
        line = refused(dom(tmp_path, "prepare", **wanted))

        assert "does not speak TLS" in line
        assert "swordfish" not in line

    @pytest.mark.parametrize("command", ["worker", "api", "doctor", "prepare"])
    def test_a_certificate_file_that_is_not_there(
        self, tmp_path: Path, prepare: dict[str, str], port: int, command: str, world_url: str
    ) -> None:
        wanted = {**prepare, "DOM_DATABASE_URL": world_url, "DOM_TEMPORAL_ADDRESS": f"localhost:{port}"}
        answer = dom(tmp_path, command, **wanted, TEMPORAL_TLS_SERVER_CA_CERT_PATH="/nowhere.pem", COLUMNS="200")

        assert answer.returncode == 1
        assert "/nowhere.pem cannot be read" in answer.stderr + answer.stdout
        assert "Traceback" not in answer.stderr


class TestApiKey:
    """Temporal Cloud knows a caller by an API key over TLS."""

    @pytest.fixture
    def keyed_port(self, temporal_server: EmbeddedTemporal, ours: Authority) -> Iterator[int]:
        with keyed.front(temporal_server.address, ours, "swordfish") as (listening, _):
            yield listening

    def test_with_the_key_everything_is_reached(
        self, tmp_path: Path, prepare: dict[str, str], keyed_port: int, ours: Authority
    ) -> None:
        named = {
            **prepare,
            "TEMPORAL_ADDRESS": f"localhost:{keyed_port}",
            "TEMPORAL_API_KEY": "swordfish",
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(ours.certificate),
        }
        answer = dom(tmp_path, "prepare", **named)
        assert answer.returncode == 0, answer
        assert "made namespace" in answer.stdout

        doctor = dom(tmp_path, "doctor", **named, COLUMNS="200")
        assert f"localhost:{keyed_port} answers" in doctor.stdout
        assert "swordfish" not in doctor.stdout + doctor.stderr

    @pytest.mark.parametrize("key", ["", "herring"])
    def test_without_the_right_key_it_is_said(
        self, tmp_path: Path, prepare: dict[str, str], keyed_port: int, ours: Authority, key: str
    ) -> None:
        answer = dom(
            tmp_path,
            "prepare",
            **prepare,
            TEMPORAL_ADDRESS=f"localhost:{keyed_port}",
            TEMPORAL_API_KEY=key,
            TEMPORAL_TLS_SERVER_CA_CERT_PATH=str(ours.certificate),
        )
        assert answer.returncode == 1
        assert "the API key is missing or not known" in answer.stderr
        assert "Traceback" not in answer.stderr


class TestPostgres:
    @pytest.fixture
    def secured(self, postgres_server: EmbeddedPostgres, ours: Authority) -> Iterator[int]:
        """The embedded build has no TLS of its own, so the front does what PostgreSQL does before its protocol."""
        place = postgres_server.url.rpartition("@")[2].partition("/")[0]
        with tls.front(place, ours, postgres=True) as listening:
            yield listening

    def url(self, world_url: str, host: str, port: int, ca: Path) -> str:
        user, _, rest = world_url.rpartition("@")
        return f"{user}@{host}:{port}/{rest.rpartition('/')[2]}?sslmode=verify-full&sslrootcert={ca}"

    def test_right_and_wrong_certificates(
        self, tmp_path: Path, world_url: str, secured: int, ours: Authority, strange: Authority
    ) -> None:
        right = self.url(world_url, "localhost", secured, ours.certificate)
        assert dom(tmp_path, "stock", "check", DOM_DATABASE_URL=right).returncode == 0
        assert dom(tmp_path, "migrate", DOM_DATABASE_URL=right).returncode == 0

        unknown = self.url(world_url, "localhost", secured, strange.certificate)
        assert "certificate verify failed" in refused(dom(tmp_path, "stock", "check", DOM_DATABASE_URL=unknown))
        misnamed = self.url(world_url, "127.0.0.1", secured, ours.certificate)
        assert "127.0.0.1" in refused(dom(tmp_path, "stock", "check", DOM_DATABASE_URL=misnamed))

    def test_a_server_without_tls(self, tmp_path: Path, world_url: str, ours: Authority) -> None:
        host, _, port = world_url.rpartition("@")[2].partition("/")[0].partition(":")
        line = refused(
            dom(tmp_path, "stock", "check", DOM_DATABASE_URL=self.url(world_url, host, int(port), ours.certificate))
        )

        assert "does not support SSL" in line


class TestProfile:
    """What counts when several say it: `DOM_*`, then `TEMPORAL_*`, then the profile."""

    def test_a_file_counts_only_when_it_is_named(self, tmp_path: Path) -> None:
        home = tmp_path / ".config" / "temporalio"
        home.mkdir(parents=True)
        (home / "temporal.toml").write_text('[profile.default]\naddress = "other:7233"\napi_key = "k"\n')

        unnamed = profile.read({"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")})
        assert (unnamed.address, unnamed.api_key) == (None, None)
        named = profile.read({"TEMPORAL_CONFIG_FILE": str(home / "temporal.toml")})
        assert (named.address, named.api_key) == ("other:7233", "k")

    def test_a_variable_goes_before_the_profile(self, tmp_path: Path) -> None:
        file = tmp_path / "t.toml"
        file.write_text('[profile.a]\naddress = "file:1"\nnamespace = "file"\n')
        given = {"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "a"}

        assert profile.read({**given, "TEMPORAL_ADDRESS": "env:1"}).address == "env:1"
        assert profile.read({**given, "TEMPORAL_ADDRESS": ""}).address == "file:1", "empty counts as not set"

    def test_an_empty_key_does_not_switch_tls_on(self) -> None:
        assert profile.options(profile.read({"TEMPORAL_API_KEY": ""})) == {}
        assert profile.options(profile.read({"TEMPORAL_API_KEY": "k"})) == {"api_key": "k", "tls": True}

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"TEMPORAL_CONFIG_FILE": "/nowhere.toml"}, "which is no file"),
            ({"TEMPORAL_CONFIG_FILE": "{file}", "TEMPORAL_PROFILE": "b"}, "no Temporal profile 'b'; the file has a"),
            ({"TEMPORAL_CONFIG_FILE": "{file}"}, "no Temporal profile 'default'"),
            ({"TEMPORAL_CONFIG_FILE": "{broken}"}, "cannot be used"),
            ({"TEMPORAL_TLS": "maybe"}, "TEMPORAL_TLS is 'maybe'"),
            ({"TEMPORAL_TLS_CLIENT_CERT_DATA": "x", "TEMPORAL_TLS_CLIENT_CERT_PATH": "y"}, "cannot be used"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, tmp_path: Path, given: dict[str, str], words: str) -> None:
        (tmp_path / "t.toml").write_text('[profile.a]\naddress = "file:1"\n')
        (tmp_path / "broken.toml").write_text('[profile.default]\napi_key = "swordfish\n')
        places = {"file": str(tmp_path / "t.toml"), "broken": str(tmp_path / "broken.toml")}

        with pytest.raises(StartProblem) as problem:
            profile.read({name: value.format(**places) for name, value in given.items()})

        assert words in str(problem.value)
        assert "swordfish" not in str(problem.value)
