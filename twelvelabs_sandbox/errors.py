"""Error responses of the API: status, code and message, in either of the two documented body formats."""

from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.responses import JSONResponse


@dataclass(eq=False)
class ApiError(Exception):
    """An error that becomes an HTTP response.

    Attributes:
        status: The HTTP status.
        code: The vendor's error code.
        message: The message for users, with the limit and the value.
        headers: Additional response headers.
    """

    status: int
    code: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"

    def response(self, *, nested: bool) -> JSONResponse:
        """Return the response; 413 is always nested, since the official SDK reads no other format."""
        body: dict[str, object] = {"code": self.code, "message": self.message}
        if nested or self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            body = {"error": body}
        return JSONResponse(body, self.status, self.headers)


def invalid(message: str) -> ApiError:
    """Return the error of a parameter with a wrong type or value."""
    return ApiError(400, "parameter_invalid", message)


class OversizeError(ApiError):
    """Media larger than the operation allows."""


def too_large_error(message: str) -> ApiError:
    """Return the error of media above a limit; some endpoints respond with 413 instead of 400."""
    return OversizeError(400, "parameter_invalid", message)


def missing(name: str) -> ApiError:
    """Return the error of a missing required parameter."""
    return ApiError(400, "parameter_not_provided", f"The {name} parameter is required but was not provided.")


def unknown(names: list[str]) -> ApiError:
    """Return the error of parameters that the API does not know."""
    listed = ", ".join(name[:100] for name in sorted(names)[:10])
    return ApiError(400, "parameter_unknown", f"The following parameters are unknown: {listed}.")


def not_found(identifier: str, collection: str) -> ApiError:
    """Return the error of an id that does not exist."""
    message = f"Resource with id {identifier[:100]} does not exist in {collection}"
    return ApiError(404, "resource_not_exist", message)


def bad_key() -> ApiError:
    """Return the error of a missing or wrong API key, or a key of the real service."""
    message = (
        "The API key is missing or is not the key of this sandbox. This is the offline sandbox, not TwelveLabs: send "
        "the key that it printed or that Sandbox.api_key holds (it starts with tlk_sandbox_) as header x-api-key."
    )
    return ApiError(401, "api_key_invalid", message)


def too_many_requests(retry_at: str | None) -> ApiError:
    """Return the rate-limit error in the vendor's wording; without `retry_at` if headers report the time."""
    after = "" if retry_at is None else f" after {retry_at}"
    message = f"You have exceeded the rate limit (100req/1day). Please try again later{after}."
    return ApiError(429, "too_many_requests", message)
