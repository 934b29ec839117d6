"""The order of a run: what is to be judged, as the options of a person say it."""

from __future__ import annotations

import secrets
from argparse import Namespace
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hype_contract.actors.options import Options
from hype_contract.cases import catalogue
from hype_contract.contract import specs
from hype_contract.contract.areas import AREAS, Area
from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.running import expectations


@dataclass(frozen=True)
class Order:
    """What is to be judged. `only`: ids of requirements, or beginnings of ids; none: all. `seed`: the same one sends
    the same requests. `workers`: cases side by side. `expected`: requirement id → why it may fail."""

    areas: Sequence[Area]
    seed: int
    only: Sequence[str] = ()
    extensions: bool = False
    workers: int = 4
    options: Options = field(default_factory=Options)
    expected: Mapping[str, str] = field(default_factory=dict)


def order_of(options: Namespace) -> Order:
    """Return what `options` (see `arguments.py`) ask for; the seed is random unless they name one.

    Raises `BadExpectations`.
    """
    expected = options.expected_failures
    return Order(
        options.area or AREAS,
        options.seed if options.seed is not None else secrets.randbelow(2**31),
        options.only,
        options.extensions,
        options.workers,
        Options(
            options.mode,
            _bytes(options.jwt_access_secret),
            _bytes(options.jwt_refresh_secret),
            options.access_lifetime,
        ),
        expectations.read(expected, known_ids(PROFILES)) if expected else {},
    )


def known_ids(profiles: Collection[Profile]) -> set[str]:
    """Return every requirement id of these profiles."""
    return {rule.id for profile in profiles for rule in catalogue.load(specs.load(profile))}


def _bytes(secret: str | None) -> bytes | None:
    return secret.encode() if secret is not None else None
