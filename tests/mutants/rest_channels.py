"""Bugs of channels (rulings R13, R14 and P6)."""

from __future__ import annotations

from tests.mutants.registry import DOCUMENTED, GONE, HARDENED, Edit, Law, mutant

CHANNELS = "hype/operations/channels.py"
MODEL = "hype/models/channels.py"
PAYLOADS = "hype/payloads.py"
SCHEMAS = "openapi.yaml#/components/schemas"
ALL = "openapi.yaml#/paths/~1api~1channels"
ONE = "openapi.yaml#/paths/~1api~1channels~1{id}"
TYPES = f"{SCHEMAS}/ChannelTypeName/enum"

_CHANGES = "for member, column in _COLUMNS.items() if member in call.body}"
_ORDER = "order_by(cls.position, cls.created_at, cls.id)"
_BITRATE = '_DEFAULT_BITRATE_KBPS if kind == "VOICE" else None'

MUTANTS = [
    mutant(
        "rest.channels.name-in-ascii",
        "A channel's name may be of ASCII alone.",
        Law("openapi.yaml#/components/schemas/ChannelName/pattern", r"^[\x20-\x7e]*$"),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.name.pattern.inside",
    ),
    mutant(
        "rest.channels.makes-room",
        "A new channel moves those that stand at its position and after it one place on.",
        Edit(
            MODEL,
            "        return cls.create(",
            "        cls.update(position=cls.position + 1).where(cls.position >= (position or 2147483646)).execute()\n"
            "        return cls.create(",
        ),
        of="createChannel",
        killed_by="R13.order",
    ),
    mutant(
        "rest.channels.by-creation",
        "Channels are listed by creation, whatever their position.",
        Edit(MODEL, _ORDER, "order_by(cls.created_at, cls.id)"),
        of="listChannels listServerChannels",
        killed_by="R13.order",
    ),
    mutant(
        "rest.channels.ties-by-name",
        "Channels at one position are listed by name.",
        Edit(MODEL, _ORDER, "order_by(cls.position, cls.name.desc(), cls.created_at.desc())"),
        of="listChannels listServerChannels",
        killed_by="R13.order",
    ),
    mutant(
        "rest.channels.by-type",
        "Channels are listed text first, then voice, each by position.",
        Edit(MODEL, _ORDER, "order_by(cls.type, cls.position, cls.created_at)"),
        of="listChannels listServerChannels",
        killed_by="R13.order",
    ),
    mutant(
        "rest.channels.messages-uncounted",
        "_count.messages is always 0.",
        Edit(CHANNELS, "messages=messages[row.id]", "messages=0"),
        of="getChannel listChannels",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.uncounted-in-lists",
        "The lists of channels do not count messages.",
        Edit(CHANNELS, "messages=messages[row.id]", "messages=messages[row.id] if len(rows) == 1 else 0"),
        of="listChannels listServerChannels",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.creator-is-the-owner",
        "Every channel is created by the server's owner.",
        Edit(CHANNELS, "call.user or server.owner", "server.owner"),
        of="createChannel",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.creator-without-name",
        "createdBy has an id only.",
        Edit(
            PAYLOADS,
            '"createdBy": {"id": row.created_by.id, "username": row.created_by.username}',
            '"createdBy": {"id": row.created_by.id}',
        ),
        of="getChannel listChannels createChannel",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.no-voice-count",
        "_count has no voiceStates.",
        Edit(PAYLOADS, '{"messages": messages, "voiceStates": voice_states}', '{"messages": messages}'),
        of="getChannel listChannels",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.topic-missing-in-lists",
        "A channel without a topic has no topic member.",
        Edit(PAYLOADS, '"topic": row.topic,', '**({"topic": row.topic} if row.topic else {}),'),
        of="listChannels getChannel createChannel",
        killed_by="R14.defaults",
    ),
    mutant(
        "rest.channels.no-default-bitrate",
        "A voice channel has no bit rate unless it is given.",
        Edit(CHANNELS, _BITRATE, "None"),
        of="createChannel",
        killed_by="R14.defaults",
    ),
    mutant(
        "rest.channels.bitrate-of-text",
        "A text channel has a bit rate too.",
        Edit(CHANNELS, _BITRATE, "_DEFAULT_BITRATE_KBPS"),
        of="createChannel",
        killed_by="R14.defaults",
    ),
    mutant(
        "rest.channels.bits-per-second",
        "The default bit rate is in bits a second.",
        Edit(CHANNELS, "_DEFAULT_BITRATE_KBPS = 64", "_DEFAULT_BITRATE_KBPS = 64_000"),
        of="createChannel",
        killed_by="R14.defaults",
    ),
    mutant(
        "rest.channels.type-as-sent",
        "A channel's type is stored as it was sent, in lower case.",
        Edit(CHANNELS, 'kind = body["type"].upper()', 'kind = body["type"]'),
        of="createChannel",
        killed_by="R14.type-letter-case",
    ),
    mutant(
        "rest.channels.lower-case-only",
        "A channel's type is accepted in lower case only.",
        Law(TYPES, ["text", "voice", "announcement"]),
        of="createChannel",
        killed_by="R14.type-letter-case",
    ),
    mutant(
        "rest.channels.no-announcements",
        "There are no announcement channels.",
        Law(TYPES, ["text", "voice", "TEXT", "VOICE"]),
        of="createChannel",
        killed_by="bounds.createChannel.type",
    ),
    mutant(
        "rest.channels.first-by-default",
        "A channel without a position goes to the top.",
        Edit(MODEL, "return 0 if last is None else min(last + 1, _LAST_POSITION)", "return 0"),
        of="createChannel",
        killed_by="R14.default-position",
    ),
    mutant(
        "rest.channels.position-is-the-count",
        "The default position is the number of channels, which is not the end where there are gaps.",
        Edit(MODEL, "peewee.fn.MAX(cls.position)", "peewee.fn.COUNT(cls.id)"),
        of="createChannel",
        killed_by="R14.default-position",
    ),
    mutant(
        "rest.channels.user-limit-of-text",
        "A text channel takes a userLimit.",
        Law(f"{SCHEMAS}/VoiceOnlyMembers/else/properties/userLimit", {}),
        of="createChannel updateChannel",
        killed_by="R14.voice-only-members",
    ),
    mutant(
        "rest.channels.bitrate-by-update",
        "An update gives a text channel a bit rate.",
        Edit(CHANNELS, 'call.services.contract.component_issues("VoiceOnlyMembers", body)', "[]"),
        of="updateChannel",
        killed_by="R14.voice-only-members",
    ),
    mutant(
        "rest.channels.type-change-ignored",
        "A change of a channel's type is ignored instead of refused.",
        Edit(CHANNELS, 'if call.body.get("type", row.type).upper() != row.type:', "if False:"),
        of="updateChannel",
        killed_by="R14.type-stays",
    ),
    mutant(
        "rest.channels.type-change-works",
        "A channel's type can be changed.",
        Edit(CHANNELS, 'if call.body.get("type", row.type).upper() != row.type:', "if False:"),
        Edit(
            CHANNELS,
            "    return _answer(call, row.change(changes))",
            '    if "type" in call.body:\n        changes["type"] = call.body["type"].upper()\n    return _answer(call, row.change(changes))',
        ),
        of="updateChannel",
        killed_by="R14.type-stays",
    ),
    mutant(
        "rest.channels.type-not-repeatable",
        "An update that repeats the channel's type is refused.",
        Edit(CHANNELS, 'if call.body.get("type", row.type).upper() != row.type:', 'if "type" in call.body:'),
        of="updateChannel",
        killed_by="R14.type-stays",
    ),
    mutant(
        "rest.channels.update-clears-the-rest",
        "An update clears the topic and the user limit unless it names them.",
        Edit(
            CHANNELS,
            f"changes = {{column: call.body[member] {_CHANGES}",
            "changes = {column: call.body.get(member) for member, column in _COLUMNS.items() "
            'if member in {*call.body, "topic", "userLimit"}}',
        ),
        of="updateChannel",
        killed_by="R14.update-keeps-the-rest",
    ),
    mutant(
        "rest.channels.topic-stays",
        "A topic cannot be taken away: null is ignored.",
        Edit(CHANNELS, _CHANGES, "for member, column in _COLUMNS.items() if call.body.get(member) is not None}"),
        of="updateChannel",
        killed_by="R14.update-keeps-the-rest",
    ),
    mutant(
        "rest.channels.position-zero-ignored",
        "An update cannot set position 0.",
        Edit(CHANNELS, _CHANGES, "for member, column in _COLUMNS.items() if call.body.get(member, 0) != 0}"),
        of="updateChannel",
        killed_by="bounds.updateChannel.position",
    ),
    mutant(
        "rest.channels.unknown-server-is-default",
        "A channel of an unknown server is made in the default server.",
        Edit(
            CHANNELS,
            'server = Server.find(body.get("serverId", DEFAULT_SERVER))',
            'server = Server.find(body.get("serverId", DEFAULT_SERVER)) or Server.find(DEFAULT_SERVER)',
        ),
        of="createChannel",
        killed_by="R14.unknown-server",
    ),
    mutant(
        "rest.channels.unknown-server-is-400",
        "A channel of an unknown server is 400.",
        Edit(CHANNELS, "import NotFound, ValidationFailed", "import BadRequest, NotFound, ValidationFailed"),
        Edit(CHANNELS, 'raise NotFound("Server not found")', 'raise BadRequest("Server not found")'),
        of="createChannel",
        killed_by="R14.unknown-server",
    ),
    mutant(
        "rest.channels.deleted-stays",
        "A deleted channel stays.",
        Edit(CHANNELS, "if not row.remove():", "if not row.id:"),
        of="deleteChannel",
        killed_by="R14.delete",
    ),
    mutant(
        "rest.channels.messages-outlive-it",
        "The messages of a deleted channel can still be read.",
        Edit(
            MODEL,
            "        model = type(self)\n        return bool(",
            "        from hype.models.messages import Message\n\n"
            '        Message.update(channel="text-general").where(Message.channel == self.id).execute()\n'
            "        model = type(self)\n        return bool(",
        ),
        of="deleteChannel getMessage",
        killed_by="R14.delete",
    ),
    mutant(
        "rest.channels.deletion-answers-the-channel",
        "The deletion of a channel answers null.",
        Edit(CHANNELS, 'return ok({"id": row.id})', "return ok(None)"),
        of="deleteChannel",
        killed_by="R14.delete",
    ),
    mutant(
        "rest.channels.anybody-updates",
        "Anybody with a token changes any channel.",
        Law(f"{ONE}/put/x-hype-policy/allow", ["anyone"]),
        of="updateChannel",
        killed_by="P6.only-creator-or-owner",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.anybody-deletes",
        "Anybody with a token deletes any channel.",
        Law(f"{ONE}/delete/x-hype-policy/allow", ["anyone"]),
        of="deleteChannel",
        killed_by="P6.only-creator-or-owner",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.owner-only",
        "Only the server's owner can change a channel, not who created it.",
        Law(f"{ONE}/put/x-hype-policy/allow", ["serverOwner"]),
        of="updateChannel",
        killed_by="P6.only-creator-or-owner",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.created-without-token",
        "A channel can be created without a token.",
        Law(f"{ALL}/post/security", [{}, {"bearer": []}]),
        of="createChannel",
        killed_by="R7.no-token.createChannel",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.token-in-documented",
        "Creating a channel needs a token in the documented profile.",
        Law(f"{ALL}/post/security", [{"bearer": []}]),
        of="createChannel",
        killed_by="P6.anyone",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.channels.own-in-documented",
        "Only the creator deletes a channel in the documented profile.",
        Law(f"{ONE}/delete/x-hype-policy", {"allow": ["creator", "serverOwner"]}),
        of="deleteChannel",
        killed_by="P6.anyone",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.channels.row-before-not-yours",
        "Whoever may not change a channel is told first that the change does not fit it.",
        Edit(
            CHANNELS,
            "    _permit(call, row)\n    _check_against(call, row)\n",
            "    _check_against(call, row)\n    _permit(call, row)\n",
        ),
        of="updateChannel",
        killed_by="R10.403-before-row-rules",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.blank-name",
        "A channel's name may be blank.",
        Law(f"{SCHEMAS}/ChannelName/allOf/1", GONE),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.name",
    ),
    mutant(
        "rest.channels.name-unchecked-by-update",
        "An update does not check the length of a name.",
        Law(f"{SCHEMAS}/UpdateChannelRequest/properties/name", {"type": "string", "minLength": 1}),
        of="updateChannel",
        killed_by="bounds.updateChannel.name",
    ),
    mutant(
        "rest.channels.topic-of-1000",
        "A topic of more than 1000 characters is refused.",
        Law(f"{SCHEMAS}/ChannelTopic/anyOf/0/maxLength", 1000),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.topic",
    ),
    mutant(
        "rest.channels.negative-position",
        "A position may be negative.",
        Law(f"{SCHEMAS}/ChannelPosition/minimum", -1),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.position",
    ),
    mutant(
        "rest.channels.small-position",
        "A position over 32,767 is refused.",
        Law(f"{SCHEMAS}/ChannelPosition/maximum", 32_767),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.position",
    ),
    mutant(
        "rest.channels.limit-of-none",
        "A userLimit of 0 is accepted.",
        Law(f"{SCHEMAS}/UserLimit/minimum", 0),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.userLimit",
    ),
    mutant(
        "rest.channels.limit-of-100",
        "A userLimit of 100 is accepted.",
        Law(f"{SCHEMAS}/UserLimit/maximum", 100),
        of="createChannel updateChannel",
        killed_by="bounds.updateChannel.userLimit",
    ),
    mutant(
        "rest.channels.bitrate-as-text",
        "A bit rate may be sent as text.",
        Law(f"{SCHEMAS}/Bitrate/type", ["integer", "string"]),
        Edit(
            CHANNELS,
            f'bitrate=body.get("bitrate", {_BITRATE})',
            'bitrate=int(body.get("bitrate", 64)) if kind == "VOICE" else None',
        ),
        of="createChannel",
        killed_by="bounds.createChannel.bitrate",
    ),
]
