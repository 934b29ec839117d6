"""Bugs of channels (rulings R13, R14 and P6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.changes import asking, each, refusing, rows, sets, telling, without
from tests.mutants.lists import arranged_channels
from tests.mutants.registry import DOCUMENTED, HARDENED, mutant
from tests.mutants.seams import GONE, Operation, Payload, Query, SpecPatch, Within

SCHEMAS = "openapi.yaml#/components/schemas"
ALL = "openapi.yaml#/paths/~1api~1channels"
ONE = "openapi.yaml#/paths/~1api~1channels~1{id}"
TYPES = f"{SCHEMAS}/ChannelTypeName/enum"

_UNCOUNTED = each("_count", sets(messages=0))


def sorted_by(key: Callable[[Any], Any]) -> Query:
    """Return the change by which lists of channels are in another order."""
    return Query("Channel.parts", arranged_channels(lambda channels: sorted(channels, key=key)))


def changed_with(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Within:
    """Return the change by which an update writes other columns. change: gets those of the request, with values."""
    return Within("updateChannel", Query("Channel.change", lambda original, row, columns: original(change(columns))))


def added(**changes: Callable[[Any, dict[str, Any]], object]) -> Within:
    """Return the change by which a new channel is stored with other values. changes: get the server and all values."""

    def add(original: Any, model: Any, **values: Any) -> Any:
        from hype.models import Server

        server = Server.find(values["server_id"])
        return original(**{**values, **{name: change(server, values) for name, change in changes.items()}})

    return Within("createChannel", Query("Channel.add", add))


def _makes_room(add: Any, model: Any, *, position: int | None = None, **values: Any) -> Any:
    from hype.models.tables import Channels

    first = 2**31 - 2 if position is None else position
    rows(Channels.update(position=Channels.position + 1).where(Channels.position >= first))
    return add(position=position, **values)


def _ties_by_name(channels: list[Any]) -> list[Any]:
    by_name = sorted(channels, key=lambda row: (row.name, row.created_at), reverse=True)
    return sorted(by_name, key=lambda row: row.position)


MUTANTS = [
    mutant(
        "rest.channels.name-in-ascii",
        "A channel's name may be of ASCII alone.",
        SpecPatch("openapi.yaml#/components/schemas/ChannelName/pattern", r"^[\x20-\x7e]*$"),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.name.pattern.inside",
    ),
    mutant(
        "rest.channels.makes-room",
        "A new channel moves the channels at its position and after it one place on.",
        Query("Channel.add", _makes_room),
        of="createChannel",
        killed_by="R13.order",
    ),
    mutant(
        "rest.channels.by-creation",
        "Channels are listed by creation, whatever their position.",
        sorted_by(lambda row: (row.created_at, row.id)),
        of="listChannels listServerChannels",
        killed_by="R13.order",
    ),
    mutant(
        "rest.channels.ties-by-name",
        "Channels at one position are listed by name.",
        Query("Channel.parts", arranged_channels(_ties_by_name)),
        of="listChannels listServerChannels",
        killed_by="R13.order",
    ),
    mutant(
        "rest.channels.offset-ignored",
        "The offset of a list of channels is ignored.",
        Query("Channel.parts", lambda parts, model, limit, offset, server_id=None: parts(limit, 0, server_id)),
        of="listChannels listServerChannels",
        killed_by="P10.parts-of-channels",
    ),
    mutant(
        "rest.channels.by-type",
        "Channels are listed text first, then voice, each by position.",
        sorted_by(lambda row: (row.type, row.position, row.created_at)),
        of="listChannels listServerChannels",
        killed_by="R13.order",
    ),
    mutant(
        "rest.channels.messages-uncounted",
        "_count.messages is always 0.",
        Payload("Channel", _UNCOUNTED),
        of="getChannel listChannels",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.uncounted-in-lists",
        "The lists of channels do not count messages.",
        Operation("listChannels", telling(lambda rows: [_UNCOUNTED(row) for row in rows])),
        Operation("listServerChannels", telling(lambda rows: [_UNCOUNTED(row) for row in rows])),
        of="listChannels listServerChannels",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.creator-is-the-owner",
        "Every channel is created by the server's owner.",
        added(created_by_id=lambda server, values: server.owner_id),
        of="createChannel",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.creator-without-name",
        "createdBy has an id only.",
        Payload("Channel", each("createdBy", without("username"))),
        of="getChannel listChannels createChannel",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.no-voice-count",
        "_count has no voiceStates.",
        Payload("Channel", each("_count", without("voiceStates"))),
        of="getChannel listChannels",
        killed_by="R13.members",
    ),
    mutant(
        "rest.channels.topic-missing-in-lists",
        "A channel without a topic has no topic member.",
        Payload("Channel", lambda payload, row: payload if row.topic else without("topic")(payload)),
        of="listChannels getChannel createChannel",
        killed_by="R14.defaults",
    ),
    mutant(
        "rest.channels.no-default-bitrate",
        "A voice channel has no bit rate unless it is given.",
        Operation("createChannel", asking(lambda body: {"bitrate": None, **body})),
        of="createChannel",
        killed_by="R14.defaults",
    ),
    mutant(
        "rest.channels.bitrate-of-text",
        "A text channel has a bit rate too.",
        Operation("createChannel", asking(lambda body: {"bitrate": 64, **body})),
        of="createChannel",
        killed_by="R14.defaults",
    ),
    mutant(
        "rest.channels.bits-per-second",
        "The default bit rate is in bits a second.",
        Operation(
            "createChannel",
            asking(lambda body: {"bitrate": 64_000, **body} if body["type"].upper() == "VOICE" else body),
        ),
        of="createChannel",
        killed_by="R14.defaults",
    ),
    mutant(
        "rest.channels.lower-case-only",
        "A channel's type is accepted in lower case only.",
        SpecPatch(TYPES, ["text", "voice", "announcement"]),
        of="createChannel",
        killed_by="R14.type-letter-case",
    ),
    mutant(
        "rest.channels.no-announcements",
        "There are no announcement channels.",
        SpecPatch(TYPES, ["text", "voice", "TEXT", "VOICE"]),
        of="createChannel",
        killed_by="bounds.createChannel.type",
    ),
    mutant(
        "rest.channels.first-by-default",
        "A channel without a position goes to the top.",
        added(position=lambda server, values: values["position"] or 0),
        of="createChannel",
        killed_by="R14.default-position",
    ),
    mutant(
        "rest.channels.position-is-the-count",
        "The default position is the number of channels, which is not the end where there are gaps.",
        added(
            position=lambda server, values: server.channel_count if values["position"] is None else values["position"]
        ),
        of="createChannel",
        killed_by="R14.default-position",
    ),
    mutant(
        "rest.channels.user-limit-of-text",
        "A text channel takes a userLimit.",
        SpecPatch(f"{SCHEMAS}/VoiceOnlyMembers/else/properties/userLimit", {}),
        of="createChannel updateChannel",
        killed_by="R14.voice-only-members",
    ),
    mutant(
        "rest.channels.unknown-server-is-default",
        "A channel of an unknown server is made in the default server.",
        Within("createChannel", Query("Server.find", lambda find, model, key: find(key) or find("default-server"))),
        of="createChannel",
        killed_by="R14.unknown-server",
    ),
    mutant(
        "rest.channels.unknown-server-is-400",
        "A channel of an unknown server is 400.",
        Operation("createChannel", refusing(404, 400)),
        of="createChannel",
        killed_by="R14.unknown-server",
    ),
    mutant(
        "rest.channels.anybody-updates",
        "A user with a token changes any channel.",
        SpecPatch(f"{ONE}/put/x-hype-policy/allow", ["anyone"]),
        of="updateChannel",
        killed_by="P6.only-creator-or-owner",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.anybody-deletes",
        "A user with a token deletes any channel.",
        SpecPatch(f"{ONE}/delete/x-hype-policy/allow", ["anyone"]),
        of="deleteChannel",
        killed_by="P6.only-creator-or-owner",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.owner-only",
        "Only the server's owner can change a channel, its creator cannot.",
        SpecPatch(f"{ONE}/put/x-hype-policy/allow", ["serverOwner"]),
        of="updateChannel",
        killed_by="P6.only-creator-or-owner",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.created-without-token",
        "A channel can be created without a token.",
        SpecPatch(f"{ALL}/post/security", [{}, {"bearer": []}]),
        of="createChannel",
        killed_by="R7.no-token.createChannel",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.token-in-documented",
        "Creating a channel needs a token in the documented profile.",
        SpecPatch(f"{ALL}/post/security", [{"bearer": []}]),
        of="createChannel",
        killed_by="P6.anyone",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.channels.own-in-documented",
        "Only the creator deletes a channel in the documented profile.",
        SpecPatch(f"{ONE}/delete/x-hype-policy", {"allow": ["creator", "serverOwner"]}),
        of="deleteChannel",
        killed_by="P6.anyone",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.channels.blank-name",
        "A channel's name may be blank.",
        SpecPatch(f"{SCHEMAS}/ChannelName/allOf/1", GONE),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.name",
    ),
    mutant(
        "rest.channels.name-unchecked-by-update",
        "An update does not check the length of a name.",
        SpecPatch(f"{SCHEMAS}/UpdateChannelRequest/properties/name", {"type": "string", "minLength": 1}),
        of="updateChannel",
        killed_by="bounds.updateChannel.name",
    ),
    mutant(
        "rest.channels.topic-of-1000",
        "A topic of more than 1000 characters is refused.",
        SpecPatch(f"{SCHEMAS}/ChannelTopic/anyOf/0/maxLength", 1000),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.topic",
    ),
    mutant(
        "rest.channels.negative-position",
        "A position may be negative.",
        SpecPatch(f"{SCHEMAS}/ChannelPosition/minimum", -1),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.position",
    ),
    mutant(
        "rest.channels.small-position",
        "A position over 32,767 is refused.",
        SpecPatch(f"{SCHEMAS}/ChannelPosition/maximum", 32_767),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.position",
    ),
    mutant(
        "rest.channels.limit-of-none",
        "A userLimit of 0 is accepted.",
        SpecPatch(f"{SCHEMAS}/UserLimit/minimum", 0),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.userLimit",
    ),
    mutant(
        "rest.channels.limit-of-100",
        "A userLimit of 100 is accepted.",
        SpecPatch(f"{SCHEMAS}/UserLimit/maximum", 100),
        of="createChannel updateChannel",
        killed_by="bounds.updateChannel.userLimit",
    ),
    mutant(
        "rest.channels.bitrate-as-text",
        "A bit rate may be sent as text.",
        SpecPatch(f"{SCHEMAS}/Bitrate/type", ["integer", "string"]),
        Operation(
            "createChannel",
            asking(
                lambda body: (
                    {**body, "bitrate": int(body.get("bitrate", 64))} if body["type"].upper() == "VOICE" else body
                )
            ),
        ),
        of="createChannel",
        killed_by="bounds.createChannel.bitrate",
    ),
]
