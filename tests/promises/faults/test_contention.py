"""PostgreSQL gives few connections, and undoes transactions that wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from hype_contract.actors.people import Person
from tests.promises.faults.cluster import Cluster
from tests.promises.faults.writing import ROOM, ask
from tests.promises.paging import every_message
from tests.running import UNLIMITED, Serve

SWAPS = 2
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


SLOW_INDEX = """
CREATE FUNCTION slowly(text) RETURNS text LANGUAGE plpgsql IMMUTABLE
    AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN $1; END $$;
CREATE INDEX users_slow ON users (slowly(id));
ALTER TABLE users DROP CONSTRAINT users_username_key;
ALTER TABLE users ADD CONSTRAINT users_username_key UNIQUE (username)
"""
"""An index that is written between a row and its unique name, and takes long: so that two writers surely meet."""

UNLUCKY = """
CREATE SEQUENCE attempts;
GRANT USAGE ON attempts TO hype;
CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('attempts') % 3 <> 0 THEN RAISE 'not serialisable' USING ERRCODE = 'serialization_failure'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER unlucky BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail_twice()
"""
"""A trigger that fails as PostgreSQL does with serialisable transactions: of three attempts, the last succeeds."""


def test_two_users_who_swap_names_are_answered(serve: Serve, own_cluster: Cluster, own_database: str) -> None:
    """Each of two users asks for the other's name at once: a deadlock in PostgreSQL, and a 409 for each client."""
    server = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    world = server.world()
    anna, bob = world.guest("anna"), world.guest("bob")
    own_cluster.do(SLOW_INDEX, own_database)
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
    """A message whose transaction fails twice is stored once, and its room hears of it once."""
    server = serve(own_cluster.url(own_database, "hype"), UNLIMITED)
    world = server.world()
    anna = world.guest("anna")
    listener = world.socket(anna, join=ROOM)
    own_cluster.do(UNLUCKY, own_database)
    contents = [f"message {number}" for number in range(3)]
    for content in contents:
        body = {"channelId": ROOM, "content": content}
        assert ask(server, "POST", "/api/messages", anna, json=body).status_code == 201
    listener.send("message", {"channelId": ROOM, "content": "by socket"})
    heard = [frame["data"]["content"] for frame in listener.collect(4)]
    stored = [message["content"] for message in every_message(world.rest, ROOM)]
    assert heard == stored[::-1] == [*contents, "by socket"]
