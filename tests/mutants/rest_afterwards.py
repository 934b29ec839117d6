"""Bugs that show in what comes after: later tokens, a status that something else changed, what a deletion leaves
(rulings R13, R16, R20, R22 to R24, P3 and P9)."""

from __future__ import annotations

from tests.mutants.registry import DOCUMENTED, HARDENED, Edit, mutant

AUTH = "hype/operations/auth.py"
CHANNELS = "hype/operations/channels.py"
MESSAGES = "hype/operations/messages.py"
MODEL = "hype/models/messages.py"
USERS = "hype/operations/users.py"

_ROTATED = "pair = call.services.tokens.pair(user, session.id)"
_LOGOUT = "    if call.session is not None and"
_WRONG = "        attempt.failed()\n"

MUTANTS = [
    mutant(
        "rest.channels.change-takes-it-over",
        "Who changes a channel is its creator from then on.",
        Edit(
            CHANNELS,
            "row.change(changes)",
            'row.change({**changes, **({"created_by": call.user} if call.user else {})})',
        ),
        of="updateChannel",
        killed_by="P6.anyone",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.tokens.reuse-of-the-last-alone",
        "Only the refresh token that was used last ends the session when it comes again; older ones are just refused.",
        Edit(
            AUTH,
            "        return pair\n    _revoke(call, session)",
            "        return _renewed(session, claims, pair)\n    _ended(call, session, claims)",
        ),
        Edit(
            AUTH,
            "def _revoke(",
            "_LAST: dict[str, str] = {}\n\n\ndef _renewed(session: Session, claims: Claims, pair: Pair) -> Pair:\n"
            "    _LAST[session.id] = claims.jti\n    return pair\n\n\n"
            "def _ended(call: Call, session: Session, claims: Claims) -> None:\n"
            "    if _LAST.get(session.id) == claims.jti:\n        _revoke(call, session)\n\n\ndef _revoke(",
        ),
        of="refreshTokens",
        killed_by="P3.reuse-of-an-older-token",
        profiles=HARDENED,
    ),
    mutant(
        "rest.tokens.refreshed-without-email",
        "Tokens that a refresh gives do not carry the email.",
        Edit(AUTH, _ROTATED, f"user.email = None\n    {_ROTATED}"),
        of="refreshTokens",
        killed_by="R23.claims-of-later-tokens",
    ),
    mutant(
        "rest.tokens.refresh-signs-in",
        "A refresh sets the status to online.",
        Edit(AUTH, _ROTATED, f"user = user.logged_in()\n    {_ROTATED}"),
        of="refreshTokens",
        killed_by="R24.status-stays",
    ),
    mutant(
        "rest.logout.signs-off",
        "A logout sets the status to offline.",
        Edit(AUTH, _LOGOUT, f'    call.caller.change({{"status": "OFFLINE"}})\n{_LOGOUT}'),
        of="logoutUser",
        killed_by="R24.status-stays",
    ),
    mutant(
        "rest.login.failure-signs-in",
        "Who tries to log in is online before the password is looked at.",
        Edit(
            AUTH,
            "    password_hash = None if user",
            "        if user is not None:\n            user = user.logged_in()\n    password_hash = None if user",
        ),
        of="loginUser",
        killed_by="R22.wrong-credentials",
    ),
    mutant(
        "rest.login.email-in-lower-case",
        "Login answers with the email in lower case, not as it was typed.",
        Edit(
            AUTH,
            "return _signed_in(call, user.logged_in())",
            "user = user.logged_in()\n        user.email = user.email_key\n        return _signed_in(call, user)",
        ),
        of="loginUser",
        killed_by="R21.email",
    ),
    mutant(
        "rest.login.unknown-emails-unlimited",
        "Failed logins are counted for those who are registered only.",
        Edit(AUTH, _WRONG, "        if user is not None:\n            attempt.failed()\n"),
        of="loginUser",
        killed_by="P9.unknown-email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.login.successes-count",
        "Logins that succeed count for the limit of failures.",
        Edit(AUTH, "attempt.succeeded()", "attempt.failed()"),
        of="loginUser",
        killed_by="P9.below-the-limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.status.shows-bio",
        "The answer to a new status shows the bio.",
        Edit(
            USERS,
            'return ok(_payload(call, row.change({"status": call.body["status"].upper()})))',
            'row = row.change({"status": call.body["status"].upper()})\n'
            "    return ok(payloads.profile(row, email_shown=_email_shown(call, row)))",
        ),
        of="updateUserStatus",
        killed_by="R16.bio-in-the-profile-only",
    ),
    mutant(
        "rest.channels.count-never-falls",
        "_count.messages counts what was written, deleted or not.",
        Edit(
            CHANNELS,
            "    return [payloads.channel(row, messages=messages[row.id]",
            "    for row in rows:\n        _MOST[row.id] = max(_MOST.get(row.id, 0), messages[row.id])\n"
            "    return [payloads.channel(row, messages=_MOST[row.id]",
        ),
        Edit(CHANNELS, "def channel_payloads(", "_MOST: dict[str, int] = {}\n\n\ndef channel_payloads("),
        of="getChannel listChannels",
        killed_by="R13.members",
    ),
    mutant(
        "rest.messages.delete-takes-the-older-ones",
        "Deleting a message deletes all that its author wrote in the channel.",
        Edit(
            MODEL,
            "model.delete().where(model.id == self.id)",
            "model.delete().where((model.channel == self.channel_id) & (model.author == self.author_id))",
        ),
        of="deleteMessage",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.messages.author-remembered",
        "The answer to a new message shows its author as of their first message.",
        Edit(
            MESSAGES,
            "    data = payloads.message(row)\n",
            "    data = payloads.message(row)\n"
            '    data["author"] = _AUTHORS.setdefault(row.author.id, data["author"])\n',
        ),
        Edit(MESSAGES, "def create_message(", "_AUTHORS: dict[str, dict[str, object]] = {}\n\n\ndef create_message("),
        of="createMessage",
        killed_by="R24.author-as-now",
    ),
]
