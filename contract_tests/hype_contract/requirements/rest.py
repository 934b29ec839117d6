"""Hand-written requirements over REST, by ruling.

Those that follow from the spec by themselves stand in `bounds.py` and `authorisation.py`.
"""

from __future__ import annotations

from hype_contract.requirements.requirement import Level, Requirement

Row = tuple[str, str]


def _ruling(ruling: str, *rows: Row, level: Level = "documented") -> list[Requirement]:
    """Requirements of one ruling, as (id without the ruling, title)."""
    return [Requirement(f"{ruling}.{id}", title, f"ruling {ruling}", level) for id, title in rows]


def _profile(rule: str, documented: Row, *hardened: Row) -> list[Requirement]:
    """What a profile rule asks of the documented profile, and then what of the hardened one."""
    id, title = documented
    laxer = Requirement(f"{rule}.{id}", title, f"ruling {rule}", profiles=("documented",))
    return [laxer, *_ruling(rule, *hardened, level="hardened")]


REQUIREMENTS = [
    *_profile(
        "P1",
        ("anybody", "a status is set without a token too, and by anybody"),
        ("own-status-only", "only the user sets the user's status; ids are compared before the lookup"),
    ),
    *_profile(
        "P2",
        ("tokens-stay-valid", "after logout the tokens work until they expire"),
        ("revokes", "after logout the session's tokens are refused, and other sessions' work"),
        ("revokes-the-whole-session", "logout ends every token of the session, from before a refresh too"),
    ),
    Requirement("P2.logout", "logout answers in the seed's words", "POST /auth/logout › Ответ; ruling R1"),
    *_profile(
        "P3",
        ("old-token-stays-valid", "a refresh token may be used again"),
        ("single-use", "a refresh token that is used again ends the session"),
        ("reuse-of-an-older-token", "so does one that was used before the last refresh"),
        ("other-sessions-live", "the end of one session leaves the user's others alone"),
        ("race", "of several refreshes with one token at once at most one succeeds"),
    ),
    Requirement("P3.refresh", "a refresh gives a pair of tokens that works", "POST /auth/refresh › Поведение"),
    Requirement(
        "P3.access-token-lives-on",
        "a refresh leaves the access token from before it alone, which is valid for 15 minutes",
        "JWT Authentication Flow; rulings P3 and R23",
        strength="should",
    ),
    *_profile(
        "P6",
        ("anyone", "channels are created, changed and deleted without a token; the server's owner is the creator"),
        ("only-creator-or-owner", "only the creator or the server's owner changes or deletes a channel"),
    ),
    *_ruling("P7", ("email", "an email is shown to whom the spec says")),
    *_ruling("P8", ("avatar-url", "an avatar's URL has a scheme that the spec allows")),
    *_profile(
        "P9",
        ("unlimited", "failed logins are not limited"),
        ("limit", "too many failed logins of an email are 429 with Retry-After, and nobody else's concern"),
        ("unknown-email", "failed logins of an email that nobody has are limited as well"),
        ("below-the-limit", "fewer failures than the limit, and logins that succeed, shut nobody out"),
        ("per-address", "too many failed logins of an address are 429 for everybody there, until the window ends"),
    ),
    *_ruling("R1", ("envelope", "successes and failures stand in their envelopes")),
    *_ruling(
        "R2",
        ("created-and-updated", "createdAt and updatedAt follow the order of what happened"),
        ("one-clock", "all times are in UTC, by one clock"),
        ("milliseconds", "times have milliseconds"),
    ),
    *_ruling(
        "R3",
        ("malformed-id", "a malformed id in a path is 404, %00 and %zz included"),
        ("unknown-id", "an id in a path that names nothing is 404"),
        ("ids-that-name-nothing", "an id in a body that names nothing is 404, one with U+0000 is 400"),
        ("names-are-no-ids", "a channel or a server is not found by its name"),
        ("new-ids", "new rows get CUIDs"),
    ),
    *_ruling(
        "R4",
        ("unknown-members", "members of a body that nobody knows are ignored"),
        ("not-to-be-set", "members that a client may not set, as a message's author, are ignored"),
    ),
    *_ruling(
        "R5",
        ("every-rule", "there is one issue for each broken rule"),
        ("query", "wrong query values give issues at the parameter's name"),
        ("stored-row", "what the stored channel forbids gives issues with the code custom"),
        ("voice-only-members", "so does what only a voice channel has, when another one is made"),
    ),
    Requirement(
        "R6.validation-failed",
        "the seed's example of a validation failure",
        "POST /auth/register, PUT /api/users/:id › Ответ при ошибке валидации (400); ruling R6",
    ),
    Requirement(
        "R6.username-taken",
        "a taken username is refused in the seed's words",
        "POST /auth/register, POST /auth/guest › Ответ при ошибке (400); ruling R6",
    ),
    Requirement(
        "R6.not-authenticated",
        "a missing token is answered in the seed's words",
        "GET /auth/me › Ответ при ошибке (401); ruling R6",
    ),
    Requirement(
        "R6.refresh-token-expired",
        "an expired refresh token is answered in the seed's words",
        "POST /auth/refresh › Ответ при ошибке (401); ruling R6",
    ),
    Requirement(
        "R6.invalid-refresh-token",
        "an invalid refresh token is answered in the seed's words",
        "POST /auth/refresh › Ответ при ошибке (401); ruling R6",
    ),
    *_ruling(
        "R8",
        ("malformed-json", "a body that is no JSON is 400"),
        ("missing-body", "a missing body is 400"),
        ("not-an-object", "a body that is no object is 400"),
        ("media-type", "a body that is not application/json is 415, or 400"),
        ("charset", "application/json may name its charset"),
        ("too-large", "a body of more than 102,400 bytes is 413"),
        ("largest", "a body of 102,400 bytes is read"),
        ("chunked", "a body in chunks is read, and 413 when it is too large"),
        ("method-not-allowed", "a method that a path does not have is 405 with Allow, or 404"),
        ("unknown-path", "an unknown path is 404"),
    ),
    *_ruling("A19", ("trailers", "a token that stands only in the trailer of a body in chunks authenticates nobody")),
    *_ruling(
        "R9",
        ("allowed-origin", "the frontend's origin may read the answer of every operation, with credentials"),
        ("failures-too", "the frontend's origin may read every failure of every operation"),
        ("foreign-origin", "a foreign origin gets neither * nor its own name back"),
        ("preflight", "a preflight is answered without authorisation"),
    ),
    Requirement(
        "R9.preflight-of-unknown-path", "a preflight of an unknown path is answered as well", "rulings R9 and A5"
    ),
    Requirement(
        "R9.vary",
        "an answer that depends on the origin says Vary: Origin",
        "openapi.yaml; ruling R9",
        strength="should",
    ),
    *_ruling(
        "R10",
        ("401-before-the-body", "who asks is settled before what is in the body"),
        ("401-before-404", "who asks is settled before what is named"),
        ("body-before-404", "a wrong body is 400 although it, or the path, names nothing"),
        ("body-before-403", "a wrong body is 400 although it is somebody else's message"),
        ("body-before-409", "a wrong body is 400 although the name is taken"),
    ),
    *_ruling(
        "R10",
        ("403-before-row-rules", "403 comes before what the stored row forbids"),
        ("channel-body-before-403", "a wrong body is 400 although it is somebody else's channel"),
        level="hardened",
    ),
    *_ruling("R10", ("403-before-409", "403 comes before 409")),
    *_ruling("R11", ("never-500", "odd JSON, deep, huge or with surrogates, is never a 500")),
    *_ruling(
        "R12",
        ("health", "GET /health answers 200 with status OK and ok for each check"),
        ("api", "GET /api names the profile that the server runs and its endpoints"),
        ("service-documents", "GET /health and GET /api are bare documents"),
    ),
    Requirement("R12.metrics", "GET /metrics speaks Prometheus", "ruling R12", "extension", ("hardened",)),
    *_ruling(
        "R13",
        ("order", "channels are listed by position, createdAt, id"),
        ("same-object", "a channel is the same object wherever it is shown"),
        ("members", "a channel names its server and creator, and counts its messages"),
    ),
    *_ruling(
        "R14",
        ("defaults", "a channel has the defaults of the contract"),
        ("type-letter-case", "a channel's type is taken in either letter case"),
        ("default-position", "a channel goes after the last one"),
        ("voice-only-members", "userLimit and bitrate are for voice channels only"),
        ("unknown-server", "a channel of an unknown server is 404"),
        ("update-keeps-the-rest", "an update changes what it names and nothing else"),
        ("type-stays", "a channel's type cannot change"),
        ("delete", "a deleted channel is gone with its messages"),
    ),
    *_ruling(
        "R15",
        ("default-server", "the default server is there"),
        ("same-object", "a server is the same object by its id as in the list"),
        ("channel-count", "_count.channels is true"),
        ("member-count", "_count.members is true, and everybody new is a member of the default server"),
    ),
    *_ruling(
        "R16",
        ("list", "all users are listed by createdAt, id, without meta"),
        ("pages", "pages of users neither lose nor repeat anybody"),
        ("query-bounds", "limit is 1 to 1000, offset at least 0"),
        ("members", "a user is shown with discriminator, avatar and a lower-case status, without bio"),
        ("bio-in-the-profile-only", "no answer but that of a profile update shows the bio"),
        ("profile", "a profile update changes what it names, and shows the bio"),
        ("only-oneself", "a profile is its owner's to update"),
    ),
    *_ruling(
        "R17",
        ("statuses", "each of the four statuses is taken and shown"),
        ("invalid-status", "anything else is `Invalid status`"),
    ),
    *_ruling(
        "R18",
        ("newest-first", "messages are listed newest first"),
        ("ties", "messages of one millisecond are listed by id, in one order on all pages"),
        ("default-limit", "a page has 50 messages unless it is asked otherwise"),
        ("pages", "pages of messages neither lose nor repeat any"),
        ("query-bounds", "limit is 1 to 100, offset at least 0, in plain digits, once"),
        ("channel", "a page is of one text channel that exists"),
    ),
    *_ruling(
        "R19",
        ("verbatim", "content comes back as it was sent, in any script"),
        ("not-blank", "content is not blank"),
        ("too-long", "content over 2000 code points is refused in the seed's words"),
        ("too-long-among-others", "content over 2000 code points is one issue of several where more is wrong"),
        ("text-channels-only", "messages go to text channels that exist"),
        ("new-message", "a new message is unedited and its author's"),
    ),
    *_ruling(
        "R20",
        ("edit", "an edit sets edited and moves updatedAt strictly forward"),
        ("edits-at-once", "no two edits of a message leave the same updatedAt"),
        ("every-updated-at", "every update moves updatedAt strictly forward"),
        ("updates-at-once", "no two updates of a user or a channel leave the same updatedAt"),
        ("different-members-at-once", "updates of different members at once lose none of them"),
        ("delete", "a deleted message is 404"),
        ("author-only", "only the author edits or deletes a message"),
    ),
    *_ruling(
        "R21",
        ("register", "registration gives the user and tokens that work"),
        ("race-of-names", "of racing registrations of one username exactly one wins"),
        ("race-of-emails", "of racing registrations of one email exactly one wins"),
        ("race-of-renames", "of racing renames to one username exactly one wins"),
        ("username-letter-case", "usernames differ by case"),
        ("email", "an email is trimmed, compared without regard to case, and given back as typed"),
        ("passwords", "a password works in any script"),
        ("every-character-counts", "every character of a password counts, beyond bcrypt's 72 bytes too"),
        ("password-as-typed", "a password is neither trimmed nor folded"),
        ("password-unseen", "no answer shows a password or its hash"),
    ),
    *_ruling(
        "R22",
        ("login", "login sets ONLINE"),
        ("wrong-credentials", "a wrong password and an unknown email are 401, and change nothing"),
        ("same-time", "an unknown email takes as long as a wrong password"),
        ("guest", "a guest is ONLINE, has no email and cannot log in"),
    ),
    *_ruling(
        "R23",
        ("claims", "tokens are HS256 with the contract's claims and lifetimes"),
        ("every-pair-is-new", "every token has a jti of its own"),
        ("claims-of-later-tokens", "tokens of a login or a refresh say the same, and live as long"),
    ),
    *_ruling(
        "R24",
        ("author-as-now", "a message shows its author as the profile is now"),
        ("status-stays", "neither a refresh, nor a profile update, nor a logout changes a status"),
    ),
]
