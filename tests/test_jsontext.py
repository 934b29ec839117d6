"""JSON: strict reading, safe content (ruling R8)."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hype import jsontext
from hype.errors import InvalidJson

_MANY = settings(max_examples=400, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_REFUSED: Final = "refused"

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=4), below, max_size=4),
    max_leaves=12,
)
_MARKS = (
    '{} [] , : " \\ \n \t \f \0 0 1 2 9 + - . e E true false null NaN Infinity "a" "a": \\u \\ud800 \\udc00 \\ud83d'
)
_PIECES = st.sampled_from(
    [*_MARKS.split(" "), " ", "{", "}", "[", "]", "1.0", "1e999", "9" * 19, "9" * 400, "\ufeff", "é", "😀"]
)


@pytest.mark.parametrize(
    "text", ["", " ", "nul", "{", "[1,]", "{'a':1}", "NaN", "[Infinity]", "-Infinity", "01", '"\n"', "1 2"]
)
def test_text_that_is_not_json_is_refused(text: str) -> None:
    """Texts that only Python's parser accepts are refused, too, as text and as bytes."""
    for form in (text, text.encode()):
        with pytest.raises(InvalidJson):
            jsontext.parse(form)


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b'"\xff"', b'"\xed\xa0\x80"', b"[" * 100_000]
)
def test_bytes_that_are_not_utf8_json_are_refused(content: bytes) -> None:
    """Another encoding, a byte order mark, an encoded surrogate and extreme nesting are refused."""
    with pytest.raises(InvalidJson):
        jsontext.parse(content)


def test_there_is_one_kind_of_number() -> None:
    """`1.0` and `1e2` are whole numbers, as in JavaScript; `1.5` is not."""
    whole = jsontext.parse("[1, 1.0, 1e2, -0.0, 1.5]")
    assert whole == [1, 1, 100, 0, 1.5]
    assert [type(each) for each in whole] == [int, int, int, int, float]


@pytest.mark.parametrize("text", ["1e999", "9" * 5000, "-1e999", "-" + "9" * 5000])
def test_numbers_beyond_every_bound_are_infinite(text: str) -> None:
    """Huge numbers are read fast, and no schema allows them."""
    assert math.isinf(jsontext.parse(text))


def test_lone_surrogates_are_read_but_not_written() -> None:
    """A schema refuses an escaped surrogate; the output always is UTF-8."""
    assert jsontext.parse(r'"\ud800"') == "\ud800"
    assert jsontext.parse(r'"\ud83d\ude00"') == "😀"
    assert jsontext.dump({"a": "x\ud800", "b": "😀"}) == '{"a":"x?","b":"😀"}'.encode()


def test_an_infinite_number_is_written_as_json() -> None:
    """It becomes `null`, as in JavaScript; the specs allow neither where a number is."""
    assert jsontext.dump({"a": math.inf, "b": math.nan}) == b'{"a":null,"b":null}'


@_MANY
@given(_VALUES, st.booleans(), st.sampled_from([None, 0, "\t"]))
def test_every_json_text_is_read_as_python_reads_it(value: object, escaped: bool, indent: str | int | None) -> None:
    """However a text is written, its value is the one that Python's parser gives, to the type of each number."""
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    assert _read(text) == _expected(text)
    octets = text.encode("utf-8", "surrogatepass")
    assert _read(octets) == _expected(octets)


@_MANY
@given(st.lists(_PIECES, max_size=12).map("".join))
@example('{"a":1,"a":2}')
@example("[" * 990 + "]" * 990)
@example('"\ud800"')
def test_every_text_is_refused_or_read_as_by_python(text: str) -> None:
    """Texts that are nearly JSON get Python's answer, without its `NaN` and `Infinity`."""
    assert _read(text) == _expected(text)
    octets = text.encode("utf-8", "surrogatepass")
    assert _read(octets) == _expected(octets)


@_MANY
@given(st.binary(max_size=12).map(lambda octets: b'"' + octets + b'"') | st.binary(max_size=12))
def test_any_bytes_are_refused_or_read_as_by_python(octets: bytes) -> None:
    """Bytes that are not UTF-8 are refused wherever they stand."""
    assert _read(octets) == _expected(octets)


@_MANY
@given(_VALUES)
def test_what_is_written_is_compact_and_reads_the_same(value: object) -> None:
    """The text of a value is the one that Python writes, but for the spelling of floats."""
    written = jsontext.dump(value)
    assert json.loads(written) == value
    if "." not in repr(value) and "e" not in repr(value):
        assert written == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _read(text: bytes | str) -> str:
    try:
        return repr(jsontext.parse(text))
    except InvalidJson:
        return _REFUSED


def _expected(text: bytes | str) -> str:
    """Return what Python's parser makes of a text, with one kind of number and without its extensions."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    def number(digits: str) -> int | float:
        value = float(digits)
        return int(value) if value.is_integer() else value

    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        return repr(json.loads(decoded, parse_float=number, parse_constant=refuse))
    except (ValueError, RecursionError):
        return _REFUSED
