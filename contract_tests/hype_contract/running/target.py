"""The target: the implementation under test, and the probe that finds its profile and the areas that it has.

A target that cannot be judged is reported in one sentence (`TargetUnusable`), not in hundreds of failed cases.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import httpx

from hype_contract.actors.clients.http import Unreadable, connect, untrusted
from hype_contract.actors.clients.opening import first_answer
from hype_contract.actors.clients.rest import LONGEST_RETRY_S, retry_after, too_long
from hype_contract.actors.must import Violation
from hype_contract.actors.options import DEFAULTS, Options
from hype_contract.actors.people import unique
from hype_contract.contract import strict_json
from hype_contract.contract.areas import Area
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.recording.secrecy import credentials

ANSWER_WITHIN_S = 8.0
ECHO_WITHIN_S = 2.0
_LARGEST_ANSWER = 4_000_000  # bytes
_ABSENT = (404, 405, 501)
_PORTS = 65_536
_MOVED = (301, 302, 303, 307, 308)
_ASKS = {401: "www-authenticate", 407: "proxy-authenticate"}


class TargetUnusable(Exception):
    """The target cannot be judged; the text is a sentence for the person at the terminal. Exit code 2."""


@dataclass(frozen=True)
class Target:
    """A target that answers.

    `profile_reason`: how its profile was found. `lacking`: areas that it does not have → the reason.
    """

    base_url: str
    ws_url: str
    profile: Profile
    profile_reason: str
    lacking: Mapping[Area, str] = field(default_factory=dict)


def reach(
    base_url: str,
    ws_url: str,
    profile: Profile | Literal["auto"],
    areas: Collection[Area],
    options: Options = DEFAULTS,
) -> Target:
    """Probe the target and return it. The probe may take 30 s.

    It asks for `/health`, a user, the profile and, as `areas` need them, the voice operations and the gateway. It
    compares the secrets in `options` with the user's tokens. Raises `TargetUnusable`.
    """
    base_url, ws_url = _lower_scheme(base_url), _lower_scheme(ws_url)
    _check_url(base_url, "--base-url", ("http://", "https://"))
    with connect(base_url) as http:
        session = _new_session(http, _health_problem(http))
        _check_secret("access", session["accessToken"], options.access_secret)
        _check_secret("refresh", session.get("refreshToken"), options.refresh_secret)
        chosen, reason = (profile, "as --profile says") if profile != "auto" else _profile(http, session)
        lacking = _lacking(http, session) if {"voice", "media"} & set(areas) else {}
        lacking |= _without_gateway(ws_url, session, chosen, areas)
        if chosen == "hardened":  # elsewhere a logout ends nothing (ruling P2)
            _log_out(http, session)
    return Target(base_url, ws_url, chosen, reason, lacking)


def _without_gateway(
    ws_url: str, session: dict[str, Any], profile: Profile, areas: Collection[Area]
) -> dict[Area, str]:
    """Return the areas that need a gateway → why there is none. Raises `TargetUnusable` if no area is left."""
    if needing := [area for area in areas if area != "rest"]:
        _check_url(ws_url, "--ws-url", ("ws://", "wss://"))
        if missing := _gateway_problem(ws_url, session, profile):
            if "rest" not in areas:
                raise TargetUnusable(f"{missing}; check --ws-url.")
            return dict.fromkeys(needing, missing)
    return {}


def _log_out(http: httpx.Client, session: dict[str, Any]) -> None:
    """End the session of the probe; a wrong answer is left to the cases."""
    with suppress(TargetUnusable):
        _request_once(http, "POST", "/auth/logout", None, {"Authorization": f"Bearer {session['accessToken']}"})


def _check_secret(kind: str, token: object, secret: bytes | None) -> None:
    """Raise `TargetUnusable` if `token` is a JWT that was signed with HS256 and another secret than this one."""
    if secret is None or not isinstance(token, str) or token.count(".") != 2:
        return
    signed, _, signature = token.rpartition(".")
    try:
        if _member(json.loads(_decoded(signed.partition(".")[0])), "alg") != "HS256":
            return
        right = hmac.compare_digest(hmac.digest(secret, signed.encode(), "sha256"), _decoded(signature))
    except ValueError:  # this is no JWT; the cases say so
        return
    if not right:
        raise TargetUnusable(
            f"--jwt-{kind}-secret is not the secret with which the target signs its {kind} tokens: "
            f"the signature of a new one is another. Give the target's own, or leave the option out."
        )


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _lower_scheme(url: str) -> str:
    """Return the URL with its scheme in lower case, which means the same (RFC 3986 section 3.1)."""
    scheme, colon, rest = url.partition("://")
    return scheme.lower() + colon + rest


def _check_url(url: str, option: str, schemes: tuple[str, ...]) -> None:
    host, port = _host_and_port(url)
    if option == "--base-url" and credentials(url):
        # One header cannot carry both, and many requirements are about the tokens in it.
        raise TargetUnusable("--base-url must contain no password: the Authorization header carries the users' tokens.")
    if not url.startswith(schemes) or not host:
        raise TargetUnusable(f"{option} must be a URL that begins with {' or '.join(schemes)}, not {url!r}.")
    if port is not None and not 0 < port < _PORTS:
        raise TargetUnusable(f"{option} names the port {port}, but ports are numbers from 1 to {_PORTS - 1}.")
    try:
        host.encode("idna")
    except UnicodeError:
        raise TargetUnusable(f"{option} names the host {host!r}, which cannot exist: see its dots.") from None


def _host_and_port(url: str) -> tuple[str, int | None]:
    """Return the host ("" if there is none) and the port (None if the URL names none)."""
    try:
        parsed = httpx.URL(url)
        return parsed.host, parsed.port
    except (httpx.InvalidURL, ValueError):
        return "", None


def _health_problem(http: httpx.Client) -> str | None:
    """Return what is wrong with `GET /health`, or None. By itself it is left to the cases."""
    answer = _request(http, "GET", "/health")
    if answer.status_code == 200 and isinstance(_body(answer), dict):
        return None
    return f"GET /health {_described(answer)}"


def _new_session(http: httpx.Client, health_problem: str | None) -> dict[str, Any]:
    """Return a new user and its tokens: `data` of `/auth/guest`, or of `/auth/register` if that fails.

    Raises `TargetUnusable`, since every case needs users.
    """
    name = unique("probe")
    registration = {"username": name, "email": f"{name}@example.com", "password": unique("password")}
    problems = [health_problem] if health_problem else []
    for path, body in (("/auth/guest", {"username": name}), ("/auth/register", registration)):
        answer = _request(http, "POST", path, body)
        data = _member(_body(answer), "data")
        id = _member(_member(data, "user"), "id")
        if isinstance(_member(data, "accessToken"), str) and isinstance(id, str):
            return cast("dict[str, Any]", data)
        if isinstance(id, int):
            raise TargetUnusable(
                f"POST {path} answers a user whose id is the number {id}; ids are texts in the contract, also those of "
                f'digits: "{id}".'
            )
        problems.append(f"POST {path} {_described(answer)}")
    raise TargetUnusable(f"{http.base_url} gives the harness no user: {'; '.join(problems)}; check --base-url.")


def _profile(http: httpx.Client, session: dict[str, Any]) -> tuple[Profile, str]:
    """Return the profile and how it was found.

    `GET /api` names it (ruling R12); otherwise the answer to a status change without a token shows it (P1).
    Raises `TargetUnusable`.
    """
    claimed = _member(_body(_request(http, "GET", "/api")), "profile")
    answer = _request(http, "PUT", f"/api/users/{session['user']['id']}/status", {"status": "online"})
    shown_by: dict[int, Profile] = {401: PROFILES[1], 200: PROFILES[0]}
    seen = shown_by.get(answer.status_code)
    observed = f"PUT /api/users/:id/status without a token answers {answer.status_code}"
    if claimed in PROFILES:
        doubt = "" if seen == claimed else f", although {observed}"
        return claimed, f"GET /api says so{doubt}"
    if seen is None:
        raise TargetUnusable(f"its profile is unknown, since {observed}: add --profile documented or hardened.")
    return seen, observed


def _lacking(http: httpx.Client, session: dict[str, Any]) -> dict[Area, str]:
    """Return voice and media if two voice operations are both absent; one alone would be a failure to report."""
    token = {"Authorization": f"Bearer {session['accessToken']}"}
    operations: tuple[tuple[str, str, Any], ...] = (
        ("GET", "/api/voice/rtp-capabilities", None),
        ("POST", "/api/voice/transport/send", {}),
    )
    answers = [_request(http, method, path, body, token).status_code for method, path, body in operations]
    if not all(status in _ABSENT for status in answers):
        return {}
    reason = f"the target has no voice: {operations[0][0]} {operations[0][1]} answers {answers[0]}"
    return {"voice": reason, "media": reason}


def _gateway_problem(ws_url: str, session: dict[str, Any], profile: Profile) -> str | None:
    """Return why there is no gateway at the URL, or None.

    Whatever shakes hands is a gateway, since a target may lack any answer; but what sends every frame back is none.
    """
    user = session["user"]
    identity = {} if profile == "hardened" else {"userId": user["id"], "username": user["username"]}
    frames = [("user_joined", identity), ("voice_state", {**identity, "channelId": None}), ("hype-probe", {})]
    sent = [json.dumps({"type": type, "data": data}) for type, data in frames]
    try:
        answer = first_answer(ws_url, session["accessToken"] if profile == "hardened" else None, sent, ECHO_WITHIN_S)
    except Violation as violation:
        if why := untrusted(violation):
            raise TargetUnusable(_untrusted(ws_url, why)) from violation
        return f"there is no gateway at {ws_url}: {violation.got}"
    return f"{ws_url} sends every frame back, so it is an echo server, not a gateway" if answer in sent else None


def _untrusted(url: str, why: str) -> str:
    """Return the sentence about a target whose TLS certificate nobody vouches for. why: in the words of OpenSSL."""
    return f"{url} has a TLS certificate that is not trusted ({why}): name its authority with --ca FILE (PEM)."


def _request(
    http: httpx.Client, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Send a request, and once more after the wait that a 429 asks for. Raises `TargetUnusable`."""
    answer = _request_once(http, method, path, body, headers)
    if (wait := retry_after(answer.status_code, answer.headers)) is None:
        return answer
    if wait > LONGEST_RETRY_S:
        raise TargetUnusable(f"{too_long(f'{method} {path}', wait)}: wait, or lift the limit for this run.")
    time.sleep(wait)  # noqa: TID251 - the target asked for it
    return _request_once(http, method, path, body, headers)


def _request_once(
    http: httpx.Client, method: str, path: str, body: Any, headers: Mapping[str, str] | None
) -> httpx.Response:
    try:
        with http.stream(method, path, json=body, headers=headers, timeout=ANSWER_WITHIN_S) as answer:
            return _read(answer, f"{http.base_url} answers {method} {path}")
    except Unreadable as error:
        problem = f"sends an answer to {method} {path} that cannot be read: {error}"
    except httpx.TimeoutException:
        problem = f"accepts the connection but does not answer {method} {path} within {ANSWER_WITHIN_S:g} s"
    except httpx.ConnectError as error:
        if why := untrusted(error):
            raise TargetUnusable(_untrusted(str(http.base_url), why)) from error
        problem = f"cannot be reached: {error}"
    except httpx.TransportError as error:
        problem = f"does not answer {method} {path} with HTTP: {error}"
    raise TargetUnusable(f"{http.base_url} {problem}; check --base-url, and that the server is up.")


def _read(answer: httpx.Response, subject: str) -> httpx.Response:
    """Return the whole answer. `subject`: of the sentence of the `TargetUnusable` that an endless answer raises."""
    began, size = time.monotonic(), 0
    chunks = []
    for chunk in answer.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > _LARGEST_ANSWER or time.monotonic() - began > ANSWER_WITHIN_S:
            raise TargetUnusable(f"{subject} without an end: {size:,} bytes so far.")
    return httpx.Response(answer.status_code, headers=_content_headers(answer.headers), content=b"".join(chunks))


def _content_headers(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Return the headers without those about the transfer, which httpx has undone."""
    transfer = ("content-encoding", "content-length", "transfer-encoding")
    return [(name, value) for name, value in headers.multi_items() if name not in transfer]


def _described(answer: httpx.Response) -> str:
    if answer.status_code in _MOVED and (place := answer.headers.get("location")):
        return f"answers {answer.status_code} and names another place, {_cut(place)}: give that as --base-url"
    if "basic" in answer.headers.get(_ASKS.get(answer.status_code, ""), "").lower():
        return (
            f"answers {answer.status_code} and asks for a password (Basic): Authorization carries the users' tokens, "
            "so let the gate before the target take another header, and give it as --header"
        )
    text = answer.content.decode("utf-8", "replace").strip()
    if not text:
        return f"answers {answer.status_code} with an empty body"
    if text.startswith("<"):
        return f"answers {answer.status_code} with a web page instead of JSON"
    return f"answers {answer.status_code} {' '.join(text.split())[:120]}"


def _cut(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "…")


def _body(answer: httpx.Response) -> Any:
    try:
        return strict_json.parse(answer.content)
    except strict_json.NotJson:
        return None


def _member(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, dict) else None
