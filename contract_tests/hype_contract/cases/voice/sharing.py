"""The screens that are shared, as `voice_state` tells of them (amendment A23)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.voice.events import participants_in_call
from hype_contract.contract.specs import Pair

_VOICE_STATE = Pair("event", "voice_state", "out")


@case(
    "A23.is-screen-sharing",
    "voice_state says isScreenSharing: a newcomer sees at once which participants share a screen",
    source="asyncapi.yaml#/components/schemas/VoiceState; amendment A23",
    level="extension",
)
def is_screen_sharing(world: World) -> None:
    """Enter a call of two where one has a screen producer and one a camera, and again when the screen has closed."""
    (ann, _), (bob, _) = participants_in_call(world, "ann", "bob")
    screen = ann.producer("screen")
    bob.producer("video")
    for name, shares in (("early", True), ("late", False)):
        newcomer = world.socket(world.guest(name))
        newcomer.send("voice_state", {"channelId": ann.channel})
        for participant, wanted in ((ann, shares), (bob, False)):
            state = newcomer.expect("voice_state", {"userId": participant.person.id})["data"]
            label = f"isScreenSharing of {participant.person.name}"
            must.equal(state.get("isScreenSharing"), wanted, label, seen=_VOICE_STATE)
        if shares:
            ann.stop(screen)
