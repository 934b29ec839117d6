"""The presence status that a user sets (rulings R17, R24 and P1)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import NOTHING
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import UNKNOWN_ID, sample

_STATUS = "openapi.yaml#/components/schemas/Status"

STATUSES = ("online", "idle", "dnd", "offline")
WRONG_STATUSES: tuple[Any, ...] = (
    None,
    "",
    "ONLINE",
    "Online",
    "away",
    "invisible",
    " idle",
    1,
    True,
    [],
    ["idle"],
    {},
    "online\x00",
)


@case("R24.status-stays", "a refresh, a profile update and a logout leave a user's status unchanged", source=_STATUS)
def status_stays(world: World) -> None:
    ann = world.guest("ann")
    path = {"id": ann.id}
    world.rest.call("updateUserStatus", path=path, token=ann.token, body={"status": "dnd"}, expect=200)
    pair = world.rest.call("refreshTokens", body={"refreshToken": ann.refresh_token}, expect=200).data
    for operation, body in (("updateUser", {"bio": "x"}), ("logoutUser", NOTHING)):
        where = path if operation == "updateUser" else {}
        world.rest.call(operation, path=where, token=pair["accessToken"], body=body, expect=200)
        shown = world.rest.call("getUser", path=path, expect=200)
        must.equal(shown.data["status"], "dnd", f"the status after {operation}", seen=shown.pair)


@case("R17.statuses", "each of the four statuses is accepted and shown", source=_STATUS)
def statuses(world: World) -> None:
    """Compare the answer and the profile, in lower case, with `/auth/me`, in upper case."""
    request = sample(world, "updateUserStatus")
    for status in STATUSES:
        reply = request.succeed(body={"status": status})
        must.equal(reply.data["status"], status, "status", seen=reply.pair)
        shown = world.rest.call("getUser", path=request.path, expect=200)
        must.equal(shown.data["status"], status, "status by id", seen=shown.pair)
        me = world.rest.call("getCurrentUser", token=request.person.token, expect=200)
        must.equal(me.data["user"]["status"], status.upper(), "status in /auth/me", seen=me.pair)


@case(
    "R17.invalid-status",
    "any other status is refused with `Invalid status`",
    source="PUT /api/users/:id/status › Ответ при ошибке (400)",
    level="documented",
)
def invalid_status(world: World) -> None:
    """Show it with wrong values and without a value; compare the status afterwards."""
    request = sample(world, "updateUserStatus")
    request.succeed(body={"status": "dnd"})
    for body in (*({"status": wrong} for wrong in WRONG_STATUSES), {}, {"state": "idle"}):
        reply = request.ask(body=body, expect=400)
        must.equal(reply.error, "Invalid status", f"error for {must.shown(body)}", seen=reply.pair)
    shown = world.rest.call("getUser", path=request.path, expect=200)
    must.equal(shown.data["status"], "dnd", "the status afterwards", seen=shown.pair)


@case(
    "P1.own-status-only",
    "a user who sets another user's status gets 403, before that user is looked up",
    level="hardened",
)
def own_status_only(world: World) -> None:
    """Show it with the id of another user and with an unknown id."""
    ann, bob = world.guests("ann", "bob")
    for id in (bob.id, UNKNOWN_ID):
        world.rest.call("updateUserStatus", path={"id": id}, token=ann.token, body={"status": "dnd"}, expect=403)
    shown = world.rest.call("getUser", path={"id": bob.id}, expect=200)
    must.equal(shown.data["status"], "online", "bob's status afterwards", seen=shown.pair)


@case(
    "P1.anybody",
    "anyone can set the status of any user, with or without a token",
    source="openapi.yaml#/paths/~1api~1users~1{id}~1status/put",
    profiles=("documented",),
)
def anybodys_status(world: World) -> None:
    """Show also that an unknown id is 404."""
    ann, bob = world.guests("ann", "bob")
    for token, status in ((None, "dnd"), (ann.token, "idle")):
        path = {"id": bob.id}
        reply = world.rest.call("updateUserStatus", path=path, token=token, body={"status": status}, expect=200)
        must.equal(reply.data["status"], status, "bob's status", seen=reply.pair)
    world.rest.call("updateUserStatus", path={"id": UNKNOWN_ID}, body={"status": "idle"}, expect=404)
