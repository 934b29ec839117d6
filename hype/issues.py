"""The translator of a JSON Schema validator's errors into issues of zod's shape (ruling R5).

It also gives the validator the rules that the specs rely on: `$` in a pattern is the very end, `x-hype-well-formed`,
`x-hype-not-blank` and `x-hype-not-invisible` are keywords, a missing member is checked against its own schema, so that
its issue can name the expected type, and the items of a list that is too long are not looked at.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from hype.errors import BadRequest, ValidationFailed

__all__ = [
    "MISSING",
    "MOST_ISSUES",
    "SEEN",
    "VISIBLE",
    "Issue",
    "SpecValidator",
    "compiled_pattern",
    "failure",
    "issue",
    "issues",
]

Issue = dict[str, Any]

MISSING = object()
"""The value of a missing member, while its schema is asked for the expected type."""

MOST_ISSUES: Final = 20
"""The most issues in one answer; the specs say the same as `maxItems` of `details`."""

_ECHO_CHARACTERS = 100
_SPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"  # as JavaScript's trim() has it
)
VISIBLE: Final = re.compile(f"[^{_SPACE}]")
"""A character that keeps a text from being blank."""

_UNSEEN: Final = (  # controls, Default_Ignorable_Code_Point, and others without a picture
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
SEEN: Final = re.compile(f"[^{_SPACE}{_UNSEEN}]")
"""A character that keeps a text from being invisible."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(r"\\.|\[[^\]]*\]|\$")


@lru_cache(maxsize=256)
def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the specs.

    The specs keep to expressions that all languages read alike (JSON Schema, section 6.4; tests/test_patterns.py). Only
    `$` differs: in Python it also matches before a line end that comes last.
    """
    return re.compile(_TOKEN.sub(lambda match: r"\Z" if match[0] == "$" else match[0], pattern))


def _type(validator: Any, types: str | Sequence[str], value: object, schema: Any) -> Iterator[ValidationError]:
    if not any(validator.is_type(value, name) for name in ([types] if isinstance(types, str) else types)):
        yield ValidationError("has another type")


def _enum(validator: Validator, options: Sequence[object], value: object, schema: Any) -> Iterator[ValidationError]:
    if not any(value is option or value == option for option in options):
        yield ValidationError("is no option")


def _not(validator: Any, unwanted: Any, value: object, schema: Any) -> Iterator[ValidationError]:
    if validator.evolve(schema=unwanted).is_valid(value):
        yield ValidationError("keeps a schema that it must not keep")


def _any_of(validator: Any, branches: Sequence[Any], value: object, schema: Any) -> Iterator[ValidationError]:
    context: list[ValidationError] = []
    for index, branch in enumerate(branches):
        errors = list(validator.descend(value, branch, schema_path=index))
        if not errors:
            return
        context += errors
    yield ValidationError("keeps no branch", context=context)


def _max_items(validator: Validator, most: int, value: object, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, list) and len(value) > most:
        yield ValidationError("has too many items")


def _max_properties(validator: Validator, most: int, value: object, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, dict) and len(value) > most:
        yield ValidationError("has too many members")


def _pattern(validator: Validator, pattern: str, value: object, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    if isinstance(value, str) and not compiled_pattern(pattern).search(value):
        yield ValidationError(f"does not match {pattern}")


def _well_formed(validator: Validator, wanted: bool, value: object, schema: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(value, str) and _SURROGATE.search(value):
        yield ValidationError("has an unpaired surrogate")


def _not_blank(validator: Validator, wanted: bool, value: object, schema: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(value, str) and not VISIBLE.search(value):
        yield ValidationError("is blank")


def _items(validator: Any, items: Any, value: object, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    """Look at no item of a list that is too long, since each costs time: `maxItems` alone says what is wrong."""
    if isinstance(value, list) and len(value) <= schema.get("maxItems", len(value)):
        for index, item in enumerate(value):
            yield from validator.descend(item, items, path=index)


def _not_invisible(validator: Validator, wanted: bool, value: object, schema: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(value, str) and not SEEN.search(value):
        yield ValidationError("is invisible")


def _required(validator: Any, names: Sequence[str], value: object, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    for name in names:
        if name not in value:
            wanted = schema.get("properties", {}).get(name, {})
            cause = next(validator.descend(MISSING, wanted), None)
            expected = "unknown" if cause is None else _expected(cause)
            yield ValidationError("Required", path=[name], instance=MISSING, validator_value=expected)


SpecValidator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "anyOf": _any_of,
        "enum": _enum,
        "items": _items,
        "maxItems": _max_items,
        "maxProperties": _max_properties,
        "not": _not,
        "pattern": _pattern,
        "required": _required,
        "type": _type,
        "x-hype-well-formed": _well_formed,
        "x-hype-not-blank": _not_blank,
        "x-hype-not-invisible": _not_invisible,
    },
)
"""The validator of draft 2020-12 with the rules of the specs.

Its errors do not quote the value, as jsonschema's own do: writing down 100 KB takes longer than all checks.
"""


def issue(code: str, path: Sequence[str | int], message: str, **members: object) -> Issue:
    """Return one issue.

    code: one of ruling R5's six. members: the code's own (`minimum`, `expected`, …).
    """
    return {"code": code, **members, "path": list(path), "message": message}


def issues(errors: Iterable[ValidationError], at: Sequence[str | int] = ()) -> list[Issue]:
    """List an issue for each broken rule, `MOST_ISSUES` at most (amendment A13).

    errors: read only until the list is full. at: the place of the validated value in the request. A value of the wrong
    type gives one issue, because the other rules of its schema make no sense for it.
    """
    return list(itertools.islice(_distinct(_leaves(errors), at), MOST_ISSUES))


def failure(
    errors: Iterable[ValidationError], schema: Mapping[str, Any], at: Sequence[str | int] = ()
) -> BadRequest | None:
    """Return the error that answers `errors`, None when there are none.

    It is `Validation failed` with its issues, or a text of the spec: `x-hype-failure` of `schema` as a whole, or of the
    only broken rule. errors: read only as far as the answer needs.
    """
    leaves = _leaves(errors)
    first = next(leaves, None)
    if first is None:
        return None
    text = schema.get("x-hype-failure", {}).get("*")
    if text is not None:
        return BadRequest(text)
    found = issues(itertools.chain([first], leaves), at)
    if len(found) == 1 and isinstance(first.schema, Mapping):
        text = first.schema.get("x-hype-failure", {}).get(first.validator)
    return ValidationFailed(details=found) if text is None else BadRequest(text)


def _distinct(leaves: Iterable[ValidationError], at: Sequence[str | int]) -> Iterator[Issue]:
    """Yield the issues of `leaves` without repetitions; of a mistyped value, only those that it can have.

    The validator reports the errors of one value one after the other, so only the issues of one value are held back.
    """
    seen: set[str] = set()
    for _, errors in itertools.groupby(leaves, key=lambda error: list(error.absolute_path)):
        found = [_translate(error, at) for error in errors]
        mistyped = next((each for each in found if each["code"] == "invalid_type"), None)
        for each in found:
            key = repr(each)
            if (mistyped in (None, each) or each["code"] == "custom") and key not in seen:
                seen.add(key)
                yield each


def _leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Yield the errors; instead of an `anyOf`, those of the branch that the value's type chose, if there is one."""
    for error in errors:
        chosen = _chosen_branch(error)
        if chosen:
            yield from _leaves(chosen)
        else:
            yield error


def _chosen_branch(error: ValidationError) -> list[ValidationError]:
    branches: dict[object, list[ValidationError]] = {}
    for cause in error.context or ():
        branches.setdefault(cause.relative_schema_path[0], []).append(cause)
    fitting = (
        branch
        for branch in branches.values()
        if all(cause.validator != "type" or cause.relative_path for cause in branch)
    )
    return next(fitting, [])


def _translate(error: ValidationError, at: Sequence[str | int]) -> Issue:
    path = [*at, *error.absolute_path]
    own = error.schema.get("x-hype-issue") if isinstance(error.schema, Mapping) else None
    if error.instance is MISSING:
        return issue("invalid_type", path, "Required", expected=error.validator_value, received="undefined")
    if own is not None and error.validator not in {"type", "minLength", "maxLength"}:
        return {**own, "path": path}
    return _by_keyword(error, path)


def _by_keyword(error: ValidationError, path: list[str | int]) -> Issue:
    limit: Any = error.validator_value
    match error.validator:
        case "minLength" | "minItems" | "minimum":
            return _sized("too_small", "minimum", limit, error, path)
        case "maxLength" | "maxItems" | "maximum":
            return _sized("too_big", "maximum", limit, error, path)
        case "pattern":
            return issue("invalid_string", path, "Invalid", validation="regex")
        case "enum" if isinstance(error.instance, str):
            received = error.instance[:_ECHO_CHARACTERS]
            message = f"Invalid enum value. Expected {_expected(error)}, received '{received}'"
            return issue("invalid_enum_value", path, message, options=list(limit), received=received)
        case _:
            expected, received = _expected(error), _type_name(error)
            message = f"Expected {expected}, received {received}"
            return issue("invalid_type", path, message, expected=expected, received=received)


_SIZES = {
    "Length": ("string", "String must contain at {0} {1} character(s)"),
    "Items": ("array", "Array must contain at {0} {1} element(s)"),
    "imum": ("number", "Number must be {2} than or equal to {1}"),
}


def _sized(code: str, member: str, limit: Any, error: ValidationError, path: list[str | int]) -> Issue:
    kind, wording = _SIZES[str(error.validator)[3:]]
    words = ("least", limit, "greater") if code == "too_small" else ("most", limit, "less")
    extra = {member: limit, "type": kind, "inclusive": True, "exact": False}
    return issue(code, path, wording.format(*words), **extra)


def _expected(error: ValidationError) -> str:
    """Return the words for what the broken rule expected: a type, or the values to choose from."""
    wanted: Any = error.validator_value
    if error.validator == "enum":
        return " | ".join(f"'{option}'" for option in wanted)
    if error.validator == "anyOf":
        return _expected(next(iter(error.context or ())))
    if error.validator == "type":
        return str(wanted) if isinstance(wanted, str) else " | ".join(name for name in wanted if name != "null")
    return "unknown"


def _type_name(error: ValidationError) -> str:
    match error.instance:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case float() if error.validator_value == "integer" or "integer" in str(error.validator_value):
            return "float"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"
