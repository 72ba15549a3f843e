"""Settings: their sources, refused values, and the content of pickles."""

import copy
import pickle
from typing import Any

import pytest
from pydantic import SecretStr

from twelvelabs_core import Client, ConfigurationError, Settings

KEY = "tlk_sandbox_0123456789"
LIVE = "tlk_0123456789"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWELVELABS_API_KEY", "TWELVE_LABS_API_KEY", "TWELVELABS_BASE_URL", "TWELVELABS_STORE"):
        monkeypatch.delenv(name, raising=False)


def test_whole_numbers_may_be_floats() -> None:
    made = Settings.resolve(api_key=LIVE, max_retries=2.0, max_concurrency=4.0, max_concurrent_requests=3.0)
    counts = (made.max_retries, made.max_concurrency, made.max_concurrent_requests)
    assert [(one, type(one)) for one in counts] == [(2, int), (4, int), (3, int)]
    with pytest.raises(ConfigurationError, match=r"max_retries must be a whole number from 0, got 2\.5"):
        Settings.resolve(api_key=LIVE, max_retries=2.5)


def test_missing_key_raises_naming_the_variables() -> None:
    with pytest.raises(
        ConfigurationError, match=r'api_key=.*TWELVELABS_API_KEY.*pip install "twelvelabs-rag\[sandbox\]"'
    ):
        Settings.resolve()


@pytest.mark.parametrize("name", ["TWELVELABS_API_KEY", "TWELVE_LABS_API_KEY"])
def test_both_variables_are_read(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, LIVE)
    assert Settings.resolve().api_key.get_secret_value() == LIVE


def test_key_argument_precedes_both_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVE_LABS_API_KEY", "tlk_second")
    monkeypatch.setenv("TWELVELABS_API_KEY", "tlk_first")
    assert Settings.resolve().api_key.get_secret_value() == "tlk_first"
    assert Settings.resolve(api_key="tlk_argument").api_key.get_secret_value() == "tlk_argument"


def test_empty_environment_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVELABS_API_KEY", "")
    monkeypatch.setenv("TWELVE_LABS_API_KEY", LIVE)
    monkeypatch.setenv("TWELVELABS_BASE_URL", "")
    settings = Settings.resolve()
    assert (settings.api_key.get_secret_value(), settings.base_url) == (LIVE, "https://api.twelvelabs.io/v1.3")


@pytest.mark.parametrize("key", ["", "  ", " tlk_a", "tlk_a\n", "tlk_\u0430", "tlk_a\x00b", 12, b"tlk"])
def test_key_invalid_in_a_header_is_refused_without_being_shown(key: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.resolve(api_key=key)  # type: ignore[arg-type]
    assert "tlk" not in str(caught.value)


@pytest.mark.parametrize(
    "option",
    [
        {"timeout": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"timeout": float("inf")}, {"timeout": "5"},
        {"max_retries": -1}, {"max_retries": 1.5}, {"max_retries": True},
        {"max_concurrency": 0}, {"max_concurrency": 2.5}, {"max_concurrency": "8"},
        {"requests_per_minute": 0}, {"requests_per_minute": "60"}, {"requests_per_minute": float("inf")},
        {"requests_per_minute": True}, {"max_concurrent_requests": 0}, {"max_concurrent_requests": 1.5},
        {"max_retry_wait": 0}, {"task_timeout": 0}, {"task_timeout": float("inf")},
    ],
)  # fmt: skip
def test_invalid_number_is_refused_by_name_and_value(option: dict[str, Any]) -> None:
    ((name, value),) = option.items()
    with pytest.raises(ConfigurationError) as caught:
        Settings.resolve(api_key=KEY, **option)
    assert name in str(caught.value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("option", ["max_retry", "key_from_environment"])
def test_an_unknown_setting_is_refused_by_name(option: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        Settings.resolve(api_key=KEY, **dict[str, Any]({option: 3}))


@pytest.mark.parametrize(
    "url",
    [
        "api.twelvelabs.io/v1.3", "ftp://api.twelvelabs.io", "https://", "https://[bad/v1.3", "http://localhost:port/v1.3",
        "http://localhost:99999", "https://api.twelvelabs.io/v1.3?x=1", "https://user:hush@api.twelvelabs.io",
        "https://api.twelve labs.io", "https://ex..ample.com", "https://api.twelvelabs.io/\nv1.3", 7,
    ],
)  # fmt: skip
def test_invalid_base_url_is_refused(url: object) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        Settings.resolve(api_key=KEY, base_url=url)  # type: ignore[arg-type]
    assert "hush" not in str(caught.value)


def test_a_key_pasted_as_base_url_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.resolve(api_key=KEY, base_url="tlk_pasted_by_mistake")
    assert "pasted" not in str(caught.value)


@pytest.mark.parametrize("host", ["api.example.com", "192.168.0.7", "localhost.example.com", "127.0.0.1.example.com"])
def test_real_key_is_refused_for_unencrypted_hosts(host: str) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        Settings.resolve(api_key=LIVE, base_url=f"http://{host}/v1.3")
    assert Settings.resolve(api_key=KEY, base_url=f"http://{host}/v1.3").is_sandbox


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_http_is_allowed_for_loopback(host: str) -> None:
    assert Settings.resolve(api_key=LIVE, base_url=f"http://{host}:8000/v1.3/").base_url == f"http://{host}:8000/v1.3"


def test_sandbox_key_has_its_own_space() -> None:
    spaces = {Settings.resolve(api_key=key).space("marengo3.0") for key in (KEY, LIVE)}
    assert spaces == {"sandbox/marengo3.0/512", "marengo3.0/512"}


def test_account_distinguishes_keys_without_containing_them() -> None:
    one, other = (Settings.resolve(api_key=key) for key in ("tlk_a", "tlk_b"))
    assert one.account != other.account
    assert "tlk" not in one.account


def test_settings_never_show_the_key() -> None:
    settings = Settings.resolve(api_key=KEY)
    assert KEY not in f"{settings!r} {settings!s} {settings.api_key!r}"


def test_pickle_contains_a_passed_key_and_none_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = pickle.dumps(Settings.resolve(api_key=KEY, max_retries=1))
    monkeypatch.setenv("TWELVELABS_API_KEY", LIVE)
    read = pickle.dumps(Settings.resolve(max_retries=2))
    assert LIVE.encode() not in read
    monkeypatch.setenv("TWELVELABS_API_KEY", "tlk_of_the_worker")
    assert pickle.loads(passed).api_key.get_secret_value() == KEY  # noqa: S301
    arrived = pickle.loads(read)  # noqa: S301
    assert (arrived.api_key.get_secret_value(), arrived.max_retries) == ("tlk_of_the_worker", 2)
    assert b"tlk_of_the_worker" not in pickle.dumps(arrived)


def test_unpickling_without_a_key_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVELABS_API_KEY", LIVE)
    data = pickle.dumps(Settings.resolve())
    monkeypatch.delenv("TWELVELABS_API_KEY")
    with pytest.raises(ConfigurationError, match="TWELVELABS_API_KEY"):
        pickle.loads(data)  # noqa: S301


def test_a_replaced_key_counts_as_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVELABS_API_KEY", LIVE)
    changed = Settings.resolve().replace(api_key=SecretStr("tlk_other"))
    assert pickle.loads(pickle.dumps(changed)).api_key.get_secret_value() == "tlk_other"  # noqa: S301


def test_copy_keeps_the_key_after_the_environment_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVELABS_API_KEY", LIVE)
    settings, client = Settings.resolve(), Client()
    monkeypatch.delenv("TWELVELABS_API_KEY")
    assert copy.copy(settings) == settings == copy.deepcopy(settings)
    assert copy.deepcopy(client).settings == settings


def test_settings_together_with_single_options_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_retries, timeout"):
        Client(settings=Settings(KEY), timeout=5, max_retries=1)  # type: ignore[arg-type]


def test_settings_cannot_be_changed() -> None:
    settings = Settings.resolve(api_key=KEY)
    with pytest.raises(AttributeError):
        settings.timeout = 1  # type: ignore[misc]


@pytest.mark.parametrize("model", ["marengo2.7", "", None, 3])
def test_an_unknown_model_is_refused_by_name(model: object) -> None:
    with pytest.raises(ValueError, match=r"marengo3\.0"):
        Client(KEY, model=model)  # type: ignore[arg-type]
