"""The bash script that repeats what a case did. Comments show the answers that the case received.

The script contains no secret. It takes tokens and ids from the new answers, and gives names that must be new a new
ending, so that it works any number of times.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hype_contract.recording.printable import is_printable, printable
from hype_contract.recording.secrecy import Secrets, placeholder, quote

_LONGEST_BODY = 3000  # bytes of a body, characters of a frame
_LONGEST_PACKED = 12_000
_WORD = re.compile(r"[\w.~-]+")  # what an id or a token is one of
_SHORTEST_ID = 6  # a shorter text also occurs elsewhere by chance
_ID = re.compile(r"(?:^i|I)d$")
# The ending that `people.unique` makes; the last group of a UUID is not one.
_UNIQUE = re.compile(r"(?<!-[0-9a-f]{4})-([0-9a-f]{8})([0-9a-f]{4})(?![0-9a-f])")
_NEW_ENDING = "N"
_WAIT = "sleep 1"

_HEAD = "# Paste this into bash. It needs curl and the Python environment of hype-contract (activate it first)."
_DEFINE_NEW_ENDING = f"{_NEW_ENDING}=$((RANDOM % 9000 + 1000))  # the ending of names that must be new"
_DEFINE_PICK = (
    "pick() { python3 -c 'import functools as f, json, sys; print(f.reduce(lambda at, key: at[int(key)"
    ' if isinstance(at, list) else key], sys.argv[2:], json.loads(sys.argv[1].replace("\\r", "")'
    """.partition("\\n\\n")[2])))' "$ANSWER" "$@"; }"""
)
_SHOW = "cat -v"  # a terminal obeys what it is sent, and the target chooses that
# The command line of the library websockets. It sends each line of stdin and prints each message.
_OPEN_WEBSOCKET = "websockets"
# The same for a handshake with headers, which that command line cannot send: each further argument is a header.
_OPEN_WITH_HEADERS = "open_websocket"
_OPENING_PROGRAM = """\
import sys, threading
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
with connect(sys.argv[1], additional_headers=[each.split(": ", 1) for each in sys.argv[2:]]) as socket:
    def send():
        for line in sys.stdin: socket.send(line.rstrip("\\n"))
        socket.close()
    threading.Thread(target=send, daemon=True).start()
    try:
        while True: print("<", str(socket.recv()).replace("\\n", "\\\\n"), flush=True)
    except ConnectionClosed:
        print("Connection closed:", socket.close_code, socket.close_reason, flush=True)
"""


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. `body`: as sent; `answer`: status and text."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None
    answer: str

    @property
    def sent(self) -> str:
        """The parts of the request that may contain a value of an earlier answer."""
        body = (self.body or b"").decode("utf-8", "replace")
        return "\n".join([self.url, *(value for _, value in self.headers), body])

    def strings(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield every string in the answer's JSON, and its path."""
        try:
            yield from _leaves(json.loads(self.answer.partition(" ")[2]), ())
        except (ValueError, RecursionError):
            return


@dataclass(frozen=True)
class Opening:
    """The opening of a WebSocket. `name`: of the socket in this script. `headers`: beside those of every handshake."""

    name: str
    url: str
    headers: Sequence[tuple[str, str]] = ()

    @property
    def sent(self) -> str:
        """The URL, which may contain a token, and the headers."""
        return "\n".join([self.url, *(value for _, value in self.headers)])


@dataclass(frozen=True)
class Frame:
    """A frame that is sent on a WebSocket. `typed`: it is a line of text, which a terminal can send."""

    name: str
    payload: str
    typed: bool

    @property
    def sent(self) -> str:
        """The payload."""
        return self.payload


@dataclass(frozen=True)
class Closing:
    """The closing of a WebSocket by the case."""

    name: str
    sent: str = ""


@dataclass(frozen=True)
class Remark:
    """A comment. `received`: it shows what came on a WebSocket."""

    text: str
    received: bool = False
    sent: str = ""


@dataclass(frozen=True)
class Command:
    """A command that another tool wrote. Its secrets are in single quotes."""

    text: str

    @property
    def sent(self) -> str:
        """The command."""
        return self.text


Step = Exchange | Opening | Frame | Closing | Remark | Command


def script(steps: Sequence[Step], secrets: Secrets, base_url: str = "", last: int | None = None) -> list[str]:
    """Return the lines of a script; none for no steps.

    `base_url`: of the target's REST API. `last`: keep so many steps from the end, and the steps that they need.
    """
    kept = _kept(steps, last or len(steps))
    writer = _Writer(secrets, "\n".join(step.sent for _, step in kept))
    body = []
    previous = -1
    for number, step in kept:
        if number > previous + 1:
            body.append(f"# … {number - previous - 1} steps left out …")
        body += writer.lines(step)
        previous = number
    return [*_head("\n".join(body), writer, base_url), *body] if writer.text.strip() else body


def remark(text: str) -> str:
    """Return a text as a comment of one line."""
    return "#   " + _cut(text)


def _kept(steps: Sequence[Step], last: int) -> list[tuple[int, Step]]:
    """Return the last steps, and the earlier exchanges and openings that they need."""
    first = len(steps) - last
    kept = list(enumerate(steps))[max(0, first) :]
    text = "\n".join(step.sent for _, step in kept)
    sockets = {step.name for _, step in kept if isinstance(step, Frame | Closing)}
    for number in reversed(range(first)):
        step = steps[number]
        if isinstance(step, Exchange):
            needed = any(len(value) >= _SHORTEST_ID and value in text for _, value in step.strings())
        else:
            needed = isinstance(step, Opening) and step.name in sockets
        if needed:
            kept.insert(0, (number, step))
            text += "\n" + step.sent
    return kept


def _head(body: str, writer: _Writer, base_url: str) -> Iterator[str]:
    """Yield the definitions that the script needs."""
    yield _HEAD
    if "$(pick " in body:
        yield _DEFINE_PICK
    if f"({_OPEN_WITH_HEADERS} " in body:
        yield f'{_OPEN_WITH_HEADERS}() {{ python3 -c {_one_line(_OPENING_PROGRAM)} "$@"; }}'
    if f'"${_NEW_ENDING}"' in body:
        yield _DEFINE_NEW_ENDING
    for name in writer.used:
        if name not in writer.defined:
            yield _definition(name, base_url)


def _definition(name: str, base_url: str) -> str:
    """Return the line that defines a variable which no answer in the script defines."""
    if name.rstrip("0123456789").endswith("_TOKEN"):
        member = "refreshToken" if "REFRESH" in name else "accessToken"
        body = """'{"username": "guest-'$RANDOM'"}'"""
        read = f"""python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["{member}"])'"""
        url = quote(f"{base_url.rstrip('/')}/auth/guest")
        ask = f"curl -sS {url} -H 'Content-Type: application/json' -d {body}"
        return f"{name}=$({ask} | {read})  # the token of a new guest"
    if name.rstrip("0123456789").endswith("_PASSWORD"):
        return f"{name}=password-$RANDOM$RANDOM  # a new password"
    return f': "${{{name}:?give {name} the value of your target first}}"'


@dataclass
class _Writer:
    """The writer of one script. `text`: everything that the script sends. `used`: names of secrets in its commands."""

    secrets: Secrets
    text: str
    ids: dict[str, str] = field(default_factory=dict)
    defined: dict[str, str] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)
    waited: bool = False
    words: Counter[str] | None = None

    def lines(self, step: Step) -> Iterator[str]:
        """Yield the step as lines of bash."""
        if isinstance(step, Remark):
            yield from self._remark(step)
            return
        if isinstance(step, Closing):
            yield from self._wait()
        self.waited = False
        if isinstance(step, Exchange):
            yield from self._exchange(step)
        elif isinstance(step, Opening):
            name = _variable(step.name)
            shown = f"sed -nu 's/^[^<{{]*< /{name} < /p; s/.*Connection closed/{name} closed/p'"
            words = [self.word(step.url), *(self.word(f"{field}: {value}") for field, value in step.headers)]
            program = _OPEN_WITH_HEADERS if step.headers else _OPEN_WEBSOCKET
            yield f"exec {{{name}}}> >({program} {' '.join(words)} | {shown} | {_SHOW})"
        elif isinstance(step, Frame):
            yield self._frame(step)
        elif isinstance(step, Closing):
            yield f"exec {{{_variable(step.name)}}}>&-"
        else:
            self.used.update(dict.fromkeys(self.secrets.names_in(step.text)))
            command = self.secrets.hide(step.text, in_quotes=True)
            yield f"{command} | {_SHOW}" if command.startswith("curl ") else command

    def word(self, text: str) -> str:
        """Return `text` as one word of bash, with variables for secrets, ids and new endings."""
        self.used.update(dict.fromkeys(self.secrets.names_in(text)))
        return self.secrets.shell_word(text, self.ids, (_UNIQUE, r"-\1" + placeholder(_NEW_ENDING)))

    def _remark(self, step: Remark) -> Iterator[str]:
        if step.received:
            yield from self._wait()
        yield remark(self.secrets.hide(step.text))

    def _wait(self) -> Iterator[str]:
        """Wait until the target has received what the script sent before."""
        if not self.waited:
            self.waited = True
            yield _WAIT

    def _frame(self, step: Frame) -> str:
        to = f">&${_variable(step.name)}"
        if step.typed and len(step.payload) <= _LONGEST_BODY:
            return f"printf '%s\\n' {self.word(step.payload)} {to}"
        if step.typed and self.secrets.hide(step.payload) == step.payload:
            line = f"{step.payload}\n"
            return f"{_unpack(line.encode())} {to}"
        return f"#   {step.name} > {_cut(self.secrets.hide(step.payload))}   (a terminal cannot send this)"

    def _exchange(self, step: Exchange) -> Iterator[str]:
        found = list(self._found(step))
        if len(step.body or b"") > _LONGEST_BODY and self.secrets.hide(step.sent) != step.sent:
            yield remark(f"{step.method} {step.url} with a body of {len(step.body or b''):,} bytes that holds a secret")
            return
        command = curl(step.method, step.url, step.headers, step.body, self.word)
        if command.startswith("#"):
            yield command
            return
        yield f"ANSWER=$({command}); printf '%s\\n' \"$ANSWER\" | {_SHOW}" if found else f"{command} | {_SHOW}"
        yield "#   → " + _cut(self.secrets.hide(step.answer))
        if found:
            yield "; ".join(f"{name}=$(pick {' '.join(path)})" for name, path in found)

    def _found(self, step: Exchange) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the name and the path of each value in the answer that other steps send."""
        for path, value in step.strings():
            name = self.secrets.name_of(value)
            is_new_id = name is None and value not in self.ids and bool(path) and _ID.search(path[-1]) is not None
            if (name is None and not is_new_id) or len(value) < _SHORTEST_ID:
                continue
            if self._times(value) <= step.sent.count(value):
                continue
            if is_new_id:
                name = self.ids[value] = self._id_name(step.url)
            if name is not None and self.defined.get(name) != value:
                self.defined[name] = value
                yield name, path

    def _times(self, value: str) -> int:
        """Return how often the script sends the value. A long transcript is read once for all its values."""
        if self.words is None:
            self.words = Counter(_WORD.findall(self.text))
        return self.words[value] if _WORD.fullmatch(value) else self.text.count(value)

    def _id_name(self, url: str) -> str:
        kind = re.sub(r"[^a-zA-Z0-9]", "_", url.partition("?")[0].rstrip("/").rpartition("/")[2]).rstrip("s").upper()
        kind = f"X{kind}" if kind[:1].isdigit() else kind
        taken = sum(re.fullmatch(rf"{kind}_ID\d*", name) is not None for name in self.ids.values())
        return f"{kind}_ID{taken + 1 if taken else ''}"


def curl(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes | None,
    word: Callable[[str], str] = quote,
) -> str:
    """Return a command that sends the same request. `word`: makes one word of bash of a text."""
    parts = ["curl", "-sS", "-i", "-g", "--path-as-is", "-X", method, word(url)]
    for name, value in headers:
        parts += ["-H", word(f"{name}: {value}")]
    if body is None:
        return " ".join(parts)
    if len(body) > _LONGEST_BODY:
        return f"{_unpack(body)} | " + " ".join([*parts, "--data-binary", "@-"])
    text = body.decode("utf-8", "replace")
    if "\ufffd" not in text and is_printable(text):
        return " ".join([*parts, "--data-binary", word(text)])
    octal = "".join(f"\\{byte:03o}" for byte in body)
    return f"printf '{octal}' | " + " ".join([*parts, "--data-binary", "@-"])


def _one_line(program: str) -> str:
    """Return a program without single quotes as one word of bash on one line."""
    return "$'" + program.replace("\\", "\\\\").replace("\n", "\\n") + "'"


def _unpack(content: bytes) -> str:
    """Return a command that writes `content`, which is long and mostly repeats itself."""
    packed = b64encode(zlib.compress(content, 9)).decode("ascii")
    if len(packed) > _LONGEST_PACKED:
        return f"# {len(content):,} bytes that no script should hold"
    code = "import base64 as b, sys, zlib; sys.stdout.buffer.write(zlib.decompress(b.b64decode(sys.argv[1])))"
    return f"python3 -c '{code}' {packed}"


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if re.fullmatch(r"\w+", key):
                yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, (*path, str(number)))


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _cut(text: str) -> str:
    """Return a comment of one line. No text of a target can end the comment that contains it."""
    line: str = printable(text)
    return line if len(line) <= 1200 else f"{line[:900]} … ({len(line)} characters) … {line[-200:]}"
