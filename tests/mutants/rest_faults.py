"""Bugs of requests that are wrong in more than one way, and of how texts, bodies and times are measured (rulings R2, R5,
R8, R10, R11 and R19)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_to_bytes

from tests.mutants.changes import answering, each, now_ms, refusal, replaced
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import GONE, Around, Edit, Operation, Query, SpecPatch

SCHEMAS = "openapi.yaml#/components/schemas"
ONLY_VOICE = f"{SCHEMAS}/VoiceOnlyMembers/else/properties"

_TOO_LONG = "content must not exceed 2000 characters"
_TOO_SMALL = {
    "code": "too_small",
    "minimum": 0,
    "path": ["position"],
    "message": "Number must be greater than or equal to 0",
}


async def _none_in_chunks(receive: Any, request: Any) -> Any:
    content = await receive(request)
    return content if request.content_length else replaced(content, octets=b"")


def _with_half(eof_received: Any, connection: Any) -> Any:
    if not connection._left:
        return eof_received()
    connection._begin()
    return True


def _one_by_one(fields_of: Any, octets: bytes, start: int = 0) -> Any:
    lines = octets[start:].split(b"\r\n")[:-2]
    return [field for line in lines for field in fields_of(line + b"\r\n\r\n")]


def _decoded(build: Any, *arguments: Any) -> Any:
    app = build(*arguments)
    return lambda scope, receive, send: app({**scope, "raw_path": unquote_to_bytes(scope["raw_path"])}, receive, send)


def _in_tokyo(text: str) -> str:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")) + timedelta(hours=9)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_a_path(read: Any, text: str, parameters: Any) -> Any:
    try:
        return read(text, parameters)
    except Exception as error:
        if not any(parameter.name == "channelId" for parameter in parameters):
            error.details = [{**issue, "path": []} for issue in error.details]  # type: ignore[attr-defined]
        raise


def _length_first(perform: Any, call: Any) -> Any:
    if len(call.body["content"]) > 2000:
        raise refusal(400, _TOO_LONG)
    return perform(call)


def _length_last(perform: Any, call: Any) -> Any:
    answer = perform(call)
    if len(call.body["content"]) > 2000:
        raise refusal(400, _TOO_LONG)
    return answer


def _bio_last(perform: Any, call: Any) -> Any:
    answer = perform(call)
    if len(call.body.get("bio") or "") > 500:
        raise refusal(400, "bio is too long")
    return answer


def _position_last(perform: Any, call: Any) -> Any:
    answer = perform(call)
    if call.body.get("position", 0) < 0:
        raise refusal(400, details=[_TOO_SMALL])
    return answer


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unmarked(member) for name, member in value.items()}
    return value.replace("\u0301", "") if isinstance(value, str) else value


MUTANTS = [
    mutant(
        "rest.body.only-the-header-counts",
        "A body that comes in chunks may be as large as one likes.",
        Edit(
            "hype/http1/connection.py", "too_large = len(cycle.body) > self._bounds.max_body_bytes", "too_large = False"
        ),
        of="createMessage",
        killed_by="R8.chunked",
    ),
    mutant(
        "rest.body.chunks-unread",
        "A body that comes in chunks counts as none.",
        Around("hype.rest.body:receive", _none_in_chunks),
        of="createMessage",
        killed_by="R8.chunked",
    ),
    mutant(
        "rest.trailers.are-headers",
        "A token in the trailer of a body in chunks counts like one in the head, when it comes in time.",
        Edit(
            "hype/http1/connection.py",
            "            whole = self._chunks.done\n",
            "            whole = self._chunks.done\n"
            '            if whole and (at := held.find(b"0\\r\\n", max(0, used - 2000))) >= 0 and b": " in held[at:used]:\n'
            '                cycle.scope["headers"] = [*cycle.scope["headers"], *heads.fields_of(held[at + 3 : used])]\n',
        ),
        of="createMessage",
        killed_by="A19.trailers",
    ),
    mutant(
        "rest.requests.half-of-one",
        "A body that ends too early is taken for whole.",
        Around("hype.http1.connection:Connection.eof_received", _with_half),
        of="createMessage",
        killed_by="A19.whole",
    ),
    mutant(
        "rest.requests.many-fields",
        "A head may have as many fields as its bytes allow.",
        Around("hype.http1.heads:fields_of", _one_by_one),
        profiles=HARDENED,
        of="createMessage",
        killed_by="A13.head",
    ),
    mutant(
        "rest.paths.encoded-slash",
        "`%2F` in a path separates segments like a slash.",
        Around("hype.rest.app:build", _decoded),
        of="updateUserStatus",
        killed_by="A19.encoded-slash",
    ),
    mutant(
        "rest.health.local-time",
        "The time in the health document is that of Tokyo, and says Z.",
        Operation("getHealth", answering(each("timestamp", _in_tokyo))),
        of="getHealth",
        killed_by="R2.one-clock",
    ),
    mutant(
        "rest.channels.created-in-seconds",
        "createdAt of a channel is kept in whole seconds.",
        Query(
            "Channel.add",
            lambda add, model, **values: add(**{**values, "created_at": now_ms() // 1000 * 1000}),
        ),
        of="createChannel",
        killed_by="R2.milliseconds",
    ),
    mutant(
        "rest.channels.voice-only-is-unknown",
        "A userLimit for a text channel is called a wrong choice of value.",
        SpecPatch(
            f"{ONLY_VOICE}/userLimit/x-hype-issue",
            {"code": "invalid_enum_value", "options": ["voice"], "message": "userLimit is for voice channels only"},
        ),
        of="createChannel",
        killed_by="R5.voice-only-members",
    ),
    mutant(
        "rest.users.limit-without-a-word",
        "The issue of a limit that is too large for the list of users has no path.",
        Around("hype.rest.query:read", _without_a_path),
        of="listUsers",
        killed_by="R5.query",
    ),
    mutant(
        "rest.messages.too-long-first",
        "Content that is too long is all that is said, whatever else is wrong.",
        Operation("createMessage", _length_first),
        SpecPatch(f"{SCHEMAS}/MessageContent/maxLength", GONE),
        of="createMessage",
        killed_by="R19.too-long-among-others",
    ),
    mutant(
        "rest.messages.channel-before-length",
        "The channel of a new message is looked up before its length is looked at.",
        Operation("createMessage", _length_last),
        SpecPatch(f"{SCHEMAS}/MessageContent/maxLength", GONE),
        of="createMessage",
        killed_by="R10.body-before-404",
    ),
    mutant(
        "rest.users.taken-before-the-bio",
        "That a username is taken is said before a bio that is too long.",
        Operation("updateUser", _bio_last),
        SpecPatch(f"{SCHEMAS}/UpdateUserRequest/properties/bio/anyOf/0/maxLength", GONE),
        of="updateUser",
        killed_by="R10.body-before-409",
    ),
    mutant(
        "rest.channels.not-yours-before-the-body",
        "The server looks first whether a user may change a channel, then at the position that the request names.",
        Operation("updateChannel", _position_last),
        SpecPatch(f"{SCHEMAS}/ChannelPosition/minimum", GONE),
        of="updateChannel",
        killed_by="R10.channel-body-before-403",
        profiles=HARDENED,
    ),
    mutant(
        "rest.text.marks-uncounted",
        "The length of a text is that of what a reader takes for characters.",
        Around("hype.spec:Rule.failure", lambda failure, rule, value, at=(): failure(_unmarked(value), at)),
        of="createChannel updateUser",
        killed_by="bounds.updateUser.displayName.maxLength",
    ),
]
