"""Bugs of cross-origin requests: answers that a browser keeps from the frontend (rulings R9 and A5)."""

from __future__ import annotations

from typing import Final

from tests.mutants.registry import HARDENED, Edit, Mutant, mutant

_APP: Final = "hype/rest/app.py"
_CORS: Final = "hype/rest/cors.py"
_ORIGINS: Final = "allow_origins=origins, allow_credentials=origins"


def _lacking(where: str) -> tuple[Edit, Edit]:
    """The headers are taken away again where the condition holds, by what now runs last."""
    return (
        Edit(_APP, "middleware=[cors, VaryByOrigin(), preflights]", "middleware=[VaryByOrigin(), cors, preflights]"),
        Edit(
            _CORS,
            'response.append_header("Vary", "Origin")',
            f"if {where}:\n"
            '            response.delete_header("Access-Control-Allow-Origin")\n'
            '            response.delete_header("Access-Control-Allow-Credentials")',
        ),
    )


def _lacking_status(status: int, of: str) -> Mutant:
    return mutant(
        f"rest.cors.not-on-{status}",
        f"Answers with the status {status} lack the headers of CORS.",
        *_lacking(f"response.status_code == {status}"),
        of=of,
        killed_by="R9.failures-too",
        profiles=HARDENED,
    )


MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "rest.cors.not-on-auth",
        "Answers of /auth/* lack the headers of CORS, preflights excepted.",
        *_lacking('request.path.startswith("/auth/") and request.method != "OPTIONS"'),
        of="loginUser registerUser loginGuest",
        killed_by="R9.allowed-origin",
    ),
    mutant(
        "rest.cors.not-on-servers",
        "Answers of /api/servers* lack the headers of CORS, preflights excepted.",
        *_lacking('request.path.startswith("/api/servers") and request.method != "OPTIONS"'),
        of="listServers getServer listServerChannels",
        killed_by="R9.allowed-origin",
    ),
    mutant(
        "voice.cors.not-on-voice",
        "Answers of /api/voice* lack the headers of CORS, preflights excepted.",
        *_lacking('request.path.startswith("/api/voice") and request.method != "OPTIONS"'),
        of="createSendTransport createProducer",
        killed_by="R9.voice",
    ),
    mutant(
        "voice.cors.not-on-409",
        "Conflicts in a call lack the headers of CORS.",
        *_lacking("response.status_code == 409"),
        of="connectTransport createProducer",
        killed_by="R9.voice",
    ),
    _lacking_status(400, "createMessage registerUser"),
    _lacking_status(401, "getCurrentUser loginUser"),
    _lacking_status(403, "updateMessage updateUser"),
    _lacking_status(404, "getChannel getUser"),
    _lacking_status(405, "listServers"),
    _lacking_status(409, "updateUser"),
    _lacking_status(413, "createMessage"),
    _lacking_status(415, "createMessage"),
    _lacking_status(429, "loginUser"),
    mutant(
        "rest.cors.without-credentials",
        "No answer allows credentials.",
        Edit(_APP, _ORIGINS, "allow_origins=origins"),
        of="listChannels",
        killed_by="R9.allowed-origin",
    ),
    mutant(
        "rest.cors.everybodys-origin",
        "Every origin is given back as allowed.",
        Edit(_APP, _ORIGINS, 'allow_origins="*", allow_credentials="*"'),
        of="listChannels",
        killed_by="R9.foreign-origin",
    ),
    mutant(
        "rest.cors.preflight-needs-a-path",
        "A preflight of an unknown path is 404.",
        Edit(_CORS, 'if request.method == "OPTIONS" and', 'if request.method == "NONE" and'),
        of="listChannels",
        killed_by="R9.preflight-of-unknown-path",
    ),
    mutant(
        "rest.cors.preflight-without-methods",
        "A preflight names GET alone among the methods.",
        Edit(_CORS, '", ".join(sorted(methods))', '"GET"'),
        of="createMessage updateUser",
        killed_by="R9.preflight",
    ),
)
