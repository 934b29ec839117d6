"""The document report.json: everything about a run, for programs. The other files are made of it.

Its schema is report.schema.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from typing import Any

from hype_contract.contract.specs import edition
from hype_contract.recording.printable import printable
from hype_contract.recording.secrecy import without_credentials
from hype_contract.reporting.coverage import coverage_of
from hype_contract.reporting.entries import entry_of, group_of
from hype_contract.running.config import RunConfig
from hype_contract.running.results import Ending
from hype_contract.running.run import FinishedRun
from hype_contract.running.verdict import Part

FORMAT = 1
"""The version of the format. It grows with every change that breaks a program which reads report.json."""

Document = dict[str, Any]


@dataclass(frozen=True)
class UnbegunRun:
    """A run without a case that ran, for example because its target is unusable.

    `profile`: as the option says; `began`: UTC; `ending`: with the reason, without secrets.
    """

    base_url: str
    ws_url: str
    profile: str
    config: RunConfig
    began: datetime
    ending: Ending


def edition_in(document: Document) -> str:
    """Return which edition of the contract a document is about: `1.0.0 (sha256 2287296ecc72)`."""
    contract = document["contract"]
    return f"{contract['version']} (sha256 {contract['digest'][:12]})"


def of_run(run: FinishedRun) -> Document:
    """Return the document of a finished run, in which every string is printable."""
    target, verdict = run.target, run.verdict
    document: Document = {
        **_head(run.config, run.began, run.seconds),
        "target": {
            "baseUrl": without_credentials(target.base_url),
            "wsUrl": without_credentials(target.ws_url),
            "profile": target.profile,
            "why": run.secrets.hide(target.profile_reason),
            "lacking": {area: run.secrets.hide(reason) for area, reason in target.lacking.items()},
        },
        "verdict": {
            "word": verdict.word,
            "exitCode": verdict.exit_code,
            "sentence": verdict.sentence,
            "levels": {level: _part(part) for level, part in verdict.levels.items()},
            "areas": {area: _part(part) for area, part in verdict.areas.items()},
            "reasons": list(verdict.reasons),
            "notes": list(verdict.notes),
        },
        "coverage": coverage_of(run),
        "groups": [group_of(group, run) for group in run.groups],
        "requirements": [entry_of(result, run) for result in run.results],
        "stale": list(run.stale),
    }
    written: Document = printable(document)
    return written


def of_unbegun(run: UnbegunRun, seconds: float) -> Document:
    """Return the document of a run without a case, so that a CI finds the reason in every report.

    `seconds`: wall time.
    """
    document: Document = {
        **_head(run.config, run.began, seconds),
        "target": {
            "baseUrl": without_credentials(run.base_url),
            "wsUrl": without_credentials(run.ws_url),
            "profile": None if run.profile == "auto" else run.profile,
            "why": "",
            "lacking": {},
        },
        "verdict": {
            "word": run.ending.word,
            "exitCode": run.ending.exit_code,
            "sentence": "",
            "levels": {},
            "areas": {},
            "reasons": [run.ending.reason],
            "notes": [],
        },
        "coverage": None,
        "groups": [],
        "requirements": [],
        "stale": [],
    }
    written: Document = printable(document)
    return written


def _head(config: RunConfig, began: datetime, seconds: float) -> Document:
    return {
        "format": FORMAT,
        "harness": {"name": "hype-contract", "version": version()},
        "contract": {"version": edition().version, "digest": edition().digest},
        "seed": config.seed,
        "mode": config.options.mode,
        "options": _options(config),
        "began": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seconds": round(seconds, 3),
    }


def _options(config: RunConfig) -> Document:
    """Return the options of the run; of secrets only whether they were given."""
    options = config.options
    return {
        "areas": list(config.areas),
        "only": list(config.only),
        "extensions": config.extensions,
        "level": config.highest,
        "workers": config.workers,
        "jwtAccessSecretGiven": options.access_secret is not None,
        "jwtRefreshSecretGiven": options.refresh_secret is not None,
        "accessLifetimeSeconds": options.access_lifetime_s,
        "expectedFailures": dict(config.expected),
    }


def _part(part: Part) -> Document:
    return {"word": part.word, "counts": dict(part.counts), "reasons": list(part.reasons)}


def version() -> str:
    """Return the version of the harness, or `unknown` in a checkout that is not installed."""
    try:
        return metadata.version("hype-backend")
    except metadata.PackageNotFoundError:
        return "unknown"
