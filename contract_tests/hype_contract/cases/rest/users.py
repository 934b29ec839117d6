"""Users: lists and profiles (rulings R16, R20, P7, P8 and P10)."""

from __future__ import annotations

from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.forgery import tampered
from hype_contract.cases.rest.samples import NO_TOKEN, UNKNOWN_ID, Sample, sample
from hype_contract.contract.specs import Pair

_LIST = "openapi.yaml#/paths/~1api~1users/get"
_USER = "openapi.yaml#/components/schemas/User"
_TIMES = "openapi.yaml#/components/schemas/Timestamp"
"""Places in the specs where several of the rules below stand."""
MOST_USERS = 2**31
"""A number of users that no target reaches: a list with a user at this offset has no end."""
_END = "GET /api/users to answer an empty list behind the last user"
_LOOK_BACK = (50, 400, 1000)
"""Distances from the end of the list at which to look for a user: other cases create users in the meantime. Without a
limit the hardened profile shows a thousand users (P10)."""
AT_ONCE = 6
_TURNS = 4
MOST_LISTED = 1000
"""The most objects of a list without `limit` in the hardened profile, and the largest `limit` (P10)."""
USUAL_PAGE = 50
"""The length of a page of messages. A server that wrongly cuts its list of users likely cuts it there."""
_FEW = 4
"""The users whom the case makes, if older users fill a page already."""
URLS = (
    "https://example.com/a.png",
    "http://localhost:8080/a?b=c#d",
    "HTTPS://EXAMPLE.COM/A.PNG",
    "ftp://example.com/a.png",
    "javascript:alert(1)",
    "data:text/html,x",
)


@case(
    "R16.list",
    "GET /api/users without a query lists the users by createdAt, then id",
    source=_LIST,
    alone=True,
    slow=True,
)
def list_users(world: World) -> None:
    """Show it with more users than a usual page has. Where older users fill the list, new ones are behind it (P10)."""
    few = max(_FEW, USUAL_PAGE - len(world.rest.call("listUsers", expect=200).data))
    people = world.guests(*(f"guest{number}" for number in range(few)), "ann")
    reply = world.rest.call("listUsers", expect=200)
    keys = [(user["createdAt"], user["id"]) for user in reply.data]
    must.ascending(keys, "the users by createdAt, id", strictly=True, seen=reply.pair)
    full = world.hardened and len(reply.data) == MOST_LISTED
    if full:
        reply = world.rest.call("listUsers", query={"offset": count(world) - len(people)}, expect=200)
    ids = {user["id"] for user in reply.data}
    missing = [person.username for person in people if person.id not in ids]
    must.hold(not missing, "a list with every new user", f"a list without {missing}", seen=reply.pair)
    if not full:
        unlisted = len(world.witness.users() - ids)
        must.hold(not unlisted, "a list with every user of this run", f"a list without {unlisted}", seen=reply.pair)


@case("R16.pages", "pages of users neither lose nor repeat a user", source=_LIST, alone=True)
def pages(world: World) -> None:
    """Compare the pages, read without a token, with the end of the list, read with one."""
    people = world.guests("ann", "bob", "eve", "dan", "kim")
    made, ann = [person.id for person in people], people[0]
    away = {"status": "offline"}
    world.rest.call("updateUserStatus", path={"id": ann.id}, token=ann.token, body=away, expect=200)
    start = count(world) - len(made)
    rest = world.rest.call("listUsers", query={"offset": start}, token=ann.token, expect=200)
    every = [user["id"] for user in rest.data]
    must.equal(sorted(every), sorted(made), "the ids from the offset on, without a limit", seen=rest.pair)
    keys = [(user["createdAt"], user["id"]) for user in rest.data]
    must.ascending(keys, "the users by createdAt, id", strictly=True, seen=rest.pair)
    seen = []
    for offset in (start, start + 2, start + 4, start + 6):
        reply = world.rest.call("listUsers", query={"limit": 2, "offset": offset}, expect=200)
        seen += [user["id"] for user in reply.data]
    must.equal(seen, every, "the ids of the last pages", seen=reply.pair)
    alone = world.rest.call("listUsers", query={"limit": 3}, expect=200)
    first = world.rest.call("listUsers", query={"limit": 3, "offset": 0}, expect=200)
    must.equal(alone.data, first.data, "the first page, without an offset", seen=alone.pair)
    must.equal(len(alone.data), 3, "the length of the first page", seen=alone.pair)


@case("R16.query-bounds", "GET /api/users takes a limit from 1 to 1000 and an offset from 0", source=_LIST)
def query_bounds(world: World) -> None:
    for query in ({"limit": 1}, {"limit": 1, "offset": 0}, {"limit": 1000, "offset": 10**9}, {"offset": 10**9}):
        world.rest.call("listUsers", query=query, expect=200)
    for name, value in (("limit", 0), ("limit", 1001), ("limit", -1), ("offset", -1), ("limit", 10**30)):
        world.rest.call("listUsers", query={name: value}, expect=400)
    for name in ("limit", "offset"):
        for text in ("many", "1.5", ""):
            world.rest.call("listUsers", query={name: text}, expect=400)


@case("R16.members", "/api/users shows a discriminator, an avatar and a lower-case status", source=_USER, alone=True)
def members(world: World) -> None:
    """Compare the discriminator with the first four characters of the username, also after a new username."""
    ann = world.guest("ann")
    url = "https://example.com/ann.png"
    update(world, ann, avatarUrl=url)
    reply = world.rest.call("getUser", path={"id": ann.id}, expect=200)
    shown = {"discriminator": ann.username[:4], "avatarUrl": url, "avatar": url, "status": "online", "email": None}
    must.members(reply.data, {"id": ann.id, "username": ann.username, **shown}, "the user", seen=reply.pair)
    must.equal(listed(world, ann), reply.data, "the user in the list", seen=reply.pair)
    renamed = update(world, ann, username=f"z_y-{ann.username[3:]}")
    must.equal(renamed["discriminator"], "z_y-", "the discriminator after a new username")


@case(
    "R16.bio-in-the-profile-only",
    "only the answer to a profile update shows the bio",
    source="openapi.yaml#/components/schemas/Profile",
    strength="should",
)
def bio_in_the_profile_only(world: World) -> None:
    """Show it with the answers of a login, a status update and `/auth/me`."""
    ann = world.member("ann")
    update(world, ann, bio="mine")
    path, body = {"id": ann.id}, {"status": "idle"}
    status = world.rest.call("updateUserStatus", path=path, token=ann.token, body=body, expect=200)
    me = world.rest.call("getCurrentUser", token=ann.token, expect=200)
    login = world.rest.call("loginUser", body={"email": ann.email, "password": ann.password}, expect=200, patient=True)
    for reply in (status, me, login):
        data = reply.json["data"]
        shown = data.get("user", data)
        must.hold("bio" not in shown, "no bio", sorted(shown), seen=reply.pair)


@case(
    "R16.profile",
    "a profile update changes the members that it names, keeps the others, and shows the bio",
    source="PUT /api/users/:id › Ответ",
    level="documented",
)
def profile(world: World) -> None:
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
        must.members(
            update(world, ann, **change), {**kept, "avatar": kept["avatarUrl"]}, f"after {change}, the profile"
        )
    me = world.rest.call("getCurrentUser", token=ann.token, expect=200)
    must.equal(me.data["user"]["username"], kept["username"], "the username in /auth/me", seen=me.pair)


@case(
    "R16.only-oneself",
    "a user can update only their own profile",
    source="PUT /api/users/:id › Ответ при ошибке (403)",
    level="documented",
)
def only_oneself(world: World) -> None:
    """Show it with the id of another user and with an unknown id."""
    ann, bob = world.guests("ann", "bob")
    before = world.rest.call("getUser", path={"id": bob.id}, expect=200).data
    for id in (bob.id, UNKNOWN_ID):
        world.rest.call("updateUser", path={"id": id}, token=ann.token, body={"displayName": "x"}, expect=403)
    shown = world.rest.call("getUser", path={"id": bob.id}, expect=200)
    must.equal(shown.data, before, "bob's profile afterwards", seen=shown.pair)


@case(
    "P8.avatar-url",
    "an avatar URL has a scheme that the spec allows",
    source="openapi.yaml#/components/schemas/AvatarUrl",
)
def avatar_url(world: World) -> None:
    """Compare each answer with the verdict of the schema in the spec."""
    request = sample(world, "updateUser")
    for url in URLS:
        body = {"avatarUrl": url}
        broken = world.contract.schemas.problems(request.operation.body or "", body)
        reply = request.ask(body=body, expect=400 if broken else 200)
        if not broken:
            must.equal(reply.data["avatarUrl"], url, "avatarUrl", seen=reply.pair)


@case(
    "P7.email",
    "a user sees their own email, and others see it only if the spec says `anyone`",
    source=_USER,
    alone=True,
    slow=True,
)
def email(world: World) -> None:
    """Read the profile without a token, as another user, with a tampered token, and as its owner."""
    schema, _ = world.contract.schemas.contents("openapi.yaml#/components/schemas/User/properties/email")
    ann, eve = world.member("ann"), world.guest("eve")
    end = count(world)
    for token in (NO_TOKEN, eve.token, tampered(ann.token)):
        others = ann.email if schema["x-hype-visible-to"] == "anyone" else None
        must.equal(
            _emails(world, ann, token, end), [others, others], "the email that others see, by id and in the list"
        )
    must.equal(
        _emails(world, ann, ann.token, end),
        [ann.email, ann.email],
        "the email that its owner sees, by id and in the list",
    )
    must.equal(update(world, ann)["email"], ann.email, "the email in the answer to its owner's profile update")
    path, body = {"id": ann.id}, {"status": "idle"}
    reply = world.rest.call("updateUserStatus", path=path, token=ann.token, body=body, expect=200)
    must.equal(reply.data["email"], ann.email, "the email in the answer to its owner's status update", seen=reply.pair)


@case(
    "R20.every-updated-at",
    "every update of a user or a channel moves updatedAt strictly forward",
    source=_TIMES,
    slow=True,
)
def every_updated_at(world: World) -> None:
    """Send updates one right after another; some change nothing."""
    requests: tuple[tuple[Sample, tuple[dict[str, Any], ...]], ...] = (
        (sample(world, "updateUser"), ({}, {}, {"bio": "x"}, {"bio": "x"}, {})),
        (sample(world, "updateUserStatus"), ({"status": "idle"},) * 4),
        (sample(world, "updateChannel"), ({}, {"topic": "x"}, {"topic": "x"}, {})),
    )
    for request, bodies in requests:
        _moves(request, bodies)


@case(
    "R20.updates-at-once",
    "no two updates of a user or a channel leave the same updatedAt",
    source=f"{_TIMES}; ruling R20; amendment A7",
    slow=True,
    strength="should",
)
def updates_at_once(world: World) -> None:
    """Show it with updates that run at the same time.

    An answer may show a later update as well, so the same answer to two updates of different values proves nothing.
    """
    for operation, member in (("updateUser", "displayName"), ("updateChannel", "topic")):
        request = sample(world, operation)

        def change(number: int, request: Sample = request, member: str = member) -> tuple[str, str]:
            shown = request.succeed(body={member: str(number)}).data
            return str(shown["updatedAt"]), str(shown[member])

        with ThreadPoolExecutor(AT_ONCE) as pool:
            states = sorted(set(pool.map(change, range(AT_ONCE * 3))))
        stamps = [stamp for stamp, _ in states]
        must.ascending(stamps, f"updatedAt of the states after concurrent calls of {operation}", strictly=True)


@case(
    "R20.different-members-at-once",
    "concurrent updates of different members are all kept",
    source="openapi.yaml#/info/description › Requests",
    slow=True,
)
def different_members_at_once(world: World) -> None:
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
                must.members(
                    request.succeed(body={}).data, wanted, f"after concurrent updates, the answer of {operation}"
                )


def update(world: World, person: Person, **members: Any) -> dict[str, Any]:
    """Update a person's own profile; return the user in the answer."""
    reply = world.rest.call("updateUser", path={"id": person.id}, token=person.token, body=members, expect=200)
    found: dict[str, Any] = reply.data
    return found


def count(world: World) -> int:
    """Return the number of the target's users, found without reading them all. Raises `Violation`."""
    reach = 1
    while _page(world, {"limit": 1, "offset": reach}):
        reach *= 2
        seen = Pair("operation", "listUsers", "200")
        must.hold(reach < MOST_USERS, _END, f"a user at the offset {reach // 2}", seen=seen)
    return bisect_left(range(reach), True, key=lambda offset: not _page(world, {"limit": 1, "offset": offset}))


def listed(world: World, person: Person, token: str | None = None, end: int | None = None) -> dict[str, Any]:
    """Return a recently created user as the list shows them to the holder of `token`. Raises `Violation`.

    `end`: the number of users, if it is known.
    """
    end, page = count(world) if end is None else end, []
    for back in _LOOK_BACK:
        page = _page(world, {"offset": max(0, end - back)}, token)
        if any(user["id"] == person.id for user in page):
            break
    return must.find(page, lambda user: user["id"] == person.id, "the user", seen=Pair("operation", "listUsers", "200"))


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
    shown = world.rest.call("getUser", path={"id": person.id}, token=sent, expect=200)
    return [shown.data["email"], listed(world, person, sent, end)["email"]]
