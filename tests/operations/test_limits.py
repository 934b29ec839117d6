"""Rates and counts of requests, and the guessing of passwords (amendment A13, ruling P9)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest

from hype import passwords
from hype.errors import HypeError, NotAuthenticated, TooManyRequests, Unavailable, ValidationFailed
from hype.operations import Call
from hype.passwords import HashingThreads, Places
from tests.operations.backend import Backend
from tests.operations.test_voice import VoiceBackend, voice
from tests.sfu.signalling.driver import CAPABILITIES

__all__ = ["voice"]

ANN = {"email": "ann@example.com", "password": "correct horse"}
WRONG = {**ANN, "password": "battery staple"}


def write(backend: Backend, user: Any, content: str = "x") -> None:
    """Write a message."""
    backend.call("createMessage", {"channelId": "text-general", "content": content}, token=user["accessToken"])


def failures(backend: Backend, body: Mapping[str, str], addresses: int, first: int = 0) -> list[str]:
    """Log in once from each of many addresses; return the texts of the failures."""
    texts = []
    for number in range(first, first + addresses):
        with pytest.raises(HypeError) as refused:
            backend.call("loginUser", body, address=f"198.51.{number // 250}.{number % 250}")
        texts.append(refused.value.error)
    return texts


def test_a_user_writes_no_faster_than_allowed(hardened: Backend) -> None:
    """Sixty writes pass at once, then thirty a second; another user's writes do not count."""
    ann, ben = hardened.guest("ann"), hardened.guest("ben")
    for _ in range(60):
        write(hardened, ann)
    with pytest.raises(TooManyRequests) as refused:
        hardened.call("updateUserStatus", {"status": "idle"}, path={"id": ann["user"]["id"]}, token=ann["accessToken"])
    assert refused.value.headers == {"Retry-After": "1"}
    write(hardened, ben)
    hardened.clock.advance(1)
    for _ in range(30):
        write(hardened, ann)
    with pytest.raises(TooManyRequests):
        write(hardened, ann)
    messages = hardened.data("listMessages", query={"channelId": "text-general", "limit": 100, "offset": 0})
    assert len(messages) == 91


def test_an_address_makes_no_more_users_than_allowed(hardened: Backend) -> None:
    """Guests and registrations of one address count together, and an IPv6 address with its /64."""
    hardened.configure(signups_burst=3)
    hardened.call("loginGuest", {"username": "one"}, address="2001:db8:1:2::1")
    hardened.call("registerUser", {"username": "ann", **ANN}, address="2001:db8:1:2::2")
    hardened.call("loginGuest", {"username": "three"}, address="2001:db8:1:2:3:4:5:6")
    with pytest.raises(TooManyRequests):
        hardened.call("loginGuest", {"username": "four"}, address="2001:db8:1:2::4")
    hardened.call("loginGuest", {"username": "other"}, address="2001:db8:1:3::1")
    hardened.clock.advance(0.2)
    hardened.call("loginGuest", {"username": "four"}, address="2001:db8:1:2::1")


def test_an_address_over_its_limit_hashes_no_password(hardened: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registration over the limit costs no hash."""
    hashed: list[object] = []
    hash_password = passwords.hash_password

    def noted(password: str) -> str:
        hashed.append(password)
        return hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", noted)
    hardened.configure(signups_burst=1)
    hardened.register("ann")
    with pytest.raises(TooManyRequests):
        hardened.register("ben")
    assert len(hashed) == 1


def test_reads_are_unlimited_unless_configured(hardened: Backend) -> None:
    """An address reads as it likes; a setting limits it, whoever its users are."""
    for _ in range(300):
        hardened.call("getChannel", path={"id": "text-general"})
    hardened.configure(reads_burst=2, reads_per_second=1)
    hardened.call("getChannel", path={"id": "text-general"})
    hardened.call("getChannel", path={"id": "text-general"}, token=hardened.guest("ann")["accessToken"])
    with pytest.raises(TooManyRequests):
        hardened.call("listChannels")
    hardened.call("listChannels", address="192.0.2.2")


def test_the_documented_profile_counts_nothing(documented: Backend) -> None:
    """A user of the documented profile writes without a limit."""
    ann = documented.guest("ann")
    for _ in range(70):
        write(documented, ann)


def test_a_user_creates_so_many_channels(hardened: Backend) -> None:
    """A user's channels are counted as they are now; the deletion of one makes room."""
    hardened.configure(channels_per_user=2)
    ann, ben = hardened.guest("ann"), hardened.guest("ben")
    body = {"name": "den", "type": "text"}
    first, _ = [hardened.data("createChannel", body, token=ann["accessToken"]) for _ in range(2)]
    with pytest.raises(TooManyRequests, match="Too many channels"):
        hardened.call("createChannel", body, token=ann["accessToken"])
    hardened.call("createChannel", body, token=ben["accessToken"])
    hardened.call("deleteChannel", path={"id": first["id"]}, token=ann["accessToken"])
    hardened.call("createChannel", body, token=ann["accessToken"])


async def test_a_user_makes_so_many_transports(voice: VoiceBackend) -> None:
    """Sixteen transports a minute in one channel; send and receive transports count together."""
    _, ann = await voice.guest("ann")
    _, ben = await voice.guest("ben")
    for number in range(16):
        await voice.transport(ann, ("Send", "Recv")[number % 2])
    with pytest.raises(TooManyRequests) as refused:
        await voice.transport(ann)
    assert refused.value.headers == {"Retry-After": "4"}
    await voice.transport(ann, channel="voice-gaming")
    await voice.transport(ben)
    voice.backend.clock.advance(4)
    await voice.transport(ann)


async def test_a_user_has_so_many_consumers(voice: VoiceBackend) -> None:
    """A user's consumers in a channel are counted as they are now; the end of one makes room."""
    voice.backend.configure(consumers_per_channel=2)
    _, ann = await voice.guest("ann")
    producer, recv = await voice.producer(ann), await voice.transport(ann, "Recv")
    body = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    first, _ = [await voice.data("createConsumer", body, token=ann) for _ in range(2)]
    with pytest.raises(TooManyRequests, match="Too many consumers"):
        await voice.data("createConsumer", body, token=ann)
    await voice.data("closeConsumer", path={"id": first["id"]}, token=ann)
    await voice.data("createConsumer", body, token=ann)


def test_guessing_from_many_addresses_is_slowed(hardened: Backend) -> None:
    """After some failures with one email from any addresses, one attempt every few seconds is left."""
    hardened.configure(login_max_per_account=5)
    hardened.register("ann")
    assert set(failures(hardened, WRONG, 5)) == {"Invalid email or password"}
    assert set(failures(hardened, WRONG, 20, first=50)) == {"Too many requests"}
    hardened.clock.advance(5)
    assert failures(hardened, WRONG, 3, first=70) == ["Invalid email or password", *["Too many requests"] * 2]
    hardened.clock.advance(5)
    assert failures(hardened, WRONG, 1, first=80) == ["Too many requests"]
    hardened.clock.advance(5)
    assert failures(hardened, WRONG, 1, first=80) == ["Invalid email or password"]


def test_guessing_does_not_lock_the_owner_out(hardened: Backend) -> None:
    """The owner logs in where they registered or logged in before, and from a new address after a minute at most."""
    hardened.configure(login_max_per_account=5)
    hardened.register("ann")
    hardened.call("loginUser", ANN, address="203.0.113.5")
    failures(hardened, WRONG, 6)
    hardened.call("loginUser", ANN)
    hardened.call("loginUser", ANN, address="203.0.113.5")
    with pytest.raises(TooManyRequests):
        hardened.call("loginUser", ANN, address="203.0.113.6")
    for number in range(6):
        hardened.clock.advance(60)
        failures(hardened, WRONG, 1, first=100 + number)
    hardened.clock.advance(60)
    hardened.call("loginUser", ANN, address="203.0.113.6")


def test_an_unknown_email_is_slowed_alike(hardened: Backend) -> None:
    """Otherwise the answers would tell which emails are registered."""
    hardened.configure(login_max_per_account=5)
    nobody = {**WRONG, "email": "nobody@example.com"}
    assert failures(hardened, nobody, 6) == ["Invalid email or password"] * 5 + ["Too many requests"]


def test_all_limits_can_be_off(hardened: Backend) -> None:
    """HYPE_LIMITS=off is for benchmarks: nothing is counted."""
    hardened.configure(limits="off", signups_burst=1, login_max_per_account=1)
    ann = hardened.guest("ann")
    hardened.guest("ben")
    for _ in range(70):
        write(hardened, ann)
    assert set(failures(hardened, {**WRONG, "email": "x@example.com"}, 3)) == {"Invalid email or password"}


async def test_a_storm_of_registrations_delays_no_message(hardened: Backend) -> None:
    """A message is answered while most of a hundred registrations still wait for their hashes."""
    ann = hardened.guest("ann")
    answered: list[str] = []

    async def note(name: str, operation_id: str, body: dict[str, str], token: str | None, address: str) -> None:
        await hardened.call_in_loop(operation_id, body, token=token, address=address)
        answered.append(name)

    def register(number: int) -> Coroutine[None, None, None]:
        name = f"user{number}"
        body = {"username": name, "email": f"{name}@example.com", "password": "x" * 8}
        return note("registered", "registerUser", body, None, f"192.0.2.{number}")

    storm = [asyncio.create_task(register(number)) for number in range(100)]
    for _ in range(5):
        await asyncio.sleep(0)  # all registrations have begun
    message = {"channelId": "text-general", "content": "x"}
    await note("message", "createMessage", message, ann["accessToken"], "192.0.2.200")
    await asyncio.gather(*storm)
    assert answered.index("message") < 50
    assert len(answered) == 101


async def test_too_many_hashes_are_refused(hardened: Backend, caplog: pytest.LogCaptureFixture) -> None:
    """A client that comes when too many passwords wait for a hash gets 503 with Retry-After; nothing is stored.

    The log has no warning, because the server works.
    """
    hashing = HashingThreads(1, waiting=3)
    hardened.use_hashing(hashing)
    bodies = [{"username": name, "email": f"{name}@example.com", "password": "x" * 8} for name in "abcdefgh"]
    answers = await asyncio.gather(
        *(hardened.call_in_loop("registerUser", {**body, "username": body["username"] * 3}) for body in bodies),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert len(refused) == 4
    assert caplog.messages == []
    assert all(int(each.headers["Retry-After"]) >= 1 for each in refused)
    assert len([user for user in hardened.data("listUsers") if len(user["username"]) == 3]) == 4
    await hardened.call_in_loop("registerUser", {"username": "later", "email": "l@example.com", "password": "x" * 8})
    hashing.shutdown()


async def test_logins_of_one_address_leave_room_for_others(hardened: Backend) -> None:
    """An address that logs in with the right password again and again gets 503 itself, and keeps no other out."""
    hashing = HashingThreads(2, waiting=8)
    hardened.use_hashing(hashing)
    hardened.services = replace(hardened.services, places=Places(5))
    await hardened.call_in_loop("registerUser", {**ANN, "username": "ann"})
    addresses = [*["203.0.113.9"] * 15, "192.0.2.7"]
    *others, last = await asyncio.gather(
        *(hardened.call_in_loop("loginUser", ANN, address=each) for each in addresses), return_exceptions=True
    )
    assert not isinstance(last, BaseException)
    refused = [answer for answer in others if isinstance(answer, Unavailable)]
    assert len(refused) == 10
    assert all(int(each.headers["Retry-After"]) >= 1 for each in refused)
    await hardened.call_in_loop("loginUser", ANN, address="203.0.113.9")
    hashing.shutdown()


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_a_request_without_an_identity_does_not_count(hardened: Backend, token: str | None) -> None:
    """A 401 takes no token of anybody's rate."""
    hardened.configure(writes_burst=1)
    for _ in range(3):
        with pytest.raises(NotAuthenticated):
            hardened.call("createMessage", {"channelId": "text-general", "content": "x"}, token=token)


def test_an_invalid_request_does_not_count(hardened: Backend) -> None:
    """A request that is refused for its form writes nothing, so it takes no token."""
    hardened.configure(signups_burst=1)

    def invalid(call: Call) -> None:
        raise ValidationFailed

    for _ in range(3):
        with pytest.raises(ValidationFailed):
            hardened.call("loginGuest", {}, read=invalid)
    hardened.guest("ann")
