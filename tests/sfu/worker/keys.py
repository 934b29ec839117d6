"""SRTP keys without a handshake."""

from __future__ import annotations

import os

from pylibsrtp import Policy, Session

from hype.sfu.worker.dtls import Keys

GCM, CM = Policy.SRTP_PROFILE_AEAD_AES_128_GCM, Policy.SRTP_PROFILE_AES128_CM_SHA1_80


def session(key: bytes, profile: int, *, outgoing: bool) -> Session:
    """Return the session of one direction, with aiortc's settings."""
    kind = Policy.SSRC_ANY_OUTBOUND if outgoing else Policy.SSRC_ANY_INBOUND
    policy = Policy(key=key, ssrc_type=kind, srtp_profile=profile)
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)


def pair(profile: int = GCM) -> tuple[Keys, Session, Session]:
    """Return the router's keys, the client's session for receiving, and its session for sending."""
    there, back = os.urandom(30), os.urandom(30)
    incoming, outgoing = session(back, profile, outgoing=False), session(there, profile, outgoing=True)
    keys = Keys(incoming, outgoing, 16 if profile == GCM else 10)
    return keys, session(there, profile, outgoing=False), session(back, profile, outgoing=True)
