"""Hand-written requirements over media packets and the events that they cause, by ruling."""

from __future__ import annotations

from hype_contract.requirements.requirement import Level, Requirement, Strength


def _rules(
    rulings: str, titles: dict[str, str], level: Level = "documented", strength: Strength = "must"
) -> list[Requirement]:
    """Requirements of one source. `titles`: id → the rule as a sentence."""
    return [Requirement(id, title, rulings, level, area="media", strength=strength) for id, title in titles.items()]


REQUIREMENTS = [
    *_rules(
        "WebRTC Flow; ruling R30",
        {
            "R30.payload-unchanged": "what is sent arrives unchanged, its marker and the steps of its timestamp too",
            "R30.as-negotiated": "what arrives has the SSRC, the payload type and the MID that the consumer was told",
            "R30.sequence-goes-on": "what was sent without a hole arrives without one",
            "R30.everybody": "everybody in the channel gets what the others send",
            "R30.asked-for-only": "nobody gets a stream that they did not consume, nor their own back",
            "R30.right-producer": "what comes on a consumer's SSRC was sent by its producer",
            "R30.rooms-apart": "what flows in one channel reaches no other",
            "R30.forged-packets": "packets that are forged, repeated or broken are dropped, and end nothing",
        },
    ),
    *_rules(
        "mediasoup.ts › webRtcTransport; ruling R30",
        {"R30.tcp": "media flows over TCP as over UDP"},
    ),
    *_rules(
        "ruling R30",
        {
            "R30.consent": "a transport whose ICE checks stop for 30 s is closed",
        },
    ),
    *_rules(
        "Voice (/api/voice); ruling R26",
        {
            "R26.ice-lite": "ICE checks are answered as RFC 8445 says of ICE-lite",
            "R26.ice-credentials-needed": "a check with wrong credentials is not answered with success",
        },
    ),
    *_rules(
        "ruling R27",
        {
            "R27.dtls": "the DTLS handshake succeeds, with the certificate that the transport named",
            "R27.fingerprint": "a transport takes media from the certificate that was announced only",
        },
    ),
    *_rules(
        "mediasoup.ts › mediasoupConfig; rulings R25 and R40",
        {"R25.audio-level": "the router takes the audio levels by which speaking is known"},
    ),
    *_rules(
        "ruling R28",
        {"R28.closed-producer-is-silent": "a closed producer is not forwarded"},
    ),
    *_rules(
        "ruling R29",
        {
            "R29.own-stream": "whoever consumes their own stream receives it",
            "R29.late-joiner-key-frame": "who begins to consume a video gets a key frame",
        },
    ),
    *_rules(
        "ruling R29",
        {
            "R29.closed-consumer-is-silent": "a closed consumer receives nothing any more",
            "R29.restarted-ice": "a transport goes on with the ICE credentials that a restart gave it",
        },
        "extension",
    ),
    *_rules(
        "ruling R38",
        {
            "R38.leaver-is-silent": "who has left the voice channel is not forwarded",
            "R38.dropped-is-silent": "who has lost their last socket in the voice channel is not forwarded",
            "R38.leaver-receives-nothing": "who has left the voice channel receives nothing of it",
        },
    ),
    *_rules(
        "ruling P2; amendment A21",
        {"P2.logged-out-is-silent": "a session that has logged out neither sends nor receives media any more"},
        "hardened",
    ),
    *_rules(
        "mediasoup.ts › mediaCodecs; ruling R25",
        {
            "R25.pli": "a receiver's request for a key frame reaches the sender",
            "R25.fir": "where FIR is offered, it reaches the sender as a key frame request too",
            "R25.transport-cc": "where transport-wide feedback is offered, a sender gets it",
            "R25.nack-answered": "a receiver that lost a packet gets it again",
            "R25.nack-sent": "a sender whose packet got lost is asked for it, and the gap is filled",
        },
    ),
    *_rules(
        "VoiceState.isMuted; ruling R39",
        {
            "R39.mute-stops-sound": "a muted user's audio is not forwarded, and is again when unmuted",
            "R39.mute-is-one-users": "muting a user, or being deafened, leaves all other sound alone",
            "R39.mute-stays": "a voice_state without isMuted changes nothing about it",
            "R39.muted-from-the-start": "audio that is produced while muted is not forwarded",
        },
    ),
    *_rules(
        "rulings R30 and R39",
        {"R39.mute-leaves-no-gap": "the receiver's sequence numbers go on over a mute without a hole"},
        strength="should",
    ),
    *_rules(
        "Voice Events; ruling R40",
        {
            "R40.speaking": "the room hears who begins to speak, and who stops",
            "R40.silence-is-no-speech": "nobody speaks who sends silence",
            "R40.no-flicker": "a pause shorter than 500 ms does not end speaking",
            "R40.off-after-500-ms": "speaking ends 500 ms after the last loud packet, not before and not much later",
            "R40.muted-does-not-speak": "muting ends speaking, and nobody speaks while muted",
        },
    ),
]
