"""The callers that may perform an operation: the `allow` of its `x-hype-policy`, which differs by profile."""

from __future__ import annotations

from hype.errors import Forbidden
from hype.operations.call import Call

__all__ = ["permit"]


def permit(call: Call, refusal: str, **relations: bool) -> None:
    """Raise Forbidden with the text `refusal` unless the policy allows one of the caller's relations.

    relations: the policy's words, and whether each is true of the caller, e.g. `author=True`. A policy that allows
    `anyone`, or an operation without one, permits every caller.
    """
    allowed = call.operation.policy.get("allow", ["anyone"])
    if "anyone" not in allowed and not any(relations.get(word, False) for word in allowed):
        raise Forbidden(refusal)
