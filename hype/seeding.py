"""The first content of a new database: `fixtures/seed.yaml` (`hype seed`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hype.database import Database, Unit
from hype.models import Channel, Server, User

__all__ = ["seed"]

_HERE = Path(__file__).parent
# A wheel has the file inside the package, a checkout at the top.
_PLACES = (_HERE / "fixtures" / "seed.yaml", _HERE.parent / "fixtures" / "seed.yaml")


def seed(database: Database) -> list[str]:
    """Store the default server, its owner and its channels in an open, migrated database, unless it is there.

    Returns the ids of the stored server and channels: none once the server exists, so that later changes and deletions
    stay. Of two processes that seed at once, one stores everything.
    """
    content = _content()

    def work(unit: Unit) -> list[str]:
        unit.alone()
        return _store(content) if Server.find(content["server"]["id"]) is None else []

    return database.run_now(work)


def _store(content: dict[str, Any]) -> list[str]:
    owner = User.named(content["user"]["username"]) or User.add(**content["user"])
    server = Server.add(owner_id=owner.id, **content["server"])
    channels = [Channel.add(server_id=server.id, created_by_id=owner.id, **channel) for channel in content["channels"]]
    return [server.id, *(channel.id for channel in channels)]


def _content() -> dict[str, Any]:
    path = next(path for path in _PLACES if path.is_file())
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
