"""The gateway over real sockets and a real database: what several clients get from each other."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from hype import greenlets
from hype.cluster import ChannelDeleted, RoomEvent, SessionRevoked
from hype.database import Unit
from hype.models import User
from tests.gateway.running import RunningGateway, run_gateway

pytestmark = pytest.mark.slow


async def test_three_sockets_see_a_room_alike(gateway: RunningGateway) -> None:
    """Three sockets get the same events once and in one order, whether messages come by socket or by REST."""
    anna, ben = [await gateway.member(name, "text-general") for name in ("anna", "ben")]
    carl_login = await gateway.guest("carl")
    carl = await gateway.client(carl_login["accessToken"])
    joined = await carl.request("user_joined", channelId="text-general")
    assert joined["username"] == "carl"
    await anna.receive("user_joined")
    for other in (anna, ben):
        assert await other.receive("user_joined") == joined
    await ben.send("message", channelId="text-general", content="by socket")
    stored = await gateway.perform(
        "createMessage", carl_login["accessToken"], channelId="text-general", content="by REST"
    )
    for each in (anna, ben, carl):
        first, second = await each.receive("message"), await each.receive("message")
        assert {first["content"], second["content"]} == {"by socket", "by REST"}
        assert stored in (first, second)
        assert first["createdAt"] < second["createdAt"]
    await carl.connection.close()
    for other in (anna, ben):
        assert (await other.receive("user_left"))["username"] == "carl"
        await other.receives_nothing()


async def test_a_message_joins_the_room_silently(gateway: RunningGateway) -> None:
    """A user who writes without having joined gets the room's events from then on; the others get only the leaving."""
    anna = await gateway.member("anna", "text-general")
    ben = await gateway.client((await gateway.guest("ben"))["accessToken"])
    mine = await ben.request("message", channelId="text-general", content=" Привет, 👋 ")
    assert mine["content"] == " Привет, 👋 "
    assert await anna.receive("message") == mine
    await ben.connection.close()
    assert (await anna.receive("user_left"))["username"] == "ben"


async def test_a_room_gets_edits_and_deletions(gateway: RunningGateway) -> None:
    """A room gets each change by REST, with the message as it is, or was."""
    anna = await gateway.member("anna", "text-general")
    token = (await gateway.guest("ben"))["accessToken"]
    stored = await gateway.perform("createMessage", token, channelId="text-general", content="one")
    await gateway.perform("updateMessage", token, {"id": stored["id"]}, content="two")
    await gateway.perform("deleteMessage", token, {"id": stored["id"]})
    assert (await anna.receive("message"))["content"] == "one"
    assert (await anna.receive("message_edited"))["content"] == "two"
    assert await anna.receive("message_deleted") == {"id": stored["id"], "channelId": "text-general"}


async def test_a_voice_channel_from_entering_to_dropping(gateway: RunningGateway) -> None:
    """A newcomer gets the states, flags reach the others, and a dropped socket leaves in ruling R38's order."""
    anna = await gateway.client((await gateway.guest("anna"))["accessToken"])
    first = await anna.request("voice_state", channelId="voice-general", isMuted=True)
    assert (first["channelId"], first["isMuted"], first["isDeafened"]) == ("voice-general", True, False)
    ben = await gateway.client((await gateway.guest("ben"))["accessToken"])
    second = await ben.request("voice_state", channelId="voice-general")
    assert await ben.receive("voice_state") == first
    assert await anna.receive("voice_state") == second
    changed = await ben.request("voice_state", channelId="voice-general", isDeafened=True)
    assert await anna.receive("voice_state") == changed
    channel = await gateway.perform("getChannel", path={"id": "voice-general"})
    assert channel["_count"]["voiceStates"] == 2
    await ben.connection.close()
    assert (await anna.receive("voice_state"))["channelId"] is None
    assert (await anna.receive("user_left"))["username"] == "ben"
    assert (await anna.request("voice_state", channelId=None))["channelId"] is None
    await anna.receives_nothing()


async def test_a_channel_that_is_deleted_ends_its_room(gateway: RunningGateway) -> None:
    """Participants of a deleted channel get the end of every voice state, no `user_left`, and cannot enter it again."""
    anna, ben = await gateway.guest("anna"), await gateway.guest("ben")
    channel = await gateway.perform("createChannel", anna["accessToken"], name="talk", type="voice")
    clients = [await gateway.client(each["accessToken"]) for each in (anna, ben)]
    for client in clients:
        await client.request("voice_state", channelId=channel["id"])
    await clients[0].receive("voice_state")
    await clients[1].receive("voice_state")
    await gateway.perform("deleteChannel", anna["accessToken"], {"id": channel["id"]})
    for client in clients:
        gone = [await client.receive("voice_state") for _ in clients]
        assert [(each["userId"], each["channelId"]) for each in gone] == [
            (anna["user"]["id"], None),
            (ben["user"]["id"], None),
        ]
        await client.receives_nothing()
        assert await client.refused("voice_state", channelId=channel["id"]) == "not_found"


async def test_the_others_get_typing(gateway: RunningGateway) -> None:
    """Everyone in the room but the sender gets `typing`; the sender need not be in the room."""
    anna = await gateway.member("anna", "text-general")
    ben = await gateway.client((await gateway.guest("ben"))["accessToken"])
    await ben.send("typing", channelId="text-general")
    assert (await anna.receive("typing"))["username"] == "ben"
    await ben.receives_nothing()
    assert await ben.refused("typing", channelId="nowhere") == "not_found"


async def test_typing_that_nobody_hears_is_counted(gateway: RunningGateway) -> None:
    """The user who is alone in a room gets no answer, and the frame is in the metrics."""
    anna = await gateway.member("anna", "text-general")
    await anna.send("typing", channelId="text-general")
    await anna.receives_nothing()
    counted = 'hype_gateway_frames_total{direction="in",type="typing"} 1.0'
    assert counted in gateway.services.metrics.text()


async def test_leaving_a_room_is_not_answered(gateway: RunningGateway) -> None:
    """The others get one `user_left`, a second request does nothing, and the user gets no more events of the room."""
    anna, ben = [await gateway.member(name, "text-general") for name in ("anna", "ben")]
    await anna.receive("user_joined")
    for _ in range(2):
        await ben.send("user_left", channelId="text-general")
    await ben.receives_nothing()
    assert (await anna.receive("user_left"))["username"] == "ben"
    await anna.request("message", channelId="text-general", content="gone?")
    await ben.receives_nothing()
    assert await ben.refused("user_left", channelId="nowhere") == "not_found"


async def test_a_second_socket_of_a_user_changes_nothing_for_the_others(gateway: RunningGateway) -> None:
    """The second socket alone is answered; the user leaves when both are gone."""
    anna = await gateway.member("anna", "text-general")
    token = (await gateway.guest("ben"))["accessToken"]
    first, second = [await gateway.client(token) for _ in range(2)]
    await first.request("user_joined", channelId="text-general")
    await anna.receive("user_joined")
    await second.request("user_joined", channelId="text-general")
    await first.receives_nothing()
    await first.connection.close()
    await second.request("message", channelId="text-general", content="still here")
    await anna.receive("message")
    await second.connection.close()
    assert (await anna.receive("user_left"))["username"] == "ben"


async def test_logout_closes_the_sockets_of_that_session_only(gateway: RunningGateway) -> None:
    """The session's socket closes with 4401; another session of the same user stays."""
    email, password = "anna@example.com", "correct horse"
    first = await gateway.perform("registerUser", username="anna", email=email, password=password)
    second = await gateway.perform("loginUser", email=email, password=password)
    going, staying = [await gateway.client(each["accessToken"]) for each in (first, second)]
    await going.request("user_joined")
    await staying.request("user_joined")
    await gateway.perform("logoutUser", first["accessToken"])
    assert await going.wait_closed() == 4401
    await staying.receives_nothing()


async def test_a_logout_during_the_check_of_a_token_closes_the_socket(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that is revoked between the check and the binding closes the socket with 4401."""
    token = (await gateway.guest("anna"))["accessToken"]
    session_id = gateway.services.tokens.read_access(token).session_id
    client = await gateway.client()
    run = gateway.services.database.run_now

    def run_and_publish(work: Any) -> Any:
        found = run(work)
        gateway.services.cluster.publish([SessionRevoked(session_id)])
        return found

    monkeypatch.setattr(gateway.services.database, "run_now", run_and_publish)
    await client.send("user_joined", token=token)
    assert await client.wait_closed() == 4401


async def test_a_channel_deleted_during_its_read_is_not_found(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user cannot enter a voice channel that was deleted while the gateway read it."""
    client = await gateway.client((await gateway.guest("anna"))["accessToken"])
    await client.request("user_joined")
    run = gateway.services.database.run_now

    def run_and_publish(work: Any) -> Any:
        found = run(work)
        gateway.services.cluster.publish([ChannelDeleted("voice-general")])
        return found

    monkeypatch.setattr(gateway.services.database, "run_now", run_and_publish)
    assert await client.refused("voice_state", channelId="voice-general") == "not_found"
    assert gateway.services.cluster.voice.count("voice-general") == 0


async def test_a_bug_costs_one_answer(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets `internal`, the log has the traceback, and the socket stays open."""
    client = await gateway.member("anna", "text-general")

    def broken(work: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(gateway.services.database, "run_now", broken)
        assert await client.refused("user_joined", channelId="text-general") == "internal"
    assert "ZeroDivisionError" in caplog.text
    await client.request("message", channelId="text-general", content="works again")


async def test_presence_is_stored(gateway: RunningGateway) -> None:
    """A user is online from the first socket to the end of the last one."""
    guest = await gateway.guest("anna")

    def online() -> bool:
        def work(unit: Unit) -> bool:
            row = User.find(guest["user"]["id"])
            assert row is not None
            return bool(row.is_online)

        return gateway.services.database.run_now(work)

    client = await gateway.client(guest["accessToken"])
    await client.request("user_joined")
    await client.connection.close()
    await gateway.until(lambda: not online())
    again = await gateway.client(guest["accessToken"])
    await again.request("user_joined")
    await gateway.until(online)


async def test_a_socket_without_a_token_waits_for_one(gateway: RunningGateway) -> None:
    """Known events are `unauthenticated` and unknown ones `unknown_type`.

    A token in the first user_joined binds the socket.
    """
    client = await gateway.client()
    assert await client.refused("typing", channelId=5) == "unauthenticated"
    assert await client.refused("user_joined", userId="somebody") == "unauthenticated"
    assert await client.refused("nonsense") == "unknown_type"
    guest = await gateway.guest("anna")
    joined = await client.request("user_joined", token=guest["accessToken"])
    assert (joined["userId"], joined["channelId"]) == (guest["user"]["id"], None)


async def test_a_bad_token_closes_at_once(gateway: RunningGateway) -> None:
    """A bad token closes with 4401, in the URL or in a frame, empty, malformed or of the wrong kind."""
    refresh = (await gateway.guest("anna"))["refreshToken"]
    for token in ("", "garbage", refresh):
        assert await (await gateway.client(token)).wait_closed() == 4401
        client = await gateway.client()
        await client.send("user_joined", token=token)
        assert await client.wait_closed() == 4401
    client = await gateway.client()
    await client.send("user_joined", token="\ud800")
    assert await client.wait_closed() == 4401


async def test_one_socket_has_one_user(gateway: RunningGateway) -> None:
    """A claim of another user, and another user's token, are forbidden and change nothing."""
    anna, ben = await gateway.guest("anna"), await gateway.guest("ben")
    client = await gateway.client(anna["accessToken"])
    for claim in ({"userId": ben["user"]["id"]}, {"username": "ben"}, {"token": ben["accessToken"]}):
        assert await client.refused("user_joined", **claim) == "forbidden"
    assert await client.refused("voice_state", userId=ben["user"]["id"], channelId=None) == "forbidden"
    joined = await client.request("user_joined", userId=anna["user"]["id"], username="whatever")
    assert joined["username"] == "anna"


async def test_a_socket_without_a_token_is_closed_in_time(database_url: str) -> None:
    """A socket without a token closes with 4401 after the contract's time; a bound socket stays."""
    async with run_gateway(database_url, limits={"auth_timeout_ms": 200}) as gateway:
        known = await gateway.client((await gateway.guest("anna"))["accessToken"])
        assert await (await gateway.client()).wait_closed() == 4401
        await known.receives_nothing()


async def test_a_claim_binds_in_the_documented_profile(documented_gateway: RunningGateway) -> None:
    """A bad token is ignored, an unknown user not found and a second identity forbidden.

    A username alone is looked up.
    """
    anna, ben = await documented_gateway.guest("anna"), await documented_gateway.guest("ben")
    client = await documented_gateway.client("garbage")
    assert await client.refused("typing", channelId="text-general") == "unauthenticated"
    assert await client.refused("user_joined", userId="nobody") == "not_found"
    assert (await client.request("user_joined", username="anna"))["userId"] == anna["user"]["id"]
    assert await client.refused("user_joined", userId=ben["user"]["id"]) == "forbidden"
    voice = await documented_gateway.client()
    entered = await voice.request("voice_state", userId=ben["user"]["id"], channelId="voice-general")
    assert entered["userId"] == ben["user"]["id"]


async def test_too_many_frames_close_the_socket(database_url: str) -> None:
    """Each frame over the burst is refused; the tenth in a row is answered and closes with 4429."""
    async with run_gateway(database_url, WS_RATE_BURST="3", WS_RATE_PER_SECOND="1") as gateway:
        client = await gateway.client((await gateway.guest("anna"))["accessToken"])
        for _ in range(30):
            with suppress(ConnectionClosed):
                await client.send("nonsense")
        codes: list[str] = []
        with suppress(ConnectionClosed):
            while True:
                codes.append((await client.receive("error"))["code"])
        assert codes == ["unknown_type"] * 3 + ["rate_limited"] * 10
        assert await client.wait_closed() == 4429


async def test_frames_outside_the_limits_close_the_socket(gateway: RunningGateway) -> None:
    """A binary frame closes with 1003, a long one with 1009, broken UTF-8 with 1007.

    A frame of the largest size is only refused.
    """
    token = (await gateway.guest("anna"))["accessToken"]
    for frame, text, code in ((b"{}", False, 1003), (b"x" * 65537, True, 1009), (b"\xff", True, 1007)):
        client = await gateway.client(token)
        await client.connection.send(frame, text=text)
        assert await client.wait_closed() == code
    client = await gateway.client(token)
    await client.connection.send(b" " * 65536, text=True)
    assert (await client.receive("error"))["code"] == "invalid_json"


async def test_a_client_that_does_not_read_is_closed(database_url: str) -> None:
    """A client with a full queue is closed, and another one in the room gets every event in time."""
    async with run_gateway(database_url, limits={"max_queue_bytes": 131_072}) as gateway:
        slow = await gateway.client((await gateway.guest("slow"))["accessToken"], max_queue=1)
        await slow.request("user_joined", channelId="text-general")
        slow.connection.transport.pause_reading()
        quick = await gateway.member("quick", "text-general")
        type_, number = "typing", 0
        while type_ == "typing":
            number += 1
            event = {"userId": str(number), "username": "x" * 60_000, "channelId": "text-general"}
            gateway.services.cluster.publish([RoomEvent("text-general", "typing", event)])
            frame = json.loads(
                await quick.connection.recv()
            )  # larger than the contract allows, so that few fill a queue
            type_, data = frame["type"], frame["data"]
            assert type_ == "user_left" or data["userId"] == str(number)
        assert data["username"] == "slow"
        slow.connection.transport.resume_reading()
        assert await slow.wait_closed() in {1013, 1006}


async def test_shutdown_finishes_the_frame_in_progress(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is being stored is answered, later frames are not handled, and all sockets close with 1001."""
    async with run_gateway(database_url) as gateway:
        client, idle = await gateway.member("anna", "text-general"), await gateway.client()
        began, proceed = asyncio.Event(), asyncio.Event()
        run = gateway.services.database.run_now

        def slowly(work: Any) -> Any:
            began.set()
            greenlets.wait(proceed.wait())
            return run(work)

        monkeypatch.setattr(gateway.services.database, "run_now", slowly)
        await client.send("message", channelId="text-general", content="last words")
        await client.send("message", channelId="text-general", content="too late")
        await began.wait()
        closing = asyncio.create_task(gateway.server.close())
        assert await idle.wait_closed() == 1001
        proceed.set()
        assert (await client.receive("message"))["content"] == "last words"
        assert await client.wait_closed() == 1001
        await closing


async def test_a_frame_without_end_does_not_stop_the_shutdown(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway cuts the connection of a frame that does not end in time."""
    async with run_gateway(database_url) as gateway:
        client = await gateway.member("anna", "text-general")
        began = asyncio.Event()

        def never(work: Any) -> Any:
            began.set()
            greenlets.wait(asyncio.Event().wait())

        with monkeypatch.context() as patch:
            patch.setattr(gateway.services.database, "run_now", never)
            await client.send("user_joined", channelId="text-general")
            await began.wait()
        await gateway.server.close(0.1)
        assert await client.wait_closed() == 1006
