"""The log of a whole flow at `debug`, with failures of the database in it: no secret of a user stands there."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg2

from hype_contract.actors.world import World
from tests.running import LOG, UNLIMITED, Running, begin

MARK = "Zq7"
PASSWORD, WRONG = f"{MARK}-the-password", f"{MARK}-the-wrong-password"
EMAIL = f"{MARK}.anna@example.com"
REFUSED, TEXT, EDITED = f"{MARK} a refused text", f"{MARK} a text", f"{MARK} an edited text"
BIO = f"{MARK} a life"
ROOM = "text-general"


def test_no_secret_stands_in_the_log(tmp_path: Path, database_url: str) -> None:
    """Passwords, tokens, hashes, emails and texts are in no line, whatever fails and at whatever level."""
    environment = {**UNLIMITED, "DATABASE_URL": database_url, "LOG_LEVEL": "debug", "PYTHONASYNCIODEBUG": "1"}
    server = Running(begin(tmp_path, environment), tmp_path / LOG, "hardened")
    secrets = flow(server)
    log_of_faults = break_rows(server, database_url)
    secrets |= flow(server, "bob")
    assert server.stop() == 0
    assert log_of_faults in server.log
    assert "is answered" in server.log  # it was on `debug`
    assert MARK not in server.log.replace(f"{MARK}-nothing", "")
    assert [secret for secret in secrets if secret in server.log] == []


def flow(server: Running, name: str = "anna") -> set[str]:
    """Do everything once, right and wrong; return the tokens that were given out."""
    email = EMAIL.replace("anna", name)
    with httpx.Client(base_url=server.url, timeout=60) as client:
        client.post("/auth/register", json={"username": f"{name}_a", "email": email, "password": PASSWORD})
        client.post("/auth/register", json={"username": f"{name}_a", "email": email, "password": PASSWORD})
        client.post("/auth/register", json={"username": f"{name}_b", "email": MARK, "password": MARK})
        client.post("/auth/login", json={"email": email, "password": WRONG})
        client.post("/auth/login", content=f'{{"email": "{email}", "password": {PASSWORD}')
        login = client.post("/auth/login", json={"email": email, "password": PASSWORD}).json()["data"]
        headers = {"Authorization": f"Bearer {login['accessToken']}"}
        client.put(f"/api/users/{login['user']['id']}", headers=headers, json={"bio": BIO})
        refreshed = client.post("/auth/refresh", json={"refreshToken": login["refreshToken"]}).json()["data"]
        client.post("/auth/refresh", json={"refreshToken": login["refreshToken"]})
        client.get("/auth/me", headers={"Authorization": f"Bearer {refreshed['accessToken']}x"})
        again = client.post("/auth/login", json={"email": email, "password": PASSWORD}).json()["data"]
        headers = {"Authorization": f"Bearer {again['accessToken']}"}
        message = client.post("/api/messages", headers=headers, json={"channelId": ROOM, "content": TEXT}).json()
        client.put(f"/api/messages/{message['data']['id']}", headers=headers, json={"content": EDITED})
        client.post("/api/messages", headers=headers, json={"channelId": ROOM, "content": REFUSED})
        client.post("/api/messages", headers=headers, json={"channelId": "voice-general", "content": TEXT})
    speak(server.world(), again["accessToken"])
    garbage(server, again["accessToken"])
    return {each[kind] for each in (login, refreshed, again) for kind in ("accessToken", "refreshToken")}


def speak(world: World, token: str) -> None:
    """Send frames, good and bad ones, on a socket with its token in the URL and another with it in a frame."""
    good = world.open_socket(token)
    good.send("message", {"channelId": ROOM, "content": TEXT})
    good.expect("message")
    good.send("message", {"channelId": ROOM, "content": REFUSED})
    good.send("message", {"channelId": "nowhere", "content": TEXT})
    good.send_raw(f'{{"type": "message", "data": {{"content": "{TEXT}"')
    good.send_raw(TEXT)
    good.fence()
    bad = world.open_socket()
    bad.send("user_joined", {"token": f"{token}x"})
    bad.closed(4401)
    world.open_socket(f"{token}x").closed(4401)


def garbage(server: Running, token: str) -> None:
    """Send what is no HTTP to both ports."""
    for port in (server.port, server.ws_port):
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            connection.sendall(f"GET /?token={token} {TEXT}\r\n{PASSWORD}\r\n\r\n".encode())
            while connection.recv(65_536):
                pass


def break_rows(server: Running, database_url: str) -> str:
    """Let the database refuse a text for a reason that the server does not know; return what its log says of it."""
    if database_url.startswith("sqlite"):
        connect: Callable[[], sqlite3.Connection] = lambda: sqlite3.connect(database_url.removeprefix("sqlite:///"))  # noqa: E731
        with connect() as file:
            file.execute(
                "CREATE TRIGGER polite BEFORE INSERT ON messages WHEN NEW.content LIKE '%refused%' "
                f"BEGIN SELECT RAISE(ABORT, '{MARK}-nothing'); END"
            )
        return "sqlite3.IntegrityError"
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    connection.cursor().execute(
        "ALTER TABLE messages ADD CONSTRAINT polite CHECK (content NOT LIKE '%refused%') NOT VALID"
    )
    connection.close()
    return "psycopg2.errors.CheckViolation"
