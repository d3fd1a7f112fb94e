"""Settings: read once, each variable known, each value checked."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from candu_source.errors import SettingsError
from candu_source.model import Region, Secret
from candu_source.settings import Settings, settings_page, settings_table

KEY = base64.b64encode(bytes(range(200, 232))).decode()


def test_defaults_need_no_environment() -> None:
    assert Settings.load({"PATH": "/bin"}) == Settings()


def test_every_kind_of_value_is_read() -> None:
    settings = Settings.load(
        {
            "CANDU_SOURCE_PORT": "9000",
            "CANDU_SOURCE_RETENTION_DAYS": "0.5",
            "CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES": "Yes",
            "CANDU_SOURCE_SEGMENT_REGION": "eu",
            "CANDU_SOURCE_SECRET_KEY": KEY,
            "CANDU_SOURCE_STORE_URL": "sqlite:////var/lib/a%20b.db",
        }
    )
    assert (settings.port, settings.retention_days, settings.allow_private_addresses) == (9000, 0.5, True)
    assert (settings.segment_region, settings.secret_key) == (Region.EU, Secret(KEY))
    assert settings.store_path() == Path("/var/lib/a b.db")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CANDU_SOURCE_PROT", "1", "CANDU_SOURCE_PROT is not a setting"),
        ("CANDU_SOURCE_PORT", "http", "CANDU_SOURCE_PORT must be int"),
        ("CANDU_SOURCE_PORT", "0", "CANDU_SOURCE_PORT must be at least 1"),
        ("CANDU_SOURCE_RETENTION_DAYS", "nan", "must be at least 0"),
        ("CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES", "maybe", "must be bool"),
        ("CANDU_SOURCE_SEGMENT_REGION", "mars", "must be Region"),
        ("CANDU_SOURCE_SECRET_KEY", "short", "must be base64 of 32 bytes"),
        ("CANDU_SOURCE_STORE_URL", "postgresql://x/y", "must look like sqlite:///"),
        ("CANDU_SOURCE_STORE_URL", "sqlite://", "must look like sqlite:///"),
    ],
)
def test_what_is_off_is_named(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        Settings.load({variable: value})
    assert variable.endswith("SECRET_KEY") is False or value not in str(caught.value)


def test_a_secret_setting_does_not_print() -> None:
    assert KEY not in repr(Settings.load({"CANDU_SOURCE_SECRET_KEY": KEY}))


def test_the_page_of_settings_is_the_table() -> None:
    page = Path(__file__).parents[1].joinpath("docs", "settings.md").read_text()
    assert page == settings_page()
    assert page.count("| `CANDU_SOURCE_") == len(settings_table())
