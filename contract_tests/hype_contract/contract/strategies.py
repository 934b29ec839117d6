"""Hypothesis strategies for gateway frames, from the resolved asyncapi.yaml: valid frames and broken ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from hypothesis import strategies as st

from hype_contract.contract.schemas import Schemas, below
from hype_contract.contract.specs import Contract, Event

Known = Mapping[str, st.SearchStrategy[Any]]
"""Member name → values, where a random value would name no object: `channelId` of an existing room."""

LONGEST_FRAME = 60_000
_LONGEST_STRING = 300

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["\0", "\ud800", "a\udfffb", "", " ", "\ufeff", "💥" * 50, "x" * 2001, "../", "null", "1e9"]),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
"""Any JSON value, with values that need escapes (lone surrogates) or that only JavaScript can write (NaN)."""

NASTY = [
    "",
    " ",
    "null",
    "[]",
    "{}",
    "[" * 10_000,
    "[" * 10_000 + "]" * 10_000,
    '{"a":' * 5_000 + "1" + "}" * 5_000,
    '{"type":"message","data":{"content":' + "[" * 5_000 + "]" * 5_000 + "}}",
    '{"type":"message","data":' + "9" * 5_000 + "}",
    '{"type":"message","data":{"channelId":1e999,"content":-1e999}}',
    '{"type":"message","data":{"content":"' + "x" * 50_000 + '"}}',
    '{"type":"message","data":{"channelId":"\\u0000","content":"\\ud800"}}',
    '{"type":"\\ud800","data":{}}',
    '{"type":"message","type":"typing","data":{},"data":[]}',
    '{"type":"message","data":{"content":NaN}}',
    '{"type":"__proto__","data":{"__proto__":{"a":1}}}',
    '{"type":"constructor","data":null}',
    '\ufeff{"type":"typing","data":{}}',
    '{"type":"typing","data":{}} trailing',
    '{"type":"typing","data":{}',
    "{'type':'typing'}",
    '{"type":["typing"],"data":{}}',
    '{"type":"typing","data":{},"timestamp":{}}',
    '{"type":"typing","data":{"channelId":"' + "\\u00e9" * 3000 + '"}}',
    "\x00",
    "ÿþ",
]
"""Texts that have crashed servers before: invalid, huge or deep JSON, duplicate members, numbers out of range."""


def valid_frames(contract: Contract, event: Event, known: Known) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of frames that keep the event's schema."""
    frames = from_schema(contract.schemas, event.schema, known)
    return frames.filter(lambda frame: isinstance(frame, dict) and not contract.frame_problems("in", frame))


def payloads(contract: Contract, event: Event, known: Known) -> st.SearchStrategy[str]:
    """Return a strategy of texts to send: frames that keep the schema, frames with a broken part, and NASTY ones."""
    frames = valid_frames(contract, event, known)
    texts = st.one_of(
        frames.map(json.dumps),
        frames.flatmap(broken).map(json.dumps),
        st.sampled_from(range(len(NASTY))).map(NASTY.__getitem__),
    )
    return texts.filter(lambda text: len(text.encode("utf-8", "surrogatepass")) <= LONGEST_FRAME)


def broken(frame: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of frames like `frame` with one error.

    A member is missing, of the wrong type or out of bounds, or the frame itself is wrong.
    """
    data = frame.get("data")
    ways = [
        JUNK,
        JUNK.map(lambda junk: {**frame, "type": junk}),
        JUNK.map(lambda junk: {**frame, "data": junk}),
        JUNK.map(lambda junk: {**frame, "timestamp": junk}),
        st.just({key: value for key, value in frame.items() if key != "data"}),
    ]
    if isinstance(data, dict) and data:
        names = st.sampled_from(sorted(data))
        ways.append(st.tuples(names, JUNK).map(lambda pair: {**frame, "data": {**data, pair[0]: pair[1]}}))
        ways.append(names.map(lambda name: {**frame, "data": {k: v for k, v in data.items() if k != name}}))
        ways.append(names.flatmap(lambda name: _off_bounds(frame, name)))
    return st.one_of(ways)


def _off_bounds(frame: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    value = frame["data"][name]
    others = st.sampled_from(
        ["", " \n\t", "x" * 2001, f"{value}\0", f"{value}\udc00", f"{value}\n", [value], -1, 2**63]
    )
    return others.map(lambda other: {**frame, "data": {**frame["data"], name: other}})


def from_schema(schemas: Schemas, place: str, known: Known) -> st.SearchStrategy[Any]:
    """Return a strategy of values with the types, members and lengths of the schema at `place`.

    The caller filters the values by the schema's other rules.
    """
    schema, place = schemas.contents(place)
    merged = _merged(schemas, place, schema)
    if "const" in merged:
        return st.just(merged["const"])
    if "enum" in merged:
        return st.sampled_from(merged["enum"])
    for keyword in ("oneOf", "anyOf"):
        if keyword in merged:
            count = range(len(schema[keyword]))
            return st.one_of([from_schema(schemas, below(place, keyword, str(index)), known) for index in count])
    types = merged.get("type", "object" if merged["properties"] else "null")
    makers = [_MAKERS[type](schemas, merged, known) for type in ([types] if isinstance(types, str) else types)]
    return st.one_of(makers)


def _merged(schemas: Schemas, place: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `schema` with its `allOf` items; each property is the place that describes it."""
    own = dict(schema)
    own["properties"] = {name: below(place, "properties", name) for name in schema.get("properties", {})}
    items = [schemas.contents(below(place, "allOf", str(index))) for index in range(len(schema.get("allOf", [])))]
    parts = [own, *(_merged(schemas, where, item) for item, where in items)]
    merged = reduce(lambda first, second: {**second, **first}, parts)
    merged["properties"] = reduce(lambda first, second: {**first, **second}, [part["properties"] for part in parts])
    merged["required"] = [name for part in parts for name in part.get("required", [])]
    return merged


def _objects(schemas: Schemas, schema: Mapping[str, Any], known: Known) -> st.SearchStrategy[Any]:
    members = {
        name: known[name] if name in known else from_schema(schemas, place, known)
        for name, place in schema["properties"].items()
    }
    required = {name: members.get(name, st.none()) for name in schema["required"]}
    optional = {name: value for name, value in members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _strings(schemas: Schemas, schema: Mapping[str, Any], known: Known) -> st.SearchStrategy[Any]:
    shortest = min(schema.get("minLength", 0), _LONGEST_STRING)
    longest = min(schema.get("maxLength", _LONGEST_STRING), _LONGEST_STRING)
    return st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=shortest, max_size=longest
    )


def _integers(schemas: Schemas, schema: Mapping[str, Any], known: Known) -> st.SearchStrategy[Any]:
    return st.integers(schema.get("minimum"), schema.get("maximum"))


_Maker = Callable[[Schemas, Mapping[str, Any], Known], st.SearchStrategy[Any]]
_MAKERS: dict[str, _Maker] = {
    "object": _objects,
    "string": _strings,
    "integer": _integers,
    "number": _integers,
    "boolean": lambda schemas, schema, known: st.booleans(),
    "null": lambda schemas, schema, known: st.none(),
    "array": lambda schemas, schema, known: st.lists(JUNK, max_size=3),
}
