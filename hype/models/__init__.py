"""The tables and the queries on them; no other package of Hype writes SQL.

Every query runs inside `Unit.transaction()` of `hype.database`. Times are integer milliseconds since the epoch, UTC. A
query for a row by a key that no database can hold returns None.
"""

from hype.models.channels import Channel
from hype.models.messages import Message
from hype.models.servers import DEFAULT_SERVER, Server, ServerMember
from hype.models.sessions import Session
from hype.models.users import User, email_key

__all__ = ["DEFAULT_SERVER", "Channel", "Message", "Server", "ServerMember", "Session", "User", "email_key"]
