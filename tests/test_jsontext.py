"""JSON: strict reading, safe content (ruling R8)."""

from __future__ import annotations

import math

import pytest

from hype import jsontext
from hype.errors import InvalidJson


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


def test_an_infinite_number_is_never_written() -> None:
    """An infinite number in an answer is a bug and raises."""
    with pytest.raises(ValueError, match="Out of range"):
        jsontext.dump({"a": math.inf})
