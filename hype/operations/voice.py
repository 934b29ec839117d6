"""Voice signalling for mediasoup-client (rulings R25 to R29): the caller and the channel; the rest is the SFU's.

Failures come in the order 404, 403, 400, 409 (ruling R10). These operations write nothing, so no transaction is open
while the SFU is asked.
"""

from __future__ import annotations

from typing import Literal

from hype import payloads
from hype.cluster import Profile, TransportOpened
from hype.errors import BadRequest, HypeError, NotFound, TooManyRequests
from hype.models import Channel
from hype.operations.call import Answer, Call, ok
from hype.operations.callers import authenticate_again

__all__ = [
    "close_consumer",
    "close_producer",
    "connect_transport",
    "create_consumer",
    "create_producer",
    "create_recv_transport",
    "create_send_transport",
    "get_rtp_capabilities",
    "list_channel_producers",
    "restart_ice",
]


def get_rtp_capabilities(call: Call) -> Answer:
    """Return the codecs and extensions that every router can receive (operation getRtpCapabilities)."""
    return ok(call.services.media.rtp_capabilities())


def create_send_transport(call: Call) -> Answer:
    """Create a send transport in place of the caller's old one (operation createSendTransport)."""
    return _create_transport(call, "send")


def create_recv_transport(call: Call) -> Answer:
    """Create a recv transport in place of the caller's old one (operation createRecvTransport)."""
    return _create_transport(call, "recv")


def connect_transport(call: Call) -> Answer:
    """Connect a transport, once (operation connectTransport)."""
    user_id, body = call.caller.id, call.body
    return ok(call.wait(call.services.media.connect_transport(user_id, body["transportId"], body["dtlsParameters"])))


def restart_ice(call: Call) -> Answer:
    """Return the `iceParameters` that `transport.restartIce()` takes (operation restartIce)."""
    user_id, transport_id = call.caller.id, call.body["transportId"]
    return ok(call.wait(call.services.media.restart_ice(user_id, transport_id)))


def create_producer(call: Call) -> Answer:
    """Create a producer, one of each kind per user and channel (operation createProducer).

    The room gets `new_producer`.
    """
    user_id, body = call.caller.id, call.body
    return ok(
        call.wait(
            call.services.media.create_producer(
                user_id,
                body["transportId"],
                body["kind"],
                body["rtpParameters"],
                body.get("appData", {}),
                call.services.limits.producer_bits_per_second,
            )
        )
    )


def close_producer(call: Call) -> Answer:
    """Close one of the caller's producers; the room gets `producer_closed` (operation closeProducer)."""
    user_id, producer_id = call.caller.id, call.path["id"]
    call.wait(call.services.media.close_producer(user_id, producer_id))
    return ok({"id": producer_id})


def create_consumer(call: Call) -> Answer:
    """Create a consumer; forwarding starts at once (operation createConsumer)."""
    user_id, body = call.caller.id, call.body
    return ok(
        call.wait(
            call.services.media.create_consumer(
                user_id,
                body["transportId"],
                body["producerId"],
                body["rtpCapabilities"],
                call.services.limits.consumers_per_channel,
            )
        )
    )


def close_consumer(call: Call) -> Answer:
    """Close one of the caller's consumers (operation closeConsumer)."""
    user_id, consumer_id = call.caller.id, call.path["id"]
    call.wait(call.services.media.close_consumer(user_id, consumer_id))
    return ok({"id": consumer_id})


def list_channel_producers(call: Call) -> Answer:
    """Return a channel's producers, the caller's own included, oldest first (operation listChannelProducers)."""
    channel = _voice_channel(call.path["channelId"])
    producers = call.services.media.producers(channel.id)
    return ok([{"id": producer.id, **payloads.producer(producer)} for producer in producers])


def _create_transport(call: Call, direction: Literal["send", "recv"]) -> Answer:
    media, user_id, session_id = call.services.media, call.caller.id, call.caller_session.id
    channel = _voice_channel(call.body["channelId"])
    _admit_transport(call, user_id, channel.id)
    options = call.wait(media.create_transport(channel.id, user_id, session_id, direction, channel.user_limit))
    try:
        # The session may have ended and the channel may have been deleted meanwhile. Their transports may have been
        # closed before this one existed.
        authenticate_again(user_id, session_id)
        _existing(channel.id)
    except HypeError:
        media.close_transport(options["id"])
        raise
    user = call.caller
    profile = Profile(user_id, user.username, user.display_name, user.avatar_url)
    call.services.cluster.publish([TransportOpened(profile, channel.id)])
    return ok(options)


def _admit_transport(call: Call, user_id: str, channel_id: str) -> None:
    """Raise TooManyRequests when the user makes transports in the channel too fast (amendment A13)."""
    most = call.services.limits.transports_per_minute
    if most is not None:
        spent = call.services.cluster.spend(f"transports {user_id} {channel_id}", most / 60, most)
        if spent.wait_s > 0:
            raise TooManyRequests(retry_after_s=spent.wait_s)


def _voice_channel(channel_id: str) -> Channel:
    channel = _existing(channel_id)
    if channel.type != "VOICE":
        raise BadRequest("Channel is not a voice channel")
    return channel


def _existing(channel_id: str) -> Channel:
    channel = Channel.find(channel_id)
    if channel is None:
        raise NotFound("Channel not found")
    return channel
