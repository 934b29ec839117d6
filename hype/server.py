"""The composition root: it builds every part once, serves REST and gateway in one process, and stops them in order.

A failed start is a StartError with a sentence for the person at the terminal. A signal ends the taking of connections,
closes sockets with 1001, and lets requests in progress finish.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hype import descriptors, postgres_url, spec
from hype.admission import LOOPBACK, Admission, Door
from hype.cluster import Cluster
from hype.cluster.local import LocalCluster
from hype.config import Config, worker_environment
from hype.database import Database
from hype.errors import PortBusy
from hype.gateway import Gateway, Hub
from hype.http1 import Http1
from hype.models.migrate import migrate
from hype.operations import Announcer, Services, by_operation_id, rooms
from hype.passwords import HashingThreads
from hype.rest import LIMIT_BYTES, build, permission
from hype.seeding import seed
from hype.sfu.signalling import addresses
from hype.sfu.signalling.service import Sfu
from hype.sfu.signalling.worker_process import WorkerSettings
from hype.telemetry.metrics import Metrics
from hype.tokens import Tokens

__all__ = ["DRAIN_S", "Addresses", "connection_limits", "prepare", "serve", "serving"]

DRAIN_S: Final = 10
"""Seconds that requests and frames in progress have to finish after a signal."""

_END_S: Final = 14.5  # from a signal to the end of the process, although something hangs
_AT_ONCE_S: Final = 2.0
_KILLED: Final = 130  # the exit code, as of a program that Ctrl+C has ended

_HASHING_THREADS: Final = 2  # a hash takes a tenth of a second of a core, and requests need one, too
_HASHING_WAITING: Final = 200  # some ten seconds of hashing; who comes later gets 503

_MOST_CONNECTIONS: Final = 65_536
"""The connections that are allowed where descriptors do not set a limit, since each takes memory."""

_DESCRIPTORS_OF_OTHERS: Final = 96
"""The descriptors that are left for the database's pool, media workers, files, and connections that are refused."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Addresses:
    """The ports on which the server listens, and the name of its database.

    A configured port 0 is a real port here.
    """

    rest_port: int
    gateway_port: int
    database: str


def prepare(database: Database) -> list[str]:
    """Bring an open database up to date and seed it; return the names of the migrations that were applied."""
    applied = migrate(database)
    seed(database)
    return applied


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT. A second signal does not wait for requests in progress.

    The process ends within 15 s of the first signal, and within two seconds of the second one, whatever hangs. During
    the start, which may wait for a database, a signal ends it as it ends any program.
    """
    descriptors.raise_limit()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    task = asyncio.current_task()

    def on_signal() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        _end_by_force(_AT_ONCE_S if stop.is_set() else _END_S)
        stop.set()

    async with serving(config) as addresses:
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, on_signal)
        descriptors.report()
        _warn_about_root()
        _print_addresses(config, addresses)
        # What lives as long as the process, such as the compiled specs, costs no search for cycles any more.
        gc.collect()
        gc.freeze()
        await stop.wait()
        _log.info("stopping; requests in progress have %s s to finish", DRAIN_S)


@contextlib.asynccontextmanager
async def serving(config: Config) -> AsyncIterator[Addresses]:
    """Run a server for as long as the block runs.

    Raises SpecMismatch, PortBusy or DatabaseUnusable when it cannot start.
    """
    contract = spec.load(config.profile)
    cluster = LocalCluster()
    metrics = Metrics()
    database = Database(config.database_url, cluster.publish, metrics.database)
    hub = Hub(metrics.frames_out)
    sfu = _sfu(config, cluster, hub)
    loop = asyncio.get_running_loop()
    metrics.watch_media(sfu.figures)
    metrics.watch_workers(sfu.worker_figures)
    metrics.watch_tasks(lambda: len(asyncio.all_tasks(loop)))
    exempt = (*LOOPBACK, *config.trusted_proxies)
    admission = Admission(*connection_limits(config), exempt, told=metrics.connection_refused)
    metrics.watch_connections(lambda: admission.open)
    hashing = HashingThreads(_HASHING_THREADS, _HASHING_WAITING)
    services = Services(config, contract, Tokens(config), database, cluster, metrics, sfu, hashing)
    app = build(services, by_operation_id())
    gateway = Gateway(services, hub, sfu)
    with _listener(config.host, config.port, "PORT") as rest, _listener(config.host, config.ws_port, "WS_PORT") as ws:
        database.open()
        try:
            for name in prepare(database):
                _log.info("migration %s applied", name)
            await database.run(lambda unit: rooms.everyone_offline())
            async with _running_sfu(sfu), _listening(app, gateway, admission, rest, ws, config):
                yield Addresses(rest.getsockname()[1], ws.getsockname()[1], database.name)
        finally:
            hashing.shutdown(wait=True, cancel_futures=True)
            database.close()


def _end_by_force(after_s: float) -> None:
    """End the process after so many seconds, unless it has ended by then.

    A thread does it, because a call that hangs in the system, such as a disk's, may hold the event loop up.
    """

    def end() -> None:
        _log.warning("ended by force, because something hangs")
        os._exit(_KILLED)

    timer = threading.Timer(after_s, end)
    timer.daemon = True
    timer.start()


def _sfu(config: Config, cluster: Cluster, hub: Hub) -> Sfu:
    announced_ip = addresses.announced(config.announced_ip, config.host)
    ports = config.mediasoup_min_port, config.mediasoup_max_port
    listening_on = addresses.listening_on(announced_ip)
    settings = WorkerSettings(listening_on, announced_ip, *ports, environment=worker_environment())

    def present(channel_id: str) -> dict[str, bool]:
        return {state.user_id: state.is_muted for state in cluster.voice.members(channel_id)}

    return Sfu(settings, _processors(), Announcer(cluster), present, hub.present)


def _processors() -> int:
    """Return how many processors this process may use; all of them, where the system does not tell."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


@contextlib.asynccontextmanager
async def _running_sfu(sfu: Sfu) -> AsyncIterator[None]:
    await sfu.start()
    try:
        yield
    finally:
        await sfu.stop()


@contextlib.asynccontextmanager
async def _listening(
    app: Any, gateway: Gateway, admission: Admission, rest: socket.socket, ws: socket.socket, config: Config
) -> AsyncIterator[None]:
    # `abort` comes before the end of uvicorn's patience, at which it logs errors.
    http = Http1(
        app,
        DRAIN_S + 1,
        max_body_bytes=LIMIT_BYTES,
        keep_alive_s=config.keep_alive_s,
        permission=permission(config.cors_origins),
    )
    door = Door("rest", rest, admission, http.connection)
    await gateway.start(ws, admission)
    running = asyncio.create_task(http.serve(sockets=[]))
    door.open()
    try:
        yield
    finally:
        door.close()
        http.should_exit = True
        deadline = asyncio.get_running_loop().call_later(DRAIN_S, http.abort)
        try:
            await asyncio.gather(gateway.close(DRAIN_S), running)
        except asyncio.CancelledError:
            await http.abort_and_wait()
            raise
        finally:
            deadline.cancel()


def connection_limits(config: Config) -> tuple[int, int]:
    """Return how many connections there may be in all, and how many of one address.

    They are the configured ones, as far as the descriptors allow. One address may have a quarter of all, so that nobody
    alone shuts the others out, and yet a school behind one address, or a load test, gets far. This machine's own
    addresses and trusted proxies may have all.
    """
    others = _DESCRIPTORS_OF_OTHERS
    if not config.database_url.startswith("sqlite:"):
        others += max(0, postgres_url.read(config.database_url).connections - postgres_url.MOST_CONNECTIONS)
    allowed = descriptors.limit() or _MOST_CONNECTIONS
    allowed = max(allowed - others, allowed // 4)
    most = config.max_connections or min(allowed, _MOST_CONNECTIONS)
    if most > allowed:
        _log.warning("MAX_CONNECTIONS is more than the descriptors allow", extra={"allowed": allowed})
        most = allowed
    return most, config.max_connections_per_address or max(1, most // 4)


def _listener(host: str, port: int, variable: str) -> socket.socket:
    """Return a listening socket. Raises PortBusy with a sentence that names the variable to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle off only when the protocol is named. Nagle delays answers on a kept connection by 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortBusy(_listen_error(error, host, port, variable)) from error
    listener.setblocking(False)
    return listener


def _listen_error(error: OSError, host: str, port: int, variable: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program. Stop that program, or set {variable} to a free port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has. Set {variable} to a port above 1023."
    return f"Cannot listen on {host} port {port}: {error.strerror}. Check HOST and {variable}."


def _warn_about_root() -> None:
    if getattr(os, "geteuid", lambda: -1)() == 0:
        _log.warning("runs as root, so a fault of it reaches the whole machine; give it a user of its own")


def _print_addresses(config: Config, addresses: Addresses) -> None:
    name = f"[{config.host}]" if ":" in config.host else config.host
    if config.host in {"0.0.0.0", "::", "127.0.0.1"}:  # noqa: S104 - compared, not bound
        name = "localhost"
    lines: Sequence[str] = (
        f"Hype runs in the {config.profile} profile on {addresses.database}.",
        f"  REST     http://{name}:{addresses.rest_port}    try: curl http://{name}:{addresses.rest_port}/api/channels",
        f"  Gateway  ws://{name}:{addresses.gateway_port}",
        "  Ctrl+C stops it.",
    )
    print("\n".join(lines), flush=True)
