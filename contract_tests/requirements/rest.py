"""Hand-written requirements over REST, by ruling."""

from __future__ import annotations

from contract_tests.requirements import Requirement

REQUIREMENTS = [
    Requirement("R12.health", "GET /health answers 200 with status OK and ok for each check", "ruling R12"),
    Requirement("R12.api", "GET /api names the profile that the server runs and its endpoints", "ruling R12"),
]
