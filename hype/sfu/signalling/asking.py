"""The requests to a worker whose refusals are told to clients."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from hype.errors import BadRequest, Conflict, HypeError, InternalError, NotFound, Unavailable
from hype.sfu.framing import LinkClosed, Refused
from hype.sfu.signalling.worker_process import WorkerProcess

__all__ = ["ask"]

_CANNOT = {"connectTransport": "Cannot connect", "produce": "Cannot produce", "consume": "Cannot consume"}

_logger = logging.getLogger(__name__)


async def ask(worker: WorkerProcess, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the worker's answer. Raises the error that tells a client of a refusal, or of the worker's death."""
    try:
        return await worker.call(method, params)
    except LinkClosed as error:
        raise Unavailable from error
    except Refused as refusal:
        _logger.info("a media worker refused", extra={"method": method, "code": refusal.code, "why": refusal.message})
        raise _refusal(method, refusal.code) from refusal


def _refusal(method: str, code: str) -> HypeError:
    if code == "not_found":
        return NotFound("Producer not found" if method == "consume" else "Transport not found")
    if method == "connectTransport" and code == "conflict":
        return Conflict("Transport is already connected")
    # A conflict is, for example, an SSRC that is sent already: parameters that cannot be routed (ruling R28).
    return BadRequest(_CANNOT[method]) if code in ("invalid", "conflict") and method in _CANNOT else InternalError()
