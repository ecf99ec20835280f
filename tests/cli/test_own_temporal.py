"""Our own Temporal server is open, whatever the environment says of another one's TLS and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bootstrap import temporal as client
from cli.embedded import temporal
from cli.folder import Addresses
from cli.stack import connected
from settings import Settings

OWN = Addresses("postgresql+psycopg://u:p@h/d", "127.0.0.1:7233", "h", 2, "http://h:3", "")


@pytest.fixture(autouse=True)
def somebody_elses_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "k")


def test_workers_and_apis_of_dom_up_do_not_use_them() -> None:
    settings = connected(Settings(webhook_secret=SecretStr("")), OWN, "")

    assert client.options(settings) == {"target_host": "127.0.0.1:7233", "namespace": "default"}
    assert settings.as_environment()["DOM_TEMPORAL_ENV"] == "False"


def test_those_of_a_configured_server_do() -> None:
    settings = connected(Settings(temporal_address="h:1"), OWN, "")

    assert client.options(settings)["api_key"] == "k"


def test_nor_does_the_program_that_looks_after_it(tmp_path: Path) -> None:
    server = temporal.start(tmp_path, in_memory=True)
    try:
        assert server.address
    finally:
        server.stop()
