"""The worst values that a schema lets a client send, derived from the schema alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from hype import spec

__all__ = ["hostile", "plain", "resolved", "short", "widest"]

Schema = Mapping[str, Any]

_WRONG: tuple[Any, ...] = ({}, [], 1, None, "", "é", {"a": 1}, [[]])
"""Items of short lists and members: as many as fit are sent."""
_PIECES = (
    "a",
    "a.",
    "a@",
    "a@b.",
    ".a",
    " ",
    "\0",
    "\ud800",
    "é",
    "\U0001f600\u0301",
    ":aa",
    "AA:",
    "audio/",
    "http://",
)
"""Parts of long texts. A pattern that goes back over what it has read has its worst time with one of them."""
_TEXTS = ("aa", "audio/opus", ":".join(["AA"] * 32), "a@example.com", "http://a/b", "a.b.c", "2025-10-23T10:30:00.000Z")
_NAMES: tuple[Callable[[int], str], ...] = (str, "é{}".format, "\U0001f600{}".format, "__proto__{}".format)
_DEPTHS = (20, 400, 20_000)
_FOR_THE_REST = 125
"""The bytes of the members beside the bad one."""


@cache
def _whole(document: str) -> Any:
    return spec.document(document, "hardened")


def resolved(node: Any, document: str, depth: int = 12) -> Any:
    """Return `node` with each `$ref` replaced by what it names, and each `allOf` merged into the schema around it."""
    if isinstance(node, list):
        return [resolved(each, document, depth) for each in node]
    if not isinstance(node, dict) or depth == 0:
        return node
    if isinstance(node.get("$ref"), str):
        file, _, pointer = node["$ref"].partition("#/")
        document = file.removeprefix("./") or document
        target: Any = _whole(document)
        for step in pointer.split("/"):
            target = target[step]
        return resolved(target, document, depth - 1)
    members = {name: resolved(each, document, depth) for name, each in node.items()}
    for part in members.get("allOf", ()):
        properties = {**part.get("properties", {}), **members.get("properties", {})}
        members = {**part, **members, **({"properties": properties} if properties else {})}
    return members


def plain(size: int) -> bytes:
    """Return a body of `size` bytes that keeps the schema of createMessage: short members that nobody asked for."""
    item = {"name": "somebody", "count": 1}
    body = {"content": "hello", "channelId": "text-general", "more": [item] * (size // (len(json.dumps(item)) + 2))}
    return json.dumps(body).encode()


def short(schema: Schema) -> Any:
    """Return a short value of the schema's type with its required members."""
    if "anyOf" in schema:
        return short(schema["anyOf"][0])
    if "enum" in schema or "const" in schema:
        return [*schema.get("enum", ()), schema.get("const")][0]
    match _kind(schema):
        case "object":
            return {name: short(schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [short(schema["items"])] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "string":
            return _text(schema, 0, 1)
        case _:
            return False


def widest(schema: Schema, size: int, number: int = 0) -> Any:
    """Return a value of about `size` bytes that keeps the schema, with every member, in lists as long as they may be.

    number: the place in a list, so that no two items are alike.
    """
    if "anyOf" in schema or "enum" in schema or "const" in schema:
        return short(schema)
    match _kind(schema):
        case "object" if "properties" in schema:
            share = size // len(schema["properties"])
            return {name: widest(each, share, number) for name, each in schema["properties"].items()}
        case "object":
            count = min(schema.get("maxProperties", size), size // 8)
            return {f"p{index}": index for index in range(count)}
        case "array":
            room = size // max(len(json.dumps(short(schema["items"]))) + 2, 2)
            count = max(min(schema.get("maxItems", room), room), schema.get("minItems", 0))
            return [widest(schema["items"], size // max(count, 1), index) for index in range(count)]
        case "integer":
            least, most = schema.get("minimum", 0), schema.get("maximum", 2**53)
            return least + number % (most - least + 1)
        case "string":
            return _text(schema, number, size)
        case _:
            return False


def hostile(schema: Schema, size: int) -> Iterator[Any]:
    """Yield values of about `size` bytes that keep the schema down to one place, where they are as bad as can be."""
    yield widest(schema, size)
    yield from _everywhere(schema, size)


def _everywhere(schema: Schema, size: int) -> Iterator[Any]:
    for branch in schema.get("anyOf", ()):
        yield from _everywhere(branch, size)
    for name, member in schema.get("properties", {}).items():
        for value in _everywhere(member, size - _FOR_THE_REST):
            yield {**short(schema), name: value}
    if "items" in schema:
        yield from _lists(schema["items"], size)
    if _kind(schema) == "string":
        yield from (text for piece in _PIECES for text in _long_texts(piece, schema.get("maxLength", size), size))
    yield [1] * (size // 3)
    for name_of in _NAMES:
        yield {name_of(number): {} for number in range(size // (len(json.dumps(name_of(9_999))) + 6))}
    yield from map(Nested, _DEPTHS)


def _lists(items: Schema, size: int) -> Iterator[Any]:
    for item in (*_WRONG, short(items)):
        yield [item] * (size // (len(json.dumps(item)) + 2))
    yield [widest(items, 100, number) for number in range(size // 150)]
    for value in _everywhere(items, size):
        yield [value]
        yield [short(items)] * 10 + [value]


class Nested:
    """A value that is nested `depth` levels deep, in a text of its own, since json.dumps cannot write the deepest."""

    def __init__(self, depth: int) -> None:
        self.text = '[{"a":' * depth + "1" + "}]" * depth


def _long_texts(piece: str, allowed: int, size: int) -> Iterator[str]:
    """Yield the piece over and over: as long as the schema allows, and as long as fits, with each of some ends."""
    most = size // (len(json.dumps(piece)) - 2)
    for count in {min(allowed // len(piece), most), most}:
        yield from (piece * count + end for end in ("", "!", "\0"))


def _kind(schema: Schema) -> str:
    kinds = schema.get("type", "object" if "properties" in schema else "")
    return kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")


def _text(schema: Schema, number: int, size: int) -> str:
    """Return a text that keeps the schema: long, if it may be, and with its number, if it can be."""
    keeps = jsonschema_rs.Draft202012Validator({**schema, "x-hype-documented": {}}).is_valid
    length = max(min(schema.get("maxLength", size), size), schema.get("minLength", 1))
    for text in (f"{number:a>{length}}", "a" * length, str(number), *_TEXTS, "a" * schema.get("minLength", 1)):
        if keeps(text):
            return text
    return "aa"
