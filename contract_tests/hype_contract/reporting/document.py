"""report.json: everything about a run, for programs. The other files are made of it (schema: report.schema.json)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from typing import Any

from hype_contract.recording.printable import printable
from hype_contract.recording.secrecy import without_credentials
from hype_contract.reporting import coverage
from hype_contract.reporting.failure import entry
from hype_contract.running.order import Order
from hype_contract.running.run import FinishedRun
from hype_contract.running.verdict import UNUSABLE, Part

FORMAT = 1
"""Raised when a program that reads report.json would stumble."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Unusable:
    """A run that could not begin. `sentence`: why, free of secrets; `profile`: what was asked for."""

    base_url: str
    ws_url: str
    profile: str
    order: Order
    began: datetime
    sentence: str


def of_run(run: FinishedRun) -> Document:
    """The document of a finished run, fit to be written: every other file is made of it."""
    target, verdict = run.target, run.verdict
    document: Document = {
        **_head(run.order, run.began, run.seconds),
        "target": {
            "baseUrl": _public(target.base_url),
            "wsUrl": _public(target.ws_url),
            "profile": target.profile,
            "why": run.secrets.hide(target.why),
            "lacking": {area: run.secrets.hide(why) for area, why in target.lacking.items()},
        },
        "verdict": {
            "word": verdict.word,
            "exitCode": verdict.exit_code,
            "levels": {level: _part(part) for level, part in verdict.levels.items()},
            "areas": {area: _part(part) for area, part in verdict.areas.items()},
            "reasons": list(verdict.reasons),
            "notes": list(verdict.notes),
        },
        "coverage": coverage.told(run),
        "requirements": [entry(result, run) for result in run.results],
        "stale": list(run.stale),
    }
    written: Document = printable(document)
    return written


def of_unusable(attempt: Unusable, seconds: float) -> Document:
    """The document of a run that could not begin: a CI that finds no file at all is no wiser."""
    document: Document = {
        **_head(attempt.order, attempt.began, seconds),
        "target": {
            "baseUrl": _public(attempt.base_url),
            "wsUrl": _public(attempt.ws_url),
            "profile": None if attempt.profile == "auto" else attempt.profile,
            "why": "",
            "lacking": {},
        },
        "verdict": {
            "word": "unusable",
            "exitCode": UNUSABLE,
            "levels": {},
            "areas": {},
            "reasons": [attempt.sentence],
            "notes": [],
        },
        "coverage": None,
        "requirements": [],
        "stale": [],
    }
    written: Document = printable(document)
    return written


def _head(order: Order, began: datetime, seconds: float) -> Document:
    return {
        "format": FORMAT,
        "harness": {"name": "hype-contract", "version": version()},
        "seed": order.seed,
        "mode": order.options.mode,
        "options": _options(order),
        "began": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seconds": round(seconds, 3),
    }


def _options(order: Order) -> Document:
    """Return what was asked for; of secrets only whether they were given."""
    options = order.options
    return {
        "areas": list(order.areas),
        "only": list(order.only),
        "extensions": order.extensions,
        "workers": order.workers,
        "jwtAccessSecretGiven": options.access_secret is not None,
        "jwtRefreshSecretGiven": options.refresh_secret is not None,
        "accessLifetimeSeconds": options.access_lifetime_s,
        "expectedFailures": dict(order.expected),
    }


def _part(part: Part) -> Document:
    return {"word": part.word, "counts": dict(part.counts), "reasons": list(part.reasons)}


def _public(url: str) -> str:
    return without_credentials(url)


def version() -> str:
    """The harness's own version."""
    try:
        return metadata.version("hype-backend")
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"
