"""The configuration of a run: what is judged, and how, as the options of the command say."""

from __future__ import annotations

import math
import secrets
from argparse import Namespace
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hype_contract.actors.clients.gate import carry
from hype_contract.actors.clients.http import trust
from hype_contract.actors.options import Options
from hype_contract.cases import catalogue
from hype_contract.contract import specs
from hype_contract.contract.areas import AREAS, Area
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.requirements.requirement import HIGHEST, LEVELS, Highest, Requirement
from hype_contract.running import expectations


class BadAuthorities(Exception):
    """The file of `--ca` cannot be used; the text is a sentence for the person at the terminal."""


@dataclass(frozen=True)
class RunConfig:
    """The configuration of a run.

    `seed`: the same seed sends the same requests. `only`: ids of requirements, or beginnings of ids; empty for all.
    `extensions`: they count for the verdict. `highest`: the last level that is judged. `workers`: number of cases that
    run at the same time. `expected`: requirement id → the reason why it may fail.
    `time_limit_s`: seconds that the cases may take.
    """

    areas: Sequence[Area]
    seed: int
    only: Sequence[str] = ()
    extensions: bool = False
    highest: Highest = "hardened"
    workers: int = 4
    options: Options = field(default_factory=Options)
    expected: Mapping[str, str] = field(default_factory=dict)
    time_limit_s: float = math.inf


class UnknownIds(Exception):
    """`--only` names no requirement; the text is a sentence for the person at the terminal."""


def config_of(options: Namespace) -> RunConfig:
    """Return the configuration that `options` (see `arguments.py`) ask for, with a random seed unless they name one.

    The process trusts the authorities of `--ca` from now on, and sends `--header` and `--origin`. Raises
    `BadExpectations`, `BadAuthorities` and `UnknownIds`.
    """
    if options.ca is not None:
        try:
            trust(options.ca)
        except OSError as error:
            raise BadAuthorities(
                f"--ca {options.ca} cannot be used: {error}. It must hold certificates (PEM)."
            ) from error
    carry([*options.header, *([("Origin", options.origin)] if options.origin else [])])
    expected = options.expected_failures
    known = _known(PROFILES) if expected or options.only else {}
    return RunConfig(
        _areas_of(options.only, options.area, options.level, known) if options.only else options.area or AREAS,
        options.seed if options.seed is not None else secrets.randbelow(2**31),
        options.only,
        options.extensions,
        options.level,
        options.workers,
        Options(
            options.mode,
            _bytes(options.jwt_access_secret),
            _bytes(options.jwt_refresh_secret),
            options.access_lifetime,
            options.restart_command,
            options.header,
            options.origin,
        ),
        expectations.read(expected, known.keys()) if expected else {},
        options.time_limit * 60,
    )


def _known(profiles: Collection[Profile]) -> dict[str, Requirement]:
    """Return id → requirement for every requirement of these profiles."""
    return {rule.id: rule for profile in profiles for rule in catalogue.load(specs.load(profile))}


def _areas_of(
    only: Sequence[str], areas: Sequence[Area] | None, highest: Highest, known: Mapping[str, Requirement]
) -> list[Area]:
    """Return the areas of the requirements that `--only` names.

    Raises `UnknownIds` for a beginning of an id that names none, none in `areas`, none up to the level `highest`, or
    none that cases judge by themselves.
    """
    levels = LEVELS if highest == HIGHEST[-1] else LEVELS[: LEVELS.index(highest) + 1]
    chosen: list[Requirement] = []
    for prefix in only:
        rules = [rule for id, rule in known.items() if id.startswith(prefix)]
        if not rules:
            raise UnknownIds(f"--only {prefix!r}: no requirement has an id that begins so: see `hype-contract list`.")
        here = [rule for rule in rules if rule.area in (areas or AREAS)]
        if not here:
            raise UnknownIds(f"--only {prefix!r} names nothing in --area {', '.join(areas or ())}: leave --area out.")
        here = [rule for rule in here if rule.level in levels]
        if not here:
            raise UnknownIds(f"--only {prefix!r} names nothing at --level {highest}: leave --level out.")
        if all(rule.pair is not None for rule in here):
            raise UnknownIds(_judged_by_others(prefix, here[0]))
        chosen += here
    return [area for area in AREAS if any(rule.area == area for rule in chosen)]


def _judged_by_others(prefix: str, rule: Requirement) -> str:
    name = rule.pair.name if rule.pair else ""
    nearest = f"spec.{name}" if rule.pair and rule.pair.kind == "operation" else f"audience.{name}"
    return (
        f"--only {prefix!r}: no case judges {rule.id} by itself: it is decided by what all cases see. "
        f"Judge --only {nearest}, which makes the target send it, or the whole of --area {rule.area}."
    )


def _bytes(secret: str | None) -> bytes | None:
    return secret.encode() if secret is not None else None
