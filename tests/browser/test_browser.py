"""People in a voice channel, each in a real Chromium page, hear and see each other through the SFU."""

from __future__ import annotations

import os
import signal
from itertools import permutations
from pathlib import Path

import pytest

from tests.browser.chromium import Page
from tests.browser.conftest import Frontend

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FRAMES = 20
"""So many decoded pictures are a moving one."""

ENERGY = 0.01
"""In the units of `totalAudioEnergy`: what a second or so of the fake microphone's beeps comes to."""

PICTURE_WITHIN_MS = 2000
BITS_PER_SECOND = 2_000_000


def hears(page: Page, speaker: Page) -> None:
    """Sound of the speaker comes out at this page."""
    page.until("grows", speaker.user_id, "audio", "totalAudioEnergy", ENERGY, within_s=20)


def sees(page: Page, sender: Page, *kinds: str) -> None:
    """Pictures of all these kinds move at this page."""
    page.together("grows", [(sender.user_id, kind, "framesDecoded", FRAMES) for kind in kinds], within_s=25)


def produces(page: Page, *kinds: str) -> dict[str, str]:
    """Send all these; kind → producer."""
    return {kind: page.call("produce", kind) for kind in kinds}


def test_two_people_hear_and_see_each_other(frontend: Frontend) -> None:
    """Microphone, camera and screen of each of two people arrive at the other, over UDP and encrypted."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)

    for page in (ann, bob):
        produces(page, "audio", "video", "screen")

    for page, other in permutations((ann, bob)):
        hears(page, other)
        sees(page, other, "video", "screen")
        for direction in ("send", "recv"):
            path = page.call("path", direction)
            assert (path["state"], path["dtls"], path["protocol"]) == ("connected", "connected", "udp")
            assert path["srtp"]


def test_mute_silences_and_unmute_is_heard(frontend: Frontend) -> None:
    """After `isMuted` no sound comes out at the other page, but the picture goes on; unmuted, it sounds again."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    produces(ann, "audio", "video")
    hears(bob, ann)

    ann.call("mute", True)
    bob.until("heard", "voice_state", {"userId": ann.user_id, "isMuted": True})
    bob.until("rests", ann.user_id, "audio", "totalAudioEnergy", ENERGY / 100, 1500, within_s=15)
    bob.until("rests", ann.user_id, "audio", "packetsReceived", 1, 1000, within_s=5)
    sees(bob, ann, "video")

    ann.call("mute", False)
    hears(bob, ann)


def test_late_joiner_gets_a_picture_at_once(frontend: Frontend) -> None:
    """A latecomer sees the right camera and the right screen within two seconds of asking for them."""
    channel = frontend.voice_channel()
    ann = frontend.join(channel)
    produces(ann, "audio", "video")
    ann.call("produce", "screen", {"shade": "blue"})
    early = frontend.join(channel)
    sees(early, ann, "video", "screen")

    late = frontend.join(channel)

    waited = late.together("pictureAfter", [(ann.user_id, "video"), (ann.user_id, "screen")])
    assert max(waited) < PICTURE_WITHIN_MS, waited
    late.until("shows", ann.user_id, "screen", "blue")
    sees(late, ann, "video", "screen")
    hears(late, ann)


def test_four_people_in_one_channel(frontend: Frontend) -> None:
    """Each of four people hears the three others and sees their own screen, not somebody else's; one shuts the tab."""
    channel = frontend.voice_channel()
    pages = [frontend.join(channel) for _ in range(4)]
    shades = dict(zip(pages, ("red", "green", "blue"), strict=False))
    producers = {page: produces(page, "audio") for page in pages}
    for page, shade in shades.items():
        producers[page]["screen"] = page.call("produce", "screen", {"shade": shade, "frameRate": 8})
    produces(pages[3], "video")

    for page in pages:
        others = [other for other in pages if other is not page]
        page.together("grows", [(other.user_id, "audio", "totalAudioEnergy", ENERGY) for other in others], 30)
        shown = [(other.user_id, "screen", shades[other]) for other in others if other in shades]
        page.together("shows", shown, 30)

    leaver, *rest = pages
    leaver.close()
    for page in rest:
        for kind, producer in producers[leaver].items():
            closed = {"userId": leaver.user_id, "producerId": producer, "kind": kind}
            page.until("heard", "producer_closed", closed)
            assert page.call("times", "producer_closed", closed) == 1
        page.until("heard", "user_left", {"userId": leaver.user_id})
    hears(rest[0], rest[1])
    sees(rest[0], rest[2], "video")


def test_media_over_tcp_alone(frontend: Frontend) -> None:
    """A client that can use TCP only, as behind a strict firewall, sends and receives."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel, only="tcp"), frontend.join(channel, only="tcp")
    for page in (ann, bob):
        produces(page, "audio", "video")

    for page, other in permutations((ann, bob)):
        hears(page, other)
        sees(page, other, "video")
        assert [page.call("path", direction)["protocol"] for direction in ("send", "recv")] == ["tcp", "tcp"]


def test_stopping_a_stream_ends_it_for_the_others(frontend: Frontend) -> None:
    """A screen that is no longer shared is closed at the others; it can be shared again, and is seen again."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    first = produces(ann, "screen")["screen"]
    sees(bob, ann, "screen")

    ann.call("stop", "screen")
    bob.until("heard", "producer_closed", {"producerId": first, "kind": "screen"})
    bob.until("gone", ann.user_id, "screen")

    ann.call("produce", "screen", {"shade": "green"})
    bob.until("shows", ann.user_id, "screen", "green")


def test_speaking_is_announced(frontend: Frontend) -> None:
    """The room learns from the sound itself who speaks, and of the silence after muting."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    produces(ann, "audio")

    bob.until("heard", "speaking_state", {"userId": ann.user_id, "isSpeaking": True})
    ann.call("mute", True)
    bob.until("heard", "speaking_state", {"userId": ann.user_id, "isSpeaking": False})


def test_a_clean_link_is_used(frontend: Frontend) -> None:
    """With nothing in its way a video takes two megabits per second or more: the sender is told what it may send."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    rich = {"width": 640, "height": 480, "frameRate": 15, "noisy": True, "encodings": [{"maxBitrate": 4_000_000}]}

    ann.call("produce", "screen", rich)

    ann.until("sendsAt", "screen", BITS_PER_SECOND, within_s=40)
    sees(bob, ann, "screen")


def test_simulcast_reaches_the_others(frontend: Frontend) -> None:
    """A camera sent in three sizes is seen as one moving picture."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    sizes = [{"scaleResolutionDownBy": 4}, {"scaleResolutionDownBy": 2}, {"scaleResolutionDownBy": 1}]

    ann.call("produce", "video", {"width": 640, "height": 480, "encodings": sizes})

    sees(bob, ann, "video")


def test_media_survives_an_ice_restart(frontend: Frontend) -> None:
    """New ICE credentials, as after a change of network, do not interrupt the call for good."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    produces(ann, "audio")
    hears(bob, ann)

    ann.call("restartIce", "send")
    bob.call("restartIce", "recv")

    hears(bob, ann)
    assert ann.call("path", "send")["state"] == "connected"


@pytest.mark.slow
def test_who_waited_alone_is_heard(frontend: Frontend) -> None:
    """A person who waited alone for 90 seconds, thrice the time of consent, hears and is heard by the next (A20)."""
    channel = frontend.voice_channel()
    ann = frontend.join(channel)
    ann.call("wait", 90_000, within_s=90)

    bob = frontend.join(channel)
    for page in (ann, bob):
        produces(page, "audio", "video")

    for page, other in permutations((ann, bob)):
        hears(page, other)
        sees(page, other, "video")
    assert ann.call("times", "transport_closed", {}) == 0


def test_a_call_goes_on_after_its_worker_has_died(frontend: Frontend) -> None:
    """Both people make new transports when they are told of the old ones' end, and hear each other again (A11)."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    for page in (ann, bob):
        produces(page, "audio")
    for page, other in permutations((ann, bob)):
        hears(page, other)

    process = frontend.server.process.pid
    for worker in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        os.kill(int(worker), signal.SIGKILL)

    for page in (ann, bob):
        page.until("heard", "transport_closed", {"direction": "recv", "reason": "worker"})
        page.until("renewed", 2, within_s=30)
    for page, other in permutations((ann, bob)):
        hears(page, other)


def test_a_call_goes_on_after_a_restart(frontend: Frontend) -> None:
    """Both people come back by themselves after a restart of the server, and hear each other again."""
    channel = "voice-general"  # the channels of `frontend.world` end with the server
    ann, bob = frontend.join(channel), frontend.join(channel)
    for page in (ann, bob):
        produces(page, "audio")
    for page, other in permutations((ann, bob)):
        hears(page, other)

    frontend.restart()

    for page in (ann, bob):
        page.until("renewed", 2, within_s=40)
    for page, other in permutations((ann, bob)):
        hears(page, other)


def test_a_second_tab_takes_over(frontend: Frontend) -> None:
    """The first tab of a person is told that the second one sends and receives, and stays out (A11)."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    produces(ann, "audio")
    hears(bob, ann)

    tab = frontend.arrive(channel, token=ann.call("token"))

    for direction in ("send", "recv"):
        ann.until("heard", "transport_closed", {"direction": direction, "reason": "replaced"})
        assert ann.call("path", direction)["state"] == "closed"
    tab.call("join")
    produces(tab, "audio")
    hears(bob, tab)
    assert ann.call("renewed", 0, 0) == 0


def test_a_call_outlives_its_access_tokens(frontend: Frontend) -> None:
    """A person whose access token has expired hears who comes then: the page has refreshed its token."""
    channel = "voice-general"  # the channels of `frontend.world` end with the server
    frontend.restart({"ACCESS_TOKEN_TTL_S": "3"})
    ann = frontend.join(channel)
    first = ann.call("token")
    ann.call("wait", 3500, within_s=4)

    bob = frontend.join(channel)
    produces(bob, "audio")

    hears(ann, bob)
    assert ann.call("token") != first


def test_a_producer_that_closes_while_it_is_consumed_is_forgotten(frontend: Frontend) -> None:
    """A page whose answer to consume comes behind `producer_closed` keeps no dead consumer of it."""
    channel = frontend.voice_channel()
    ann, bob = frontend.join(channel), frontend.join(channel)
    bob.call("hold")
    producer = produces(ann, "audio")["audio"]
    bob.until("held", 1)
    ann.call("stop", "audio")
    bob.until("heard", "producer_closed", {"producerId": producer})

    bob.call("release")
    produces(ann, "video")

    sees(bob, ann, "video")  # consumers are made one after the other, so that of the sound is made by now
    bob.until("gone", ann.user_id, "audio", within_s=1)
