"""The compose file and what it mounts and builds, checked as far as it goes without a container engine."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from pydantic import ValidationError

from cli import connections
from cli.embedded import temporal
from cli.main import app
from settings import ENV_PREFIX, Settings
from workflows import attributes

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")
PINNED = re.compile(r"^[\w./-]+:v?\d[\w.-]*$")

Service = dict[str, Any]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


SERVICES: dict[str, Service] = compose()["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def environment(service: Service) -> dict[str, str]:
    found: dict[str, str] = service.get("environment", {})
    return found


def filled(value: str, values: dict[str, str]) -> str:
    return VARIABLE.sub(lambda match: values.get(match["name"], match["rest"].removeprefix(":-")), value)


def our_settings(service: Service) -> dict[str, str]:
    """The settings of a container, with `secret` for every password."""
    given = dict.fromkeys(required_variables(), "secret")
    return {name: filled(value, given) for name, value in environment(service).items() if name.startswith(ENV_PREFIX)}


def variables() -> list[tuple[str, str]]:
    text = "\n".join(line for line in COMPOSE.read_text().splitlines() if not line.lstrip().startswith("#"))
    return [(match["name"], match["rest"]) for match in VARIABLE.finditer(text)]


def required_variables() -> set[str]:
    return {name for name, rest in variables() if rest.startswith(":?")}


class TestCommands:
    @pytest.mark.parametrize("name", OURS)
    def test_every_container_of_ours_runs_a_command_that_exists(self, name: str) -> None:
        program, command, *rest = OURS[name]["command"]

        assert program == "dom"
        assert command in getattr(typer.main.get_command(app), "commands", {})
        assert not rest, "an option would have to be checked too"

    def test_all_parts_are_there(self) -> None:
        assert {"postgres", "temporal", "temporal-schema", "temporal-ui", "mail"} <= set(SERVICES)
        assert {"prepare", "seed", "api", "worker"} == set(OURS)
        assert OURS["worker"]["deploy"]["replicas"] == 2

    def test_sample_data_come_only_when_asked_for(self) -> None:
        assert SERVICES["seed"]["profiles"] == ["sample"]
        assert SERVICES["worker"]["depends_on"]["seed"]["required"] is False


class TestSettings:
    @pytest.mark.parametrize("name", OURS)
    def test_every_setting_exists_and_takes_its_value(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        given = our_settings(OURS[name])
        for variable in [one for one in os.environ if one.startswith(ENV_PREFIX)]:
            monkeypatch.delenv(variable)
        for variable, value in given.items():
            monkeypatch.setenv(variable, value)

        read = Settings().as_environment()

        unknown = {one for one in given if one.removeprefix(ENV_PREFIX).lower() not in Settings.model_fields}
        assert not unknown
        for one, value in given.items():
            assert read[one].lower() in {
                value.lower(),
                f"{value}.0",
                value.replace("postgresql:", "postgresql+psycopg:"),
            }

    @pytest.mark.parametrize("name", OURS)
    def test_nothing_embedded_is_started(self, name: str) -> None:
        given = our_settings(OURS[name])

        assert given["DOM_DATABASE_URL"]
        assert given["DOM_TEMPORAL_ADDRESS"]
        assert name != "worker" or given["DOM_SMTP_HOST"]

    def test_the_check_would_find_a_wrong_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOM_WORKER_DRAIN_SECONDS", "soon")

        with pytest.raises(ValidationError):
            Settings()


class TestHostsAndPorts:
    def test_every_address_names_a_service_and_its_port(self) -> None:
        ports = {"postgres": "5432", "temporal": "7233", "mail": "1025"}
        settings = our_settings(OURS["worker"])

        assert f"@postgres:{ports['postgres']}/" in settings["DOM_DATABASE_URL"]
        assert (settings["DOM_SMTP_HOST"], settings["DOM_SMTP_PORT"]) == ("mail", ports["mail"])
        for name in ("temporal", "temporal-schema"):
            named = environment(SERVICES[name])
            assert named.get("POSTGRES_SEEDS", named.get("SQL_HOST")) == "postgres"
            assert named.get("DB_PORT", named.get("SQL_PORT")) == ports["postgres"]
        for name, service in SERVICES.items():
            address = environment(service).get("TEMPORAL_ADDRESS", environment(service).get("DOM_TEMPORAL_ADDRESS"))
            assert address in {None, f"temporal:{ports['temporal']}"}, name
        assert set(ports) <= set(SERVICES)

    def test_everybody_means_the_same_namespace(self) -> None:
        named = {
            value
            for service in SERVICES.values()
            for variable, value in environment(service).items()
            if variable.endswith("NAMESPACE")
        }

        assert named == {"orders"}

    def test_published_ports_are_on_this_machine_only_and_reach_somebody(self) -> None:
        published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

        assert set(published) == {"api", "temporal-ui", "mail"}
        assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
        assert published["api"][0].endswith(":" + environment(SERVICES["api"])["DOM_API_PORT"])
        assert environment(SERVICES["api"])["DOM_API_HOST"] == "0.0.0.0"  # noqa: S104 -- inside its container

    def test_the_databases_named_are_those_that_are_made(self) -> None:
        made = set(re.findall(r"CREATE DATABASE (\w+)", (DEPLOY / "postgres/roles.sql").read_text()))
        server = environment(SERVICES["temporal"])
        ours = our_settings(OURS["api"])["DOM_DATABASE_URL"].rpartition("/")[2]

        assert made == {server["DBNAME"], server["VISIBILITY_DBNAME"], ours}


class TestConnections:
    """Everybody at his most finds a connection, also while every worker and API is replaced by its successor."""

    def test_the_budget_holds(self) -> None:
        (given,) = [int(filled(word, {}).partition("=")[2]) for word in SERVICES["postgres"]["command"] if "=" in word]
        server = environment(SERVICES["temporal"])
        services_of_the_server, kept_for_superusers, jobs = 4, 3, 3
        temporal_at_most = services_of_the_server * (int(server["SQL_MAX_CONNS"]) + int(server["SQL_VIS_MAX_CONNS"]))
        settings = Settings(db_pool_size=int(our_settings(OURS["worker"])["DOM_DB_POOL_SIZE"]))
        scaled = 4
        ours = 2 * scaled * (connections.of_a_worker(settings) + connections.of_an_api(settings))

        assert temporal_at_most + kept_for_superusers + jobs + ours <= given


class TestStartingOrder:
    def test_everybody_waits_for_somebody_who_exists(self) -> None:
        for name, service in SERVICES.items():
            for other, how in service.get("depends_on", {}).items():
                assert other in SERVICES, name
                assert how["condition"] in {"service_healthy", "service_completed_successfully"}

    def test_who_is_waited_for_healthy_says_whether_it_is(self) -> None:
        healthy = {
            other
            for service in SERVICES.values()
            for other, how in service.get("depends_on", {}).items()
            if how["condition"] == "service_healthy"
        }

        assert healthy == {"postgres", "temporal", "mail"}
        assert all("test" in SERVICES[name]["healthcheck"] for name in healthy)

    def test_who_is_waited_for_to_end_does_not_start_again(self) -> None:
        ending = {
            other
            for service in SERVICES.values()
            for other, how in service.get("depends_on", {}).items()
            if how["condition"] == "service_completed_successfully"
        }

        assert ending == {"temporal-schema", "prepare", "seed"}
        assert all(SERVICES[name]["restart"].startswith("on-failure") for name in ending)

    def test_a_container_is_given_the_time_its_process_takes_to_drain(self) -> None:
        grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))

        assert grace > float(environment(SERVICES["worker"])["DOM_WORKER_DRAIN_SECONDS"])


class TestSecrets:
    def test_no_password_stands_in_the_file(self) -> None:
        secret = re.compile(r"PASSWORD|PWD|SECRET|DATABASE_URL")
        for name, service in SERVICES.items():
            for variable, value in environment(service).items():
                if secret.search(variable):
                    without = VARIABLE.sub("", value)
                    assert without in {"", "postgresql://orders:@postgres:5432/orders"}, f"{name}: {variable}"

    def test_what_is_needed_is_asked_for_and_named_in_the_example(self) -> None:
        example = dict(
            line.split("=", 1) for line in (DEPLOY / "example.env").read_text().splitlines() if re.match(r"\w+=", line)
        )

        assert required_variables() == {"POSTGRES_PASSWORD", "ORDERS_DB_PASSWORD", "TEMPORAL_DB_PASSWORD"}
        assert {name for name, _ in variables()} == set(example)
        assert not any(example.values()), "the example holds no secret"

    def test_the_line_in_the_example_makes_a_whole_env_file(self, tmp_path: Path) -> None:
        (line,) = [
            line.removeprefix("#").strip()
            for line in (DEPLOY / "example.env").read_text().splitlines()
            if line.startswith("#   (umask")
        ]
        (tmp_path / "deploy").mkdir()
        (tmp_path / "deploy/example.env").write_text((DEPLOY / "example.env").read_text())

        subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, check=True, timeout=30)

        made = dict(one.split("=", 1) for one in (tmp_path / ".env").read_text().splitlines())
        assert set(made) == required_variables()
        assert len(set(made.values())) == len(made)
        assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in made.values())
        assert (tmp_path / ".env").stat().st_mode & 0o077 == 0

    def test_a_real_env_file_never_gets_into_git_or_into_the_image(self) -> None:
        assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
        assert (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()[0] == "*"


class TestFiles:
    def test_every_mounted_file_exists(self) -> None:
        mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
        files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]

        assert len(files) == 3
        assert all((ROOT / file).is_file() for file in files)
        assert all(mount.endswith(":ro") for mount in mounts if mount.startswith("./"))
        assert {mount.split(":")[0] for mount in mounts if not mount.startswith("./")} == set(compose()["volumes"])

    def test_images_of_others_are_pinned_and_are_the_ones_meant(self) -> None:
        images = {service["image"] for service in SERVICES.values() if "build" not in service}

        assert all(PINNED.match(image) for image in images)
        assert "postgres:18" in images
        assert not any("auto-setup" in image for image in images), "deprecated"
        versions = {image.partition(":")[2] for image in images if "server" in image or "admin-tools" in image}
        assert len(versions) == 1, "server and schema are of one version"

    def test_our_image_carries_the_version_of_the_project(self) -> None:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

        assert {service["image"] for service in OURS.values()} == {f"dom-oms:{version}"}

    def test_the_server_is_tuned_as_the_embedded_one(self) -> None:
        tuned: dict[str, list[dict[str, Any]]] = yaml.safe_load((DEPLOY / "temporal/dynamicconfig.yaml").read_text())
        mounted = environment(SERVICES["temporal"])["DYNAMIC_CONFIG_FILE_PATH"]

        assert {name: only["value"] for name, (only,) in tuned.items()} == temporal.DYNAMIC_CONFIG
        assert SERVICES["temporal"]["volumes"] == [f"./deploy/temporal/dynamicconfig.yaml:{mounted}:ro"]


def test_the_search_attributes_are_those_the_workflows_write() -> None:
    written = [attributes.CHANNEL.name, attributes.STATUS.name, attributes.CUSTOMER.name, attributes.NODE.name]

    assert sorted(written) == sorted(temporal.SEARCH_ATTRIBUTES)
