"""Voice signalling for mediasoup-client (rulings R25 to R29): who asks about which channel; the rest is the SFU's.

Failures come in the order 404, 403, 400, 409 (ruling R10). No transaction is open while the SFU is asked.
"""

from __future__ import annotations

from typing import Literal

from hype import payloads
from hype.errors import BadRequest, HypeError, NotFound
from hype.models import Channel
from hype.operations.authentication import authenticate_again
from hype.operations.call import Answer, Call, ok, waits_for_media

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


@waits_for_media
def get_rtp_capabilities(call: Call) -> Answer:
    """Operation getRtpCapabilities: what every router can receive."""
    return ok(call.services.media.rtp_capabilities())


@waits_for_media
def create_send_transport(call: Call) -> Answer:
    """Operation createSendTransport: in place of the caller's old one, if there is one."""
    return _create_transport(call, "send")


@waits_for_media
def create_recv_transport(call: Call) -> Answer:
    """Operation createRecvTransport: in place of the caller's old one, if there is one."""
    return _create_transport(call, "recv")


@waits_for_media
def connect_transport(call: Call) -> Answer:
    """Operation connectTransport: once per transport."""
    user_id, body = call.caller.id, call.body
    return ok(
        call.services.media.ask(
            lambda media: media.connect_transport(user_id, body["transportId"], body["dtlsParameters"])
        )
    )


@waits_for_media
def restart_ice(call: Call) -> Answer:
    """Operation restartIce: what `transport.restartIce()` takes."""
    user_id, transport_id = call.caller.id, call.body["transportId"]
    return ok(call.services.media.ask(lambda media: media.restart_ice(user_id, transport_id)))


@waits_for_media
def create_producer(call: Call) -> Answer:
    """Operation createProducer: one of each kind per user and channel; the room hears of it."""
    user_id, body = call.caller.id, call.body
    return ok(
        call.services.media.ask(
            lambda media: media.create_producer(
                user_id, body["transportId"], body["kind"], body["rtpParameters"], body.get("appData", {})
            )
        )
    )


@waits_for_media
def close_producer(call: Call) -> Answer:
    """Operation closeProducer: its owner's only; the room hears of it."""
    user_id, producer_id = call.caller.id, call.path["id"]
    call.services.media.ask(lambda media: media.close_producer(user_id, producer_id))
    return ok({"id": producer_id})


@waits_for_media
def create_consumer(call: Call) -> Answer:
    """Operation createConsumer: forwarding starts at once."""
    user_id, body = call.caller.id, call.body
    return ok(
        call.services.media.ask(
            lambda media: media.create_consumer(
                user_id, body["transportId"], body["producerId"], body["rtpCapabilities"]
            )
        )
    )


@waits_for_media
def close_consumer(call: Call) -> Answer:
    """Operation closeConsumer: its owner's only."""
    user_id, consumer_id = call.caller.id, call.path["id"]
    call.services.media.ask(lambda media: media.close_consumer(user_id, consumer_id))
    return ok({"id": consumer_id})


@waits_for_media
def list_channel_producers(call: Call) -> Answer:
    """Operation listChannelProducers: what there is to consume, the caller's own included, oldest first."""
    channel = _voice_channel(call, call.path["channelId"])
    producers = call.services.media.look(lambda media: media.producers(channel.id))
    return ok([{"id": producer.id, **payloads.producer(producer)} for producer in producers])


def _create_transport(call: Call, direction: Literal["send", "recv"]) -> Answer:
    media, user_id, session_id = call.services.media, call.caller.id, call.caller_session.id
    channel = _voice_channel(call, call.body["channelId"])
    options = media.ask(
        lambda media: media.create_transport(channel.id, user_id, session_id, direction, channel.user_limit)
    )
    try:
        # The session may have ended meanwhile, and the channel may be gone. What closed their transports may have done
        # so before this one was there.
        with call.unit.transaction():
            authenticate_again(user_id, session_id)
            _existing(channel.id)
    except HypeError:
        media.look(lambda media: media.close_transport(options["id"]))
        raise
    return ok(options)


def _voice_channel(call: Call, channel_id: str) -> Channel:
    with call.unit.transaction():
        channel = _existing(channel_id)
    if channel.type != "VOICE":
        raise BadRequest("Channel is not a voice channel")
    return channel


def _existing(channel_id: str) -> Channel:
    channel = Channel.find(channel_id)
    if channel is None:
        raise NotFound("Channel not found")
    return channel
