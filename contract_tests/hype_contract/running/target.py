"""The implementation under test: is it there, can it be judged at all, and which profile does it run?

Whatever is wrong here is one sentence (`TargetUnusable`): nobody learns anything from two hundred failed cases
against a closed port.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import httpx

from hype_contract.actors.clients.http import Unreadable, connect
from hype_contract.actors.clients.opening import first_answer
from hype_contract.actors.clients.rest import retry_after
from hype_contract.actors.must import Violation
from hype_contract.actors.people import unique
from hype_contract.contract.areas import Area
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.recording.secrecy import credentials

ANSWER_WITHIN_S = 8.0
_LONGEST_WAIT_S = 61.0
_LARGEST_ANSWER = 4_000_000
_ABSENT = (404, 405, 501)


class TargetUnusable(Exception):
    """The target cannot be judged; the text is a sentence for the person at the terminal. Exit code 2."""


@dataclass(frozen=True)
class Target:
    """A target that answers. `why` says how its profile was found; `lacking`: areas that it does not have, and why."""

    base_url: str
    ws_url: str
    profile: Profile
    why: str
    lacking: Mapping[Area, str] = field(default_factory=dict)


def reach(base_url: str, ws_url: str, profile: Profile | Literal["auto"], areas: Collection[Area]) -> Target:
    """Probe the target: `/health`, a guest, its profile and, if `areas` needs it, the gateway. May take 30 s at worst.

    Raises `TargetUnusable`.
    """
    _check_url(base_url, "--base-url", ("http://", "https://"))
    with connect(base_url) as http:
        first_impression = _health(http)
        person = _somebody(http, first_impression)
        chosen, why = (profile, "as --profile says") if profile != "auto" else _profile(http, person)
        lacking = _lacking(http, person) if {"voice", "media"} & set(areas) else {}
    if {"gateway", "voice", "media"} & set(areas):
        _check_url(ws_url, "--ws-url", ("ws://", "wss://"))
        _probe_gateway(ws_url, person, chosen)
    return Target(base_url, ws_url, chosen, why, lacking)


def _check_url(url: str, option: str, schemes: tuple[str, ...]) -> None:
    try:
        host = httpx.URL(url).host
    except (httpx.InvalidURL, ValueError):
        host = ""
    if option == "--base-url" and credentials(url):
        # One header cannot carry both, and every requirement about tokens is about that header.
        raise TargetUnusable("--base-url must hold no password: the Authorization header is that of the users' tokens.")
    if not url.startswith(schemes) or not host:
        raise TargetUnusable(f"{option} must be a URL that begins with {' or '.join(schemes)}, not {url!r}.")


def _health(http: httpx.Client) -> str | None:
    """What is odd about `GET /health`, if anything: by itself that is a finding for the cases, not the end."""
    answer = _request(http, "GET", "/health")
    if answer.status_code == 200 and isinstance(_body(answer), dict):
        return None
    return f"GET /health {_described(answer)}"


def _somebody(http: httpx.Client, first_impression: str | None) -> dict[str, Any]:
    """A new user's `data` from `/auth/guest`, or from `/auth/register` if that fails. Every case needs users."""
    name = unique("probe")
    registration = {"username": name, "email": f"{name}@example.com", "password": unique("password")}
    complaints = [first_impression] if first_impression else []
    for path, body in (("/auth/guest", {"username": name}), ("/auth/register", registration)):
        answer = _request(http, "POST", path, body)
        data = _member(_body(answer), "data")
        if isinstance(_member(data, "accessToken"), str) and isinstance(_member(_member(data, "user"), "id"), str):
            return cast("dict[str, Any]", data)
        complaints.append(f"POST {path} {_described(answer)}")
    raise TargetUnusable(f"{http.base_url} gives no user to test with: {'; '.join(complaints)}; check --base-url.")


def _profile(http: httpx.Client, person: dict[str, Any]) -> tuple[Profile, str]:
    """What the target says in `GET /api` (ruling R12), else what it does with a status change without a token (P1)."""
    claimed = _member(_body(_request(http, "GET", "/api")), "profile")
    answer = _request(http, "PUT", f"/api/users/{person['user']['id']}/status", {"status": "online"})
    seen: Profile | None = {401: PROFILES[1], 200: PROFILES[0]}.get(answer.status_code)
    observed = f"PUT /api/users/:id/status without a token answers {answer.status_code}"
    if claimed in PROFILES:
        doubt = "" if seen == claimed else f", although {observed}"
        return claimed, f"GET /api says so{doubt}"
    if seen is None:
        raise TargetUnusable(f"cannot tell the profile, since {observed}: say --profile documented or hardened.")
    return seen, observed


def _lacking(http: httpx.Client, person: dict[str, Any]) -> dict[Area, str]:
    """Voice and media, if two voice operations are both not there or not implemented: one alone would be a fault."""
    token = {"Authorization": f"Bearer {person['accessToken']}"}
    asked: tuple[tuple[str, str, Any], ...] = (
        ("GET", "/api/voice/rtp-capabilities", None),
        ("POST", "/api/voice/transport/send", {}),
    )
    answers = [_request(http, method, path, body, token).status_code for method, path, body in asked]
    if not all(status in _ABSENT for status in answers):
        return {}
    why = f"the target has no voice: {asked[0][0]} {asked[0][1]} answers {answers[0]}"
    return {"voice": why, "media": why}


def _probe_gateway(ws_url: str, person: dict[str, Any], profile: Profile) -> None:
    """Some answer to something within `ANSWER_WITHIN_S`: it need not be right, but silence or an echo is no gateway."""
    user = person["user"]
    identity = {} if profile == "hardened" else {"userId": user["id"], "username": user["username"]}
    frames = [("user_joined", identity), ("voice_state", {**identity, "channelId": None}), ("hype-probe", {})]
    sent = [json.dumps({"type": type, "data": data}) for type, data in frames]
    try:
        answer = first_answer(ws_url, person["accessToken"] if profile == "hardened" else None, sent)
    except Violation as violation:
        todo = "check --ws-url, or judge REST alone with --area rest"
        raise TargetUnusable(f"there is no gateway at {ws_url}: {violation.got}; {todo}.") from violation
    if answer in sent:
        raise TargetUnusable(
            f"{ws_url} sends every frame back as it came, so it is an echo and no gateway; check --ws-url."
        )


def _request(
    http: httpx.Client, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Send a request; once more where the target says after how many seconds. Raises `TargetUnusable`."""
    answer = _request_once(http, method, path, body, headers)
    if (wait := retry_after(answer.status_code, answer.headers)) is None:
        return answer
    time.sleep(min(wait, _LONGEST_WAIT_S))  # noqa: TID251 - the target asked for it
    return _request_once(http, method, path, body, headers)


def _request_once(
    http: httpx.Client, method: str, path: str, body: Any, headers: Mapping[str, str] | None
) -> httpx.Response:
    try:
        with http.stream(method, path, json=body, headers=headers, timeout=ANSWER_WITHIN_S) as answer:
            return _read(answer, f"{http.base_url} answers {method} {path}")
    except Unreadable as error:
        problem = f"answers {method} {path} with what cannot be read: {error}"
    except httpx.TimeoutException:
        problem = f"takes the connection but does not answer {method} {path} within {ANSWER_WITHIN_S:g} s"
    except httpx.ConnectError as error:
        problem = f"cannot be reached: {error}"
    except httpx.TransportError as error:
        problem = f"does not answer {method} {path} with HTTP: {error}"
    raise TargetUnusable(f"{http.base_url} {problem}; check --base-url, and that the server is up.")


def _read(answer: httpx.Response, who: str) -> httpx.Response:
    """The whole answer, as long as it has an end."""
    began, size = time.monotonic(), 0
    chunks = []
    for chunk in answer.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > _LARGEST_ANSWER or time.monotonic() - began > ANSWER_WITHIN_S:
            raise TargetUnusable(f"{who} without an end: {size:,} bytes so far.")
    return httpx.Response(answer.status_code, headers=_of_content(answer.headers), content=b"".join(chunks))


def _of_content(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Without those that say how it was sent."""
    sent = ("content-encoding", "content-length", "transfer-encoding")
    return [(name, value) for name, value in headers.multi_items() if name not in sent]


def _described(answer: httpx.Response) -> str:
    text = answer.content.decode("utf-8", "replace").strip()
    if not text:
        return f"answers {answer.status_code} with an empty body"
    if text.startswith("<"):
        return f"answers {answer.status_code} with a web page instead of JSON"
    return f"answers {answer.status_code} {' '.join(text.split())[:120]}"


def _body(answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return None


def _member(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, dict) else None
