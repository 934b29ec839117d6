"""A requirement as every report tells it: the rule, what was expected, what came, and how to reproduce it.

The console, JUnit and the pytest plugin print the lines of `describe`; the page shows the same entry.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hype_contract.contract.rulings import clauses
from hype_contract.contract.specs import Contract
from hype_contract.recording.printable import printable
from hype_contract.recording.secrecy import Secrets, credentials, header_variable
from hype_contract.reporting.links import links_of
from hype_contract.requirements.requirement import HIGHEST
from hype_contract.running.config import RunConfig
from hype_contract.running.groups import Group
from hype_contract.running.headings import heading
from hype_contract.running.results import OUTCOMES, CaseResult, Outcome, RequirementResult
from hype_contract.running.target import Target
from hype_contract.running.verdict import Scope

Entry = dict[str, Any]
"""A requirement in report.json (see report.schema.json)."""

_MOST_OTHERS_NAMED = 6
_MOST_NAMED = 12
_MOST_LINES = 12
_MOST_CLAUSES = 2
_LONGEST_LINE = 300
_LONGEST_REMARK = 160
_INDENT = "    "
_REMARK = f"{_INDENT}# "
_MARK = f"{_REMARK}  ↑"


class Run(Protocol):
    """The part of a planned or finished run that an entry depends on."""

    @property
    def target(self) -> Target:
        """The target that is judged."""
        ...

    @property
    def config(self) -> RunConfig:
        """The options of the run."""
        ...

    @property
    def scope(self) -> Scope:
        """The levels and areas that the verdict covers."""
        ...

    @property
    def secrets(self) -> Secrets:
        """The secrets that no report may contain."""
        ...

    @property
    def contract(self) -> Contract:
        """The two specs for the profile of the run."""
        ...


def entry_of(result: RequirementResult, run: Run) -> Entry:
    """Return a result as report.json has it, without secrets and without characters that cannot be printed."""
    requirement = result.requirement
    entry = {
        "id": requirement.id,
        "title": requirement.title,
        "level": requirement.level,
        "strength": requirement.strength,
        "area": requirement.area,
        "source": requirement.source,
        "links": links_of(requirement, run.contract),
        "clauses": clauses(requirement.source) if result.outcome != "pass" else {},
        "judgedBy": "coverage" if requirement.pair is not None else "cases",
        "outcome": result.outcome,
        "counts": result.counts and requirement.level in run.scope.levels,
        "byChoice": result.by_choice,
        "waitsFor": result.waits_for,
        "follows": list(result.follows),
        "expectedFailure": result.expected_failure,
        "message": result.message,
        "seconds": round(result.seconds, 3),
        "reproduce": reproduce(result.case_results[0].case.requirement, run) if result.case_results else None,
        "cases": [_case(case) for case in result.case_results],
    }
    return {name: printable(value) for name, value in entry.items()}


def _case(result: CaseResult) -> Entry:
    return {
        "name": result.case.name,
        "outcome": result.outcome,
        "message": result.message,
        "expected": result.expected or None,
        "got": result.got if result.expected else None,
        "seconds": round(result.seconds, 3),
        "script": list(result.script),
    }


def reproduce(id: str, run: Run) -> str:
    """Return the command that judges one requirement again as in this run. Secrets are shell variables in it."""
    target, config = run.target, run.config
    options = config.options
    words = ["hype-contract", *_url("--base-url", target.base_url), *_url("--ws-url", target.ws_url)]
    words += ["--profile", target.profile, "--only", shlex.quote(id), "--seed", str(config.seed)]
    words += [f'--header "${header_variable(name)}"' for name, _ in options.headers]
    if options.origin:
        words += ["--origin", shlex.quote(options.origin)]
    if config.highest != HIGHEST[-1]:
        words.append(f"--level {config.highest}")
    if options.mode != "default":
        words.append(f"--{options.mode}")
    if options.access_secret is not None:
        words += ["--jwt-access-secret", '"$JWT_ACCESS_SECRET"']
    if options.refresh_secret is not None:
        words += ["--jwt-refresh-secret", '"$JWT_REFRESH_SECRET"']
    if options.access_lifetime_s is not None:
        words += ["--access-lifetime", f"{options.access_lifetime_s:g}"]
    if options.restart_command is not None:
        words += ["--restart-command", '"$RESTART_COMMAND"']
    return " ".join(words)


def _url(option: str, url: str) -> list[str]:
    if not url:
        return []
    variable = '"$' + option.strip("-").upper().replace("-", "_") + '"'
    return [option, variable if credentials(url) else shlex.quote(url)]


def headline(entry: Mapping[str, Any]) -> str:
    """Return the outcome in one to three words, such as `FAIL` or `FAIL AS EXPECTED`."""
    failed = entry["outcome"] == "fail"
    if failed and entry["expectedFailure"] is not None:
        return "FAIL AS EXPECTED"
    if failed and entry["strength"] == "should":
        return "WARNING"
    outcome: Outcome = entry["outcome"]
    return outcome.upper()


def describe(entry: Mapping[str, Any]) -> list[str]:
    """Return the lines that tell people about a requirement that did not pass. Its first case decided the outcome."""
    others = other_cases(entry["cases"])
    return [*_rule(entry), *_facts(entry), *([_line("also in", others)] if others else []), *_repeat(entry)]


def describe_group(group: Mapping[str, Any], entries: Mapping[str, Entry], *, whole: bool = False) -> list[str]:
    """Return the lines that tell people about failures with one cause.

    `entries`: id → requirement of report.json. `whole`: without it, what is long is cut, so that a group fits on a
    screen.
    """
    lead, shown = entries[group["lead"]], entries[group["shownBy"]]
    lines = [*_rule(lead, group["title"], _MOST_CLAUSES if not whole else None), *_facts(shown)]
    if not whole:
        lines = [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …" for line in lines]
    if shown is not lead:
        lines.append(_line("shown by", f"{shown['id']}  {shown['title']}"))
    if group["others"]:
        lines.append(_line("the same", f"{counted(len(group['others']), 'more failure')}: {named(group['others'])}"))
    if group["waiting"]:
        lines.append(_line("blocks", f"{counted(len(group['waiting']), 'requirement')}: {named(group['waiting'])}"))
    repeat = _repeat(shown)
    return [*lines, *(repeat if whole else [*repeat[:1], *_end(repeat[1:])])]


def _end(script: Sequence[str]) -> list[str]:
    """Return the last lines of a script up to the step that went wrong, with long remarks cut."""
    marked = next((index for index, line in enumerate(script) if line.startswith(_MARK)), len(script) - 1) + 1
    begun = max(0, marked - _MOST_LINES)
    lines = [
        f"{line[:_LONGEST_REMARK]} …" if line.startswith(_REMARK) and len(line) > _LONGEST_REMARK else line
        for line in script[begun:marked]
    ]
    if begun == 0 and lines == list(script[:marked]):
        return list(script)
    return [f"    # … the end of the script: --html, --json and the command above have all {len(script)} lines", *lines]


def _rule(entry: Mapping[str, Any], heading: str = "", most: int | None = None) -> list[str]:
    """Return the heading, by default the title of the requirement, and where the rule stands.

    most: the number of clauses whose text is shown; None: all.
    """
    extension = " (extension)" if entry["level"] == "extension" else ""
    lines = [f"{headline(entry)} {entry['id']}{extension}  {heading or entry['title']}"]
    lines += [_line("rule", entry["title"])] if heading not in ("", entry["title"]) else []
    lines.append(_line("source", entry["source"]))
    lines += [_line("see", ", ".join(entry["links"]))] if entry["links"] else []
    lines += [_line(name, text) for name, text in list(entry["clauses"].items())[:most]]
    left_out = len(entry["clauses"]) - (most or len(entry["clauses"]))
    return lines + (
        [_line("", f"and {counted(left_out, 'more clause')}, which `see` links to")] if left_out > 0 else []
    )


def _facts(entry: Mapping[str, Any]) -> list[str]:
    """Return what was expected and what came."""
    first = entry["cases"][0] if entry["cases"] else {}
    if first.get("expected"):
        return [_line("expected", first["expected"]), _line("got", first["got"])]
    return [f"  {entry['message']}"]


def _repeat(entry: Mapping[str, Any]) -> list[str]:
    """Return the command and the script that show it again."""
    first = entry["cases"][0] if entry["cases"] else {}
    command = [_line("reproduce", entry["reproduce"])] if entry["reproduce"] else []
    return command + [f"{_INDENT}{line}" for line in first.get("script", ())]


def named(ids: Sequence[str]) -> str:
    """Return ids in a line, which names some of them if there are many."""
    hidden = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {hidden} more" if hidden > 0 else "")


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 failure`, `2 failures`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def group_of(group: Group, run: Run) -> Entry:
    """Return a group as report.json has it. It counts if its failures count for the verdict."""
    return {
        "title": heading(group, run.contract),
        "lead": group.lead.requirement.id,
        "shownBy": group.shown.requirement.id,
        "others": [result.requirement.id for result in group.others],
        "waiting": [result.requirement.id for result in group.waiting],
        "counts": group.lead.counts and group.lead.requirement.level in run.scope.levels,
    }


def _line(label: str, text: str) -> str:
    return f"  {label:<9} {text}"


def other_cases(cases: Sequence[Mapping[str, Any]]) -> str:
    """Return some names of the cases that ended as the first one did; "" if there is no other."""
    others = [other["name"] for other in cases[1:] if other["outcome"] == cases[0]["outcome"]]
    hidden = len(others) - _MOST_OTHERS_NAMED
    return ", ".join(others[:_MOST_OTHERS_NAMED]) + (f" and {hidden} more" if hidden > 0 else "")


def tally(counts: Mapping[Outcome, int]) -> str:
    """Return the outcomes that occurred, each with its number: `430 pass, 41 fail`."""
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
