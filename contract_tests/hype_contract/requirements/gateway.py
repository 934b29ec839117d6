"""Hand-written requirements over the WebSocket gateway, by ruling.

What only an `error` event shows, and what only an event or a request of our own shows, is an extension: `error` is
one itself (ruling R33). That bad input has no effect is not.
"""

from __future__ import annotations

from hype_contract.contract.profile import Profile
from hype_contract.requirements.requirement import Level, Requirement


def _rules(
    rulings: str, titles: dict[str, str], level: Level = "documented", profiles: tuple[Profile, ...] = ()
) -> list[Requirement]:
    """Return the requirements of one source. `rulings`: as in RULINGS.md; `titles`: id → the rule as a sentence."""
    return [Requirement(id, title, rulings, level, profiles, "gateway") for id, title in titles.items()]


REQUIREMENTS = [
    *_rules(
        "rulings R31 and P4",
        {
            "R31.token-in-url": "?token= identifies a socket",
            "R31.token-in-first-frame": "a first user_joined with data.token identifies a socket",
            "R31.bad-token-closes": "a bad token in the URL closes with 4401 at once",
            "R31.bad-token-in-frame-closes": "a bad token in user_joined closes with 4401 at once",
            "R31.expired-token-closes": "an expired token closes with 4401 at once",
            "R31.expiry-keeps-socket": "a token that expires closes no open socket",
            "R31.auth-timeout": "a socket that has not said who it is within 10 s is closed with 4401",
            "R31.unauthenticated-changes-nothing": "frames before authentication do nothing, and the socket stays",
            "R31.claim-of-another": "a claimed identity that is not the token's is not believed",
            "R31.second-token": "another user's token does not change whom a socket stands for",
        },
        "hardened",
    ),
    *_rules(
        "rulings R31, R33 and P4",
        {
            "R31.claim-code": "a claimed identity that is not the token's is answered forbidden",
            "R31.second-token-code": "another user's token on a socket that has an identity is answered forbidden",
        },
        "extension",
        ("hardened",),
    ),
    *_rules(
        "rulings R31 and R33",
        {"R31.unauthenticated-code": "before authentication frames are answered unauthenticated, or with their fault"},
        "extension",
    ),
    *_rules(
        "rulings R31 and P4",
        {"R31.forged-member-ignored": "a userId in message or typing does not change who sent it"},
    ),
    *_rules(
        "ruling P4",
        {
            "P4.claim": "user_joined claims an identity by userId, username or both",
            "P4.claim-by-voice-state": "voice_state claims an identity by userId",
            "P4.claimed-identity-acts": "a claimed identity may write",
            "P4.unclaimed-changes-nothing": "without a claim, or with one of nobody, frames do nothing",
            "P4.second-identity": "a socket that has an identity never takes a second one",
            "P4.good-url-token-counts": "a valid token identifies a socket without a claim",
            "P4.bad-url-token-ignored": "a bad ?token= counts as none",
        },
        profiles=("documented",),
    ),
    *_rules(
        "rulings P4, R31 and R33",
        {
            "P4.unknown-claim-code": "a claim of an unknown user is answered not_found",
            "P4.second-identity-code": "a second identity on one socket is answered forbidden",
        },
        "extension",
        ("documented",),
    ),
    *_rules(
        "rulings P2 and R31",
        {
            "P2.logout-closes-sockets": "logout closes the session's sockets with 4401, from before a refresh too",
            "P2.logout-spares-other-sessions": "logout leaves the sockets of other sessions open",
            "P2.logged-out-token-opens-nothing": "an access token of a session that was logged out is a bad token",
        },
        "hardened",
    ),
    *_rules(
        "rulings P3 and R31",
        {"P3.reuse-closes-sockets": "re-use of a refresh token closes the session's sockets with 4401"},
        "hardened",
    ),
    *_rules("ruling P3", {"P3.refresh-keeps-sockets": "a refresh leaves the session's sockets open"}),
    *_rules(
        "POST /auth/logout › Поведение; ruling P2",
        {"P2.logout-keeps-sockets": "logout leaves tokens valid and sockets open"},
        profiles=("documented",),
    ),
    *_rules(
        "POST /auth/refresh › Поведение; ruling P3",
        {"P3.reuse-keeps-sockets": "the old refresh token stays valid, so its re-use closes nothing"},
        profiles=("documented",),
    ),
    *_rules(
        "rulings P5 and R31",
        {
            "R31.flood-closes": "a user far over the rate limit is closed with 4429; others are served on",
        },
        "hardened",
    ),
    *_rules(
        "rulings P5, R31 and R33",
        {
            "R31.ten-in-a-row": "a frame over the limit is answered rate_limited; the tenth in a row with 4429 too",
            "R31.rate-drops-frames": "a frame over the rate limit is not done",
            "R31.row-is-broken": "a frame that is taken between refusals begins the count anew",
            "R31.rate-counts-all-text": "every text frame counts for the rate limit, broken ones too",
            "R31.rate-per-user": "the rate limit is per user, over all their sockets",
        },
        "extension",
        ("hardened",),
    ),
    *_rules("ruling P5", {"P5.unlimited": "there is no rate limit"}, profiles=("documented",)),
    *_rules(
        "ruling R32",
        {
            "R32.largest-frame": "a frame of 64 KiB is taken",
            "R32.frame-too-long": "a frame of 64 KiB and one byte closes with 1009",
            "R32.fragments": "a frame may come in several WebSocket fragments",
            "R32.binary": "a binary frame closes with 1003",
            "R32.events-are-text": "the server sends each event as a text message, which a browser gives as a string",
            "R32.invalid-utf8": "a text frame that is not UTF-8 closes with 1007",
            "R32.slow-client": "a client that does not read is closed with 1013 (or sees 1006), and slows nobody",
        },
    ),
    *_rules(
        "asyncapi.yaml › Connecting; ruling R9",
        {"R9.handshake": "a page of the frontend's origin, which a browser names in the handshake, can open a socket"},
    ),
    *_rules(
        "WebSocket Events; ruling R2",
        {"R2.frame-timestamps": "a frame's timestamp is the time when it was sent, in UTC, with milliseconds"},
    ),
    *_rules(
        "ruling R33",
        {
            "R33.bad-input-keeps-socket": "bad input does nothing, is heard by nobody and closes no socket",
            "R33.unknown-members-ignored": "unknown members and the client's timestamp are ignored",
            "R33.good-after-bad": "good frames between bad ones are done, in their order",
        },
    ),
    *_rules(
        "ruling R33",
        {
            "R33.error-codes": "each broken frame is answered with one error of its code",
            "R33.missing-data-is-empty": "data left out counts as {}",
            "R33.error-to-sender-alone": "error goes to the socket whose frame was refused, and to no other",
        },
        "extension",
    ),
    *_rules(
        "WebSocket Events; ruling R34",
        {
            "R34.joiner-included": "user_joined shows the whole profile, to the joiner as well",
            "R34.without-channel-alone": "user_joined without a channelId is answered with null to the sender alone",
            "R34.already-there-alone": "entering a room where the user is already is answered to the sender alone",
            "R34.second-connection-hears-the-room": "each of a user's sockets in a room hears its events",
            "R34.enters-again": "who has left a room and enters again is announced again",
            "R34.several-rooms": "a socket may be in several rooms, and leaves all of them when it drops",
            "R34.voice-room-is-no-call": "entering a voice channel's room by user_joined is no voice_state",
        },
    ),
    *_rules(
        "rulings R33 and R34", {"R34.unknown-channel": "entering an unknown channel is answered not_found"}, "extension"
    ),
    *_rules(
        "WebSocket Events; ruling R35",
        {
            "R35.second-connection-stays": "user_left is sent when the user's last socket in the room has gone",
        },
    ),
    *_rules(
        "ruling R35",
        {
            "R35.leave-request": "a user_left request leaves the room, unanswered",
            "R35.leaver-hears-nothing": "who has left a room by a user_left request hears nothing of it any more",
            "R35.leave-request-of-one-connection": "a user_left request takes out one socket; the user may stay",
            "R35.leave-request-refused": "a user_left request of an unknown or no channel is refused with its code",
        },
        "extension",
    ),
    *_rules(
        "WebSocket Events; ruling R36",
        {
            "R36.sender-included": "a message reaches all its author's sockets in the room, once each",
            "R36.message-joins-silently": "message joins the room without user_joined; the drop is announced",
            "R36.silent-then-aloud": "who joined silently is already in the room",
            "R36.rest-message-joins-nobody": "a message by REST puts nobody into the room",
            "R36.stored-as-by-rest": "a message by socket is stored and shown exactly as one by REST",
            "R36.refuses-what-rest-refuses": "what POST /api/messages refuses is not stored by socket either",
            "R36.refused-change-unheard": "what REST refuses is announced to nobody",
            "R36.stored-order": "each socket hears each message once, in the stored order, while many write",
            "R36.one-order-for-all": "all sockets in a room hear its events in one and the same order",
        },
    ),
    *_rules(
        "ruling R36",
        {
            "R36.author-hears-changes": "message_edited is the Message of the REST answer, to the author as well",
            "R36.change-after-message": "a message comes before its edit, and that before its deletion, for all alike",
            "R36.error-codes-of-rest": "400 of POST /api/messages is invalid_message by socket, 404 is not_found",
            "R36.wrong-channel-type": "a message to a voice or announcement channel is answered invalid_message",
        },
        "extension",
    ),
    *_rules(
        "ruling R37",
        {
            "R37.sender-excluded": "typing reaches none of the sender's sockets",
            "R37.no-membership-needed": "typing needs no membership in the room, and gives none",
            "R37.typing-refused": "typing in an unknown channel is not_found, in none invalid_message",
        },
        "extension",
    ),
    *_rules(
        "Voice Events; ruling R38",
        {
            "R38.voice-joins-silently": "voice_state joins the room without user_joined; the drop is announced",
            "R38.newcomer-order": "a newcomer gets its own voice_state, then one per participant already there",
            "R38.newcomer-alone-is-told": "those already there hear of the newcomer only",
            "R38.flags-start-false": "the flags start false at each entry",
            "R38.flags-end-false": "both flags are false in the voice_state that says who has left",
            "R38.absent-flag-keeps": "an absent flag keeps its value",
            "R38.switch": "entering another voice channel leaves the first",
            "R38.one-channel-per-user": "a user is in one voice channel at a time, over all their sockets",
            "R38.second-connection-is-no-newcomer": "a participant's second socket keeps the flags and counts once",
            "R38.full": "a full voice channel takes nobody else, who stays where they were",
            "R38.changed-limit": "a new userLimit counts from the next entry on",
            "R38.place-becomes-free": "a place in a full voice channel becomes free when one leaves or drops",
            "R38.refused": "a voice_state that is refused changes nothing",
            "R38.leave": "leaving sends voice_state null to all, then user_left to the others",
            "R38.leave-of-all-connections": "leaving takes all the user's sockets out of the voice channel",
            "R38.null-in-none": "leaving while in no voice channel is answered to the sender alone",
            "R38.drop": "the drop of the user's last socket in the voice channel is a leave",
            "R38.drop-of-one-connection": "while another socket of the user is in the voice channel a drop is no leave",
        },
    ),
    *_rules(
        "rulings R33 and R38",
        {
            "R38.full-code": "a full voice channel is answered forbidden",
            "R38.error-codes": "a voice_state that is refused is answered with its code",
        },
        "extension",
    ),
    *_rules(
        "rulings R35 and R38",
        {"R38.leave-request-leaves-call": "a user_left request of the last socket there leaves the voice channel"},
        "extension",
    ),
    *_rules(
        "GET /api/servers/:serverId/channels › Ответ; ruling R13",
        {"R13.live-voice-count": "_count.voiceStates is the live number of users in the voice channel"},
    ),
    *_rules(
        "ruling R14",
        {"R14.voice-channel-deleted": "deleting a voice channel sends voice_state null to each member, no user_left"},
    ),
    *_rules(
        "rulings R14 and R33",
        {"R14.deleted-channel-is-unknown": "a deleted channel is not_found, and nobody is told that anybody left"},
        "extension",
    ),
    *_rules(
        "ruling R24",
        {
            "R24.events-show-present-profile": "events and author objects show the profile as it is now",
            "R24.user-left-shows-present-name": "user_left shows the name as it is now",
            "R24.author-status-now": "message.author.status is the status as it is now, in upper case",
            "R24.sockets-leave-status-alone": "connecting and dropping do not change a user's status",
        },
    ),
    *_rules(
        "rulings R24 and R37", {"R24.typing-shows-present-name": "typing shows the name as it is now"}, "extension"
    ),
    *_rules(
        "rulings R14, R18, R20, R24 and R34 to R38",
        {
            "model.conversation": "whatever several users do at once, each socket hears what it must, in order, and "
            "nothing else, and REST shows what is so"
        },
    ),
    *_rules(
        "rulings P2, P3 and R35",
        {"model.sessions": "the same while sessions end: their sockets close, others go on, and the rooms hear it"},
        "hardened",
    ),
]
