"""A requirement that was judged, as every report tells it: the rule, what was expected, what came, how to see it again.

Console, JUnit, the page and the pytest plugin all say what `lines` says.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from hype_contract.contract.rulings import clauses
from hype_contract.recording.printable import printable
from hype_contract.recording.secrecy import Secrets, credentials
from hype_contract.running.order import Order
from hype_contract.running.results import CaseResult, Outcome, RequirementResult
from hype_contract.running.target import Target
from hype_contract.running.verdict import Scope

Entry = dict[str, Any]
"""A requirement in report.json (see report.schema.json)."""

_OTHERS_NAMED = 6


class Setting(Protocol):
    """What a run is about, before and after it."""

    @property
    def target(self) -> Target:
        """Who is judged."""

    @property
    def order(self) -> Order:
        """What was asked for."""

    @property
    def scope(self) -> Scope:
        """What the verdict is made of."""

    @property
    def secrets(self) -> Secrets:
        """What no report may say."""


def entry(result: RequirementResult, setting: Setting) -> Entry:
    """Return a result as report.json has it, free of secrets and of what cannot be printed."""
    requirement = result.requirement
    told = {
        "id": requirement.id,
        "title": requirement.title,
        "level": requirement.level,
        "strength": requirement.strength,
        "area": requirement.area,
        "source": requirement.source,
        "clauses": clauses(requirement.source) if result.outcome != "pass" else {},
        "judgedBy": "coverage" if requirement.pair is not None else "cases",
        "outcome": result.outcome,
        "counts": result.counts and requirement.level in setting.scope.levels,
        "byChoice": result.by_choice,
        "expectedFailure": result.expected_failure,
        "message": result.message,
        "seconds": round(result.seconds, 3),
        "reproduce": again(requirement.id, setting) if result.case_results else None,
        "cases": [_case(case) for case in result.case_results],
    }
    return {name: printable(value) for name, value in told.items()}


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


def again(id: str, setting: Setting) -> str:
    """The command that judges one requirement again as in this run. Secrets stand in it as shell variables."""
    target, order = setting.target, setting.order
    options = order.options
    words = ["hype-contract", *_url("--base-url", target.base_url), *_url("--ws-url", target.ws_url)]
    words += ["--profile", target.profile, "--only", shlex.quote(id), "--seed", str(order.seed)]
    if options.mode != "default":
        words.append(f"--{options.mode}")
    if options.access_secret is not None:
        words += ["--jwt-access-secret", '"$JWT_ACCESS_SECRET"']
    if options.refresh_secret is not None:
        words += ["--jwt-refresh-secret", '"$JWT_REFRESH_SECRET"']
    if options.access_lifetime_s is not None:
        words += ["--access-lifetime", f"{options.access_lifetime_s:g}"]
    return " ".join(words)


def _url(option: str, url: str) -> list[str]:
    if not url:
        return []
    secret = '"$' + option.strip("-").upper().replace("-", "_") + '"'
    return [option, secret if credentials(url) else shlex.quote(url)]


def headline(entry: Mapping[str, Any]) -> str:
    """The outcome in a word or three."""
    failed = entry["outcome"] == "fail"
    if failed and entry["expectedFailure"] is not None:
        return "FAIL AS EXPECTED"
    if failed and entry["strength"] == "should":
        return "WARNING"
    outcome: Outcome = entry["outcome"]
    return outcome.upper()


def lines(entry: Mapping[str, Any]) -> list[str]:
    """A requirement that did not pass, for people. Its first case is the one that decided."""
    kind = " (extension)" if entry["level"] == "extension" else ""
    told = [f"{headline(entry)} {entry['id']}{kind}  {entry['title']}", f"  source    {entry['source']}"]
    told += [f"  {name:<9} {text}" for name, text in entry["clauses"].items()]
    first = entry["cases"][0] if entry["cases"] else {}
    if first.get("expected"):
        told += [f"  expected  {first['expected']}", f"  got       {first['got']}"]
    else:
        told.append(f"  {entry['message']}")
    told += _also(entry["cases"])
    if entry["reproduce"]:
        told.append(f"  again     {entry['reproduce']}")
    return told + [f"    {line}" for line in first.get("script", ())]


def _also(cases: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    others = [other["name"] for other in cases[1:] if other["outcome"] == cases[0]["outcome"]]
    if others:
        more = f" and {len(others) - _OTHERS_NAMED} more" if len(others) > _OTHERS_NAMED else ""
        yield f"  also in   {', '.join(others[:_OTHERS_NAMED])}{more}"
