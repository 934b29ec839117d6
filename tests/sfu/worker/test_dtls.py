"""Tests of SRTP keys, and canaries: each underscored name of a library, used as dtls.py uses it."""

from __future__ import annotations

import asyncio
import inspect
import tomllib
from importlib.metadata import version
from typing import Any

import pylibsrtp
import pytest
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from cryptography.hazmat.primitives.asymmetric import rsa
from packaging.requirements import Requirement
from packaging.version import Version
from pylibsrtp._binding import lib

from hype.sfu.worker.datagrams import Inbox
from hype.sfu.worker.dtls import Certificate, Dtls
from tests.sfu.worker.keys import CM, GCM, pair
from tests.sfu.worker.rig import ROOT, rtp_packet

PINNED = {"aiortc": ("1.16", "1.17"), "aioice": ("0.13", "0.14"), "pylibsrtp": ("1.0", "1.1")}


class Wire:
    """An end of a wire. other: the other end."""

    role = "controlled"

    def __init__(self) -> None:
        self.other = self
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue()

    async def _recv(self) -> bytes:
        return await self.waiting.get()

    async def _send(self, data: bytes) -> None:
        self.other.waiting.put_nowait(data)


def wires() -> tuple[Wire, Wire]:
    """Return both ends of a wire."""
    first, second = Wire(), Wire()
    first.other, second.other = second, first
    return first, second


@pytest.mark.parametrize("name", PINNED)
def test_the_libraries_are_of_the_versions_that_were_read(name: str) -> None:
    """The libraries have the versions that these canaries cover: the next minor one may differ."""
    least, below = map(Version, PINNED[name])
    assert least <= Version(version(name)) < below


@pytest.mark.parametrize("name", ["_set_role", "_validate_peer_identity", "_setup_srtp", "start", "stop"])
def test_canary_of_aiortc_methods(name: str) -> None:
    """The methods that dtls.py calls or relies on are there."""
    assert callable(getattr(RTCDtlsTransport, name))


@pytest.mark.parametrize("name", ["_srtp_profiles", "_rx_srtp", "_tx_srtp", "_ssl", "_role"])
def test_canary_of_aiortc_attributes(name: str) -> None:
    """The attributes that dtls.py reads and writes are there."""
    assert hasattr(RTCDtlsTransport(Wire(), [RTCCertificate.generateCertificate()]), name)  # type: ignore[arg-type]


def test_canary_of_the_wire() -> None:
    """aiortc uses only `role`, `_recv` and `_send` of its ICE transport."""
    source = inspect.getsource(rtcdtlstransport.RTCDtlsTransport)
    used = {text.split("(")[0].split(")")[0].split(",")[0].strip() for text in _after(source, "self.transport.")}
    assert {name.split()[0].rstrip(":") for name in used} <= {"role", "_recv", "_send"}


def _after(source: str, marker: str) -> list[str]:
    return [piece.partition("\n")[0] for piece in source.split(marker)[1:]]


def test_canary_of_libsrtp() -> None:
    """A session's context is at its place, and the functions take it."""
    keys, _, _ = pair()
    assert keys.context is not None
    assert pylibsrtp.Session()._srtp[0] is not None
    for name in ("srtp_protect", "srtp_unprotect", "srtp_unprotect_rtcp"):
        assert callable(getattr(lib, name))


@pytest.mark.parametrize("ours", ["client", "server"])
async def test_two_ends_agree_on_keys(ours: str) -> None:
    """Either end decrypts what the other one encrypts, whichever begins the handshake."""
    first, second = Certificate(), Certificate()
    ends = [Dtls(each, wire, lambda: None) for each, wire in zip((first, second), wires(), strict=True)]
    theirs = "server" if ours == "client" else "client"
    keys = await asyncio.gather(
        ends[0].handshake({"role": theirs, "fingerprints": second.fingerprints()}, 10),
        ends[1].handshake({"role": ours, "fingerprints": first.fingerprints()}, 10),
    )
    assert keys[0] is not None
    assert keys[1] is not None
    assert keys[0].tag == 16
    slot, packet = Inbox(2, 1).slots[0], rtp_packet(1, b"payload")
    assert keys[1].open(slot, slot.put(keys[0].seal(packet) or b"")) == packet
    for end in ends:
        await end.close()


class RsaCertificate(RTCCertificate):
    """A certificate with an RSA key, such as an older client may have. server: the kind of the server's key."""

    def __init__(self, server: bytes) -> None:
        self._cipher = b"ECDHE-%b-AES128-GCM-SHA256" % server
        key = rsa.generate_private_key(65537, 2048)
        super().__init__(key, rtcdtlstransport.generate_certificate(key))  # type: ignore[arg-type]

    def _create_ssl_context(self, srtp_profiles: list[rtcdtlstransport.SRTPProtectionProfile]) -> Any:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(self._cipher)
        return context


@pytest.mark.parametrize("role", ["client", "server"])
async def test_a_client_with_an_rsa_certificate_agrees_on_keys(role: str) -> None:
    """A client with an RSA certificate agrees on keys as the DTLS server, and as the DTLS client."""
    ours, theirs = Certificate(), RsaCertificate(b"RSA" if role == "server" else b"ECDSA")
    wire, other = wires()
    dtls, client = Dtls(ours, wire, lambda: None), RTCDtlsTransport(other, [theirs])  # type: ignore[arg-type]
    client._set_role(role)
    fingerprints = [{"algorithm": each.algorithm, "value": each.value} for each in theirs.getFingerprints()]
    expected = [rtcdtlstransport.RTCDtlsFingerprint(**each) for each in ours.fingerprints()]
    keys, _ = await asyncio.gather(
        dtls.handshake({"role": role, "fingerprints": fingerprints}, 10),
        client.start(rtcdtlstransport.RTCDtlsParameters(expected)),
    )
    assert keys is not None
    await client.stop()
    await dtls.close()


async def test_a_wrong_certificate_gives_no_keys() -> None:
    """A peer with another certificate than the announced one gets no keys."""
    first, second = Certificate(), Certificate()
    ends = [Dtls(each, wire, lambda: None) for each, wire in zip((first, second), wires(), strict=True)]
    keys = await asyncio.gather(
        ends[0].handshake({"role": "client", "fingerprints": Certificate().fingerprints()}, 10),
        ends[1].handshake({"role": "server", "fingerprints": first.fingerprints()}, 10),
    )
    assert keys[0] is None
    for end in ends:
        await end.close()


async def test_a_client_that_never_shakes_hands_is_given_up() -> None:
    """A handshake without an answer ends at its limit."""
    dtls = Dtls(Certificate(), wires()[0], lambda: None)
    assert await dtls.handshake({"role": "client", "fingerprints": Certificate().fingerprints()}, 0.05) is None
    await dtls.close()


async def test_fingerprints_of_unknown_algorithms_give_no_keys() -> None:
    """A peer whose fingerprints are all of an unknown algorithm gets no keys."""
    dtls = Dtls(Certificate(), wires()[0], lambda: None)
    assert await dtls.handshake({"role": "client", "fingerprints": [{"algorithm": "md5", "value": "00"}]}, 1) is None


@pytest.mark.parametrize("profile", [GCM, CM])
def test_forgeries_and_replays_are_refused(profile: int) -> None:
    """A packet that was changed, or comes a second time, is refused."""
    keys, _, client = pair(profile)
    slot = Inbox(2, 1).slots[0]
    good = client.protect(rtp_packet(1, b"payload"))
    forged = good[:-1] + bytes([good[-1] ^ 1])
    assert keys.open(slot, slot.put(forged)) is None
    assert keys.open(slot, slot.put(good)) == rtp_packet(1, b"payload")
    assert keys.open(slot, slot.put(good)) is None
    assert keys.open(slot, slot.put(good[:5])) is None


def test_an_unused_stream_can_be_forgotten() -> None:
    """A stream without a packet can be forgotten: a consumer may close early."""
    pair()[0].forget(12345)
    pair()[0].forget_incoming(12345)


def test_a_forgotten_incoming_stream_is_a_new_one() -> None:
    """A forgotten stream begins anew, and other streams stay known."""
    keys, _, client = pair()
    slot = Inbox(2, 1).slots[0]
    sealed = {ssrc: client.protect(rtp_packet(1, b"payload", ssrc=ssrc)) for ssrc in (1, 2)}
    for packet in sealed.values():
        assert keys.open(slot, slot.put(packet)) is not None
    keys.forget_incoming(1)
    assert keys.open(slot, slot.put(sealed[1])) is not None
    assert keys.open(slot, slot.put(sealed[2])) is None


def test_the_project_pins_what_the_canaries_cover() -> None:
    """pyproject.toml allows only the versions that the canaries cover."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    required = {each.name: each.specifier for each in map(Requirement, document["project"]["dependencies"])}
    for name, (least, below) in PINNED.items():
        assert Version(least) in required[name] or Version(f"{least}.0") in required[name]
        assert not required[name].contains(below)
