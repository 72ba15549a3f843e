"""What the API says when it refuses: status, code and message, in either of the two documented body shapes."""

from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.responses import JSONResponse


@dataclass(eq=False)
class ApiError(Exception):
    """A refusal that becomes an HTTP answer.

    Attributes:
        status: The HTTP status.
        code: The vendor's error code.
        message: The sentence for people, with the limit and the value in it.
        headers: Extra response headers.
    """

    status: int
    code: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"

    def response(self, *, nested: bool) -> JSONResponse:
        """Return the answer; a 413 is always nested, since the official SDK reads no other."""
        body: dict[str, object] = {"code": self.code, "message": self.message}
        if nested or self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            body = {"error": body}
        return JSONResponse(body, self.status, self.headers)


def invalid(message: str) -> ApiError:
    """A parameter of the wrong kind or out of its bounds."""
    return ApiError(400, "parameter_invalid", message)


class OversizeError(ApiError):
    """A medium that is larger than what asked for it allows."""


def too_large_error(message: str) -> ApiError:
    """A medium above the limit, which the message names; some calls answer 413 to it."""
    return OversizeError(400, "parameter_invalid", message)


def missing(name: str) -> ApiError:
    """A required parameter that is not there."""
    return ApiError(400, "parameter_not_provided", f"The {name} parameter is required but was not provided.")


def unknown(names: list[str]) -> ApiError:
    """Parameters that the API does not know."""
    listed = ", ".join(name[:100] for name in sorted(names)[:10])
    return ApiError(400, "parameter_unknown", f"The following parameters are unknown: {listed}.")


def not_found(identifier: str, collection: str) -> ApiError:
    """An id that names nothing (any more)."""
    message = f"Resource with id {identifier[:100]} does not exist in {collection}"
    return ApiError(404, "resource_not_exist", message)


def bad_key() -> ApiError:
    """No key, a wrong key, or a key of the real service."""
    message = (
        "The API key is missing or is not the key of this sandbox. This is the offline sandbox, not TwelveLabs: send "
        "the key that it printed or that Sandbox.api_key holds (it begins with tlk_sandbox_) as header x-api-key."
    )
    return ApiError(401, "api_key_invalid", message)


def too_many_requests(retry_at: str | None) -> ApiError:
    """The text of a rate limit as the real service words it; without a time where that is to stand elsewhere."""
    after = "" if retry_at is None else f" after {retry_at}"
    message = f"You have exceeded the rate limit (100req/1day). Please try again later{after}."
    return ApiError(429, "too_many_requests", message)
