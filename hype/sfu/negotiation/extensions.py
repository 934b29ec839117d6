"""The RTP header extensions that the router knows (RFC 8285): their URIs, and the ids that it gives them.

The negotiation tells clients of them. The worker reads them in what comes in, by the ids of the producer, and writes
them into what goes out, by these ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ABS_SEND_TIME",
    "ABS_SEND_TIME_ID",
    "AUDIO_LEVEL",
    "AUDIO_LEVEL_ID",
    "EXTENSIONS",
    "MID",
    "MID_ID",
    "MID_SIZE",
    "REPAIRED_RID",
    "RID",
    "TRANSPORT_CC",
    "VIDEO_ORIENTATION",
    "VIDEO_ORIENTATION_ID",
    "HeaderExtension",
]

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"

MID_ID, ABS_SEND_TIME_ID, AUDIO_LEVEL_ID, VIDEO_ORIENTATION_ID = 1, 4, 10, 11
MID_SIZE = 4
"""The characters of a mid in packets that go out, which have a fixed layout."""

_BOTH = ("audio", "video")


@dataclass(frozen=True, slots=True)
class HeaderExtension:
    """A header extension. id: the router's. direction: as the router sees it."""

    uri: str
    id: int
    kinds: tuple[str, ...]
    direction: Literal["sendrecv", "recvonly"]


# Transport-wide congestion control is for senders alone: receivers estimate by abs-send-time and answer with REMB, so
# that no outgoing packet needs a number of its transport's.
EXTENSIONS: tuple[HeaderExtension, ...] = (
    HeaderExtension(MID, MID_ID, _BOTH, "sendrecv"),
    HeaderExtension(RID, 2, ("video",), "recvonly"),
    HeaderExtension(REPAIRED_RID, 3, ("video",), "recvonly"),
    HeaderExtension(ABS_SEND_TIME, ABS_SEND_TIME_ID, _BOTH, "sendrecv"),
    HeaderExtension(TRANSPORT_CC, 5, _BOTH, "recvonly"),
    HeaderExtension(AUDIO_LEVEL, AUDIO_LEVEL_ID, ("audio",), "sendrecv"),
    HeaderExtension(VIDEO_ORIENTATION, VIDEO_ORIENTATION_ID, ("video",), "sendrecv"),
)
