"""The HTTP and gateway members of every refusal (rulings R7, R8, P9, A12)."""

from __future__ import annotations

import pytest

from hype import errors

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.HypeError)]
CODES = {
    "invalid_json",
    "invalid_message",
    "unknown_type",
    "unauthenticated",
    "forbidden",
    "not_found",
    "rate_limited",
    "unavailable",
    "internal",
}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: str(kind.__name__))
def test_the_tree_in_the_docstring_is_the_tree(kind: type[errors.HypeError]) -> None:
    """Every class has a status and a code of ruling R33, and the module's drawing shows them."""
    assert kind.gateway_code in CODES
    drawn = [line.split() for line in (errors.__doc__ or "").splitlines() if f" {kind.__name__} " in line]
    if kind is not errors.HypeError:
        assert [str(kind.status), kind.gateway_code] in [
            words[-n:][:2] for words in drawn for n in range(2, len(words))
        ]


def test_headers() -> None:
    """401 names its scheme, 405 the methods of the path, 429 and 503 whole seconds to wait, at least one."""
    assert errors.NotAuthenticated("Token expired").headers == {"WWW-Authenticate": "Bearer"}
    assert errors.MethodNotAllowed(allow=["GET", "PUT"]).headers == {"Allow": "GET, PUT"}
    for kind in (errors.TooManyRequests, errors.Unavailable):
        assert kind(retry_after_s=2.1).headers == {"Retry-After": "3"}
        assert kind(retry_after_s=0.0).headers == {"Retry-After": "1"}


def test_texts() -> None:
    """A class has the contract's text, unless it gets another."""
    assert errors.NotAuthenticated().error == "Not authenticated"
    assert errors.Unavailable().error == "Service unavailable"
    assert errors.ValidationFailed(details=[{"code": "custom"}]).details == [{"code": "custom"}]
    assert str(errors.Forbidden("Channel is full")) == "Channel is full"
