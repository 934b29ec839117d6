"""Values just inside, on and just outside every bound that openapi.yaml states, read from its schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hype_contract.contract.profile import EXTENSION
from hype_contract.contract.schemas import NOT_BLANK, WELL_FORMED, below, compiled_pattern
from hype_contract.contract.specs import Contract, Operation

Side = Literal["inside", "on", "outside"]

ABSENT: Any = object()
"""The value of a member that is left out."""

REPEATED: Any = object()
"""The value of a query parameter that comes twice."""

GOOD: Mapping[str, Any] = {
    "username": "some_body-42",
    "email": "somebody@example.com",
    "password": "password-1",
    "displayName": "Some Body",
    "bio": "A few words.",
    "avatarUrl": "https://example.com/a.png",
    "content": "hello",
    "name": "a room",
    "topic": "a topic",
    "refreshToken": "a.b.c",
    "channelId": "nothing-like-it",
    "serverId": "nothing-like-it",
}

_FILLS = ("a", "\U0001f600\u0301")
"""The parts of texts. The second has different numbers of octets, UTF-16 units, visible characters and code points, and
no normalization changes it."""
_WRONG_TYPES: Mapping[str, tuple[Any, ...]] = {
    "string": (1, True, ["text"], {"text": "text"}),
    "integer": ("9", 9.5, True, [9]),
}
NOT_DIGITS = (
    "",
    " ",
    "abc",
    "1.5",
    "1e1",
    "0x10",
    "+5",
    " 5",
    "5 ",
    "-",
    "1,5",
    "\u0661",
    "null",
    "5;6",
    "NaN",
    "true",
)
"""Texts that are not whole numbers in plain decimal digits (rulings R16 and R18)."""

_WRONG_EMAILS = ("plain", "@example.com", "someone@", "some one@example.com", "a@@example.com")
_WRONG_URLS = ("not a url", "/avatar.png", "avatar")
_BLANKS = (" ", "\t\n ", "\u00a0\u3000\u2003")
_EMAILS = ("first.last+tag@example.com", "o'neil_2@mail.example-1.co.uk", "X-1@EXAMPLE.museum")
_URLS = (
    "http://example.com",
    "HTTPS://example.com:8443/a%20b.png?size=2&x=%C3%A9#top",
    "https://sub.example-1.com/~a/b_c.png",
    "ftp://example.com/a.png",
    "data:image/png;base64,iVBORw0KGgo=",
)
_TEXTS = ("Zürich, Жук, 漢字", "e\u0301\U0001f469\u200d\U0001f680", "<b>&amp; 'x' \"y\" \\n")
_WRONG_NAMES = ("some body", "some.body", "søren", "имя", "名前名前", "some_body\n", "some_body\U0001f600")


@dataclass(frozen=True)
class Probe:
    """A value for one member of a request body or query, and the rule of the schema that it probes.

    `bound`: the rule's number, for a number or a length. `issue`: the code and members of the issue that a refusal must
    have (ruling R5); None where the spec asks for another answer, or states no issue.
    """

    member: str
    keyword: str
    value: Any
    accepted: bool
    issue: Mapping[str, Any] | None = None
    bound: int | None = None

    @property
    def side(self) -> Side:
        """The side of the bound: `on` is exactly on a number's or a length's bound."""
        if not self.accepted:
            return "outside"
        size = len(self.value) if isinstance(self.value, str) else self.value
        return "on" if self.bound is not None and size == self.bound else "inside"

    def into(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return `body` with this value in it."""
        rest = {name: value for name, value in body.items() if name != self.member}
        return rest if self.value is ABSENT else {**rest, self.member: self.value}


def body_probes(contract: Contract, operation: Operation) -> list[Probe]:
    """Return every probe of the members of an operation's body. Each breaks or keeps one rule."""
    if operation.body is None:
        return []
    schema, place = contract.schemas.contents(operation.body)
    required = schema.get("required", ())
    found: list[Probe] = []
    for name in schema.get("properties", {}):
        found += _Member(contract, below(place, "properties", name), name, name in required).probes()
    return found


def query_probes(contract: Contract, operation: Operation) -> list[Probe]:
    """Return every probe of an operation's query parameters, as texts. Each breaks or keeps one rule."""
    found: list[Probe] = []
    for index, parameter in enumerate(operation.raw.get("parameters", ())):
        if parameter.get("in") == "query":
            place = below(operation.place, "parameters", str(index), "schema")
            member = _Member(contract, place, parameter["name"], parameter.get("required", False))
            found += [probe for probe in member.probes() if probe.keyword != "type" and _sendable(probe.value)]
            if contract.schemas.contents(place)[0].get("type") == "integer":
                found += [Probe(member.name, "type", text, False, {"code": "invalid_type"}) for text in NOT_DIGITS]
                found.append(Probe(member.name, "once", REPEATED, False))
    return found


class _Member:
    """A member of a body: its schema's rules, and those of its `allOf` and `anyOf`."""

    def __init__(self, contract: Contract, place: str, name: str, required: bool) -> None:
        self._contract = contract
        self._place = place
        self.name = name
        self._required = required
        self._rules = list(_flattened(contract, place))

    def probes(self) -> list[Probe]:
        """Return all probes, without those whose verdict would be about another rule."""
        found = [self._probe("required", ABSENT, {}, self._required)]
        for rule in self._rules:
            for keyword, make in _MAKERS.items():
                if keyword in rule:
                    found += [self._probe(keyword, value, rule) for value in make(self, rule, rule[keyword])]
        if not any(rule.get("type") == "null" and rule.get(EXTENSION) for rule in self._rules):
            found.append(self._probe("type", None, {}))
        return [probe for probe in found if not probe.accepted or probe.value is ABSENT or self._decided(probe.value)]

    def _probe(self, keyword: str, value: Any, rule: Mapping[str, Any], required: bool = True) -> Probe:
        accepted = not required if value is ABSENT else self._allows(value)
        bound = rule.get(keyword) if keyword in _CODES else None
        return Probe(self.name, keyword, value, accepted, None if accepted else _issue(rule, keyword), bound)

    def _allows(self, value: Any) -> bool:
        return not self._contract.schemas.problems(self._place, value)

    def _decided(self, value: Any) -> bool:
        """Return whether a value that the contract accepts keeps the bounds that are extensions, too."""
        return not self._contract.narrower.problems(self._place, value)

    def lengths(self, *sizes: int) -> Iterator[str]:
        """Yield texts of these lengths in code points (ruling R11), in each script that the pattern allows.

        The schema accepts the first length, which is on the bound. It accepts the last one, too, or that is left out.
        """
        on, outside, inside = sizes
        for fill in _FILLS:
            if self._allows(_text(fill, max(on, 1))):
                yield from (_text(fill, on), _text(fill, outside))
                if self._allows(_text(fill, inside)):
                    yield _text(fill, inside)

    def wrong_types(self, types: object) -> Iterator[Any]:
        """Yield values of types that the member does not have."""
        for name, values in _WRONG_TYPES.items():
            if name in types if isinstance(types, list) else name == types:
                yield from values

    def matches(self, rule: Mapping[str, Any], pattern: str) -> Iterator[str]:
        """Yield texts of several kinds that match `pattern` and keep every other rule of the member."""
        kind = rule.get("x-hype-issue", {}).get("validation")
        texts = _TEXTS if WELL_FORMED in rule else {"email": _EMAILS, "url": _URLS}.get(kind, ())
        yield from (text for text in texts if self._allows(text))

    def mismatches(self, rule: Mapping[str, Any], pattern: str) -> Iterator[str]:
        """Yield texts that do not match `pattern`. They may break other rules as well."""
        good = GOOD.get(self.name, "text")
        kind = rule.get("x-hype-issue", {}).get("validation")
        others = {"email": _WRONG_EMAILS, "url": _WRONG_URLS}.get(kind, (_BLANKS[0], *_WRONG_NAMES))
        texts = (f"{good}\x00", f"\x00{good}") if WELL_FORMED in rule else others
        yield from (text for text in texts if not compiled_pattern(pattern).search(text))

    def surrogates(self) -> Iterator[str]:
        """Yield texts with half of a surrogate pair, and one with a whole pair if the member accepts it."""
        good = GOOD.get(self.name, "text")
        yield from (f"\ud83d{good}", f"{good}\udc00")
        if self._allows(f"{good}\U0001f600"):
            yield f"{good}\U0001f600"


def _text(fill: str, length: int) -> str:
    return (fill * length)[:length]


def _sendable(value: object) -> bool:
    """Return whether a query can contain the value: it cannot contain a lone surrogate."""
    return not isinstance(value, str) or value.isascii() or not any("\ud800" <= unit <= "\udfff" for unit in value)


def _lower(member: _Member, rule: Mapping[str, Any], least: int) -> Iterator[Any]:
    return member.lengths(least, least - 1, least + 1)


def _upper(member: _Member, rule: Mapping[str, Any], most: int) -> Iterator[Any]:
    return member.lengths(most, most + 1, most - 1)


_MAKERS: Mapping[str, Any] = {
    "minLength": _lower,
    "maxLength": _upper,
    "minimum": lambda member, rule, least: (least, least - 1, least + 1),
    "maximum": lambda member, rule, most: (most, most + 1, most - 1),
    "enum": lambda member, rule, options: (*options, "", f"{options[0]}x", "nothing-like-it"),
    "pattern": lambda member, rule, pattern: (*member.mismatches(rule, pattern), *member.matches(rule, pattern)),
    WELL_FORMED: lambda member, rule, wanted: member.surrogates() if wanted else (),
    NOT_BLANK: lambda member, rule, wanted: _BLANKS if wanted else (),
    "type": lambda member, rule, types: member.wrong_types(types),
}

_CODES = {
    "minLength": ("too_small", "minimum"),
    "minimum": ("too_small", "minimum"),
    "maxLength": ("too_big", "maximum"),
    "maximum": ("too_big", "maximum"),
}


def _issue(rule: Mapping[str, Any], keyword: str) -> Mapping[str, Any] | None:
    if keyword in rule.get("x-hype-failure", {}):
        return None
    if keyword in _CODES:
        code, member = _CODES[keyword]
        return {"code": code, member: rule[keyword]}
    if keyword == "enum":
        return {"code": "invalid_enum_value"}
    if keyword in ("type", "required"):
        return {"code": "invalid_type"}
    own = rule.get("x-hype-issue", {"code": "invalid_string"})
    return {name: own[name] for name in ("code", "validation") if name in own}


def _flattened(contract: Contract, place: str) -> Iterator[Mapping[str, Any]]:
    rule, place = contract.schemas.contents(place)
    yield rule
    for keyword in ("allOf", "anyOf"):
        for index in range(len(rule.get(keyword, ()))):
            yield from _flattened(contract, below(place, keyword, str(index)))
