"""Tests of the registry of codecs: each of them can be told from the others."""

from __future__ import annotations

import pytest

from hype.sfu import codecs
from hype.sfu.codecs.codec import Codec
from hype.sfu.codecs.opus import OPUS


def test_payload_types_are_unique() -> None:
    """No payload type names two codecs, or a codec and the RTX of another one."""
    used = [codec.payload_type for codec in codecs.CODECS]
    used += [codec.rtx_payload_type for codec in codecs.CODECS if codec.rtx_payload_type is not None]
    assert len(set(used)) == len(used)
    assert all(96 <= payload_type <= 127 for payload_type in used)


@pytest.mark.parametrize("codec", codecs.CODECS, ids=lambda codec: codec.mime_type)
def test_a_codec_is_found_by_what_it_offers(codec: Codec) -> None:
    """A codec is found by its capability, by its parameters and by its payload type, and its RTX by none of them."""
    offered, *rtx = codec.capabilities()
    assert codecs.find(offered) is codec
    assert codecs.find(codec.rtp_parameters(offered["parameters"])[0]) is codec
    assert codecs.of_payload_type(codec.payload_type) is codec
    assert [codecs.find(each) for each in rtx] == [None] * len(rtx)


def test_an_unknown_codec_is_not_found() -> None:
    """A codec with another clock rate, or another name, is not found."""
    (offered,) = OPUS.capabilities()
    assert codecs.find(offered | {"clockRate": 8000}) is None
    assert codecs.find(offered | {"mimeType": "audio/PCMU"}) is None
    with pytest.raises(KeyError):
        codecs.of_payload_type(0)
