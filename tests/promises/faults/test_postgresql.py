"""PostgreSQL fails in every way that we know: 503 in time, nothing acknowledged is lost, and the server goes on."""

from __future__ import annotations

import pytest

from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from tests.promises.faults.cluster import Cluster
from tests.promises.faults.outages import Fault, frozen, gone, locked, read_only, refused
from tests.promises.faults.writing import ROOM, ask, writing
from tests.running import UNLIMITED, Running, Serve


@pytest.mark.parametrize("fault", [frozen, gone, locked, read_only, refused], ids=lambda fault: str(fault.__name__))
def test_an_outage(serve: Serve, own_cluster: Cluster, own_database: str, fault: Fault) -> None:
    """Writers are told to come back, nobody is told that a token is bad, and the server recovers by itself."""
    server = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    world = server.world()
    anna = world.guest("anna")
    listener = world.socket(anna, join=ROOM)
    with writing(server) as clients:
        with fault(own_cluster, own_database), clients.broken():
            clients.wait_for(503, broken=True)
            look_around(server, world, anna, readable=fault is read_only)
            listener.drain()
            listener.send("message", {"channelId": ROOM, "content": "by socket, during the fault"})
            assert listener.expect("error", within=60)["data"]["code"] == "unavailable"
        clients.wait_for(201, broken=False)
        recovered(server, anna)
        listener.send("message", {"channelId": ROOM, "content": "by socket, after the fault"})
        listener.expect("message", lambda data: data["content"] == "by socket, after the fault", within=60)
    contents = {message["content"] for message in world.rest.call("listMessages", query={"channelId": ROOM}).data}
    assert "by socket, during the fault" not in contents


@pytest.mark.parametrize("fault", [frozen, locked], ids=lambda fault: str(fault.__name__))
def test_a_refused_message_is_not_stored_later(
    serve: Serve, own_cluster: Cluster, own_database: str, fault: Fault
) -> None:
    """A refused message of a socket is not stored once PostgreSQL goes on, when no other writer is there."""
    server = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    world = server.world()
    listener = world.socket(world.guest("anna"), join=ROOM)
    listener.send("message", {"channelId": ROOM, "content": "before the fault"})
    listener.expect("message", within=60)
    with fault(own_cluster, own_database):
        listener.send("message", {"channelId": ROOM, "content": "during the fault"})
        assert listener.expect("error", within=60)["data"]["code"] == "unavailable"
    server.stop()
    own_cluster.finish(own_database)
    assert own_cluster.rows("SELECT content FROM messages", own_database) == [("before the fault",)]


def look_around(server: Running, world: World, anna: Person, *, readable: bool) -> None:
    """Ask for what needs the database, with a good token, and for what does not."""
    assert ask(server, "GET", "/health").status_code == 503
    assert ask(server, "GET", "/health/ready").status_code == 503
    assert ask(server, "GET", "/health/live").status_code == 200
    assert ask(server, "GET", "/api").status_code == 200
    me = ask(server, "GET", "/auth/me", anna)
    assert me.status_code == (200 if readable else 503), me.text
    login = {"email": "nobody@example.com", "password": "mypassword123"}
    assert ask(server, "POST", "/auth/login", json=login).status_code == (401 if readable else 503)
    assert ask(server, "POST", "/auth/guest", json={"username": "late"}).status_code == 503
    assert ask(server, "POST", "/auth/refresh", json={"refreshToken": anna.refresh_token}).status_code == 503
    if not readable:
        assert world.open_socket(token=anna.token).closed(within=60) == 1013


def recovered(server: Running, anna: Person) -> None:
    """Fail unless the server works again."""
    assert ask(server, "GET", "/auth/me", anna).status_code == 200
    assert ask(server, "POST", "/auth/guest", json={"username": "late"}).status_code == 200


def test_a_restart(serve: Serve, own_cluster: Cluster, own_database: str) -> None:
    """A restart of PostgreSQL under load costs at most some 503, and nothing that was acknowledged."""
    server = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    with writing(server) as clients:
        for _ in range(2):
            with own_cluster.gone():
                pass
            clients.wait_for(201, broken=False)
