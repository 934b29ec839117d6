"""Messages: pages, verbatim text, edits and permissions (rulings R18, R19, R20 and R24)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import UNKNOWN_ID, sample, statuses_of_unknown

DEFAULT_PAGE = 50
EDITORS = 6
TOO_LONG = "content must not exceed 2000 characters"

TEXTS = (
    "  spaces around  and\tinside \n",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1fa\U0001f1f3 \U0001f44d\U0001f3fd",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "e\u0301 \u00e9 \u1e9b\u0323 \ufb01 \u212b",
    "z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a\u032f\u031e\u0320\u034d",
    "<script>alert('x')</script> & \"quotes\" \\ \\u0041 %00 ${x} {{x}}",
    "'; DROP TABLE messages; --",
    "\u0001\u001f\u007f\u0085\ufeff\ufffe\uffff\ue000\U0010ffff",
    "line\r\nline\u2028line\u2029line",
    "\U0001f600" * 2000,
    "a" * 2000,
    ".",
)
BLANK = (" ", "\t", "\n", " \t\r\n ", "\u00a0", "\u2003\u3000", "\u2028\u2029", " " * 2000)
NOT_DIGITS = ("", " ", "abc", "1.5", "1e1", "0x10", "+5", " 5", "5 ", "-", "1,5", "١", "five", "null", "5;6", "NaN")


@case("R18.newest-first", "messages are listed newest first", source="openapi.yaml#/paths/~1api~1messages/get")
def newest_first(world: World) -> None:
    """Compare the page with the answers to the messages' creation, before and after an edit and a further message."""
    ann = world.guest("ann")
    room = world.channel(ann)["id"]
    sent = [world.message(ann, room, str(number)) for number in range(7)]
    reply = world.rest.call("listMessages", query={"channelId": room}, expect=200)
    must.equal(
        [message["content"] for message in reply.data],
        ["6", "5", "4", "3", "2", "1", "0"],
        "the contents",
        seen=reply.pair,
    )
    keys = [(message["createdAt"], message["id"]) for message in reversed(reply.data)]
    must.ascending(keys, "the messages by createdAt, id", seen=reply.pair)
    must.equal(reply.data, sent[::-1], "the messages, as the answers to their creation showed them", seen=reply.pair)
    must.equal(reply.meta, {"total": 7, "limit": DEFAULT_PAGE, "offset": 0}, "meta", seen=reply.pair)
    path = {"id": sent[2]["id"]}
    edited = world.rest.call("updateMessage", token=ann.token, path=path, body={"content": "edited"}, expect=200).data
    again = world.rest.call("listMessages", query={"channelId": room}, expect=200)
    now = [edited if message["id"] == edited["id"] else message for message in sent]
    must.equal(again.data, now[::-1], "the messages after an edit", seen=again.pair)
    now.append(world.message(ann, room, "7"))
    again = world.rest.call("listMessages", query={"channelId": room}, expect=200)
    must.equal(again.data, now[::-1], "the messages after a further one", seen=again.pair)


@case(
    "R18.ties",
    "messages of the same millisecond are listed by id, in the same order on all pages",
    source="openapi.yaml#/paths/~1api~1messages/get",
)
def ties(world: World) -> None:
    """Send messages at the same time; compare the whole list with its pages."""
    ann = world.guest("ann")
    query = {"channelId": world.channel(ann)["id"]}

    def send(number: int) -> str:
        return str(world.message(ann, query["channelId"], str(number))["id"])

    with ThreadPoolExecutor(EDITORS) as pool:
        sent = list(pool.map(send, range(EDITORS * 4)))
    whole = world.rest.call("listMessages", query=query, expect=200)
    keys = [(message["createdAt"], message["id"]) for message in reversed(whole.data)]
    must.ascending(keys, "the messages by createdAt, id", strictly=True, seen=whole.pair)
    ids = sorted(message["id"] for message in whole.data)
    must.equal(ids, sorted(sent), "the ids of the listed messages", seen=whole.pair)
    seen = []
    for offset in range(0, len(sent), EDITORS):
        page = world.rest.call("listMessages", query={**query, "limit": EDITORS, "offset": offset}, expect=200)
        seen += page.data
    must.equal(seen, whole.data, "the pages, one after the other", seen=page.pair)


@case(
    "R18.default-limit",
    "a page has at most 50 messages by default",
    source="GET /api/messages?channelId=:id › Query параметры",
    level="documented",
    slow=True,
)
def default_limit(world: World) -> None:
    ann = world.guest("ann")
    room = world.room(ann)
    for number in range(DEFAULT_PAGE + 2):
        world.message(ann, room, str(number))
    reply = world.rest.call("listMessages", query={"channelId": room}, expect=200)
    must.equal(len(reply.data), DEFAULT_PAGE, "the length of a page without a limit", seen=reply.pair)
    if not world.owns(room):
        return
    must.equal(reply.meta["total"], DEFAULT_PAGE + 2, "meta.total", seen=reply.pair)
    whole = world.rest.call("listMessages", query={"channelId": room, "limit": 100}, expect=200)
    must.equal(len(whole.data), DEFAULT_PAGE + 2, "the length of a page of 100", seen=whole.pair)


@case(
    "R18.pages", "pages of messages neither lose nor repeat a message", source="openapi.yaml#/paths/~1api~1messages/get"
)
def pages(world: World) -> None:
    ann = world.guest("ann")
    room = world.channel(ann)["id"]
    sent = [world.message(ann, room, str(number))["id"] for number in range(11)]
    seen = []
    for offset in range(0, 12, 3):
        query = {"channelId": room, "limit": 3, "offset": offset}
        reply = world.rest.call("listMessages", query=query, expect=200)
        must.equal(reply.meta, {"total": 11, "limit": 3, "offset": offset}, "meta", seen=reply.pair)
        seen += [message["id"] for message in reply.data]
    must.equal(seen, sent[::-1], "the ids of all pages", seen=reply.pair)
    for offset in (11, 1_000_000):
        reply = world.rest.call("listMessages", query={"channelId": room, "offset": offset}, expect=200)
        must.equal(reply.data, [], "a page after the last message", seen=reply.pair)
        must.equal(reply.meta["total"], 11, "meta.total there", seen=reply.pair)


@case(
    "R18.query-bounds",
    "GET /api/messages takes a limit from 1 to 100 and an offset from 0, in plain digits, once each",
    source="openapi.yaml#/paths/~1api~1messages/get",
    slow=True,
)
def query_bounds(world: World) -> None:
    channel = sample(world, "listMessages").query
    for name, value in (("limit", 1), ("limit", 100), ("offset", 0)):
        reply = world.rest.call("listMessages", query={**channel, name: value}, expect=200)
        must.equal(reply.meta[name], value, f"meta.{name}", seen=reply.pair)
    for name, value in (("limit", 0), ("limit", 101), ("limit", -1), ("limit", 10**30), ("offset", -1)):
        world.rest.call("listMessages", query={**channel, name: value}, expect=400)
    for name in ("limit", "offset"):
        for text in NOT_DIGITS:
            world.rest.call("listMessages", query={**channel, name: text}, expect=400)
        world.rest.call("listMessages", query={**channel, name: ["1", "1"]}, expect=400)


@case(
    "R18.channel",
    "a page of messages needs the id of an existing text channel",
    source="openapi.yaml#/paths/~1api~1messages/get",
)
def which_channel(world: World) -> None:
    ann = world.guest("ann")
    world.rest.call("listMessages", expect=400)
    for wrong in ("", "a\x00b"):
        world.rest.call("listMessages", query={"channelId": wrong}, expect=400)
    for unknown in (UNKNOWN_ID, "no such room", "'", "\U0001f600", "x" * 300, "%", "../"):
        refused = statuses_of_unknown(world.contract, unknown)
        world.rest.call("listMessages", query={"channelId": unknown}, expect=refused)
    for type in ("voice", "announcement"):
        world.rest.call("listMessages", query={"channelId": world.channel(ann, type)["id"]}, expect=400)


@case(
    "R19.verbatim",
    "content comes back exactly as it was sent, in any script",
    source="openapi.yaml#/components/schemas/MessageContent",
)
def verbatim(world: World) -> None:
    """Compare the text in the answer, by the message's id, in a page, and after an edit."""
    request = sample(world, "createMessage")
    sent = {}
    for text in TEXTS:
        made = request.succeed(body=request.with_members(content=text))
        sent[made.data["id"]] = text
        must.equal(made.data["content"], text, "the content in the answer", seen=made.pair)
        shown = world.rest.call("getMessage", path={"id": made.data["id"]}, expect=200)
        must.equal(shown.data, made.data, "the message by its id", seen=shown.pair)
    page = world.rest.call("listMessages", query={"channelId": request.body["channelId"]}, expect=200)
    contents = [message["content"] for message in page.data if message["id"] in sent]
    # Where the room is not the case's own, others may have filled the page since.
    wanted = TEXTS if world.owns(request.body["channelId"]) else TEXTS[len(TEXTS) - len(contents) :]
    must.equal(contents, list(wanted[::-1]), "the contents of the page", seen=page.pair)
    edit = sample(world, "updateMessage")
    for text in TEXTS:
        reply = edit.succeed(body={"content": text})
        must.equal(reply.data["content"], text, "the content after an edit", seen=reply.pair)


@case(
    "R19.not-blank",
    "content that is only white space is refused",
    source="openapi.yaml#/components/schemas/MessageContent",
)
def not_blank(world: World) -> None:
    """Show it with a new message and with an edit."""
    new, edit = sample(world, "createMessage"), sample(world, "updateMessage")
    for text in BLANK:
        new.ask(body=new.with_members(content=text), expect=400)
        edit.ask(body={"content": text}, expect=400)


@case(
    "R19.too-long",
    "content over 2000 code points is refused with the seed's text, without details",
    source="POST /api/messages › Ответ при ошибке (400)",
    level="documented",
)
def too_long(world: World) -> None:
    request = sample(world, "createMessage")
    for text in ("a" * 2001, "\U0001f600" * 2001):
        reply = request.ask(body=request.with_members(content=text), expect=400)
        must.equal(reply.error, TOO_LONG, "error", seen=reply.pair)
        must.hold("details" not in reply.json, "no details", reply.json, seen=reply.pair)
    sample(world, "updateMessage").ask(body={"content": "a" * 2001}, expect=400)


@case(
    "R19.text-channels-only",
    "a message is accepted only for an existing text channel",
    source="openapi.yaml#/paths/~1api~1messages/post",
)
def text_channels_only(world: World) -> None:
    ann = world.guest("ann")
    for type in ("voice", "announcement"):
        body = {"content": "hello", "channelId": world.channel(ann, type)["id"]}
        world.rest.call("createMessage", token=ann.token, body=body, expect=400)
    for unknown in (UNKNOWN_ID, "no such room", "x" * 300):
        body = {"content": "hello", "channelId": unknown}
        refused = statuses_of_unknown(world.contract, unknown)
        world.rest.call("createMessage", token=ann.token, body=body, expect=refused)


@case(
    "R19.new-message",
    "a new message shows its author and is unedited, without reactions and attachments",
    source="POST /api/messages › Ответ",
    level="documented",
)
def new_message(world: World) -> None:
    ann = world.guest("ann")
    room = world.room(ann)
    body = {"channelId": room, "content": "hello"}
    reply = world.rest.call("createMessage", token=ann.token, body=body, expect=201)
    plain = {"edited": False, "authorId": ann.id, "channelId": room, "reactions": [], "attachments": []}
    must.members(reply.data, plain, "the message", seen=reply.pair)
    author = {"id": ann.id, "username": ann.username, "status": "ONLINE"}
    must.members(reply.data["author"], author, "author", seen=reply.pair)


@case(
    "R20.edit",
    "an edit sets edited and moves updatedAt strictly forward",
    source="openapi.yaml#/paths/~1api~1messages~1{id}/put",
)
def edit(world: World) -> None:
    """Send edits one right after another; some do not change the text."""
    request = sample(world, "updateMessage")
    before = world.rest.call("getMessage", path=request.path, expect=200).data
    stamps = [before["updatedAt"]]
    kept = {name: before[name] for name in ("id", "authorId", "channelId", "createdAt")}
    for text in (before["content"], "other", "other", before["content"], "the last"):
        reply = request.succeed(body={"content": text})
        must.members(reply.data, {**kept, "edited": True, "content": text}, "the message", seen=reply.pair)
        stamps.append(reply.data["updatedAt"])
    must.ascending(stamps, "updatedAt", strictly=True, seen=reply.pair)
    now = world.rest.call("getMessage", path=request.path, expect=200)
    must.equal(now.data, reply.data, "the message by its id", seen=now.pair)


@case(
    "R20.edits-at-once",
    "no two edits of a message leave the same updatedAt",
    source="openapi.yaml#/components/schemas/Timestamp; ruling R20; amendment A7",
    strength="should",
)
def edits_at_once(world: World) -> None:
    """Show it with edits that run at the same time."""
    request = sample(world, "updateMessage")

    def edit_it(number: int) -> tuple[str, str]:
        shown = request.succeed(body={"content": str(number)}).data
        return str(shown["updatedAt"]), str(shown["content"])

    # An answer may show a later edit, so two answers may show the same one.
    with ThreadPoolExecutor(EDITORS) as pool:
        states = sorted(set(pool.map(edit_it, range(EDITORS * 4))))
    must.ascending([stamp for stamp, _ in states], "updatedAt of concurrent edits", strictly=True)


@case("R20.delete", "a deleted message is 404", source="DELETE /api/messages/:id › Коды ответа", level="documented")
def delete(world: World) -> None:
    """Show also that the channel's other message and the new total remain."""
    request = sample(world, "deleteMessage")
    room = world.room(request.person)
    gone, other = (world.message(request.person, room, content) for content in ("goes", "stays"))
    request = replace(request, path={"id": gone["id"]})
    reply = request.succeed()
    must.equal(reply.data["id"], request.path["id"], "data.id", seen=reply.pair)
    world.rest.call("getMessage", path=request.path, expect=404)
    request.ask(expect=404)
    world.rest.call("updateMessage", path=request.path, token=request.person.token, body={"content": "x"}, expect=404)
    if world.owns(room):
        page = world.rest.call("listMessages", query={"channelId": room}, expect=200)
        must.equal((page.data, page.meta["total"]), ([other], 1), "the page and its total", seen=page.pair)


@case(
    "R20.author-only",
    "only the author can edit or delete a message",
    source="PUT /api/messages/:id › Ответ при ошибке (403); DELETE /api/messages/:id › Ответ при ошибке (403)",
    level="documented",
)
def author_only(world: World) -> None:
    """Show it with the user who created the channel."""
    owner, author = world.guests("owner", "author")
    made = world.message(author, world.room(owner), "mine")
    path = {"id": made["id"]}
    world.rest.call("updateMessage", path=path, token=owner.token, body={"content": "yours"}, expect=403)
    world.rest.call("deleteMessage", path=path, token=owner.token, expect=403)
    reply = world.rest.call("getMessage", path=path, expect=200)
    must.members(reply.data, {"content": "mine", "edited": False}, "the message afterwards", seen=reply.pair)


@case(
    "R24.author-as-now",
    "a message shows its author's current profile",
    source="openapi.yaml#/components/schemas/Message",
)
def author_as_now(world: World) -> None:
    """Compare the message by its id, in a page and after an edit, and a new message."""
    ann = world.guest("ann")
    room = world.channel(ann)["id"]
    message = world.message(ann, room)["id"]
    profile = {"displayName": "Ann now", "avatarUrl": "https://example.com/now.png", "username": f"{ann.username}-now"}
    world.rest.call("updateUser", path={"id": ann.id}, token=ann.token, body=profile, expect=200)
    world.rest.call("updateUserStatus", path={"id": ann.id}, token=ann.token, body={"status": "dnd"}, expect=200)
    read = world.rest.call("getMessage", path={"id": message}, expect=200)
    page = world.rest.call("listMessages", query={"channelId": room}, expect=200)
    body = {"content": "later"}
    later = world.rest.call("createMessage", token=ann.token, body={**body, "channelId": room}, expect=201)
    edited = world.rest.call("updateMessage", path={"id": message}, token=ann.token, body=body, expect=200)
    for shown in (read.data, page.data[0], later.data, edited.data):
        must.members(shown["author"], {"id": ann.id, "status": "DND", **profile}, "author")
