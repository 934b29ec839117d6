"""References of generated requests: ids of existing objects, unused names, and tokens that work.

A random id is a 404 and a taken name is a 400. Without these references no request would reach the code after those
checks. Only values that were generated as valid are replaced; values that are meant to be wrong stay.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any

from schemathesis import Case as Request
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.must import Violation
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.fuzzing.voice_references import VoiceReferences
from hype_contract.cases.rest.samples import UNKNOWN_ID, statuses_of_unknown

_SETS_A_NAME = {"registerUser", "loginGuest", "updateUser"}
_ENDS_THE_SESSION = {"logoutUser", "logoutEverywhere"}
_TAKEN_BACK = {"displayName", "bio"}
_COUNTS_FAILURES = {"loginUser", "changePassword"}
_SETS_A_POSITION = {"createChannel", "updateChannel"}
_POSITIONS = 1000
_LARGEST_EXACT = 2**53 - 1
_CHANGES_CHANNELS = {"updateChannel", "deleteChannel"}
_NEW_EACH_TIME = re.compile(r"[\w-]{12,}", re.ASCII)
"""An id of the target's or a unique name, and some texts beside them."""


class References:
    """The objects that the requests of one run refer to, created on first use."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._voice = VoiceReferences(world, lambda: self._owner)
        self._makers: dict[str, Callable[[], str]] = {
            **self._voice.paths,
            "getChannel": lambda: self._channel,
            "updateChannel": lambda: self._voice.channel,
            "deleteChannel": lambda: str(world.channel(self._owner)["id"]),
            "getUser": lambda: self._owner.id,
            "updateUser": lambda: self._owner.id,
            "updateUserStatus": lambda: self._owner.id,
            "getServer": lambda: self._server,
            "listServerChannels": lambda: self._server,
            "getMessage": lambda: self._message(),
            "updateMessage": lambda: self._message(),
            "deleteMessage": lambda: self._message(),
        }

    def token(self) -> str:
        """Return the token of a request, unless schemathesis leaves it out to show what happens then."""
        return self._owner.token

    def put_into(self, request: Request[Any], *, stateful: bool) -> None:
        """Replace the valid references in `request`. Every fourth request keeps the generated values.

        `stateful`: ids in paths come from earlier answers and stay.
        """
        operation = str(request.operation.definition.raw.get("operationId"))
        if operation in _ENDS_THE_SESSION and request.headers.get("Authorization") == f"Bearer {self._owner.token}":
            request.headers["Authorization"] = f"Bearer {self._world.guest('leaver').token}"
        if operation == "changePassword" and request.headers.get("Authorization") == f"Bearer {self._owner.token}":
            request.headers["Authorization"] = f"Bearer {self._member.token}"  # a guest has no password
        self._spare_older_objects(request, operation)
        self._set_unused_names(request, operation)
        self._keep_profile(request, operation)
        self._lower_position(request, operation)
        self._drop_unsuited_members(request, operation, stateful=stateful)
        self._keep_to_certain_values(request, operation)
        if operation == "listUsers" and not chance(request, 8):
            # A target that has run for long has more users than a run wants to read again and again.
            request.query.setdefault("limit", 3)
        if chance(request, 4) and operation not in _COUNTS_FAILURES and not _is_example(request):
            return
        if not stateful and operation in self._makers and not _meant_wrong(request, ParameterLocation.PATH):
            request.path_parameters.update({name: self._makers[operation]() for name in request.path_parameters})
        if "channelId" in request.query and not _meant_wrong(request, ParameterLocation.QUERY):
            request.query["channelId"] = self._channel
        self._fill_body(request, operation)

    def adopt(self, made: Reply) -> None:
        """Have the channel that a request has created removed when the case ends, if the answer says its id."""
        with suppress(Violation):
            channel = made.data
            if isinstance(channel, dict) and isinstance(channel.get("id"), str):
                self._world.adopt(channel["id"], self._owner)

    def _spare_older_objects(self, request: Request[Any], operation: str) -> None:
        """Turn a change of an older object to one of this run: in the documented profile it would succeed."""
        found = request.path_parameters.get("id")
        status = operation == "updateUserStatus" and not _meant_wrong(request, ParameterLocation.PATH)
        if status or (operation in _CHANGES_CHANNELS and found in self._older_channels):
            request.path_parameters["id"] = self._makers[operation]()

    def _set_unused_names(self, request: Request[Any], operation: str) -> None:
        body = request.body
        if operation not in _SETS_A_NAME or not isinstance(body, dict) or _meant_wrong(request, ParameterLocation.BODY):
            return
        fresh = {"username": unique("fuzz"), "email": f"{unique('fuzz')}@example.com"}
        request.body = {**body, **{name: value for name, value in fresh.items() if name in body}}

    def _keep_profile(self, request: Request[Any], operation: str) -> None:
        """Leave out a null that takes a member of a profile back: a target may accept it or refuse it (A18)."""
        body = request.body
        if operation == "updateUser" and isinstance(body, dict):
            request.body = {name: value for name, value in body.items() if value is not None or name not in _TAKEN_BACK}

    def _lower_position(self, request: Request[Any], operation: str) -> None:
        """Lower the position of a channel: one at the highest leaves none for a channel without a position (R14)."""
        body: Any = request.body
        placed = operation in _SETS_A_POSITION and isinstance(body, dict) and isinstance(body.get("position"), int)
        if placed and not _meant_wrong(request, ParameterLocation.BODY):
            request.body = {**body, "position": body["position"] % _POSITIONS}

    def _keep_to_certain_values(self, request: Request[Any], operation: str) -> None:
        """Replace values that a target may take or refuse.

        These are ids of nothing outside the alphabet of ids (A2), an empty refresh token (A4), offsets beyond the whole
        numbers of JavaScript, and URLs beyond ASCII, of which each parser takes others.
        """
        for values, location in ((request.query, ParameterLocation.QUERY), (request.body, ParameterLocation.BODY)):
            if not isinstance(values, dict) or _meant_wrong(request, location):
                continue
            for name in ("channelId", "serverId"):
                given = values.get(name)
                if isinstance(given, str) and len(statuses_of_unknown(self._world.contract, given)) > 1:
                    values[name] = UNKNOWN_ID
            if operation == "refreshTokens" and values.get("refreshToken") == "":
                values["refreshToken"] = "nothing"
            url = values.get("avatarUrl")
            if isinstance(url, str) and not url.isascii():
                values["avatarUrl"] = url.encode("ascii", "replace").decode().replace("?", "x")
            offset = values.get("offset")
            if isinstance(offset, int):
                values["offset"] = min(offset, _LARGEST_EXACT)

    def _fill_body(self, request: Request[Any], operation: str) -> None:
        body = request.body
        if not isinstance(body, dict) or _meant_wrong(request, ParameterLocation.BODY):
            return
        known: dict[str, Callable[[], Any]] = {"channelId": lambda: self._channel, "serverId": lambda: self._server}
        if operation == "loginUser":
            known = {"email": lambda: self._member.email, "password": lambda: self._member.password}
        if operation == "changePassword":  # to the same one, which the other requests use
            known = dict.fromkeys(("currentPassword", "newPassword"), lambda: self._member.password)
        if operation == "refreshTokens":
            known = {"refreshToken": lambda: self._world.guest("refresher").refresh_token}
        if self._world.contract.operations[operation].area == "voice":
            request.body = self._voice.fill(body, operation, routable=not chance(request, 3))
        else:
            request.body = {name: known[name]() if name in known else value for name, value in body.items()}

    def _drop_unsuited_members(self, request: Request[Any], operation: str, *, stateful: bool) -> None:
        """Leave out members whose validity depends on the stored channel (R14), which a schema cannot state."""
        if operation != "updateChannel" or not isinstance(request.body, dict):
            return
        if not _meant_wrong(request, ParameterLocation.BODY):
            # A single request gets a voice channel; in a chain of requests the channel may have any type.
            unsuited = {"type", "userLimit", "bitrate"} if stateful else {"type"}
            request.body = {name: value for name, value in request.body.items() if name not in unsuited}

    @cached_property
    def _owner(self) -> Person:
        return self._world.guest("fuzzer")

    @cached_property
    def _older_channels(self) -> set[str]:
        return {str(channel["id"]) for channel in self._world.rest.call("listChannels", expect=200).data}

    @cached_property
    def _member(self) -> Person:
        return self._world.member("member")

    @cached_property
    def _channel(self) -> str:
        return str(self._world.channel(self._owner)["id"])

    @cached_property
    def _server(self) -> str:
        return str(self._world.rest.call("listServers", expect=200).data[0]["id"])

    def _message(self) -> str:
        return str(self._world.message(self._owner, self._channel)["id"])


def _meant_wrong(request: Request[Any], location: ParameterLocation) -> bool:
    return request.meta is not None and request.meta.is_negative_at(location)


def _is_example(request: Request[Any]) -> bool:
    """Return whether the request comes from the spec's own examples, which must work."""
    return request.meta is not None and request.meta.phase.name == TestPhase.EXAMPLES


def chance(request: Request[Any], of: int) -> bool:
    """Return True for every `of`th request on average, always for the same requests whatever ids and names they have.

    Schemathesis puts ids of earlier answers into requests, which are others in each run.
    """
    text = json.dumps([request.path_parameters, request.query, repr(request.body)], default=str, sort_keys=True)
    return zlib.crc32(_NEW_EACH_TIME.sub("", text).encode("utf-8", "replace")) % of == 0
