"""The tables and the queries on them; no other package of Hype writes SQL.

Every query runs in a unit of work of `hype.database`. A row is a NamedTuple. Times are integer milliseconds since the
epoch, UTC. A query for a row by a key that no database can hold returns None.
"""

from hype.models.channels import Channel, Tick
from hype.models.lists import Part
from hype.models.messages import Message, Page
from hype.models.servers import DEFAULT_SERVER, Server, ServerMember
from hype.models.sessions import Session
from hype.models.users import User, email_key

__all__ = [
    "DEFAULT_SERVER",
    "Channel",
    "Message",
    "Page",
    "Part",
    "Server",
    "ServerMember",
    "Session",
    "Tick",
    "User",
    "email_key",
]
