"""Users: lists, profiles and presence (rulings R16, R17, R20, P1, P7 and P8)."""

from __future__ import annotations

from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import NOTHING
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.forgery import tampered
from hype_contract.cases.rest.samples import NO_TOKEN, UNKNOWN_ID, Sample, sample
from hype_contract.contract.specs import Pair

STATUSES = ("online", "idle", "dnd", "offline")
NO_STATUSES: tuple[Any, ...] = (
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
MOST_USERS = 2**31
"""No target has as many: an offset that always finds somebody is none."""
_NOT_FURTHER_BACK = (50, 400, 3200)
"""From the end of the list: other cases make users meanwhile."""
AT_ONCE = 6
_TURNS = 4
PAGE_NOBODY_ASKED_FOR = 50
"""The length of a page of messages, and of many a list that means to be whole."""
URLS = (
    "https://example.com/a.png",
    "http://localhost:8080/a?b=c#d",
    "HTTPS://EXAMPLE.COM/A.PNG",
    "ftp://example.com/a.png",
    "javascript:alert(1)",
    "data:text/html,x",
)


@case("R16.list", "all users are listed by createdAt, id, without meta", alone=True, slow=True)
def list_users(world: World) -> None:
    """Without a query all users are listed, in the order of their creation, and there is no meta."""
    people = world.guests(*(f"guest{number}" for number in range(PAGE_NOBODY_ASKED_FOR)), "ann")
    reply = world.rest.call("listUsers", expect=200)
    must.hold("meta" not in reply.json, "no meta", sorted(reply.json), seen=reply.pair)
    keys = [(one["createdAt"], one["id"]) for one in reply.data]
    must.ascending(keys, "the users by createdAt, id", strictly=True, seen=reply.pair)
    ids = [one["id"] for one in reply.data]
    must.hold({one.id for one in people} <= set(ids), "everybody listed", "somebody new is missing", seen=reply.pair)


@case("R16.pages", "pages of users neither lose nor repeat anybody", alone=True)
def pages(world: World) -> None:
    """Pages show the same users in the same order, whoever looks: nobody is lost, nobody comes twice."""
    people = world.guests("ann", "bob", "eve", "dan", "kim")
    made, ann = [one.id for one in people], people[0]
    away = {"status": "offline"}
    world.rest.call("updateUserStatus", path={"id": ann.id}, token=ann.token, body=away, expect=200)
    start = count(world) - len(made)
    rest = world.rest.call("listUsers", query={"offset": start}, token=ann.token, expect=200)
    every = [one["id"] for one in rest.data]
    must.equal(sorted(every), sorted(made), "the ids from there on, with offset alone", seen=rest.pair)
    keys = [(one["createdAt"], one["id"]) for one in rest.data]
    must.ascending(keys, "the users by createdAt, id", strictly=True, seen=rest.pair)
    seen = []
    for offset in (start, start + 2, start + 4, start + 6):
        reply = world.rest.call("listUsers", query={"limit": 2, "offset": offset}, expect=200)
        must.hold("meta" not in reply.json, "no meta", sorted(reply.json), seen=reply.pair)
        seen += [one["id"] for one in reply.data]
    must.equal(seen, every, "the ids of the last pages", seen=reply.pair)
    alone = world.rest.call("listUsers", query={"limit": 3}, expect=200)
    first = world.rest.call("listUsers", query={"limit": 3, "offset": 0}, expect=200)
    must.equal(alone.data, first.data, "the first page, with limit alone", seen=alone.pair)
    must.equal(len(alone.data), 3, "its length", seen=alone.pair)


@case("R16.query-bounds", "limit is 1 to 1000, offset at least 0")
def query_bounds(world: World) -> None:
    """`limit` is 1 to 1000 and `offset` not negative."""
    for query in ({"limit": 1}, {"limit": 1, "offset": 0}, {"limit": 1000, "offset": 10**9}, {"offset": 10**9}):
        world.rest.call("listUsers", query=query, expect=200)
    for name, value in (("limit", 0), ("limit", 1001), ("limit", -1), ("offset", -1), ("limit", 10**30)):
        world.rest.call("listUsers", query={name: value}, expect=400)
    for name in ("limit", "offset"):
        for text in ("many", "1.5", ""):
            world.rest.call("listUsers", query={name: text}, expect=400)


@case("R16.members", "a user is shown with discriminator, avatar and a lower-case status, without bio")
def members(world: World) -> None:
    """A user shows the first four characters of the name, the avatar twice, the status in lower case, and no bio."""
    ann = world.guest("ann")
    url = "https://example.com/ann.png"
    update(world, ann, avatarUrl=url, bio="mine")
    reply = world.rest.call("getUser", path={"id": ann.id}, expect=200)
    shown = {"discriminator": ann.username[:4], "avatarUrl": url, "avatar": url, "status": "online", "email": None}
    must.members(reply.data, {"id": ann.id, "username": ann.username, **shown}, "the user", seen=reply.pair)
    must.hold("bio" not in reply.data, "no bio", sorted(reply.data), seen=reply.pair)
    must.equal(listed(world, ann), reply.data, "the user in the list", seen=reply.pair)
    renamed = update(world, ann, username=f"z_y-{ann.username[3:]}")
    must.equal(renamed["discriminator"], "z_y-", "the discriminator after a new username")


@case("R16.bio-in-the-profile-only", "no answer but that of a profile update shows the bio")
def bio_in_the_profile_only(world: World) -> None:
    """Neither what signs a user in, nor `/auth/me`, nor the answer to a new status shows the bio."""
    ann = world.guest("ann")
    update(world, ann, bio="mine")
    path, body = {"id": ann.id}, {"status": "idle"}
    status = world.rest.call("updateUserStatus", path=path, token=ann.token, body=body, expect=200)
    me = world.rest.call("getCurrentUser", token=ann.token, expect=200)
    for shown, pair in ((ann.user, None), (status.data, status.pair), (me.data["user"], me.pair)):
        must.hold("bio" not in shown, "no bio", sorted(shown), seen=pair)


@case("R24.status-stays", "neither a refresh, nor a profile update, nor a logout changes a status")
def status_stays(world: World) -> None:
    """A status is changed by login and by its owner alone: a refresh, a new profile and a logout leave it."""
    ann = world.guest("ann")
    path = {"id": ann.id}
    world.rest.call("updateUserStatus", path=path, token=ann.token, body={"status": "dnd"}, expect=200)
    pair = world.rest.call("refreshTokens", body={"refreshToken": ann.refresh_token}, expect=200).data
    for operation, body in (("updateUser", {"bio": "x"}), ("logoutUser", NOTHING)):
        where = path if operation == "updateUser" else {}
        world.rest.call(operation, path=where, token=pair["accessToken"], body=body, expect=200)
        shown = world.rest.call("getUser", path=path, expect=200)
        must.equal(shown.data["status"], "dnd", f"the status after {operation}", seen=shown.pair)


@case("R16.profile", "a profile update changes what it names, and shows the bio")
def profile(world: World) -> None:
    """An update changes what it names, keeps the rest, and answers with the bio."""
    ann = world.guest("ann")
    kept: dict[str, Any] = {
        name: update(world, ann)[name] for name in ("id", "username", "displayName", "avatarUrl", "bio")
    }
    changes: tuple[dict[str, Any], ...] = (
        {"displayName": "Ann \U0001f600"},
        {"bio": "a few\nwords"},
        {"avatarUrl": "https://example.com/a.png"},
        {"username": f"{ann.username}-2"},
        {"bio": ""},
        {"avatarUrl": None},
        {"username": f"{ann.username}-2"},
    )
    for change in changes:
        kept |= change
        must.members(update(world, ann, **change), {**kept, "avatar": kept["avatarUrl"]}, f"the profile after {change}")
    me = world.rest.call("getCurrentUser", token=ann.token, expect=200)
    must.equal(me.data["user"]["username"], kept["username"], "the name in /auth/me", seen=me.pair)


@case("R16.only-oneself", "a profile is its owner's to update")
def only_oneself(world: World) -> None:
    """Nobody updates somebody else's profile, nor one that does not exist."""
    ann, bob = world.guests("ann", "bob")
    before = world.rest.call("getUser", path={"id": bob.id}, expect=200).data
    for id in (bob.id, UNKNOWN_ID):
        world.rest.call("updateUser", path={"id": id}, token=ann.token, body={"displayName": "x"}, expect=403)
    shown = world.rest.call("getUser", path={"id": bob.id}, expect=200)
    must.equal(shown.data, before, "bob afterwards", seen=shown.pair)


@case("P8.avatar-url", "an avatar's URL has a scheme that the spec allows")
def avatar_url(world: World) -> None:
    """Which URLs an avatar may have is what the profile's pattern says."""
    request = sample(world, "updateUser")
    for url in URLS:
        body = {"avatarUrl": url}
        broken = world.contract.schemas.problems(request.operation.body or "", body)
        reply = request.ask(body=body, expect=400 if broken else 200)
        if not broken:
            must.equal(reply.data["avatarUrl"], url, "avatarUrl", seen=reply.pair)


@case("P7.email", "an email is shown to whom the spec says", slow=True)
def email(world: World) -> None:
    """Who sees an email address: its owner always, others only where the spec says `anyone`."""
    schema, _ = world.contract.schemas.contents("openapi.yaml#/components/schemas/User/properties/email")
    ann, eve = world.member("ann"), world.guest("eve")
    end = count(world)
    for token in (NO_TOKEN, eve.token, tampered(ann.token)):
        others = ann.email if schema["x-hype-visible-to"] == "anyone" else None
        must.equal(
            _emails(world, ann, token, end), [others, others], "the email that somebody else sees, by id and listed"
        )
    must.equal(
        _emails(world, ann, ann.token, end), [ann.email, ann.email], "the email that its owner sees, by id and listed"
    )
    must.equal(update(world, ann)["email"], ann.email, "the email in one's own profile")
    path, body = {"id": ann.id}, {"status": "idle"}
    reply = world.rest.call("updateUserStatus", path=path, token=ann.token, body=body, expect=200)
    must.equal(reply.data["email"], ann.email, "the email in the answer to one's own status", seen=reply.pair)


@case("R17.statuses", "each of the four statuses is taken and shown")
def statuses(world: World) -> None:
    """Each of the four values is taken and shown, in lower case here and in upper case in `/auth/me`."""
    request = sample(world, "updateUserStatus")
    for status in STATUSES:
        reply = request.succeed(body={"status": status})
        must.equal(reply.data["status"], status, "status", seen=reply.pair)
        shown = world.rest.call("getUser", path=request.path, expect=200)
        must.equal(shown.data["status"], status, "status by id", seen=shown.pair)
        me = world.rest.call("getCurrentUser", token=request.person.token, expect=200)
        must.equal(me.data["user"]["status"], status.upper(), "status in /auth/me", seen=me.pair)


@case("R17.invalid-status", "anything else is `Invalid status`")
def invalid_status(world: World) -> None:
    """Anything else, or nothing, is answered in the seed's words, and changes nothing."""
    request = sample(world, "updateUserStatus")
    request.succeed(body={"status": "dnd"})
    for body in (*({"status": wrong} for wrong in NO_STATUSES), {}, {"state": "idle"}):
        reply = request.ask(body=body, expect=400)
        must.equal(reply.error, "Invalid status", f"error for {must.shown(body)}", seen=reply.pair)
    shown = world.rest.call("getUser", path=request.path, expect=200)
    must.equal(shown.data["status"], "dnd", "the status afterwards", seen=shown.pair)


@case(
    "P1.own-status-only",
    "only the user sets the user's status; ids are compared before the lookup",
    level="hardened",
)
def own_status_only(world: World) -> None:
    """A status is its owner's to set; ids are compared before anybody is looked up."""
    ann, bob = world.guests("ann", "bob")
    for id in (bob.id, UNKNOWN_ID):
        world.rest.call("updateUserStatus", path={"id": id}, token=ann.token, body={"status": "dnd"}, expect=403)
    shown = world.rest.call("getUser", path={"id": bob.id}, expect=200)
    must.equal(shown.data["status"], "online", "bob's status afterwards", seen=shown.pair)


@case("P1.anybody", "a status is set without a token too, and by anybody", profiles=("documented",))
def anybodys_status(world: World) -> None:
    """Anybody, known or not, sets anybody's status; nobody's status is a 404."""
    ann, bob = world.guests("ann", "bob")
    for token, status in ((None, "dnd"), (ann.token, "idle")):
        path = {"id": bob.id}
        reply = world.rest.call("updateUserStatus", path=path, token=token, body={"status": status}, expect=200)
        must.equal(reply.data["status"], status, "bob's status", seen=reply.pair)
    world.rest.call("updateUserStatus", path={"id": UNKNOWN_ID}, body={"status": "idle"}, expect=404)


@case("R20.every-updated-at", "every update moves updatedAt strictly forward", slow=True)
def every_updated_at(world: World) -> None:
    """Every update of a user or a channel moves `updatedAt` strictly forward, an empty one too, however fast."""
    requests: tuple[tuple[Sample, tuple[dict[str, Any], ...]], ...] = (
        (sample(world, "updateUser"), ({}, {}, {"bio": "x"}, {"bio": "x"}, {})),
        (sample(world, "updateUserStatus"), ({"status": "idle"},) * 4),
        (sample(world, "updateChannel"), ({}, {"topic": "x"}, {"topic": "x"}, {})),
    )
    for request, bodies in requests:
        _moves(request, bodies)


@case("R20.updates-at-once", "no two updates of a user or a channel leave the same updatedAt", slow=True)
def updates_at_once(world: World) -> None:
    """No two updates of one user or one channel leave the same `updatedAt`, also when they come at once."""
    bodies = {"updateUser": {"bio": "x"}, "updateUserStatus": {"status": "idle"}, "updateChannel": {"topic": "x"}}
    for operation, body in bodies.items():
        request = sample(world, operation)

        def change(_: int, request: Sample = request, body: dict[str, str] = body) -> str:
            return str(request.succeed(body=body).data["updatedAt"])

        with ThreadPoolExecutor(AT_ONCE) as pool:
            stamps = sorted(pool.map(change, range(AT_ONCE * 3)))
        must.ascending(stamps, f"updatedAt of {operation} at once", strictly=True)


@case("R20.different-members-at-once", "updates of different members at once lose none of them", slow=True)
def different_members_at_once(world: World) -> None:
    """An update changes what it names and nothing else, also when others name the rest at the same time."""
    values: dict[str, tuple[str, ...]] = {
        "updateUser": ("displayName", "bio", "avatarUrl"),
        "updateChannel": ("name", "topic"),
    }
    for operation, names in values.items():
        request = sample(world, operation)
        with ThreadPoolExecutor(len(names)) as pool:
            for turn in range(_TURNS):
                wanted = dict.fromkeys(names, f"https://example.com/{turn}")
                list(pool.map(lambda item, ask=request: ask.succeed(body=dict([item])), wanted.items()))
                must.members(request.succeed(body={}).data, wanted, f"what {operation} kept of updates at once")


def update(world: World, person: Person, **members: Any) -> dict[str, Any]:
    """A person's own profile after an update."""
    reply = world.rest.call("updateUser", path={"id": person.id}, token=person.token, body=members, expect=200)
    found: dict[str, Any] = reply.data
    return found


def count(world: World) -> int:
    """How many users the target has, found without reading them all."""
    reach = 1
    while _page(world, {"limit": 1, "offset": reach}):
        reach *= 2
        seen = Pair("operation", "listUsers", "200")
        must.hold(reach < MOST_USERS, "an end of the list of users", f"a user at the offset {reach // 2}", seen=seen)
    return bisect_left(range(reach), True, key=lambda offset: not _page(world, {"limit": 1, "offset": offset}))


def listed(world: World, person: Person, token: str | None = None, end: int | None = None) -> dict[str, Any]:
    """A user who is rather new, as the list shows them to whoever has this token. `end`: their number at most."""
    end, page = count(world) if end is None else end, []
    for back in _NOT_FURTHER_BACK:
        page = _page(world, {"offset": max(0, end - back)}, token)
        if any(one["id"] == person.id for one in page):
            break
    return must.find(page, lambda one: one["id"] == person.id, "the user", seen=Pair("operation", "listUsers", "200"))


def _page(world: World, query: dict[str, int], token: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.rest.call("listUsers", query=query, token=token, expect=200).data
    return found


def _moves(request: Sample, bodies: tuple[dict[str, Any], ...]) -> None:
    read = {"updateChannel": "getChannel"}.get(request.operation.id, "getUser")
    stamps = [request.world.rest.call(read, path=request.path, expect=200).data["updatedAt"]]
    for body in bodies:
        reply = request.succeed(body=body)
        stamps.append(reply.data["updatedAt"])
    must.ascending(stamps, f"updatedAt of {request.operation.id}", strictly=True, seen=reply.pair)


def _emails(world: World, person: Person, token: Any, end: int) -> list[str | None]:
    sent = None if token is NO_TOKEN else token
    one = world.rest.call("getUser", path={"id": person.id}, token=sent, expect=200)
    return [one.data["email"], listed(world, person, sent, end)["email"]]
