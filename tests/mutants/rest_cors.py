"""Bugs of cross-origin requests: answers that a browser keeps from the frontend (rulings R9 and A5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.mutants.heads import Answer, Request
from tests.mutants.registry import HARDENED, Mutant, mutant
from tests.mutants.seams import AnswerHead, Around

_ALLOWED: Final = "access-control-allow-origin"
_CREDENTIALS: Final = "access-control-allow-credentials"
_METHODS: Final = "access-control-allow-methods"


def _lacking(where: Callable[[Answer, Request], bool]) -> AnswerHead:
    """Return the change by which the headers are taken away where the condition holds."""

    def change(answer: Answer, request: Request) -> None:
        if where(answer, request):
            answer.headers.pop(_ALLOWED, None)
            answer.headers.pop(_CREDENTIALS, None)

    return AnswerHead(change)


def _lacking_below(path: str) -> AnswerHead:
    return _lacking(lambda answer, request: request.path.startswith(path) and request.method != "OPTIONS")


def _lacking_status(status: int, of: str) -> Mutant:
    return mutant(
        f"rest.cors.not-on-{status}",
        f"Answers with the status {status} lack the headers of CORS.",
        _lacking(lambda answer, request: answer.status == status),
        of=of,
        killed_by="R9.failures-too",
        profiles=HARDENED,
    )


def _every_origin(answer: Answer, request: Request) -> None:
    if "origin" in request.headers:
        answer.headers.update({_ALLOWED: request.headers["origin"], _CREDENTIALS: "true"})


def _same_ending(answer: Answer, request: Request) -> None:
    origin = request.headers.get("origin", "")
    if origin.startswith("http://") and origin.endswith("localhost:5173"):
        _every_origin(answer, request)


def _get_alone(answer: Answer, request: Request) -> None:
    if _METHODS in answer.headers:
        answer.headers[_METHODS] = "GET"


async def _not_before_routing(original: Any, cors: Any, request: Any, response: Any) -> None:
    """Leave a preflight to the router, which knows the paths that there are."""


MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "rest.cors.origins-that-end-alike",
        "An origin may read answers if it ends as the frontend's host does.",
        AnswerHead(_same_ending),
        of="listChannels",
        killed_by="R9.foreign-origin",
    ),
    mutant(
        "rest.cors.not-on-auth",
        "Answers of /auth/* lack the headers of CORS, preflights excepted.",
        _lacking_below("/auth/"),
        of="loginUser registerUser loginGuest",
        killed_by="R9.allowed-origin",
    ),
    mutant(
        "rest.cors.not-on-servers",
        "Answers of /api/servers* lack the headers of CORS, preflights excepted.",
        _lacking_below("/api/servers"),
        of="listServers getServer listServerChannels",
        killed_by="R9.allowed-origin",
    ),
    mutant(
        "voice.cors.not-on-voice",
        "Answers of /api/voice* lack the headers of CORS, preflights excepted.",
        _lacking_below("/api/voice"),
        of="createSendTransport createProducer",
        killed_by="R9.voice",
    ),
    mutant(
        "voice.cors.not-on-409",
        "Conflicts in a call lack the headers of CORS.",
        _lacking(lambda answer, request: answer.status == 409),
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
        AnswerHead(lambda answer, request: answer.headers.pop(_CREDENTIALS, None)),
        of="listChannels",
        killed_by="R9.allowed-origin",
    ),
    mutant(
        "rest.cors.everybodys-origin",
        "Every origin is given back as allowed.",
        AnswerHead(_every_origin),
        of="listChannels",
        killed_by="R9.foreign-origin",
    ),
    mutant(
        "rest.cors.preflight-needs-a-path",
        "A preflight of an unknown path is 404.",
        Around("hype.rest:CrossOrigin.process_request", _not_before_routing),
        of="listChannels",
        killed_by="R9.preflight-of-unknown-path",
    ),
    mutant(
        "rest.cors.preflight-without-methods",
        "A preflight names GET alone among the methods.",
        AnswerHead(_get_alone),
        of="createMessage updateUser",
        killed_by="R9.preflight",
    ),
)
