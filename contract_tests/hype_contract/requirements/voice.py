"""Hand-written requirements over the voice API and the events of producers, by ruling: no packet flows in these."""

from __future__ import annotations

from hype_contract.requirements.requirement import Level, Requirement


def _rules(rulings: str, titles: dict[str, str], level: Level = "documented") -> list[Requirement]:
    """Requirements of one source. `titles`: id → the rule as a sentence."""
    return [Requirement(id, title, rulings, level, area="voice") for id, title in titles.items()]


REQUIREMENTS = [
    *_rules(
        "mediasoup.ts › mediasoupConfig; ruling R25",
        {"R25.codecs": "the router offers opus and VP8, with RTX, NACK and PLI"},
    ),
    *_rules(
        "mediasoup.ts › webRtcTransport; rulings R26 and R30",
        {
            "R26.transport": "a transport is ICE-lite, reached by UDP, with the DTLS role auto",
            "R26.tcp": "a transport can be reached by TCP",
        },
    ),
    *_rules(
        "Voice (/api/voice); ruling R26",
        {
            "R26.own-credentials": "every transport has an id and ICE credentials of its own",
            "R26.wrong-channel": "a transport in an unknown channel is 404, in one that is not for voice 400",
            "R26.channel-id": "a transport needs a channelId",
            "R26.full": "a full channel gives nobody else a transport; whoever has one counts once",
            "R26.full-by-voice-state": "whoever is in the channel by voice_state counts for its limit",
            "R26.changed-limit": "a new userLimit counts from the next transport on",
            "R26.place-becomes-free": "the place of one who has left is free for another's transports",
            "R26.replaced": "a second transport of one direction in one channel replaces the first",
            "R26.other-channels-transport-stays": "a transport in another channel replaces nothing",
        },
    ),
    *_rules(
        "Voice (/api/voice); ruling R27",
        {
            "R27.connect": "a transport is connected once",
            "R27.refused": "connecting an unknown transport is 404, somebody else's 403",
            "R27.dtls-parameters": "DTLS parameters need a fingerprint",
        },
    ),
    *_rules(
        "Voice (/api/voice); ruling R28",
        {
            "R28.produce": "audio, video and screen can be produced on one transport",
            "R28.one-of-each-kind": "a second open producer of one kind by one user in one channel is 409",
            "R28.wrong-transport": "an unknown transport is 404, somebody else's 403, a recv transport 400",
            "R28.unroutable": "parameters that the router cannot route are 400",
            "R28.members": "produce needs transportId, kind and rtpParameters of their types",
            "R28.close": "a producer that was closed is gone",
            "R28.close-refused": "closing somebody else's producer is 403, an unknown one 404",
        },
    ),
    *_rules(
        "Voice (/api/voice); ruling R29",
        {
            "R29.consume": "a consumer is what mediasoup-client takes, by the device's capabilities",
            "R29.own": "one's own producer, and one that others consume, can be consumed",
            "R29.cannot-consume": "capabilities that cannot take the producer, or a send transport, are 400",
            "R29.refused": "an unknown producer or transport, or another channel's, is 404, another's transport 403",
            "R29.members": "consume needs transportId, producerId and rtpCapabilities of their types",
        },
    ),
    Requirement(
        "R29.device",
        "a consumer has nothing that the device's capabilities do not know",
        "Voice (/api/voice); ruling R29",
        area="voice",
        strength="should",
    ),
    *_rules(
        "ruling R29",
        {
            "R29.close-consumer": "a consumer can be closed by its owner",
            "R29.consumer-closes-with-producer": "a consumer closes with its producer",
            "R29.restart-ice": "a transport can be given new ICE credentials",
            "R29.list-producers": "the open producers of a channel can be listed, oldest first",
        },
        "extension",
    ),
    *_rules(
        "rulings R8 to R11",
        {
            "R9.voice": "the frontend's origin may read every answer of the voice API, and preflights are answered",
            "R8.voice-bodies": "bodies of voice requests are judged as all others",
            "R10.voice-precedence": "of several failures 404 comes first, then 403, 400 and 409",
        },
    ),
    *_rules(
        "Voice Events; ruling R39",
        {
            "R39.new-producer": "the others in the channel hear of each producer once",
            "R39.producer-closed": "the others in the channel hear once that a producer has closed",
            "R39.new-producer-can-be-consumed": "a producer can be consumed once it is heard of, until it closes",
            "R39.refused-is-unheard": "what the voice API refuses is announced to nobody",
        },
    ),
    *_rules(
        "rulings R26 and R38",
        {"R38.full-by-transports": "whoever has a transport in a voice channel takes one of its places"},
    ),
    *_rules(
        "rulings R26 and R39",
        {"R39.replaced-transport": "the producers of a transport that is replaced close, and are heard to"},
    ),
    *_rules(
        "Voice Events; ruling R38",
        {
            "R38.newcomer-hears-producers": "a newcomer hears of open producers, but its own, after the voice_states",
            "R38.newcomer-never-twice": "a newcomer hears of each producer once",
            "R38.leave-closes-producers": "leaving closes the leaver's producers before it is told",
            "R38.drop-closes-producers": "the drop of the last socket in the channel closes the user's producers",
            "R38.switch-closes-producers": "entering another voice channel closes the producers in the first",
            "R38.leave-closes-transports": "leaving, by whatever way, closes the leaver's transports",
            "R38.transports-without-voice-state": "leaving closes transports that were made without a voice_state, too",
            "R38.begins-anew": "who has left can come back and send each kind again",
            "R38.second-connection-is-shown": "a participant's second socket is shown who is there and what they send",
        },
    ),
    *_rules(
        "rulings R35 and R38",
        {
            "R38.leave-request-closes-producers": "leaving a call by user_left closes the leaver's producers",
            "R38.leave-request-closes-transports": "user_left closes transports that were made without a voice_state",
        },
        "extension",
    ),
    *_rules(
        "rulings R14 and R38",
        {"R14.deleted-channel-closes-producers": "deleting a channel closes its producers before its voice states end"},
    ),
    *_rules(
        "rulings P2 and R38",
        {"P2.logout-closes-producers": "logout closes the user's producers in the call"},
        "hardened",
    ),
    *_rules(
        "ruling P2; amendment A21",
        {
            "P2.logout-closes-transports": "logout closes the transports of its session, without a socket, too",
            "P2.logout-spares-other-transports": "logout leaves the transports of the user's other sessions alone",
        },
        "hardened",
    ),
    *_rules(
        "ruling P3; amendment A21",
        {"P3.reuse-closes-transports": "re-use of a refresh token closes the session's transports"},
        "hardened",
    ),
]
