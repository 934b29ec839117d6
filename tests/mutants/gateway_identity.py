"""Bugs of who a socket stands for, and for how long (rulings P2 to P4 and R31)."""

from __future__ import annotations

from tests.mutants.registry import DOCUMENTED, HARDENED, Edit, Law, mutant

_SERVER = "hype/gateway/server.py"
_PROTOCOL = "hype/gateway/protocol.py"
_IDENTITY = "hype/gateway/identity.py"
_CALLERS = "hype/operations/callers.py"
_AUTH = "hype/operations/auth.py"
_OF_SESSION = "for socket in self._context.hub.sockets_of_session(session_id):"
_REVOKED = 'socket.close(CloseCode.UNAUTHENTICATED, "Session revoked")'
_READ = "claims = services.tokens.read_access(token)"
_REFUSED = "return [Refuse(refusal(error))]\n        except RecursionError"

MUTANTS = [
    mutant(
        "gateway.identity.no-timeout",
        "A socket that never says who it is stays open.",
        Edit(
            _IDENTITY,
            "if socket.identity is None:\n                socket.close",
            "if False:\n                socket.close",
        ),
        of="user_joined.in",
        killed_by="R31.auth-timeout",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.timeout-after-3-s",
        "A socket has three seconds to say who it is.",
        Law("asyncapi.yaml#/channels/gateway/x-hype-limits/authTimeoutMs", 3000),
        of="user_joined.in",
        killed_by="R31.auth-timeout",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.timeout-for-all",
        "Every socket is closed ten seconds after it was opened.",
        Edit(
            _IDENTITY,
            "if socket.identity is None:\n                socket.close",
            "if True:\n                socket.close",
        ),
        of="user_joined.in",
        killed_by="R31.auth-timeout",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.bad-token-waits",
        "A bad token in the URL is ignored until the time to say who one is runs out.",
        Edit(
            _IDENTITY,
            'await self._identify(socket, {"token": token})',
            "services = self._context.services\n"
            "            await self._context.read(socket, lambda unit: identity_of_token(unit, services, token))\n"
            '            await self._identify(socket, {"token": token})',
        ),
        of="user_joined.in",
        killed_by="R31.bad-token-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.bad-token-is-an-error",
        "A bad token in user_joined is answered with an error, and the socket stays.",
        Edit(_IDENTITY, "raise _closed(socket, error.error) from error", "raise"),
        of="user_joined.in",
        killed_by="R31.bad-token-in-frame-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.close-code-4001",
        "A bad token closes with 4001.",
        Edit(_PROTOCOL, "UNAUTHENTICATED = 4401", "UNAUTHENTICATED = 4001"),
        of="user_joined.in",
        killed_by="R31.bad-token-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.refresh-token",
        "A refresh token opens a socket.",
        Edit(
            _CALLERS,
            _READ,
            "try:\n        claims = services.tokens.read_access(token)\n"
            "    except NotAuthenticated:\n        claims = services.tokens.read_refresh(token)",
        ),
        of="user_joined.in",
        killed_by="R31.bad-token-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.unsigned-token",
        "The signature of a token is not looked at.",
        Edit("hype/tokens.py", '{"verify_signature": True,', '{"verify_signature": False,'),
        of="user_joined.in",
        killed_by="R31.bad-token-in-frame-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logged-out-token",
        "The access token of a session that was logged out opens a socket.",
        Edit(_CALLERS, "session is None or session.revoked_at is not None or", "session is None or"),
        of="user_joined.in logoutUser",
        killed_by="P2.logged-out-token-opens-nothing",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.stranger-is-closed",
        "Whoever sends something before they say who they are is closed at once.",
        Edit(
            _PROTOCOL,
            _REFUSED,
            "wrong = [Refuse(refusal(error))]\n"
            '            closes = [Close(4401, "")] if isinstance(error, NotAuthenticated) else []\n'
            "            return [*wrong, *closes]\n        except RecursionError",
        ),
        of="message.in typing.in",
        killed_by="R31.unauthenticated-changes-nothing",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.stranger-gets-forbidden",
        "What comes before authentication is answered forbidden.",
        Edit("hype/errors.py", 'gateway_code = "unauthenticated"', 'gateway_code = "forbidden"'),
        of="error.out",
        killed_by="R31.unauthenticated-code",
    ),
    mutant(
        "gateway.identity.unknown-types-of-strangers",
        "Before authentication an unknown type is answered unauthenticated.",
        Edit(
            _PROTOCOL,
            "if check is None:\n            raise _UnknownType",
            "if check is None:\n            raise _UnknownType if self._may_send('', {}) else NotAuthenticated",
        ),
        of="error.out",
        killed_by="R31.unauthenticated-code",
    ),
    mutant(
        "gateway.identity.claims-are-enough",
        "In the hardened profile a claimed userId is believed where no token was sent.",
        Law("asyncapi.yaml#/channels/gateway/x-hype-identity", "claim"),
        of="user_joined.in voice_state.in",
        killed_by="R31.unauthenticated-changes-nothing",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.claims-unchecked",
        "A claim that is not the token's user is passed over, and the frame is done as the token's.",
        Edit(_IDENTITY, "if not matches:", "if False:"),
        of="user_joined.in voice_state.in",
        killed_by="R31.claim-of-another",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.username-claims-unchecked",
        "A claimed username that is not the token's is passed over.",
        Edit(_IDENTITY, "else username in (None, found.username)", "else True"),
        of="user_joined.in",
        killed_by="R31.claim-of-another",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.another-token-takes-over",
        "Another user's token on a socket makes it theirs.",
        Edit(_IDENTITY, 'raise Forbidden("This connection already has another identity")', "pass"),
        of="user_joined.in",
        killed_by="R31.second-token",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.same-token-refused",
        "A token on a socket that has an identity is always refused.",
        Edit(
            _IDENTITY,
            "if socket.identity is not None and socket.identity.user_id != found.user_id:",
            'if socket.identity is not None and (socket.identity.user_id != found.user_id or "token" in said):',
        ),
        of="user_joined.in",
        killed_by="R31.second-token-code",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.first-frame-ignored",
        "A token in user_joined identifies the socket, and its channelId is not looked at.",
        Edit(
            "hype/gateway/handlers.py", 'if "channelId" not in data:', 'if "channelId" not in data or "token" in data:'
        ),
        of="user_joined.in",
        killed_by="R31.token-in-first-frame",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logout-leaves-sockets",
        "Logging out leaves the session's sockets open.",
        Edit(_IDENTITY, _REVOKED, "pass"),
        of="logoutUser",
        killed_by="P2.logout-closes-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logout-closes-one",
        "Logging out closes one of the session's sockets.",
        Edit(_IDENTITY, _OF_SESSION, _OF_SESSION.replace("):", ")[:1]:")),
        of="logoutUser",
        killed_by="P2.logout-closes-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logout-closes-normally",
        "Logging out closes the session's sockets with 1000.",
        Edit(_IDENTITY, _REVOKED, 'socket.close(1000, "Session revoked")'),
        of="logoutUser",
        killed_by="P2.logout-closes-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logout-closes-all",
        "Logging out closes all the user's sockets, those of other sessions too.",
        Edit(
            _IDENTITY,
            _OF_SESSION,
            "for socket in [\n"
            "            socket\n            for each in self._context.hub.sockets_of_session(session_id)\n"
            "            for socket in self._context.hub.sockets_of(each.identity.user_id)\n        ]:",
        ),
        of="logoutUser",
        killed_by="P2.logout-spares-other-sessions",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.reuse-leaves-sockets",
        "A refresh token that is used twice is refused, and ends nothing.",
        Edit(_AUTH, "    _revoke(call, session)\n    return None", "    return None"),
        of="refreshTokens",
        killed_by="P3.reuse-closes-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.refresh-closes",
        "Every refresh closes the session's sockets.",
        Edit(
            _AUTH,
            "expires_at=pair.refresh_expires_at):\n        return pair",
            "expires_at=pair.refresh_expires_at):\n"
            "        call.unit.announce(SessionRevoked(session.id))\n        return pair",
        ),
        of="refreshTokens",
        killed_by="P3.refresh-keeps-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.claim-by-name",
        "A claimed username that comes without a userId is not looked up.",
        Edit(_CALLERS, 'User.named(username or "") if user_id is None else', "None if user_id is None else"),
        of="user_joined.in",
        killed_by="P4.claim",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.claim-by-voice-state",
        "The userId in a voice_state claims nothing.",
        Edit(_IDENTITY, '    "voice_state": ("userId",),\n', ""),
        of="voice_state.in",
        killed_by="P4.claim-by-voice-state",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.claim-of-nobody",
        "A claim of a user who does not exist is answered forbidden.",
        Edit(_CALLERS, 'raise NotFound("User not found")', 'raise Forbidden("User not found")'),
        Edit(_CALLERS, "import NotAuthenticated, NotFound", "import Forbidden, NotAuthenticated, NotFound"),
        of="user_joined.in",
        killed_by="P4.unknown-claim-code",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.second-claim",
        "A second claim changes whom a socket stands for.",
        Edit(
            _IDENTITY,
            "if known is None:",
            'if known is None or said.get("userId"):',
        ),
        Edit(_IDENTITY, 'raise Forbidden("This connection already has another identity")', "pass"),
        of="user_joined.in",
        killed_by="P4.second-identity",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.url-token-unread",
        "In the documented profile ?token= is not looked at.",
        Edit(_SERVER, "if connection.token is not None:", "if False:"),
        of="user_joined.in",
        killed_by="P4.good-url-token-counts",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.bad-url-token",
        "In the documented profile a bad ?token= closes the socket.",
        Edit(
            _IDENTITY,
            'if self._binds_by == "claim":\n                    return None',
            "if False:\n                    return None",
        ),
        of="user_joined.in",
        killed_by="P4.bad-url-token-ignored",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.documented-logout",
        "In the documented profile a logout closes the session's sockets.",
        Edit(_AUTH, 'call.operation.policy.get("revokesSession", False)', "True"),
        of="logoutUser",
        killed_by="P2.logout-keeps-sockets",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.documented-reuse",
        "In the documented profile a refresh token works once.",
        Edit(_AUTH, 'if not call.operation.policy.get("singleUseRefreshToken", False):', "if False:"),
        of="refreshTokens",
        killed_by="P3.reuse-keeps-sockets",
        profiles=DOCUMENTED,
    ),
]
