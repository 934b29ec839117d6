"""Bugs of tokens and sessions (rulings R7, R23, P2 and P3)."""

from __future__ import annotations

from tests.mutants.registry import DOCUMENTED, HARDENED, Edit, Law, mutant

AUTH = "hype/operations/auth.py"
IDENTITY = "hype/operations/callers.py"
SESSIONS = "hype/models/sessions.py"
TOKENS = "hype/tokens.py"
BEARER = "hype/rest/auth.py"
LOGOUT = "openapi.yaml#/paths/~1auth~1logout/post/x-hype-policy/revokesSession"
REFRESH = "openapi.yaml#/paths/~1auth~1refresh/post/x-hype-policy/singleUseRefreshToken"

_DECODE = 'return jwt.decode(token, self._secrets[kind], algorithms=["HS256"], options=options)'
_READ_REFRESH = 'claims = call.services.tokens.read_refresh(call.body["refreshToken"])'

MUTANTS = [
    mutant(
        "rest.tokens.signature-unchecked",
        "The signature of a token is not verified.",
        Edit(TOKENS, '"verify_signature": True', '"verify_signature": False'),
        of="getCurrentUser refreshTokens",
        killed_by="R7.forged-signature",
    ),
    mutant(
        "rest.tokens.refresh-signature-unchecked",
        "The signature of a refresh token is not verified.",
        Edit(TOKENS, '"verify_signature": True', '"verify_signature": kind == "access"'),
        of="refreshTokens",
        killed_by="R23.bad-refresh-token.forged-signature",
    ),
    mutant(
        "rest.tokens.alg-none",
        "A token whose header says alg none is accepted.",
        Edit(
            TOKENS,
            _DECODE,
            'bare = str(jwt.get_unverified_header(token).get("alg")).lower() == "none"\n'
            '            options["verify_signature"] = not bare\n'
            f"            {_DECODE}",
        ),
        of="getCurrentUser",
        killed_by="R7.unsigned-token",
    ),
    mutant(
        "rest.tokens.guessable-secret",
        "Access tokens are signed with the secret of the example configuration.",
        Edit(TOKENS, '"access": config.jwt_access_secret', '"access": "your-secret-key-for-access-tokens"'),
        of="getCurrentUser",
        killed_by="R7.forged-signature",
    ),
    mutant(
        "rest.tokens.refresh-opens-doors",
        "A refresh token is accepted where an access token is due.",
        Edit(
            TOKENS,
            'return self._read(token, "access")',
            'try:\n            return self._read(token, "access")\n'
            '        except NotAuthenticated:\n            return self._read(token, "refresh")',
        ),
        of="getCurrentUser",
        killed_by="R7.refresh-token-as-access-token",
    ),
    mutant(
        "rest.tokens.access-refreshes",
        "An access token can be used to get new tokens.",
        Edit(
            TOKENS,
            'return self._read(token, "refresh")',
            'try:\n            return self._read(token, "refresh")\n'
            '        except NotAuthenticated:\n            return self._read(token, "access")',
        ),
        Edit(SESSIONS, "(model.refresh_jti == used_jti) & ", ""),
        of="refreshTokens",
        killed_by="R23.bad-refresh-token.access-token",
    ),
    mutant(
        "rest.tokens.access-for-a-day",
        "An access token lives for a day.",
        Edit(TOKENS, "now + self._lifetimes[kind]", "now + max(86_400, self._lifetimes[kind])"),
        of="registerUser loginGuest refreshTokens",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.refresh-for-a-month",
        "A refresh token lives for thirty days.",
        Edit(
            TOKENS, "now + self._lifetimes[kind]", 'now + (2_592_000 if kind == "refresh" else self._lifetimes[kind])'
        ),
        of="loginUser",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.milliseconds",
        "iat and exp are milliseconds, as JavaScript's clock has them.",
        Edit(TOKENS, "now = int(self._clock())", "now = int(self._clock()) * 1000"),
        Edit(TOKENS, "now + self._lifetimes[kind]", "now + self._lifetimes[kind] * 1000"),
        of="registerUser",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.no-email",
        "A token does not carry the email.",
        Edit(TOKENS, '            "email": user.email,\n', ""),
        of="registerUser",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.no-type",
        "Tokens have no type claim, so that only the secret tells them apart.",
        Edit(TOKENS, '            "type": kind,\n', ""),
        Edit(TOKENS, 'payload.get("type") == kind and _is_past', "_is_past"),
        Edit(TOKENS, '        payload.get("type") == kind\n        and all', "        all"),
        of="registerUser",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.tokens.jti-of-the-session",
        "All tokens of a session have one jti.",
        Edit(TOKENS, '"jti": new_id(),', '"jti": session_id,'),
        of="loginUser refreshTokens",
        killed_by="R23.",
    ),
    mutant(
        "rest.auth.no-www-authenticate",
        "401 comes without WWW-Authenticate.",
        Edit("hype/errors.py", 'headers={"WWW-Authenticate": "Bearer"}', "headers={}"),
        of="getCurrentUser loginUser refreshTokens",
        killed_by="R7.no-token",
    ),
    mutant(
        "rest.auth.refuses-with-403",
        "A missing token is answered with 403.",
        Edit("hype/errors.py", "    status = 401\n", "    status = 403\n"),
        of="getCurrentUser createMessage logoutUser",
        killed_by="R7.no-token",
    ),
    mutant(
        "rest.auth.unauthorized",
        "A missing token is answered `Unauthorized` instead of the documented text.",
        Edit(
            IDENTITY,
            'raise NotAuthenticated("Not authenticated")\n    claims',
            'raise NotAuthenticated("Unauthorized")\n    claims',
        ),
        of="getCurrentUser",
        killed_by="R6.not-authenticated",
    ),
    mutant(
        "rest.auth.bare-token",
        "The Authorization header works without the word Bearer.",
        Edit(BEARER, 'r"bearer +(\\S+) *"', 'r"(?:bearer +)?(\\S+) *"'),
        of="getCurrentUser createMessage",
        killed_by="R7.malformed-header",
    ),
    mutant(
        "rest.auth.any-scheme",
        "The token is whatever stands behind the last blank of the Authorization header.",
        Edit(BEARER, 'r"bearer +(\\S+) *"', 'r"\\w+ +(\\S+) *"'),
        of="getCurrentUser createMessage",
        killed_by="R7.malformed-header",
    ),
    mutant(
        "rest.auth.malformed-is-nobody",
        "Where no token is needed a malformed Authorization header counts as none, also where a bad token is refused.",
        Edit(BEARER, 'return match[1] if match else ""', "return match[1] if match else None"),
        of="updateUserStatus createChannel",
        killed_by="R7.malformed-header",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.auth.bad-token-is-nobody",
        "Where no token is needed a bad one counts as none, also where it must be valid.",
        Edit("hype/spec.py", 'return "checked" if 401 in statuses else "optional"', 'return "optional"'),
        of="updateUserStatus createChannel updateChannel deleteChannel",
        killed_by="R7.",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.auth.bad-token-on-reads",
        "A stale token in the browser makes public reads answer 401.",
        Edit("hype/spec.py", 'return "checked" if 401 in statuses else "optional"', 'return "checked"'),
        of="listChannels getUser listMessages listServers",
        killed_by="R7.bad-token-on-a-public-read",
    ),
    mutant(
        "rest.refresh.access-only",
        "A refresh gives a new access token only.",
        Edit(AUTH, "return ok(_tokens(pair))", 'return ok({"accessToken": pair.access_token})'),
        of="refreshTokens",
        killed_by="P3.refresh",
    ),
    mutant(
        "rest.refresh.no-rotation",
        "A refresh token can be used again and again.",
        Law(REFRESH, False),
        of="refreshTokens",
        killed_by="P3.single-use",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.reuse-is-only-refused",
        "Using a refresh token twice is refused, but the stolen session goes on.",
        Edit(AUTH, "        return pair\n    _revoke(call, session)\n", "        return pair\n"),
        of="refreshTokens",
        killed_by="P3.single-use",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.reuse-rolled-back",
        "The revocation after a re-used refresh token is rolled back by the exception.",
        Edit(
            AUTH,
            "        pair = _rotated(call, claims)\n",
            "        pair = _rotated(call, claims)\n"
            '        if pair is None:\n            raise NotAuthenticated("Invalid refresh token")\n',
        ),
        of="refreshTokens",
        killed_by="P3.single-use",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.race",
        "Of two refreshes at once with one token both succeed: it is checked, and exchanged a moment later.",
        Edit(
            AUTH,
            _READ_REFRESH,
            f"{_READ_REFRESH}\n    with call.unit.transaction():\n"
            "        session = Session.find(claims.session_id)\n"
            "        newest = session is not None and session.refresh_jti == claims.jti\n"
            '    __import__("time").sleep(0.05)',
        ),
        Edit(AUTH, "        pair = _rotated(call, claims)\n", "        pair = _rotated(call, claims, newest)\n"),
        Edit(AUTH, "claims: Claims) -> Pair", "claims: Claims, newest: bool) -> Pair"),
        Edit(AUTH, "    if session.rotate(", "    if newest and session.rotate("),
        Edit(SESSIONS, "(model.refresh_jti == used_jti) & ", ""),
        of="refreshTokens",
        killed_by="P3.race",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.ends-all-sessions",
        "A re-used refresh token ends the user's other sessions too.",
        Edit(SESSIONS, "live = (model.id == self.id) &", "live = (model.user == self.user_id) &"),
        of="refreshTokens",
        killed_by="P3.other-sessions-live",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.single-use-in-documented",
        "A refresh token works once in the documented profile too.",
        Law(REFRESH, True),
        of="refreshTokens",
        killed_by="P3.old-token-stays-valid",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.refresh.wrong-words",
        "A bad refresh token is answered `Invalid token`.",
        Edit(TOKENS, '"refresh": "Invalid refresh token"', '"refresh": "Invalid token"'),
        of="refreshTokens",
        killed_by="R6.invalid-refresh-token",
    ),
    mutant(
        "rest.logout.revokes-nothing",
        "After logout the tokens still work.",
        Law(LOGOUT, False),
        of="logoutUser",
        killed_by="P2.revokes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.logout.access-lives",
        "Logout ends the refresh token only; the access token works until it expires.",
        Edit(IDENTITY, "session is None or session.revoked_at is not None or", "session is None or"),
        of="logoutUser getCurrentUser",
        killed_by="P2.revokes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.logout.refresh-lives",
        "Logout ends the access token only; the refresh token still gives new ones.",
        Edit(AUTH, "user is None or session.revoked_at is not None or", "user is None or"),
        Edit(
            SESSIONS, "(model.refresh_jti == used_jti) & model.revoked_at.is_null()", "(model.refresh_jti == used_jti)"
        ),
        of="logoutUser refreshTokens",
        killed_by="P2.revokes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.logout.everywhere",
        "Logout ends all sessions of the user.",
        Edit(SESSIONS, "live = (model.id == self.id) &", "live = (model.user == self.user_id) &"),
        of="logoutUser",
        killed_by="P2.revokes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.logout.revokes-in-documented",
        "Logout ends the session in the documented profile too.",
        Law(LOGOUT, True),
        of="logoutUser",
        killed_by="P2.tokens-stay-valid",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.logout.in-an-envelope",
        "Logout answers an empty data object instead of its message.",
        Edit(AUTH, 'return Answer({"success": True, "message": "Logged out successfully"})', "return ok({})"),
        of="logoutUser",
        killed_by="P2.logout",
    ),
    mutant(
        "rest.me.bare-user",
        "GET /auth/me answers the user itself instead of an object that has it.",
        Edit(
            AUTH, 'return ok({"user": payloads.auth_user(call.caller)})', "return ok(payloads.auth_user(call.caller))"
        ),
        of="getCurrentUser",
        killed_by="R21.register",
    ),
    mutant(
        "rest.me.lower-case-status",
        "The status in /auth answers is in lower case.",
        Edit(
            "hype/payloads.py",
            '"status": row.status,\n        "createdAt"',
            '"status": row.status.lower(),\n        "createdAt"',
        ),
        of="getCurrentUser registerUser loginUser loginGuest",
        killed_by="R17.statuses",
    ),
    mutant(
        "rest.me.as-in-the-token",
        "GET /auth/me shows the username as it was when the token was given out.",
        Edit(
            IDENTITY,
            '        raise NotAuthenticated("Invalid token")\n    return user, session\n\n\ndef authenticate_again',
            '        raise NotAuthenticated("Invalid token")\n    user.username = claims.username\n'
            "    return user, session\n\n\ndef authenticate_again",
        ),
        of="getCurrentUser",
        killed_by="R16.profile",
    ),
]
