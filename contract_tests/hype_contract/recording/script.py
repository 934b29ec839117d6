"""What a case did, as a bash script that does it again: paste it whole. What came is told in comments.

Nothing secret stands in it. What an answer brought (a token, an id) is taken from the new answer, and names that must
be new get a new ending, so that it works as often as one likes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hype_contract.recording.printable import is_printable, printable
from hype_contract.recording.secrecy import Secrets, mark, quote

_LONGEST = 3000
_SHORTEST_ID = 6  # shorter ones are found everywhere
_ID = re.compile(r"(?:^i|I)d$")
# What `people.unique` makes; the last group of a UUID is no such thing.
_UNIQUE = re.compile(r"(?<!-[0-9a-f]{4})-([0-9a-f]{8})([0-9a-f]{4})(?![0-9a-f])")
_NAMED = re.compile(r"\$([A-Z][A-Z0-9_]*)")
_NEW = "N"
_WAIT = "sleep 1"

_HEAD = "# Paste this into bash. It needs curl, and Python as hype-contract has it (activate its environment)."
_NEW_NAMES = f"{_NEW}=$((RANDOM % 9000 + 1000))  # makes names new"
_PICK = (
    "pick() { python3 -c 'import functools as f, json, sys; print(f.reduce(lambda at, key: at[int(key)"
    ' if isinstance(at, list) else key], sys.argv[2:], json.loads(sys.argv[1].replace("\\r", "")'
    """.partition("\\n\\n")[2])))' "$ANSWER" "$@"; }"""
)
OPEN = "websockets"
"""The command that opens a WebSocket in a terminal: what is typed is sent, what comes is shown."""


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
        """All of the request that may name what an earlier answer brought."""
        body = (self.body or b"").decode("utf-8", "replace")
        return "\n".join([self.url, *(value for _, value in self.headers), body])

    def brought(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Every string in the answer's JSON, and the way to it."""
        try:
            yield from _leaves(json.loads(self.answer.partition(" ")[2]), ())
        except (ValueError, RecursionError):
            return


@dataclass(frozen=True)
class Opening:
    """A WebSocket is opened. `name`: what this script calls it."""

    name: str
    url: str

    @property
    def sent(self) -> str:
        """Its token may stand in the URL."""
        return self.url


@dataclass(frozen=True)
class Frame:
    """A frame that is sent on a WebSocket. `typed`: whether it is a line of text that can be typed."""

    name: str
    payload: str
    typed: bool

    @property
    def sent(self) -> str:
        """The payload."""
        return self.payload


@dataclass(frozen=True)
class Leaving:
    """A WebSocket is closed from this side."""

    name: str
    sent: str = ""


@dataclass(frozen=True)
class Remark:
    """What came, or anything else in words. `heard`: it came on a WebSocket."""

    text: str
    heard: bool = False
    sent: str = ""


@dataclass(frozen=True)
class Command:
    """A command in somebody else's words. What is secret in it stands in single quotes."""

    text: str

    @property
    def sent(self) -> str:
        """All of it."""
        return self.text


Step = Exchange | Opening | Frame | Leaving | Remark | Command


def script(steps: Sequence[Step], secrets: Secrets, base_url: str = "", last: int | None = None) -> list[str]:
    """The lines of a script; none for no steps. Of more than `last` steps those, and what they need."""
    kept = _kept(steps, last or len(steps))
    work = _Script(secrets, "\n".join(step.sent for _, step in kept))
    body = []
    before = -1
    for number, step in kept:
        if number > before + 1:
            body.append(f"# … {number - before - 1} steps left out …")
        body += work.lines(step)
        before = number
    return [*_head("\n".join(body), work, base_url), *body] if work.text.strip() else body


def _kept(steps: Sequence[Step], last: int) -> list[tuple[int, Step]]:
    """The last ones, and before them the exchanges that brought what these send, and the openings of their sockets."""
    first = len(steps) - last
    kept = list(enumerate(steps))[max(0, first) :]
    text = "\n".join(step.sent for _, step in kept)
    sockets = {step.name for _, step in kept if isinstance(step, Frame | Leaving)}
    for number in reversed(range(first)):
        step = steps[number]
        if isinstance(step, Exchange):
            needed = any(len(one) >= _SHORTEST_ID and one in text for _, one in step.brought())
        else:
            needed = isinstance(step, Opening) and step.name in sockets
        if needed:
            kept.insert(0, (number, step))
            text += "\n" + step.sent
    return kept


def _head(body: str, work: _Script, base_url: str) -> Iterator[str]:
    """What the script must know before it begins."""
    yield _HEAD
    if "$(pick " in body:
        yield _PICK
    if f'"${_NEW}"' in body:
        yield _NEW_NAMES
    commands = [line for line in body.split("\n") if not line.startswith("#")]
    used = dict.fromkeys(name for line in commands for name in _NAMED.findall(line))
    for name in used:
        if name not in {*work.defined, _NEW, "ANSWER", "RANDOM"}:
            yield _how_to_get(name, base_url)


def _how_to_get(name: str, base_url: str) -> str:
    if name.rstrip("0123456789").endswith("_TOKEN"):
        member = "refreshToken" if "REFRESH" in name else "accessToken"
        body = """'{"username": "guest-'$RANDOM'"}'"""
        read = f"""python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["{member}"])'"""
        ask = f"curl -sS {base_url.rstrip('/')}/auth/guest -H 'Content-Type: application/json' -d {body}"
        return f"{name}=$({ask} | {read})  # a guest's"
    return f"{name}=…  # put in what is yours"


@dataclass
class _Script:
    """Writes one script. `text`: all that is sent in it."""

    secrets: Secrets
    text: str
    ids: dict[str, str] = field(default_factory=dict)
    defined: dict[str, str] = field(default_factory=dict)
    waited: bool = False

    def lines(self, step: Step) -> Iterator[str]:
        """The step in bash."""
        if isinstance(step, Remark):
            yield from self._remark(step)
            return
        if isinstance(step, Leaving):
            yield from self._wait()
        self.waited = False
        if isinstance(step, Exchange):
            yield from self._exchange(step)
        elif isinstance(step, Opening):
            name = _variable(step.name)
            shown = f"sed -nu 's/^[^<{{]*< /{name} < /p; s/.*Connection closed/{name} closed/p'"
            yield f"exec {{{name}}}> >({OPEN} {self.word(step.url)} | {shown})"
        elif isinstance(step, Frame):
            yield self._frame(step)
        elif isinstance(step, Leaving):
            yield f"exec {{{_variable(step.name)}}}>&-"
        else:
            yield self.secrets.hide(step.text, in_quotes=True)

    def word(self, text: str) -> str:
        """`text` as one word of bash, in which names stand for what is secret, new or brought."""
        return self.secrets.word(text, self.ids, (_UNIQUE, r"-\1" + mark(_NEW)))

    def _remark(self, step: Remark) -> Iterator[str]:
        if step.heard:
            yield from self._wait()
        yield "#   " + _cut(self.secrets.hide(step.text))

    def _wait(self) -> Iterator[str]:
        """What was sent before has to arrive first."""
        if not self.waited:
            self.waited = True
            yield _WAIT

    def _frame(self, step: Frame) -> str:
        if step.typed and len(step.payload) <= _LONGEST:
            return f"printf '%s\\n' {self.word(step.payload)} >&${_variable(step.name)}"
        return f"#   {step.name} > {_cut(self.secrets.hide(step.payload))}   (no terminal can send this)"

    def _exchange(self, step: Exchange) -> Iterator[str]:
        found = list(self._found(step))
        command = curl(step.method, step.url, step.headers, step.body, self.word)
        yield f'ANSWER=$({command}); echo "$ANSWER"' if found else command
        yield "#   → " + _cut(self.secrets.hide(step.answer))
        if found:
            yield "; ".join(f"{name}=$(pick {' '.join(way)})" for name, way in found)

    def _found(self, step: Exchange) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What the answer brings that others send, by name, and the way to it."""
        for way, value in step.brought():
            if len(value) < _SHORTEST_ID or self.text.count(value) <= step.sent.count(value):
                continue
            name = self.secrets.name(value)
            if name is None and value not in self.ids and way and _ID.search(way[-1]):
                name = self.ids[value] = self._id_name(step.url)
            if name is not None and self.defined.get(name) != value:
                self.defined[name] = value
                yield name, way

    def _id_name(self, url: str) -> str:
        kind = re.sub(r"\W", "_", url.partition("?")[0].rstrip("/").rpartition("/")[2]).rstrip("s").upper()
        taken = sum(re.fullmatch(rf"{kind}_ID\d*", name) is not None for name in self.ids.values())
        return f"{kind}_ID{taken + 1 if taken else ''}"


def curl(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes | None,
    word: Callable[[str], str] = quote,
) -> str:
    """A command that sends the same request. `word`: makes one word of bash of a text."""
    parts = ["curl", "-sS", "-i", "-g", "--path-as-is", "-X", method, word(url)]
    for name, value in headers:
        parts += ["-H", word(f"{name}: {value}")]
    if body is None:
        return " ".join(parts)
    if len(body) > _LONGEST:
        return " ".join([*parts, "--data-binary", "@body"]) + f"  # a file of {len(body)} bytes"
    text = body.decode("utf-8", "replace")
    if "\ufffd" not in text and is_printable(text):
        return " ".join([*parts, "--data-binary", word(text)])
    octal = "".join(f"\\{byte:03o}" for byte in body)
    return f"printf '{octal}' | " + " ".join([*parts, "--data-binary", "@-"])


def _leaves(value: Any, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield way, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if re.fullmatch(r"\w+", key):
                yield from _leaves(item, (*way, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, (*way, str(number)))


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _cut(text: str) -> str:
    """A remark of one line: no text of a target ends the comment that it stands in."""
    line: str = printable(text)
    return line if len(line) <= 1200 else f"{line[:900]} … ({len(line)} characters) … {line[-200:]}"
