"""From the options that a person gave to the order of a run."""

from __future__ import annotations

import secrets
from argparse import Namespace

from contract_tests import expectations
from contract_tests.areas import AREAS
from contract_tests.options import Options
from contract_tests.profile import PROFILES
from contract_tests.run import Order, known_ids


def order_of(options: Namespace) -> Order:
    """What `options` (see `arguments.py`) ask for; without a seed, one at random. Raises `BadExpectations`."""
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


def _bytes(secret: str | None) -> bytes | None:
    return secret.encode() if secret is not None else None
