"""`voice_state` in a voice channel: entries, flags, limits and refusals (ruling R38)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import (
    UNKNOWN_CHANNEL,
    hears_error,
    hears_no_event,
    hears_nothing,
    set_voice_state,
    sockets_in_call,
    sockets_in_room,
)
from hype_contract.cases.registry import case


@case(
    "R38.newcomer-order",
    "a newcomer hears its own voice_state first, and then one for each participant already there",
    source="asyncapi.yaml#/operations/sendVoiceState",
)
def newcomer_order(world: World) -> None:
    """Enter a call in which one of two participants has changed a flag, and compare their flags."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    first, second = sockets_in_call(world, channel, ann, bob)
    set_voice_state(first, channel, isMuted=True)
    second.expect_next("voice_state", {"userId": ann.id, "isMuted": True})
    newcomer = world.socket(eve)
    newcomer.send("voice_state", {"channelId": channel})
    newcomer.expect_next("voice_state", {"userId": eve.id, "channelId": channel})
    present = [newcomer.expect_next("voice_state", {"channelId": channel})["data"] for _ in range(2)]
    flags = {data["userId"]: (data["isMuted"], data["isDeafened"]) for data in present}
    must.equal(flags, {ann.id: (True, False), bob.id: (False, False)}, "the flags of the other participants")
    hears_nothing(newcomer, "but its own voice_state and those of the two other participants")


@case(
    "R38.newcomer-alone-is-told",
    "the participants of a call hear one voice_state of a newcomer and none of each other",
    source="asyncapi.yaml#/operations/sendVoiceState",
)
def newcomer_alone_is_told(world: World) -> None:
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    sockets = sockets_in_call(world, channel, ann, bob)
    set_voice_state(world.socket(eve), channel)
    for socket in sockets:
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel})
        hears_nothing(socket, "more when one user enters")


@case(
    "R38.flags-start-false",
    "both flags start false at each entry into a call",
    source="asyncapi.yaml#/operations/receiveVoiceState",
)
def flags_start_false(world: World) -> None:
    """Enter twice without flags, once with a flag, which counts at once, and then another channel without flags."""
    (ann,) = world.guests("ann")
    channel = world.channel(ann, "voice")["id"]
    socket = world.socket(ann)
    off = {"isMuted": False, "isDeafened": False}
    must.members(set_voice_state(socket, channel), off, "voice_state's data")
    set_voice_state(socket, channel, isMuted=True, isDeafened=True)
    set_voice_state(socket, None)
    must.members(set_voice_state(socket, channel), off, "voice_state's data at the second entry")
    set_voice_state(socket, None)
    must.members(set_voice_state(socket, channel, isDeafened=True), {**off, "isDeafened": True}, "voice_state's data")
    other = world.channel(ann, "voice")["id"]
    socket.send("voice_state", {"channelId": other})
    socket.expect("voice_state", {"userId": ann.id, "channelId": other, **off})


@case(
    "R38.absent-flag-keeps",
    "a flag that voice_state leaves out keeps its value",
    source="asyncapi.yaml#/operations/receiveVoiceState",
)
def absent_flag_keeps(world: World) -> None:
    """Change one flag at a time, and then none; all participants hear both flags each time."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, participant = sockets_in_call(world, channel, ann, bob, eve)
    steps: list[tuple[dict[str, bool], tuple[bool, bool]]] = [
        ({"isMuted": True}, (True, False)),
        ({"isDeafened": True}, (True, True)),
        ({"isMuted": False}, (False, True)),
        ({}, (False, True)),
    ]
    for sent, (muted, deafened) in steps:
        participant.send("voice_state", {"channelId": channel, **sent})
        flags = {"userId": eve.id, "channelId": channel, "isMuted": muted, "isDeafened": deafened}
        for socket in (*others, participant):
            socket.expect_next("voice_state", flags)
    hears_nothing(participant, "about the other participants when it changes its flags")


@case(
    "R38.switch",
    "a user who enters another voice channel leaves the first",
    source="asyncapi.yaml#/operations/receiveVoiceState",
)
def switch(world: World) -> None:
    """Check that the first channel hears `voice_state` with null, and then `user_left`."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    first, other = (world.channel(ann, "voice")["id"] for _ in range(2))
    stays, mover = sockets_in_call(world, first, ann, eve)
    (there,) = sockets_in_call(world, other, bob)
    mover.send("voice_state", {"channelId": other})
    stays.expect_next("voice_state", {"userId": eve.id, "channelId": None})
    stays.expect_next("user_left", {"userId": eve.id, "channelId": first})
    mover.expect("voice_state", {"userId": eve.id, "channelId": None})
    mover.expect("voice_state", {"userId": eve.id, "channelId": other})
    mover.expect("voice_state", {"userId": bob.id, "channelId": other})
    there.expect_next("voice_state", {"userId": eve.id, "channelId": other})
    set_voice_state(stays, first, isMuted=True)
    hears_nothing(mover, "of the channel that it has left")
    for socket in (stays, there):
        hears_nothing(socket, "more when a user changes the channel")


@case(
    "R38.one-channel-per-user",
    "a user with several sockets is in one voice channel at a time",
    source="asyncapi.yaml#/operations/receiveVoiceState",
)
def one_channel_per_user(world: World) -> None:
    """Enter a second channel with another socket; the first channel hears that the user left it."""
    ann, eve = world.guests("ann", "eve")
    left, entered = (world.channel(ann, "voice")["id"] for _ in range(2))
    stays, first = sockets_in_call(world, left, ann, eve)
    second = world.socket(eve)
    set_voice_state(second, entered)
    stays.expect_next("voice_state", {"userId": eve.id, "channelId": None})
    stays.expect_next("user_left", {"userId": eve.id, "channelId": left})
    first.expect("voice_state", {"userId": eve.id, "channelId": None})
    for channel, number in ((left, 1), (entered, 1)):
        counted = world.rest.call("getChannel", path={"id": channel}, expect=200).data["_count"]
        must.equal(counted["voiceStates"], number, "_count.voiceStates")


@case(
    "R38.second-connection-is-no-newcomer",
    "a participant's second socket in the call keeps the user's flags and does not count as another user",
    source="asyncapi.yaml#/operations/sendVoiceState",
)
def second_connection_is_no_newcomer(world: World) -> None:
    """Enter a call with a second socket of a muted user, and read `_count.voiceStates`."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice", userLimit=2)["id"]
    _, first = sockets_in_call(world, channel, ann, eve)
    set_voice_state(first, channel, isMuted=True)
    second = world.socket(eve)
    second.send("voice_state", {"channelId": channel})
    second.expect("voice_state", {"userId": eve.id, "channelId": channel, "isMuted": True})
    counted = world.rest.call("getChannel", path={"id": channel}, expect=200).data["_count"]
    must.equal(counted["voiceStates"], 2, "_count.voiceStates")


@case(
    "R38.full",
    "a full voice channel takes no further user, and a refused user stays in the former channel",
    source="asyncapi.yaml#/operations/receiveVoiceState",
    alike=True,
)
def full(world: World) -> None:
    """Enter a full channel from another one; the full channel hears nothing of it, and its users may change flags."""
    ann, bob, eve, dan = world.guests("ann", "bob", "eve", "dan")
    small, other = world.channel(ann, "voice", userLimit=2)["id"], world.channel(ann, "voice")["id"]
    first, second = sockets_in_call(world, small, ann, bob)
    stays, late = sockets_in_call(world, other, dan, eve)
    late.send("voice_state", {"channelId": small})
    late.send("voice_state", {"channelId": other, "isMuted": True})
    stays.expect_next("voice_state", {"userId": eve.id, "channelId": other, "isMuted": True})
    hears_nothing(first, "of the user that the full channel refused")
    set_voice_state(first, small, isMuted=True)
    second.expect_next("voice_state", {"userId": ann.id, "isMuted": True})


@case("R38.full", alike=True)
def last_place(world: World) -> None:
    """Let four users enter a channel with a limit of one at the same time, and read `_count.voiceStates`."""
    people = world.guests("ann", "bob", "eve", "dan")
    channel = world.channel(people[0], "voice", userLimit=1)["id"]
    sockets = [world.socket(person) for person in people]
    for socket in sockets:
        socket.send("voice_state", {"channelId": channel})
    for socket in sockets:
        socket.fence()
    counted = world.rest.call("getChannel", path={"id": channel}, expect=200)
    must.equal(
        counted.data["_count"]["voiceStates"],
        1,
        "_count.voiceStates of a channel with a limit of one",
        seen=counted.pair,
    )


@case(
    "R38.full-code",
    "the gateway answers an entry into a full voice channel with forbidden",
    source="rulings R33 and R38",
    level="extension",
    alike=True,
)
def full_code(world: World) -> None:
    ann, bob = world.guests("ann", "bob")
    channel = world.channel(ann, "voice", userLimit=1)["id"]
    sockets_in_call(world, channel, ann)
    late = world.socket(bob)
    late.send("voice_state", {"channelId": channel})
    hears_error(late, "forbidden")


@case(
    "R38.changed-limit",
    "a new userLimit counts for the next entry",
    source="openapi.yaml#/components/schemas/UserLimit",
    alike=True,
)
def changed_limit(world: World) -> None:
    """Raise the limit and then remove it; after each change one more user enters."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice", userLimit=1)["id"]
    sockets_in_call(world, channel, ann)
    second, third = world.socket(bob), world.socket(eve)
    second.send("voice_state", {"channelId": channel})
    hears_no_event(second, "of a full channel")
    for limit, entering, late in ((2, second, third), (None, third, None)):
        body = {"userLimit": limit}
        world.rest.call("updateChannel", path={"id": channel}, token=ann.token, body=body, expect=200)
        set_voice_state(entering, channel)
        if late:
            late.send("voice_state", {"channelId": channel})
            hears_no_event(late, "of a full channel")


@case(
    "R38.place-becomes-free",
    "a place in a full voice channel becomes free when a user leaves or drops",
    source="openapi.yaml#/components/schemas/UserLimit",
    alike=True,
)
def place_becomes_free(world: World) -> None:
    """Leave a channel with a limit of one, enter it with a second user, drop that user, and enter it with a third."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice", userLimit=1)["id"]
    (watcher,) = sockets_in_room(world, channel, world.guest("watcher"))
    (first,) = sockets_in_call(world, channel, ann)
    set_voice_state(first, None)
    (second,) = sockets_in_call(world, channel, bob)
    second.drop()
    watcher.expect("user_left", {"userId": bob.id})
    set_voice_state(world.socket(eve), channel)


@case("R38.refused", "a refused voice_state has no effect", source="asyncapi.yaml#/operations/receiveVoiceState")
def voice_refused(world: World) -> None:
    """Send bad channels and flags that are no booleans from a call, and then a good change."""
    ann, eve = world.guests("ann", "eve")
    channel, text = world.channel(ann, "voice")["id"], world.channel(ann)["id"]
    announcement = world.channel(ann, "announcement")["id"]
    watcher, participant = sockets_in_call(world, channel, ann, eve)
    for data, _ in [*_bad_states(text, channel), ({"channelId": announcement}, "")]:
        participant.send("voice_state", data)
    set_voice_state(participant, channel, isDeafened=True)
    watcher.expect_next("voice_state", {"userId": eve.id, "isMuted": False, "isDeafened": True})


@case(
    "R38.error-codes",
    "the gateway answers a voice_state with not_found for an unknown channel, and with invalid_message for bad data",
    source="rulings R33 and R38",
    level="extension",
)
def voice_error_codes(world: World) -> None:
    """Send text channels, no channel, malformed ids, wrong flags and an unknown channel."""
    (ann,) = world.guests("ann")
    channel, text = world.channel(ann, "voice")["id"], world.channel(ann)["id"]
    socket = world.socket(ann)
    for data, code in _bad_states(text, channel):
        socket.send("voice_state", data)
        hears_error(socket, code)


def _bad_states(text: str, voice: str) -> list[tuple[dict[str, object], str]]:
    return [
        ({}, "invalid_message"),
        ({"isMuted": True}, "invalid_message"),
        ({"channelId": text}, "invalid_message"),
        ({"channelId": ""}, "invalid_message"),
        ({"channelId": 7}, "invalid_message"),
        ({"channelId": "a\u0000"}, "invalid_message"),
        ({"channelId": voice, "isMuted": "yes"}, "invalid_message"),
        ({"channelId": voice, "isMuted": None}, "invalid_message"),
        ({"channelId": voice, "isDeafened": 1}, "invalid_message"),
        ({"channelId": UNKNOWN_CHANNEL}, "not_found"),
    ]
