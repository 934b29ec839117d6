"""Bugs of descriptions of media with more parts than any client has (amendment A13)."""

from __future__ import annotations

from tests.mutants.changes import asking, each
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Operation, SpecPatch

_SCHEMAS = "openapi.yaml#/components/schemas"

MUTANTS = [
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
]
