"""JSON that the database writes, beside the objects of the same rows."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hype import payloads
from hype.database import Database, Unit
from hype.models import Channel, Message, Tick, User
from tests.databases import commit, make_channel

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)
TIMES = st.integers(0, 4_102_444_800_000)  # until 2100
USERS = st.fixed_dictionaries(
    {
        "display_name": st.none() | TEXTS,
        "avatar_url": st.none() | TEXTS,
        "custom_status": st.none() | TEXTS,
        "status": st.sampled_from(["ONLINE", "IDLE", "DND", "OFFLINE"]),
        "created_at": TIMES,
    }
)


class RolledBack(Exception):
    """The end of an example, whose rows are undone."""


def compare(database: Database, username: str, content: str, edited: bool, times: tuple[int, int], more: Any) -> None:
    """Compare a user and a message in the two ways."""

    def work(unit: Unit) -> None:
        channel = make_channel()
        author = User.add(username=username, email=f"{username}@example.com").change(more)
        stored = Message.add(channel_id=channel.id, author=author, content=content, tick=Tick(times[0], "TEXT", 1))
        message = stored.change({"edited": edited, "created_at": times[0]})
        page = Message.page(channel.id, 10, 0)
        assert page is not None
        assert [json.loads(text) for text in page.texts] == [payloads.message(message)]
        for hidden in (False, True):
            for reader in (None, author.id, "somebody"):
                (part,) = User.parts_as_json(10, 0, reader_id=reader, emails_hidden=hidden)
                shown = not hidden or reader == author.id
                found = {json.loads(text)["id"]: json.loads(text) for text in part.rows}
                assert found[author.id] == payloads.user(author, email_shown=shown)
        assert Channel.find(channel.id) is not None
        raise RolledBack

    try:
        commit(database, lambda: database.run_now(work))
    except RolledBack:
        return


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(username=TEXTS, content=TEXTS, edited=st.booleans(), times=st.tuples(TIMES, TIMES), more=USERS)
def test_the_database_writes_what_the_payloads_say(
    database: Database, username: str, content: str, edited: bool, times: tuple[int, int], more: Any
) -> None:
    """A listed message and a listed user are the same objects as in every other answer."""
    compare(database, username, content, edited, times, more)


def test_a_page_has_every_kind_of_character(database: Database) -> None:
    """Quotes, control characters and other planes of Unicode arrive as they were sent."""
    compare(database, 'a"b\\c\n\x01\u2028😀é', '\x1f"\\/\b\f\n\r\t\x7f\u2029𝔘', True, (0, 1), {})
