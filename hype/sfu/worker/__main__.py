"""The command of a media worker.

    python -m hype.sfu.worker --fd N --ip 0.0.0.0 --announced-ip X --min-port A --max-port B

The worker ends when the link does: without a server it has no client.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Sequence

from hype.errors import StartError
from hype.event_loop import new_event_loop
from hype.sfu.worker.context import Timeouts
from hype.sfu.worker.link_server import LinkServer
from hype.sfu.worker.process import serve

__all__ = ["main"]

_logger = logging.getLogger(__name__)


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hype.sfu.worker", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fd", type=int, required=True, help="the link: one end of a socket pair")
    parser.add_argument("--ip", default="0.0.0.0", help="where to listen (default %(default)s)")  # noqa: S104  # media
    parser.add_argument("--announced-ip", default=None, help="the address that clients are told (default: --ip)")
    parser.add_argument("--min-port", type=int, default=10000)
    parser.add_argument("--max-port", type=int, default=10100)
    parser.add_argument("--connect-timeout", type=float, default=Timeouts().connect, metavar="SECONDS")
    parser.add_argument("--consent-timeout", type=float, default=Timeouts().consent, metavar="SECONDS")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker and return the exit code: 1 when no port is free."""
    options = _arguments(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles the terminal's Ctrl-C, and then the link ends
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    timeouts = Timeouts(options.connect_timeout, options.consent_timeout)
    ports = range(options.min_port, options.max_port + 1)

    async def run() -> None:
        link = await LinkServer.over(socket.socket(fileno=options.fd))
        await serve(link, options.ip, options.announced_ip, ports, timeouts)

    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(run())
    except StartError as error:
        _logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
