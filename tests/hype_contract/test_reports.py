"""Tests of the report files: they agree with one document, are well-formed and contain no secret."""

from __future__ import annotations

import io
import json
import re
import secrets as random_
from contextlib import redirect_stdout
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from jsonschema import Draft202012Validator

import hype_contract.reporting
from hype_contract.__main__ import main
from hype_contract.reporting import badge, junit, page
from hype_contract.reporting.document import Document
from hype_contract.running.results import OUTCOMES
from tests.hype_contract.fake import Fake, Reply, Request, Route, guest, health, running

pytestmark = pytest.mark.slow

ACCESS, REFRESH, LOGIN = "the-access-secret-of-32-bytes-or-more", "the-refresh-secret-of-32-bytes-or-so", "joe:sesame"
SCHEMA = json.loads((Path(hype_contract.reporting.__file__).parent / "report.schema.json").read_text())
FORMATS = {
    "json": "report.json",
    "junit": "report.xml",
    "html": "report.html",
    "badge": "badge.svg",
    "markdown": "report.md",
}
NASTY = "</script><b>&amp; ]]> \x00\x1b[31m \ufffe"


def write_all(folder: Path) -> list[str]:
    """Return the options that ask for every report."""
    return [word for format, name in FORMATS.items() for word in (f"--{format}", str(folder / name))]


def documents(folder: Path) -> Document:
    """Return report.json of a folder, and check that it keeps its schema."""
    made: Document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(made)] == []
    return made


def register(fake: Fake, request: Request) -> Reply:
    """Answer a registration, and remember its password."""
    passwords: list[str] = fake.__dict__.setdefault("passwords", [])
    passwords.append(request.body["password"])
    _, made = guest(fake, request)
    assert isinstance(made, dict)
    made["data"]["user"]["email"] = request.body["email"]
    return 201, made


def nasty(fake: Fake, request: Request) -> Reply:
    """Answer /health with a part that fails, and with text that could break a report."""
    body = health(fake, request)[1]
    assert isinstance(body, dict)
    return 200, {**body, "service": NASTY + "\ud800", "checks": {"database": NASTY, "sfu": "ok"}}


class Failing:
    """A failed run on a fake with tokens and passwords: its files, and every secret that it used."""

    def __init__(self, folder: Path) -> None:
        """Judge the fake, and write every report to the folder."""
        routes: dict[str, Route] = {"GET /health": nasty, "POST /auth/register": register}
        with running(Fake(routes=routes)) as fake:
            address = fake.ws_url.replace("ws://", f"ws://{LOGIN}@")
            options = ["--jwt-access-secret", ACCESS, "--jwt-refresh-secret", REFRESH, "--seed", "7", "--fast"]
            only = [word for id in ("R12.health", "R34", "R2", "P7") for word in ("--only", id)]
            urls = ["--base-url", fake.base_url, "--ws-url", address, "--area", "rest", "--area", "gateway"]
            with redirect_stdout(io.StringIO()) as console:
                self.code = main([*urls, *options, *only, *write_all(folder)])
            tokens = [*fake.users, *(f"refresh-{token}" for token in fake.users)]
            self.secrets = [ACCESS, REFRESH, LOGIN, "sesame", *tokens, *fake.__dict__["passwords"]]
        self.document = documents(folder)
        self._texts = {"console": console.getvalue()}
        for format, name in FORMATS.items():
            self._texts[format] = (folder / name).read_text(encoding="utf-8")

    def text(self, format: str) -> str:
        """Return one of the files, or the output of the command (`console`)."""
        return self._texts[format]

    def entry(self, id: str) -> dict[str, Any]:
        """Return a requirement of the document."""
        found: dict[str, Any] = next(entry for entry in self.document["requirements"] if entry["id"] == id)
        return found


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Failing:
    """Provide the same failed run to all tests, since it takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hype_contract.actors.clients.gateway.PATIENCE_S", 0.3)
        return Failing(tmp_path_factory.mktemp("failing"))


@pytest.fixture(scope="module")
def cases(failing: Failing) -> dict[str, Element]:
    """Return the JUnit test cases of the run by name."""
    return {str(case.get("name")): case for case in fromstring(failing.text("junit")).iter("testcase")}


@pytest.mark.parametrize("format", [*FORMATS, "console"])
def test_no_report_holds_a_secret(format: str, failing: Failing) -> None:
    """No report contains a token, password, signing secret or login that the run used."""
    assert len(failing.secrets) > 20
    text = failing.text(format)
    assert [secret for secret in failing.secrets if secret in text] == []


def test_a_hidden_secret_leaves_a_name(failing: Failing) -> None:
    """A name replaces a hidden secret, so that its owner can replay the script."""
    text = failing.text("json")
    for name in ("$ANN_TOKEN", "$JWT_ACCESS_SECRET", "$WS_URL"):
        assert name in text


def test_the_document_says_what_was_judged(failing: Failing) -> None:
    """The document contains target, profile, seed, options and verdict."""
    document = failing.document
    assert failing.code == document["verdict"]["exitCode"] == 1
    assert document["verdict"]["word"] == "does not conform"
    assert (document["seed"], document["mode"], document["target"]["profile"]) == (7, "fast", "hardened")
    assert document["options"]["jwtAccessSecretGiven"]
    assert document["target"]["wsUrl"].startswith("ws://127.0.0.1:")


def test_a_failure_carries_all_it_takes_to_act_on_it(failing: Failing) -> None:
    """A failure contains the clause, the expected and the actual result, a script and a command."""
    entry = failing.entry("R12.health")
    assert entry["outcome"] == "fail"
    assert entry["clauses"]["R12"].startswith("`GET /health`")
    first = entry["cases"][0]
    assert first["expected"]
    assert "curl -sS" in first["script"][1]
    assert "--only R12.health --seed 7 --fast" in entry["reproduce"]


def test_junit_has_a_case_for_each_requirement(failing: Failing, cases: dict[str, Element]) -> None:
    """JUnit names each case by its id, area and level; only a failure that counts is a `failure`."""
    entries = failing.document["requirements"]
    assert set(cases) == {entry["id"] for entry in entries}
    assert cases["R12.health"].get("classname") == "hype.rest.published"
    broken = {entry["id"] for entry in entries if entry["outcome"] == "fail" and entry["counts"]}
    assert {name for name, case in cases.items() if case.find("failure") is not None} == broken
    others = {entry["id"] for entry in entries if entry["outcome"] != "pass"} - broken
    assert {
        name for name, case in cases.items() for tag in ("skipped", "error") if case.find(tag) is not None
    } == others


def test_junit_describes_a_failure_as_the_console_does(cases: dict[str, Element]) -> None:
    """JUnit contains source, expected and actual result, command and script of a failure."""
    text = cases["R12.health"].findtext("failure") or ""
    for part in ("/Health; ruling R12", "expected  ", "got       ", "reproduce hype-contract ", "curl -sS"):
        assert part in text


def test_junit_counts_what_it_holds(failing: Failing) -> None:
    """The numbers in the attributes of JUnit are those of its elements."""
    root = fromstring(failing.text("junit"))
    for suite in root.iter("testsuite"):
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
    assert int(root.get("tests", "")) == len(failing.document["requirements"])
    properties = {element.get("name"): element.get("value") for element in root.iter("property")}
    assert (properties["seed"], properties["profile"]) == ("7", "hardened")


@pytest.mark.parametrize("format", [*FORMATS, "console"])
def test_each_report_says_which_edition_of_the_contract_was_judged(format: str, failing: Failing) -> None:
    """Each report names the version and the digest of the two specs, so that two reports can be told apart."""
    edition = failing.document["contract"]
    text = failing.text(format)
    assert edition["version"] in text
    assert edition["digest"][:12] in text


@pytest.mark.parametrize("format", [*(name for name in FORMATS if name != "badge"), "console"])
def test_each_report_tells_of_each_level_in_a_sentence(format: str, failing: Failing) -> None:
    """Each report says what each level comes to; the badge has room for it only if the target keeps the document."""
    sentence = failing.document["verdict"]["sentence"]
    assert "published requirement" in sentence
    assert sentence[1:] in failing.text(format)


class _Page(HTMLParser):
    """A parser that collects the elements of a page and their links, and checks that they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.refers: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element and its links."""
        self.tags.append(tag)
        self.refers += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that the element is the last open one."""
        assert self.open.pop() == tag


def test_the_page_asks_the_network_for_nothing(failing: Failing) -> None:
    """The page works offline: every link is a fragment, and its policy forbids requests."""
    text = failing.text("html")
    read = _Page()
    read.feed(text)
    assert read.open == []
    assert all(link.startswith("#") for link in read.refers)
    assert not {"link", "img", "iframe"} & set(read.tags)
    assert "@import" not in text
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_the_page_puts_the_verdict_first_and_failures_before_the_rest(failing: Failing) -> None:
    """The page shows the verdict, then the failures, then the coverage and all requirements."""
    text = failing.text("html")
    order = [
        text.index(part) for part in ("Does not conform</h1>", "What is wrong (", "Coverage</h2>", "All requirements")
    ]
    assert order == sorted(order)
    assert failing.entry("R12.health")["title"] in text


@pytest.mark.parametrize("format", ["junit", "html"])
def test_nothing_a_target_answers_breaks_a_report(format: str, failing: Failing) -> None:
    """A report escapes the target's markup, and the characters that XML forbids."""
    text = failing.text(format)
    assert "</script><b>" not in text
    assert "&lt;/script&gt;&lt;b&gt;&amp;amp; " in text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\ud800-\udfff]", text)


def test_the_badge_says_the_verdict_in_words(failing: Failing) -> None:
    """The badge states verdict and scope as text and as a label for screen readers."""
    root = fromstring(failing.text("badge"))
    said = "hardened, rest+gateway only, in part: does not conform"
    assert root.get("aria-label") == f"hype contract: {said}"
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["hype contract", said]


@pytest.fixture
def conforming(fake: Fake, tmp_path: Path) -> Document:
    """Return the document of a run in which every requirement passed."""
    urls = ["--base-url", fake.base_url, "--ws-url", fake.ws_url]
    assert main([*urls, "--only", "R12.health", *write_all(tmp_path)]) == 0
    return documents(tmp_path)


def test_a_run_that_passes_has_reports_without_failures(conforming: Document, tmp_path: Path) -> None:
    """A run that passes has a JUnit case without children, and a page and a badge that say `conforms`."""
    (case,) = fromstring((tmp_path / "report.xml").read_text()).iter("testcase")
    assert list(case) == []
    text = (tmp_path / "report.html").read_text()
    assert "Conforms</h1>" in text
    assert "Failed requirements" not in text
    assert badge.wording(conforming) == "hardened, rest only, in part: conforms"


def test_what_does_not_count_breaks_no_build(conforming: Document) -> None:
    """A failed extension is skipped in JUnit, with its description, and is listed apart on the page."""
    (entry,) = conforming["requirements"]
    entry |= {"outcome": "fail", "level": "extension", "counts": False, "message": "no such thing"}
    ids = {"lead": entry["id"], "shownBy": entry["id"], "others": [], "waiting": []}
    conforming["groups"] = [{"title": "a cause", **ids, "counts": False}]
    (case,) = fromstring(junit.render(conforming)).iter("testcase")
    assert [child.tag for child in case] == ["skipped", "system-out"]
    assert "Failures that do not count (1 cause, 1 failed requirement)" in page.render(conforming)
    assert "What is wrong" not in page.render(conforming)


@pytest.mark.parametrize("word", ["conforms", "does not conform", "incomplete", "unusable"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_page_knows_every_verdict_and_outcome(word: str, outcome: str, conforming: Document) -> None:
    """The page shows each verdict and each outcome in words."""
    conforming["verdict"]["word"] = word
    (entry,) = conforming["requirements"]
    entry |= {"outcome": outcome, "message": "the reason"}
    text = page.render(conforming)
    assert f"</span>{word.capitalize()}</h1>" in text
    assert f'<td class="outcome {outcome}">' in text
    assert ("the reason" in text) == (outcome != "pass")


def test_an_incomplete_run_is_no_green_build(conforming: Document) -> None:
    """An incomplete run has an error in JUnit, although no requirement failed."""
    conforming["verdict"] |= {"word": "incomplete", "exitCode": 3, "reasons": ["no requirement passed"]}
    root = fromstring(junit.render(conforming))
    assert root.get("errors") == "1"
    assert root.findtext(".//error") == "no requirement passed"


def test_an_unusable_target_leaves_reports_that_say_why(tmp_path: Path) -> None:
    """The reports of an unusable target contain the reason, without the password in the URL."""
    password = random_.token_hex(8)
    target = ["--base-url", f"http://joe:{password}@127.0.0.1:9", "--profile", "hardened"]
    assert main([*target, *write_all(tmp_path)]) == 2
    document = documents(tmp_path)
    assert (document["verdict"]["word"], document["coverage"]) == ("unusable", None)
    assert "must contain no password" in document["verdict"]["reasons"][0]
    assert fromstring((tmp_path / "report.xml").read_text()).get("errors") == "1"
    assert "Unusable</h1>" in (tmp_path / "report.html").read_text()
    assert not any(password in (tmp_path / name).read_text() for name in FORMATS.values())


@pytest.mark.parametrize(
    ("place", "reason"), [(".", "Is a directory"), ("nowhere/report", "there is no folder {folder}/nowhere")]
)
@pytest.mark.parametrize("format", FORMATS)
def test_a_report_that_cannot_be_written_is_refused_before_the_run(
    format: str, place: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path that cannot be written gives a sentence and exit code 2 before any request, and no file."""
    path = tmp_path / place
    assert main(["--base-url", "http://127.0.0.1:9", f"--{format}", str(path)]) == 2
    out, error = capsys.readouterr()
    sentence = f"--{format} {path} cannot be written: {reason.format(folder=tmp_path)}."
    assert (out, error) == ("", f"hype-contract: {sentence}\n")
    assert list(tmp_path.iterdir()) == []


def test_two_reports_in_one_file_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command refuses two reports with the same path."""
    place = str(tmp_path / "report")
    assert main(["--json", place, "--html", place]) == 2
    assert "--json and --html name the same file" in capsys.readouterr().err


def test_the_numbers_of_the_matrices_add_up(failing: Failing) -> None:
    """The numbers of a matrix are those of its cells, and a partial run leaves cells unexercised."""
    for name in ("operations", "events", "audiences"):
        matrix = failing.document["coverage"][name]
        proper = [cell for cell in matrix["cells"] if not cell["extension"]]
        assert len(proper) == matrix["total"]
        seen = [cell for cell in proper if cell["state"] in ("passed", "exercised", "failed")]
        assert len(seen) == matrix["exercised"] < matrix["total"]
        assert matrix["percent"] < 100


def test_the_schema_is_valid() -> None:
    """The schema of report.json is a valid JSON Schema."""
    Draft202012Validator.check_schema(SCHEMA)
