"""The changes that rows of calls share: frames that enter a voice channel, and the order of events."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from tests.mutants.audiences import user_of
from tests.mutants.seams import Around, Event, Wrap

__all__ = ["collected", "enters", "state_of"]


def collected(place: str, arrange: Callable[[list[Any]], list[Any]]) -> tuple[Wrap, ...]:
    """Return the changes by which the events that a function sends go out in another order when it has ended."""
    events: ContextVar[list[Any] | None] = ContextVar("events", default=None)

    def run(original: Any, owner: Any, *arguments: Any, **options: Any) -> Any:
        before = events.set([])
        try:
            result = original(*arguments, **options)
            waiting = events.get() or []
        finally:
            events.reset(before)
        for send, event in arrange(waiting):
            send(event)
        return result

    def sent(send: Any, event: Any) -> None:
        waiting = events.get()
        if waiting is None:
            send(event)
        else:
            waiting.append((send, event))

    return Around(place, run), Event("voice_state user_left producer_closed new_producer", sent)


def state_of(frame: Any) -> Any:
    """Return the state that the frame's user has by `voice_state`, None if there is none."""
    user_id = user_of(frame.socket)
    only_transports = user_id in frame.context.voice._by_transport
    return None if user_id is None or only_transports else frame.context.services.cluster.voice.of_user(user_id)


def enters(frame: Any) -> bool:
    """Return whether the frame enters a voice channel that its user is not in."""
    state = state_of(frame)
    return frame.data["channelId"] is not None and (state is None or state.channel_id != frame.data["channelId"])
