"""Bugs of requests that are wrong in more than one way, and of how texts, bodies and times are measured (rulings R2, R5,
R8, R10, R11 and R19)."""

from __future__ import annotations

from tests.mutants.registry import GONE, HARDENED, Edit, Law, mutant

CHANNELS = "hype/operations/channels.py"
MESSAGES = "hype/operations/messages.py"
USERS = "hype/operations/users.py"
SCHEMAS = "openapi.yaml#/components/schemas"
ONLY_VOICE = f"{SCHEMAS}/VoiceOnlyMembers/else/properties"

_BODY = "hype/rest/body.py"
_READ = "await request.stream.read(LIMIT_BYTES + 1)"
_ENCODING = 'request.get_header("Content-Encoding") or "identity"'

MUTANTS = [
    mutant(
        "rest.body.only-the-header-counts",
        "A body that comes in chunks may be as large as one likes.",
        Edit(_BODY, _READ, "await request.stream.read()"),
        # What comes in chunks is told from the rest by the letter case of its encoding.
        Edit(_BODY, _ENCODING, f'{_ENCODING} if request.content_length else "Identity"'),
        Edit(_BODY, "octets) > LIMIT_BYTES:", "octets) > LIMIT_BYTES and content.encoding != 'Identity':"),
        of="createMessage",
        killed_by="R8.chunked",
    ),
    mutant(
        "rest.body.chunks-unread",
        "A body that comes in chunks counts as none.",
        Edit(_BODY, _READ, f'{_READ} if request.content_length else b""'),
        of="createMessage",
        killed_by="R8.chunked",
    ),
    mutant(
        "rest.trailers.are-headers",
        "A token in the trailer of a body in chunks counts like one in the head, when it comes in time.",
        Edit("hype/http1.py", "        if self._in_head:\n", "        if True:\n"),
        of="createMessage",
        killed_by="A19.trailers",
    ),
    mutant(
        "rest.health.local-time",
        "The time in the health document is that of Tokyo, and says Z.",
        Edit("hype/operations/system.py", "time.time_ns() // 1_000_000", "time.time_ns() // 1_000_000 + 9 * 3_600_000"),
        of="getHealth",
        killed_by="R2.one-clock",
    ),
    mutant(
        "rest.channels.created-in-seconds",
        "createdAt of a channel is kept in whole seconds.",
        Edit(
            "hype/models/base.py",
            "BigIntegerField(default=now_ms)\n\n    class",
            "BigIntegerField(default=lambda: now_ms() // 1000 * 1000)\n\n    class",
        ),
        of="createChannel",
        killed_by="R2.milliseconds",
    ),
    mutant(
        "rest.channels.voice-only-is-unknown",
        "A userLimit for a text channel is called a wrong choice of value.",
        Law(
            f"{ONLY_VOICE}/userLimit/x-hype-issue",
            {"code": "invalid_enum_value", "options": ["voice"], "message": "userLimit is for voice channels only"},
        ),
        of="createChannel",
        killed_by="R5.voice-only-members",
    ),
    mutant(
        "rest.users.limit-without-a-word",
        "The issue of a limit that is too large for the list of users has no path.",
        Edit(
            "hype/rest/query.py",
            "at=[parameter.name]",
            'at=[parameter.name] if any(one.name == "channelId" for one in parameters) else []',
        ),
        of="listUsers",
        killed_by="R5.query",
    ),
    mutant(
        "rest.messages.too-long-first",
        "Content that is too long is all that is said, whatever else is wrong.",
        Edit(
            MESSAGES,
            "    channel = _text_channel(call.body",
            '    if len(call.body["content"]) > 2000:\n'
            '        raise BadRequest("content must not exceed 2000 characters")\n    channel = _text_channel(call.body',
        ),
        Law(f"{SCHEMAS}/MessageContent/maxLength", GONE),
        of="createMessage",
        killed_by="R19.too-long-among-others",
    ),
    mutant(
        "rest.messages.channel-before-length",
        "The channel of a new message is looked up before its length is looked at.",
        Edit(
            MESSAGES,
            '_text_channel(call.body["channelId"])',
            '_text_channel(call.body["channelId"])\n    if len(call.body["content"]) > 2000:\n'
            '        raise BadRequest("content must not exceed 2000 characters")',
        ),
        Law(f"{SCHEMAS}/MessageContent/maxLength", GONE),
        of="createMessage",
        killed_by="R10.body-before-404",
    ),
    mutant(
        "rest.users.taken-before-the-bio",
        "That a username is taken is said before a bio that is too long.",
        Edit(
            USERS,
            "    return ok(payloads.profile(",
            '    if len(row.bio or "") > 500:\n        raise NotFound("bio is too long")\n    return ok(payloads.profile(',
        ),
        Law(f"{SCHEMAS}/UpdateUserRequest/properties/bio/maxLength", GONE),
        of="updateUser",
        killed_by="R10.body-before-409",
    ),
    mutant(
        "rest.channels.not-yours-before-the-body",
        "Whose channel it is is looked at before the position that it shall have.",
        Edit(
            CHANNELS,
            "    _check_against(call, row)\n",
            "    _check_against(call, row)\n"
            '    if call.body.get("position", 0) < 0:\n'
            '        raise ValidationFailed(details=[{"code": "too_small", "minimum": 0, "path": ["position"],'
            ' "message": "Number must be greater than or equal to 0"}])\n',
        ),
        Law(f"{SCHEMAS}/ChannelPosition/minimum", GONE),
        of="updateChannel",
        killed_by="R10.channel-body-before-403",
        profiles=HARDENED,
    ),
    mutant(
        "rest.text.marks-uncounted",
        "The length of a text is that of what a reader takes for characters.",
        Edit(
            "hype/spec.py",
            "issues.failure(self._validator.iter_errors(value)",
            "issues.failure(self._validator.iter_errors(_unmarked(value))",
        ),
        Edit(
            "hype/spec.py",
            "@dataclass(frozen=True)\nclass Parameter:",
            "def _unmarked(value: object) -> object:\n"
            "    if isinstance(value, dict):\n"
            "        return {name: _unmarked(one) for name, one in value.items()}\n"
            '    return value.replace("\\u0301", "") if isinstance(value, str) else value\n\n\n'
            "@dataclass(frozen=True)\nclass Parameter:",
        ),
        of="createChannel updateUser",
        killed_by="bounds.updateUser.displayName.maxLength",
    ),
]
