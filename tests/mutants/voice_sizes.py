"""Bugs of descriptions of media: too many parts, one part twice, priorities (amendments A9, A13 and A23)."""

from __future__ import annotations

from typing import Any

from tests.mutants.books import transports
from tests.mutants.changes import asking, each
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Operation, SpecPatch

_SCHEMAS = "openapi.yaml#/components/schemas"


def _last_of_each_id(rtp: dict[str, Any]) -> dict[str, Any]:
    extensions = {extension["id"]: extension for extension in rtp.get("headerExtensions", [])}
    return {**rtp, "headerExtensions": list(extensions.values())}


def _tcp_first(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**candidate, "priority": 2 if candidate["protocol"] == "tcp" else 1} for candidate in candidates]


MUTANTS = [
    mutant(
        "voice.transports.prefers-tcp",
        "A transport's TCP candidate has a higher priority than its UDP candidate.",
        *transports(each("iceCandidates", _tcp_first)),
        of="createSendTransport createRecvTransport",
        killed_by="R26.prefers-udp",
    ),
    mutant(
        "voice.sizes.any-number-of-codecs",
        "Of 500 codecs the first are read, without a word about the others.",
        SpecPatch(f"{_SCHEMAS}/RtpCapabilities/properties/codecs/maxItems"),
        Operation("createConsumer", asking(each("rtpCapabilities", each("codecs", lambda codecs: codecs[:50])))),
        of="createConsumer",
        profiles=HARDENED,
        killed_by="A13.long-lists",
    ),
    mutant(
        "voice.sizes.any-number-of-fingerprints",
        "Of 500 fingerprints the first is taken.",
        SpecPatch(f"{_SCHEMAS}/DtlsParameters/properties/fingerprints/maxItems"),
        Operation("connectTransport", asking(each("dtlsParameters", each("fingerprints", lambda every: every[:1])))),
        of="connectTransport",
        profiles=HARDENED,
        killed_by="A13.long-lists",
    ),
    mutant(
        "voice.sizes.one-extension-id-twice",
        "Of two header extensions with one id the last is read.",
        Operation("createProducer", asking(each("rtpParameters", _last_of_each_id))),
        of="createProducer",
        killed_by="R28.unroutable",
    ),
]
