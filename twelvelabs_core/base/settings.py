"""`Settings`: key, base URL, timeouts, retries, concurrency. The only module that reads the environment."""

import functools
import hashlib
import math
import os
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from twelvelabs_core.base.checks import as_whole
from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.base.redact import redact

T = TypeVar("T")

DEFAULT_BASE_URL = "https://api.twelvelabs.io/v1.3"
SANDBOX_KEY_PREFIX = "tlk_sandbox_"
KEY_VARIABLES = ("TWELVELABS_API_KEY", "TWELVE_LABS_API_KEY")
BASE_URL_VARIABLE = "TWELVELABS_BASE_URL"
STORE_VARIABLE = "TWELVELABS_STORE"
DIMENSION = 512  # values in a vector of marengo3.0; part of the name of its space
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def as_secret(key: SecretStr | str | None) -> SecretStr | None:
    """Wrap a key. Callables that take a key do so first: a traceback may show their local variables."""
    return SecretStr(key) if isinstance(key, str) else key


def _hide_key(cls: type[T]) -> type[T]:
    """Let the constructor wrap the key before the first check."""
    construct: Any = cls.__init__

    @functools.wraps(construct)
    def __init__(self: T, api_key: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  # a method
        api_key = as_secret(api_key)
        construct(self, api_key, *args, **kwargs)

    cls.__init__ = __init__  # type: ignore[assignment]
    return cls


@_hide_key
@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of a client, validated and immutable.

    `Settings.resolve` takes missing values from the environment; the constructor uses its arguments only.
    All durations are float seconds.

    Attributes:
        api_key: The key; begins with `tlk_`, a sandbox's with `tlk_sandbox_`.
        base_url: Root of the API, version included. A real key is sent over https only, or to this machine.
        timeout: Longest silence of the server within one request. A request ends after three times this and 1 s for
            each 10 kB sent or received. Default 60.
        max_retries: Most retries of a request that is safe to repeat. Default 4.
        max_concurrency: Most concurrent requests of one call. Default 8.
        max_retry_wait: Longest wait before a retry; when the server asks for more, the error is raised at once,
            with `retry_at`, also to others of this key and host whose requests the server would refuse. Default 60.
        task_timeout: Longest wait for one embedding task. Default 7200 (a 4 h video takes long).
        requests_per_minute: Most requests in any minute over all clients of this process with the same key and host;
            a float above 0, 0.5 is one in two minutes. Polling requests (GETs) are not counted, as in the API's own
            limits. Default None: the API's limits apply.
        max_concurrent_requests: Most concurrent requests, polling requests included, over all calls, clients and
            threads of this process with the same key and host, and with a segment store on PostgreSQL over all
            processes that use it, the least one of theirs. A request of more than 30 s is not counted any more.
            Default None: fewer only after the API has refused some.

    Example:
        ```python
        settings = Settings.resolve(max_concurrency=4)  # key from TWELVELABS_API_KEY
        client = Client(settings=settings)
        ```
    """

    api_key: SecretStr
    base_url: str = DEFAULT_BASE_URL
    timeout: float = 60.0
    max_retries: int = 4
    max_concurrency: int = 8
    max_retry_wait: float = 60.0
    task_timeout: float = 7200.0
    requests_per_minute: float | None = None
    max_concurrent_requests: int | None = None
    key_from_environment: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        self._check_key()
        self._check_base_url()
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        for name in ("timeout", "max_retry_wait", "task_timeout"):
            _check_positive(name, getattr(self, name), "number of seconds")
        if self.requests_per_minute is not None:
            _check_positive("requests_per_minute", self.requests_per_minute, "number")
        self._set_count("max_retries", least=0)
        self._set_count("max_concurrency", least=1)
        if self.max_concurrent_requests is not None:
            self._set_count("max_concurrent_requests", least=1)

    @classmethod
    def resolve(cls, *, api_key: SecretStr | str | None = None, base_url: str | None = None, **options: Any) -> Self:
        """Return settings from arguments, else environment, else defaults.

        Args:
            api_key: The key; else `TWELVELABS_API_KEY`, else `TWELVE_LABS_API_KEY`.
            base_url: Root of the API; else `TWELVELABS_BASE_URL`, else the live service.
            **options: The other attributes; None means the default.

        Raises:
            ConfigurationError: No key, or an invalid value.
        """
        api_key = as_secret(api_key)
        unknown = set(options) - {item.name for item in fields(cls) if item.name != "key_from_environment"}
        if unknown:
            raise ConfigurationError(f"unknown settings: {', '.join(sorted(unknown))}.")
        from_environment = api_key is None
        if api_key is None:
            api_key = as_secret(next(filter(None, map(os.environ.get, KEY_VARIABLES)), None))
        if api_key is None:
            raise ConfigurationError(
                "no API key: pass api_key=..., or set TWELVELABS_API_KEY. "
                "Without a key, `python -m twelvelabs_sandbox` serves an offline sandbox and prints one; it needs "
                'pip install "twelvelabs-rag[sandbox]".'
            )
        return cls(
            api_key=api_key,
            base_url=base_url or os.environ.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL,
            key_from_environment=from_environment,
            **{name: value for name, value in options.items() if value is not None},
        )

    @property
    def is_sandbox(self) -> bool:
        """Whether the key belongs to an offline sandbox, whose vectors are not Marengo's."""
        return self.api_key.get_secret_value().startswith(SANDBOX_KEY_PREFIX)

    @property
    def is_live(self) -> bool:
        """Whether `base_url` is the live service, in whatever spelling or version."""
        return urlsplit(self.base_url).hostname == urlsplit(DEFAULT_BASE_URL).hostname

    @property
    def account(self) -> str:
        """A fingerprint of the key, safe to store. Tasks and assets are visible to the account that created them."""
        digest = hashlib.sha256(b"twelvelabs-rag account\n")
        digest.update(self.api_key.get_secret_value().encode())
        return digest.hexdigest()[:16]

    def space(self, model: str, dimension: int = DIMENSION) -> str:
        """Return the name of the vector space. Vectors of two spaces are not comparable."""
        return f"{'sandbox/' if self.is_sandbox else ''}{model}/{dimension}"

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some attributes changed."""
        if "api_key" in changes:
            changes["api_key"] = as_secret(changes["api_key"])
            changes["key_from_environment"] = False  # it was passed now, and travels with a pickle
        return replace(self, **changes)

    def _set_count(self, name: str, *, least: int) -> None:
        """Verify that a field is a whole number, and store it as an int."""
        given = getattr(self, name)
        value = as_whole(given)
        if value is None or value < least:
            raise ConfigurationError(f"{name} must be a whole number from {least}, got {given!r}.")
        object.__setattr__(self, name, value)

    def _check_key(self) -> None:
        if not isinstance(self.api_key, SecretStr):
            raise ConfigurationError(f"the API key must be a str, got {type(self.api_key).__name__}.")
        problem = _problem_of(self.api_key)
        if problem is not None:
            raise ConfigurationError(problem)

    def _check_base_url(self) -> None:
        url = self.base_url
        shown = redact(repr(url))  # a key is easily pasted into the wrong place
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").encode("idna")
            is_root = parts.scheme in ("https", "http") and bool(host) and parts.port != 0
        except (ValueError, TypeError, AttributeError):
            is_root = False
        if not is_root or not url.isprintable() or " " in url:
            raise ConfigurationError(f"base_url must be an http(s) URL with a host, got {shown}.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ConfigurationError("base_url must be without user, password, query and fragment.")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS and not self.is_sandbox:
            raise ConfigurationError(
                f"base_url {shown} would send the API key unencrypted; use https (http is for this machine)."
            )

    def __copy__(self) -> Self:
        return self  # frozen; going through pickle would read the environment again

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker gets a key only if the caller passed one; one from the environment is read there again.
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        if values.pop("key_from_environment"):
            del values["api_key"]
            return functools.partial(type(self).resolve, **values), ()
        return functools.partial(type(self), **values), ()


# What the adapters' embeddings take beside the model: each a field of theirs under the same name.
FIELDS = (
    "api_key",
    "base_url",
    "max_concurrency",
    "max_retries",
    "timeout",
    "requests_per_minute",
    "max_concurrent_requests",
)


def settings_of(holder: object, *, has_key: bool) -> Settings:
    """Return the settings that an object has as attributes `FIELDS`; without its own key, that of the environment."""
    values = {name: getattr(holder, name) for name in FIELDS if name != "api_key" or has_key}
    return Settings.resolve(**values)


def store_location() -> str | None:
    """Return the place of the segment store that the environment names (`TWELVELABS_STORE`), or None."""
    return os.environ.get(STORE_VARIABLE) or None


def http_variables() -> list[str]:
    """Return the names of the environment's variables that name proxies or certificates."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return [name for name in os.environ if name.upper() in names]


def _problem_of(api_key: SecretStr) -> str | None:
    key = api_key.get_secret_value()
    if not isinstance(key, str):
        return f"the API key must be a str, got {type(key).__name__}."
    if not key.strip():
        return "the API key is empty: pass api_key=..., or set TWELVELABS_API_KEY."
    if not key.isascii() or not key.isprintable() or set(key) & set(" \"'`"):
        return "the API key holds quotes, spaces or other characters that no key has; copy it again."
    return None


def _check_positive(name: str, value: object, kind: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigurationError(f"{name} must be a {kind} above 0, got {value!r}.")
