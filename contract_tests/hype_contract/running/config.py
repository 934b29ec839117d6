"""The configuration of a run: what is judged, and how, as the options of the command say."""

from __future__ import annotations

import math
import secrets
from argparse import Namespace
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hype_contract.actors.clients.http import trust
from hype_contract.actors.options import Options
from hype_contract.cases import catalogue
from hype_contract.contract import specs
from hype_contract.contract.areas import AREAS, Area
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.requirements.requirement import Highest
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

    The process trusts the authorities of `--ca` from now on. Raises `BadExpectations`, `BadAuthorities` and
    `UnknownIds`.
    """
    if options.ca is not None:
        try:
            trust(options.ca)
        except OSError as error:
            raise BadAuthorities(
                f"--ca {options.ca} cannot be used: {error}. It must hold certificates (PEM)."
            ) from error
    expected = options.expected_failures
    known = known_ids(PROFILES) if expected or options.only else set()
    if unknown := [prefix for prefix in options.only if not any(id.startswith(prefix) for id in known)]:
        names = ", ".join(map(repr, unknown))
        raise UnknownIds(f"--only {names}: no requirement has an id that begins so: see `hype-contract list`.")
    return RunConfig(
        options.area or AREAS,
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
        ),
        expectations.read(expected, known) if expected else {},
        options.time_limit * 60,
    )


def known_ids(profiles: Collection[Profile]) -> set[str]:
    """Return every requirement id of these profiles."""
    return {rule.id for profile in profiles for rule in catalogue.load(specs.load(profile))}


def _bytes(secret: str | None) -> bytes | None:
    return secret.encode() if secret is not None else None
