"""Bugs that show in what is believed, kept and told later: forged members, folded passwords, ties (R4, R18, R20 …)."""

from __future__ import annotations

from tests.mutants.registry import HARDENED, Edit, mutant

AUTH = "hype/operations/auth.py"
BASE = "hype/models/base.py"
CHANNELS = "hype/operations/channels.py"
MESSAGES = "hype/operations/messages.py"
PASSWORDS = "hype/passwords.py"
PAYLOADS = "hype/payloads.py"
USERS = "hype/operations/users.py"

_CHANNEL_COLUMNS = '    "bitrate": "bitrate",\n}'
_CHANGED = '"topic": "topic",'
_FIND = "return cls._by_id().first(key)"
_FOLD = 'password.encode("utf-8", "surrogatepass")'
_MOVED = 'values = {**changes, "updated_at": forward(model.updated_at)}'
_USER_COLUMNS = '"avatarUrl": "avatar_url"}'

_GUEST = """\
    try:
        user = User.add(username=call.body["username"], is_guest=True, online=True)
    except Taken as taken:
        raise _taken(taken) from taken
    ServerMember.add(DEFAULT_SERVER, user.id)
    return _signed_in(call, user)
"""

MUTANTS = [
    mutant(
        "rest.channels.messages-of-others-stay",
        "With a channel go the messages of whoever made it, and nobody else's.",
        Edit(
            "hype/models/channels.py",
            "        model = type(self)\n        return bool(",
            "        from hype.models.messages import Message\n\n"
            "        others = (Message.channel == self.id) & (Message.author != self.created_by)\n"
            '        Message.update(channel="text-general").where(others).execute()\n'
            "        model = type(self)\n        return bool(",
        ),
        of="deleteChannel getMessage",
        killed_by="R14.delete",
    ),
    mutant(
        "rest.state.author-from-body",
        "A message is of whoever its body says.",
        Edit(
            MESSAGES,
            'author=call.caller, content=call.body["content"]',
            'author=User.find(str(call.body.get("authorId", ""))) or call.caller, content=call.body["content"]',
        ),
        Edit(
            MESSAGES, "from hype.models import Channel, Message\n", "from hype.models import Channel, Message, User\n"
        ),
        of="createMessage",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.message-moves",
        "An edit moves a message to the channel that its body names.",
        Edit(
            MESSAGES,
            'row.edit(call.body["content"])',
            'row.change({"edited": True, "content": call.body["content"],'
            ' "channel": call.body.get("channelId", row.channel_id)})',
        ),
        of="updateMessage",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.creator-from-body",
        "A channel's creator is whoever its body says.",
        Edit(CHANNELS, "created_by=call.user or", 'created_by=call.body.get("creatorId") or call.user or'),
        of="createChannel",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.creator-changes",
        "An update gives a channel to whoever its body says.",
        Edit(CHANNELS, _CHANNEL_COLUMNS, '    "bitrate": "bitrate",\n    "createdById": "created_by",\n}'),
        of="updateChannel",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.email-from-profile",
        "A profile update sets the email too, without asking whose it is.",
        Edit(USERS, _USER_COLUMNS, '"avatarUrl": "avatar_url", "email": "email"}'),
        of="updateUser",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.status-from-profile",
        "A profile update sets the status too, in any letter case.",
        Edit(USERS, _USER_COLUMNS, '"avatarUrl": "avatar_url", "status": "status"}'),
        of="updateUser",
        killed_by="R4.not-to-be-set",
    ),
    mutant(
        "rest.state.empty-topic-ignored",
        "An empty topic is taken for none given.",
        Edit(
            CHANNELS,
            "for member, column in _COLUMNS.items() if member in call.body}",
            'for member, column in _COLUMNS.items() if call.body.get(member, "") != ""}',
        ),
        of="updateChannel",
        killed_by="R14.update-keeps-the-rest",
    ),
    mutant(
        "rest.state.ids-trimmed",
        "Blanks around an id are cut off.",
        Edit(BASE, _FIND, _FIND.replace("(key)", "(key.strip())")),
        of="getChannel getMessage getUser",
        killed_by="R3.malformed-id",
    ),
    mutant(
        "rest.state.ids-in-any-case",
        "An id is found in upper case too.",
        Edit(BASE, _FIND, _FIND.replace("(key)", "(key.lower())")),
        of="getChannel getMessage getUser",
        killed_by="R3.unknown-id",
    ),
    mutant(
        "rest.state.password-trimmed",
        "Blanks around a password are cut off.",
        Edit(PASSWORDS, _FOLD, _FOLD.replace("password.", "password.strip().")),
        of="registerUser loginUser",
        killed_by="R21.password-as-typed",
    ),
    mutant(
        "rest.state.password-in-any-case",
        "A password works in any letter case.",
        Edit(PASSWORDS, _FOLD, _FOLD.replace("password.", "password.lower().")),
        of="registerUser loginUser",
        killed_by="R21.password-as-typed",
    ),
    mutant(
        "rest.state.password-in-latin-1",
        "Letters beyond Latin-1 are one and the same in a password.",
        Edit(PASSWORDS, _FOLD, 'password.encode("latin-1", "replace")'),
        of="registerUser loginUser",
        killed_by="R21.password-as-typed",
    ),
    mutant(
        "rest.state.hash-shown",
        "The user in the answers of /auth has the hash of the password.",
        Edit(
            PAYLOADS,
            '        "status": row.status,\n        "createdAt": timestamp(row.created_at),\n',
            '        "status": row.status,\n        "passwordHash": row.password_hash,\n'
            '        "createdAt": timestamp(row.created_at),\n',
        ),
        of="registerUser loginUser getCurrentUser",
        killed_by="R21.password-unseen",
    ),
    mutant(
        "rest.state.updated-at-of-users-by-the-clock",
        "Two updates of a user at once leave the same updatedAt.",
        Edit(
            BASE,
            _MOVED,
            'values = {**changes, "updated_at": now_ms() // 50 * 50 if "bio" in changes else '
            "forward(model.updated_at)}",
        ),
        of="updateUser",
        killed_by="R20.updates-at-once",
    ),
    mutant(
        "rest.state.updated-at-of-channels-by-the-clock",
        "Two updates of a channel at once leave the same updatedAt.",
        Edit(
            BASE,
            _MOVED,
            'values = {**changes, "updated_at": now_ms() // 50 * 50 if "topic" in changes else '
            "forward(model.updated_at)}",
        ),
        of="updateChannel",
        killed_by="R20.updates-at-once",
    ),
    mutant(
        "rest.state.ties-by-id-upwards",
        "Messages of the same twentieth of a second are listed by id upwards.",
        Edit(
            "hype/models/messages.py",
            "order_by(cls.created_at.desc(), cls.id.desc())",
            "order_by((cls.created_at // 50).desc(), cls.id)",
        ),
        of="listMessages",
        killed_by="R18.ties",
    ),
    mutant(
        "rest.state.discriminator-of-old",
        "The discriminator stays that of the first name.",
        Edit(
            PAYLOADS,
            '"discriminator": row.username[:4]',
            '"discriminator": _FIRST.setdefault(row.id, row.username[:4])',
        ),
        Edit(PAYLOADS, "_EPOCH = datetime(", "_FIRST: dict[str, str] = {}\n_EPOCH = datetime("),
        of="updateUser",
        killed_by="R16.members",
    ),
    mutant(
        "rest.state.creator-of-old",
        "A channel names its creator as they were called when it was first shown.",
        Edit(
            PAYLOADS,
            '"username": row.created_by.username}',
            '"username": _FIRST.setdefault(row.id, row.created_by.username)}',
        ),
        Edit(PAYLOADS, "_EPOCH = datetime(", "_FIRST: dict[str, str] = {}\n_EPOCH = datetime("),
        of="getChannel",
        killed_by="R13.members",
    ),
    mutant(
        "rest.state.positions-as-text",
        "Channels are ordered by their position as a text: 10 before 3.",
        Edit(
            "hype/models/channels.py",
            "order_by(cls.position, cls.created_at, cls.id)",
            'order_by(cls.position.cast("TEXT"), cls.created_at, cls.id)',
        ),
        of="listChannels listServerChannels",
        killed_by="R13.order",
    ),
    mutant(
        "rest.state.email-hidden-from-owner",
        "The answer to one's own status hides one's email.",
        Edit(
            USERS,
            'ok(_payload(call, row.change({"status": call.body["status"].upper()})))',
            'ok(payloads.user(row.change({"status": call.body["status"].upper()}), email_shown=False))',
        ),
        of="updateUserStatus",
        killed_by="P7.email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.state.local-time",
        "Times are those of Moscow, and say Z.",
        Edit(PAYLOADS, "timedelta(milliseconds=milliseconds)", "timedelta(hours=3, milliseconds=milliseconds)"),
        of="getUser getMessage getChannel",
        killed_by="R23.claims",
    ),
    mutant(
        "rest.state.failures-by-letter-case",
        "Failed logins are counted by the email as it is typed: upper case has a count of its own.",
        Edit("hype/operations/throttle.py", "_limits(call, email_key(email))", "_limits(call, email)"),
        of="loginUser",
        killed_by="P9.limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.state.channels-by-name",
        "A channel is found by its name as well as by its id.",
        Edit(
            "hype/operations/channels.py",
            'row = Channel.find(call.path["id"])',
            'row = Channel.find(call.path["id"]) or Channel.whole().where(Channel.name == call.path["id"]).first()',
        ),
        of="getChannel updateChannel deleteChannel",
        killed_by="R3.names-are-no-ids",
    ),
    mutant(
        "rest.state.messages-by-the-channels-name",
        "Messages are read and written by the channel's name as well as by its id.",
        Edit(
            "hype/operations/messages.py",
            "channel = Channel.find(channel_id)",
            "channel = Channel.find(channel_id) or Channel.whole().where(Channel.name == channel_id).first()",
        ),
        of="listMessages createMessage",
        killed_by="R3.names-are-no-ids",
    ),
    mutant(
        "rest.state.guests-look-first",
        "Whether a guest's name is taken is looked up before, and the loser of a race gets a 500.",
        Edit(
            "hype/operations/auth.py",
            "def login_guest(",
            "@manages_transactions\ndef login_guest(",
        ),
        Edit(
            "hype/operations/auth.py",
            _GUEST,
            "    with call.unit.transaction():\n"
            '        if User.select().where(User.username == call.body["username"]).exists():\n'
            '            raise BadRequest("Username already taken")\n'
            "    import time\n\n    time.sleep(0.002)\n"
            "    with call.unit.transaction():\n"
            '        user = User.add(username=call.body["username"], is_guest=True, online=True)\n'
            "        ServerMember.add(DEFAULT_SERVER, user.id)\n"
            "        return _signed_in(call, user)\n",
        ),
        of="loginGuest",
        killed_by="R21.race-of-names",
    ),
]
