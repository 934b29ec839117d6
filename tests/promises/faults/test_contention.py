"""PostgreSQL gives few connections, and undoes transactions that wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from hype_contract.actors.people import Person
from tests.promises.faults.cluster import Cluster
from tests.promises.faults.writing import ROOM, ask
from tests.promises.paging import every_message
from tests.running import UNLIMITED, Running, Serve

SWAPS = 6
REQUESTS = 200


def test_few_connections_serve_everybody(serve: Serve, own_cluster: Cluster, own_database: str) -> None:
    """With a limit of 4 connections under a pool of 16, many requests at once take longer, and none fails."""
    server = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    world = server.world()
    people = [world.guest("writer") for _ in range(8)]
    rooms = [world.channel(person)["id"] for person in people]
    own_cluster.do("ALTER ROLE hype CONNECTION LIMIT 4")
    own_cluster.disconnect(own_database)

    def post(number: int) -> int:
        body = {"channelId": rooms[number % 8], "content": str(number)}
        return ask(server, "POST", "/api/messages", people[number % 8], json=body).status_code

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(post, range(REQUESTS))) == [201] * REQUESTS
    assert sum(len(list(every_message(world.rest, room))) for room in rooms) == REQUESTS
    assert ask(server, "GET", "/health").status_code == 200


def test_two_users_who_swap_names_are_answered(serve: Serve, own_cluster: Cluster, own_database: str) -> None:
    """Each of two users asks for the other's name at once: a deadlock in PostgreSQL, and a 409 for each client."""
    server = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    world = server.world()
    anna, bob = world.guest("anna"), world.guest("bob")
    barrier = Barrier(2)

    def rename(person: Person, name: str) -> list[int]:
        statuses = []
        for _ in range(SWAPS):
            barrier.wait(60)
            statuses.append(ask(server, "PUT", f"/api/users/{person.id}", person, json={"username": name}).status_code)
        return statuses

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(rename, anna, bob.username), pool.submit(rename, bob, anna.username)]
    assert [answer.result() for answer in answers] == [[409] * SWAPS] * 2
    names = [ask(server, "GET", "/auth/me", each).json()["data"]["user"]["username"] for each in (anna, bob)]
    assert names == [anna.username, bob.username]


def test_serialisation_failures_are_tried_again(serve: Serve, own_cluster: Cluster, own_database: str) -> None:
    """In a database whose transactions are serialisable by default, writers in one channel all succeed."""
    own_cluster.do(f"ALTER DATABASE {own_database} SET default_transaction_isolation = 'serializable'")
    first = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    second = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    world = first.world()
    anna = world.guest("anna")

    def post(server: Running, name: str) -> list[int]:
        body = {"channelId": ROOM, "content": name}
        return [ask(server, "POST", "/api/messages", anna, json=body).status_code for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(post, server, "hello") for server in (first, second, first, second)]
    statuses = [status for answer in answers for status in answer.result()]
    assert set(statuses) <= {201, 503}
    assert len(list(every_message(world.rest, ROOM))) == statuses.count(201)
    assert statuses.count(201) > len(statuses) / 2
