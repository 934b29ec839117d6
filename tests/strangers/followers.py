"""Followers: servers that keep every word of the seed document, and not what the published specs decide beyond it.

    python -m tests.strangers.followers                     each of them, judged by `--level documented`
    python -m tests.strangers.followers bare-channels …     these
    python -m tests.strangers.followers --together          one server that differs in all ways at once
    python -m tests.strangers.followers --fast …            more options for hype-contract

The harness must find nothing wrong with them at that level (amendment A23). Exit code 0 when that is so.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.mutants.changes import refusal, without
from tests.mutants.judging import serving
from tests.mutants.seams import GONE, AnswerHead, Around, Event, Operation, SpecPatch
from tests.mutants.wrapping import ROOT
from tests.running import SECRETS
from tests.strangers.deviations import Deviation, events
from tests.strangers.documents import Document, changing

__all__ = ["EXAMPLE_SECRETS", "FOLLOWERS", "judged"]

_CHANNELS: Final = re.compile(r"/api/channels(/[^/]*)?")
_MESSAGES: Final = re.compile(r"/api/messages(/[^/]*)?")
_TYPES: Final = "openapi.yaml#/components/schemas/ChannelTypeName/enum"
EXAMPLE_SECRETS: Final = {
    "JWT_ACCESS_SECRET": "your-secret-key-for-access-tokens",
    "JWT_REFRESH_SECRET": "your-secret-key-for-refresh-tokens",
}
"""The secrets that the document gives as an example."""


def _bare_channels(document: Document) -> None:
    shows = document.method != "DELETE" and document.status < 300
    if shows and _CHANNELS.fullmatch(document.path):
        document.body = document.body["data"]


def _created_is_200(document: Document) -> None:
    if (document.method, document.path, document.status) == ("POST", "/api/channels", 201):
        document.status = 200


def _bare_401(document: Document) -> None:
    """Answer as the document's middleware does. Some operations have a 401 of their own, which the document quotes."""
    if document.status == 401 and document.path.partition("/")[2].partition("/")[0] == "api":
        missing = document.body["error"] == "Not authenticated"
        document.body = {"error": "Unauthorized" if missing else "Invalid token"}


def _no_challenge(answer: Any, request: Any) -> None:
    answer.headers.pop("www-authenticate", None)


def _unreadable_is_500(document: Document) -> None:
    if document.status in (413, 415) or (document.status == 400 and document.body["error"] == "Invalid JSON"):
        document.status, document.body = 500, {"error": "Internal server error"}


def _short_message(document: Document) -> None:
    one = document.method in ("GET", "PUT") and document.path.startswith("/api/messages/")
    if one and document.status == 200:
        document.body["data"] = without("authorId", "channelId")(document.body["data"])


def _short_server(document: Document) -> None:
    if re.fullmatch(r"/api/servers/[^/]+", document.path) and document.status == 200:
        document.body["data"] = without("iconUrl", "bannerUrl", "ownerId")(document.body["data"])


def _lower_case_types(perform: Any, call: Any) -> Any:
    if call.body["type"] not in ("text", "voice"):
        raise refusal(400, "type must be text or voice")
    return perform(call)


def _one_text(document: Document) -> None:
    if _MESSAGES.fullmatch(document.path) and document.status == 400:
        issues = document.body.pop("details", None)
        document.body["error"] = issues[0]["message"] if issues else document.body["error"]


def _unknown_is_500(document: Document) -> None:
    if document.method == "PUT" and document.path.endswith("/status") and document.status == 404:
        document.status, document.body = 500, {"success": False, "error": "Internal server error"}


def _one_socket(original: Any, hub: Any, socket: Any, identity: Any) -> Any:
    first = original(socket, identity)
    for other in hub.sockets_of(identity.user_id):
        if other is not socket:
            other.close(1000, "replaced")
    return first


def _joiner_hears_nothing(send: Any, event: Any) -> None:
    if event.room is not None:
        send(event.but_for(except_user=event.data["userId"]))


def _without_the_owner(send: Any, event: Any) -> None:
    send(event.but_for(except_user=event.data["userId"]))


def _person_inside(data: dict[str, Any]) -> dict[str, Any]:
    """Tell of a user under names of this server's own."""
    return {"user": {"id": data["userId"], "name": data["username"]}, "room": data["channelId"]}


def _message_inside(data: dict[str, Any]) -> dict[str, Any]:
    return {"message": {"text": data["content"], "by": data["authorId"], "room": data["channelId"]}}


class _Places:
    """The voice channel that each user was last told to be in."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def told(self, data: dict[str, Any]) -> dict[str, Any]:
        """Name the channel that a user has left, where the specs have null."""
        if data["channelId"] is None:
            return {**data, "channelId": self._last.get(data["userId"], "none")}
        self._last[data["userId"]] = data["channelId"]
        return data


FOLLOWERS: Final = (
    Deviation("bare-channels", "`Response: Channel[]` and `Response: Channel`.", (changing(_bare_channels),)),
    Deviation("created-200", "The document names no status of POST /api/channels.", (changing(_created_is_200),)),
    Deviation(
        "bare-401",
        "`res.status(401).json({ error: 'Unauthorized' })` and `{ error: 'Invalid token' }`.",
        (changing(_bare_401), AnswerHead(_no_challenge)),
    ),
    Deviation(
        "unreadable-500",
        "`errorHandler` answers 500 with anything but a ValidationError.",
        (changing(_unreadable_is_500),),
    ),
    Deviation("example-secrets", "They stand in the document's `.env`.", ()),
    Deviation("short-message", "One message is shown without authorId and channelId.", (changing(_short_message),)),
    Deviation(
        "one-socket", "`userConnections: Map<userId, WebSocket>`.", (Around("hype.gateway:Hub.bind", _one_socket),)
    ),
    Deviation(
        "short-server", "One server is shown without iconUrl, bannerUrl and ownerId.", (changing(_short_server),)
    ),
    Deviation("lower-case-types", "`type: 'text' | 'voice'`.", (Operation("createChannel", _lower_case_types),)),
    Deviation(
        "white-space",
        "`content`: a non-empty string.",
        (SpecPatch("openapi.yaml#/components/schemas/MessageContent/allOf/1", GONE),),
    ),
    Deviation("one-text", 'The 400 of a message is `{success, error: "content must …"}`.', (changing(_one_text),)),
    Deviation("unknown-500", "The codes of PUT …/status are 200, 400 and 500.", (changing(_unknown_is_500),)),
    Deviation(
        "token-for-channels",
        "`router.get('/api/channels', authMiddleware, …)`.",
        (SpecPatch("openapi.yaml#/paths/~1api~1channels/get/security", [{"bearer": []}]),),
    ),
    Deviation(
        "joiner-hears-nothing",
        "`user_joined` and `broadcastToChannel`: the document does not say that the joiner hears of themselves.",
        (Event("user_joined", _joiner_hears_nothing),),
    ),
    Deviation(
        "owner-hears-nothing",
        "A23: `producer_closed` may leave the owner out, who has closed it.",
        (Event("producer_closed", _without_the_owner),),
    ),
    Deviation(
        "other-data",
        "`user_joined`, `user_left` and `message` have `data: any`.",
        (events("user_joined", "user_left", change=_person_inside), events("message", change=_message_inside)),
    ),
    Deviation(
        "left-channel-named",
        "`voice_state`: `channelId: string`, also when a user has left.",
        (events("voice_state", change=_Places().told),),
    ),
)
"""Each row of the audit of the seed document, with its words."""


@dataclass(frozen=True)
class Judged:
    """The outcome. broken: lines of the report about requirements that failed or could not be judged."""

    name: str
    code: int
    broken: Sequence[str] = field(default_factory=tuple)
    told: str = ""


def judged(names: Sequence[str], options: Sequence[str]) -> Judged:
    """Judge a server with these deviations by the words. options: more options of `hype-contract`."""
    secrets = EXAMPLE_SECRETS if "example-secrets" in names else SECRETS
    with serving(names, "documented", "tests.strangers", secrets) as address:
        command = [sys.executable, "-m", "hype_contract", "--base-url", address.url, "--ws-url", address.ws_url]
        command += ["--profile", "documented", "--level", "documented", "--seed", "1", *_secrets(secrets), *options]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    lines = ended.stdout.splitlines()
    broken = [line for line in lines if line.startswith(("FAIL ", "ERROR ", "BLOCKED "))]
    return Judged(" ".join(names), ended.returncode, broken, ended.stdout + ended.stderr)


def _secrets(secrets: Mapping[str, str]) -> Iterator[str]:
    for name, secret in secrets.items():
        yield from (f"--{name.lower().replace('_', '-')}", secret)


def main(arguments: Sequence[str]) -> int:
    """Judge what was asked for, and print what became of each."""
    known = [each.name for each in FOLLOWERS]
    options = [word for word in arguments if word not in known and word != "--together"]
    names = [word for word in arguments if word in known] or known
    right = True
    for some in [names] if "--together" in arguments else [[name] for name in names]:
        outcome = judged(some, options)
        fine = outcome.code == 0 and not outcome.broken
        right = right and fine
        print(f"{'nothing broken' if fine else f'exit code {outcome.code}':<16} {outcome.name}", flush=True)
        for line in (*outcome.broken, *([] if fine else outcome.told.splitlines()[-3:])):
            print(f"    {line}", flush=True)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
