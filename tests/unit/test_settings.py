"""Settings: read from the environment, checked, handed on to children, and never a leak."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bootstrap.starting import load
from settings import ENV_PREFIX, Settings

PASSWORD = "correct-horse-battery"
SECRET = "whsec_c2VjcmV0LWtleS1vZi13ZWJob29rcw=="


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith((ENV_PREFIX, "TEMPORAL_"))]:
        monkeypatch.delenv(name)


class TestReading:
    def test_nothing_set_means_embedded_servers_below_var(self) -> None:
        settings = load()

        assert (settings.database_url, settings.temporal_address, settings.smtp_host) == ("", "", "")
        assert settings.data_dir == Path("var")

    def test_the_environment_overrides_a_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOM_API_PORT", "9123")
        monkeypatch.setenv("DOM_LOG_LEVEL", "debug")

        assert load().api_port == 9123
        assert load().log_level == "DEBUG"

    def test_settings_do_not_change_while_the_program_runs(self) -> None:
        with pytest.raises(ValidationError):
            setattr(load(), "api_port", 1)  # noqa: B010 -- mypy knows that it is frozen, this is about run time

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("API_PORT", "0"),
            ("API_PORT", "65536"),
            ("API_PORT", "http"),
            ("DB_POOL_SIZE", "0"),
            ("LOG_LEVEL", "loud"),
            ("TEMPORAL_NAMESPACE", ""),
            ("MAX_CONCURRENT_WORKFLOW_TASKS", "1"),
            ("WORKER_DRAIN_SECONDS", "-1"),
        ],
    )
    def test_a_wrong_value_is_refused_by_name(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        monkeypatch.setenv(ENV_PREFIX + name, value)

        with pytest.raises(ValidationError, match=name.lower()):
            load()

    @pytest.mark.parametrize("name", Settings.model_fields)
    def test_every_setting_says_what_it_means(self, name: str) -> None:
        assert len(Settings.model_fields[name].description or "") > 15


class TestDatabaseUrl:
    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_any_spelling_of_postgresql_gets_our_driver(self, scheme: str) -> None:
        assert Settings(database_url=f"{scheme}://u:p@h:1/d").database_url == "postgresql+psycopg://u:p@h:1/d"

    @pytest.mark.parametrize("url", ["mysql://h/d", "postgresql+asyncpg://h/d", "h:5432", "sqlite:///x"])
    def test_anything_else_is_refused_without_repeating_its_password(self, url: str) -> None:
        with pytest.raises(ValidationError, match="must be PostgreSQL") as refused:
            Settings(database_url=f"{url}?password={PASSWORD}")

        assert PASSWORD not in str(refused.value)


class TestSecrets:
    def test_neither_repr_nor_str_shows_one(self) -> None:
        settings = Settings(
            database_url=f"postgresql://u:{PASSWORD}@h/d",
            webhook_secret=SecretStr(SECRET),
            webhook_url=f"https://hooks.example/{PASSWORD}",
        )

        for shown in (repr(settings), str(settings), f"{settings}"):
            assert PASSWORD not in shown
            assert SECRET not in shown


class TestHandingOn:
    def test_a_child_reads_exactly_what_its_parent_has(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ours = Settings(
            database_url=f"postgresql://u:{PASSWORD}@h/d",
            webhook_secret=SecretStr(SECRET),
            ready_file=Path("/run/ready"),
            replay_orders=True,
            worker_drain_seconds=2.5,
            log_level="WARNING",
        )

        for name, value in ours.as_environment().items():
            monkeypatch.setenv(name, value)

        assert load() == ours

    def test_what_is_not_set_is_not_handed_on(self) -> None:
        assert "DOM_READY_FILE" not in Settings().as_environment()


class TestTemporalVariables:
    """`DOM_*` goes before `TEMPORAL_*`."""

    def test_what_ours_leave_out_theirs_say(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEMPORAL_ADDRESS", "theirs:7233")
        monkeypatch.setenv("TEMPORAL_NAMESPACE", "theirs")

        assert (load().temporal_address, load().temporal_namespace) == ("theirs:7233", "theirs")
        monkeypatch.setenv("DOM_TEMPORAL_ADDRESS", "ours:7233")
        assert (load().temporal_address, load().temporal_namespace) == ("ours:7233", "theirs")
        monkeypatch.setenv("DOM_TEMPORAL_NAMESPACE", "ours")
        assert load().temporal_namespace == "ours"

    def test_they_do_not_count_for_a_child_of_dom_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEMPORAL_ADDRESS", "theirs:7233")
        monkeypatch.setenv("DOM_TEMPORAL_ENV", "false")

        assert load().temporal_address == ""
