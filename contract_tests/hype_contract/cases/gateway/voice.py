"""Being in a voice channel: entering, flags, limits and what is refused (ruling R38)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import (
    UNKNOWN_CHANNEL,
    hears_no_event,
    hears_nothing,
    refused,
    seated,
    talk,
    talking,
)
from hype_contract.cases.registry import case


@case(
    "R38.newcomer-order",
    "a newcomer gets its own voice_state, then one per participant already there",
    source="Voice Events; ruling R38",
)
def newcomer_order(world: World) -> None:
    """A newcomer gets its own voice_state first, then one for each who is there, as they are now."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    first, second = talking(world, channel, ann, bob)
    talk(first, channel, isMuted=True)
    second.expect_next("voice_state", {"userId": ann.id, "isMuted": True})
    newcomer = world.socket(eve)
    newcomer.send("voice_state", {"channelId": channel})
    newcomer.expect_next("voice_state", {"userId": eve.id, "channelId": channel})
    present = [newcomer.expect_next("voice_state", {"channelId": channel})["data"] for _ in range(2)]
    flags = {data["userId"]: (data["isMuted"], data["isDeafened"]) for data in present}
    must.equal(flags, {ann.id: (True, False), bob.id: (False, False)}, "the flags of those who were there")
    hears_nothing(newcomer, "but itself and the two who were there")


@case("R38.newcomer-alone-is-told", "those already there hear of the newcomer only", source="Voice Events; ruling R38")
def newcomer_alone_is_told(world: World) -> None:
    """Those who are there hear one voice_state for one newcomer, and nothing about each other."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    sockets = talking(world, channel, ann, bob)
    talk(world.socket(eve), channel)
    for socket in sockets:
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel})
        hears_nothing(socket, "more when one person comes")


@case("R38.flags-start-false", "the flags start false at each entry", source="Voice Events; ruling R38")
def flags_start_false(world: World) -> None:
    """Without flags both are false, at the second entry and in another channel as well; given ones count at once."""
    (ann,) = world.guests("ann")
    channel = world.channel(ann, "voice")["id"]
    socket = world.socket(ann)
    off = {"isMuted": False, "isDeafened": False}
    must.members(talk(socket, channel), off, "voice_state's data")
    talk(socket, channel, isMuted=True, isDeafened=True)
    talk(socket, None)
    must.members(talk(socket, channel), off, "voice_state's data at the second entry")
    talk(socket, None)
    must.members(talk(socket, channel, isDeafened=True), {**off, "isDeafened": True}, "voice_state's data")
    other = world.channel(ann, "voice")["id"]
    socket.send("voice_state", {"channelId": other})
    socket.expect("voice_state", {"userId": ann.id, "channelId": other, **off})


@case("R38.absent-flag-keeps", "an absent flag keeps its value", source="Voice Events; ruling R38")
def absent_flag_keeps(world: World) -> None:
    """Of one who is there a flag that is not sent keeps its value; each change is heard by all."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, speaker = talking(world, channel, ann, bob, eve)
    steps: list[tuple[dict[str, bool], tuple[bool, bool]]] = [
        ({"isMuted": True}, (True, False)),
        ({"isDeafened": True}, (True, True)),
        ({"isMuted": False}, (False, True)),
        ({}, (False, True)),
    ]
    for sent, (muted, deafened) in steps:
        speaker.send("voice_state", {"channelId": channel, **sent})
        flags = {"userId": eve.id, "channelId": channel, "isMuted": muted, "isDeafened": deafened}
        for socket in (*others, speaker):
            socket.expect_next("voice_state", flags)
    hears_nothing(speaker, "as a newcomer when it changes its flags")


@case("R38.switch", "entering another voice channel leaves the first", source="Voice Events; ruling R38")
def switch(world: World) -> None:
    """Entering another channel leaves the first: voice_state null, then user_left there."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    one, other = (world.channel(ann, "voice")["id"] for _ in range(2))
    stays, mover = talking(world, one, ann, eve)
    (there,) = talking(world, other, bob)
    mover.send("voice_state", {"channelId": other})
    stays.expect_next("voice_state", {"userId": eve.id, "channelId": None})
    stays.expect_next("user_left", {"userId": eve.id, "channelId": one})
    mover.expect("voice_state", {"userId": eve.id, "channelId": None})
    mover.expect("voice_state", {"userId": eve.id, "channelId": other})
    mover.expect("voice_state", {"userId": bob.id, "channelId": other})
    there.expect_next("voice_state", {"userId": eve.id, "channelId": other})
    talk(stays, one, isMuted=True)
    hears_nothing(mover, "of the channel that it has left")
    for socket in (stays, there):
        hears_nothing(socket, "more when somebody moves")


@case(
    "R38.one-channel-per-user",
    "a user is in one voice channel at a time, over all their sockets",
    source="Voice Events; ruling R38",
)
def one_channel_per_user(world: World) -> None:
    """A second connection that enters another channel takes the user out of the first."""
    ann, eve = world.guests("ann", "eve")
    one, other = (world.channel(ann, "voice")["id"] for _ in range(2))
    stays, first = talking(world, one, ann, eve)
    second = world.socket(eve)
    talk(second, other)
    stays.expect_next("voice_state", {"userId": eve.id, "channelId": None})
    stays.expect_next("user_left", {"userId": eve.id, "channelId": one})
    first.expect("voice_state", {"userId": eve.id, "channelId": None})
    for channel, number in ((one, 1), (other, 1)):
        counted = world.rest.call("getChannel", path={"id": channel}, expect=200).data["_count"]
        must.equal(counted["voiceStates"], number, "_count.voiceStates")


@case(
    "R38.second-connection-is-no-newcomer",
    "a participant's second socket keeps the flags and counts once",
    source="Voice Events; ruling R38",
)
def second_connection_is_no_newcomer(world: World) -> None:
    """A second connection in the same channel keeps the flags, and counts as the same one person."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice", userLimit=2)["id"]
    _, first = talking(world, channel, ann, eve)
    talk(first, channel, isMuted=True)
    second = world.socket(eve)
    second.send("voice_state", {"channelId": channel})
    second.expect("voice_state", {"userId": eve.id, "channelId": channel, "isMuted": True})
    counted = world.rest.call("getChannel", path={"id": channel}, expect=200).data["_count"]
    must.equal(counted["voiceStates"], 2, "_count.voiceStates")


@case(
    "R38.full",
    "a full voice channel takes nobody else, who stays where they were",
    source="Voice Events; ruling R38",
    alike=True,
)
def full(world: World) -> None:
    """A full channel refuses one more, who stays where they were; those inside hear nothing, and may change flags."""
    ann, bob, eve, dan = world.guests("ann", "bob", "eve", "dan")
    small, other = world.channel(ann, "voice", userLimit=2)["id"], world.channel(ann, "voice")["id"]
    first, second = talking(world, small, ann, bob)
    neighbour, late = talking(world, other, dan, eve)
    late.send("voice_state", {"channelId": small})
    late.send("voice_state", {"channelId": other, "isMuted": True})
    neighbour.expect_next("voice_state", {"userId": eve.id, "channelId": other, "isMuted": True})
    hears_nothing(first, "of one who found no place")
    talk(first, small, isMuted=True)
    second.expect_next("voice_state", {"userId": ann.id, "isMuted": True})


@case("R38.full", alike=True)
def last_place(world: World) -> None:
    """Of several who want the last place at once one gets it."""
    people = world.guests("ann", "bob", "eve", "dan")
    channel = world.channel(people[0], "voice", userLimit=1)["id"]
    sockets = [world.socket(person) for person in people]
    for socket in sockets:
        socket.send("voice_state", {"channelId": channel})
    for socket in sockets:
        socket.fence()
    counted = world.rest.call("getChannel", path={"id": channel}, expect=200)
    must.equal(counted.data["_count"]["voiceStates"], 1, "_count.voiceStates of a channel for one", seen=counted.pair)


@case(
    "R38.full-code",
    "a full voice channel is answered forbidden",
    source="rulings R33 and R38",
    level="extension",
    alike=True,
)
def full_code(world: World) -> None:
    """Finding a channel full is `forbidden`."""
    ann, bob = world.guests("ann", "bob")
    channel = world.channel(ann, "voice", userLimit=1)["id"]
    talking(world, channel, ann)
    late = world.socket(bob)
    late.send("voice_state", {"channelId": channel})
    refused(late, "forbidden")


@case(
    "R38.changed-limit",
    "a new userLimit counts from the next entry on",
    source="Voice Events; ruling R38",
    alike=True,
)
def changed_limit(world: World) -> None:
    """A voice channel is full by the limit that it has now."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice", userLimit=1)["id"]
    talking(world, channel, ann)
    second, third = world.socket(bob), world.socket(eve)
    second.send("voice_state", {"channelId": channel})
    hears_no_event(second, "of a channel that is full")
    for limit, entering, late in ((2, second, third), (None, third, None)):
        body = {"userLimit": limit}
        world.rest.call("updateChannel", path={"id": channel}, token=ann.token, body=body, expect=200)
        talk(entering, channel)
        if late:
            late.send("voice_state", {"channelId": channel})
            hears_no_event(late, "of a channel that is full")


@case(
    "R38.place-becomes-free",
    "a place in a full voice channel becomes free when one leaves or drops",
    source="Voice Events; ruling R38",
    alike=True,
)
def place_becomes_free(world: World) -> None:
    """When one leaves, or drops, there is a place again."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice", userLimit=1)["id"]
    (watcher,) = seated(world, channel, world.guest("watcher"))
    (first,) = talking(world, channel, ann)
    talk(first, None)
    (second,) = talking(world, channel, bob)
    second.drop()
    watcher.expect("user_left", {"userId": bob.id})
    talk(world.socket(eve), channel)


@case("R38.refused", "a voice_state that is refused changes nothing", source="Voice Events; ruling R38")
def voice_refused(world: World) -> None:
    """A text or unknown channel, none at all, or a flag that is no boolean leaves everything as it was."""
    ann, eve = world.guests("ann", "eve")
    channel, text = world.channel(ann, "voice")["id"], world.channel(ann)["id"]
    announcement = world.channel(ann, "announcement")["id"]
    watcher, talker = talking(world, channel, ann, eve)
    for data, _ in [*_bad_states(text, channel), ({"channelId": announcement}, "")]:
        talker.send("voice_state", data)
    talk(talker, channel, isDeafened=True)
    watcher.expect_next("voice_state", {"userId": eve.id, "isMuted": False, "isDeafened": True})


@case(
    "R38.error-codes",
    "a voice_state that is refused is answered with its code",
    source="rulings R33 and R38",
    level="extension",
)
def voice_error_codes(world: World) -> None:
    """Not a voice channel, no channelId and a wrong flag are `invalid_message`, an unknown channel `not_found`."""
    (ann,) = world.guests("ann")
    channel, text = world.channel(ann, "voice")["id"], world.channel(ann)["id"]
    socket = world.socket(ann)
    for data, code in _bad_states(text, channel):
        socket.send("voice_state", data)
        refused(socket, code)


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
