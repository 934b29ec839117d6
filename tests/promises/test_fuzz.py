"""Generated requests and frames: none gets a 5xx, kills the process or leaves an unhandled error in the log.

    pytest tests/promises/test_fuzz.py -s                                                    a short run
    pytest tests/promises/test_fuzz.py -s --fuzz 200000 --fuzz-seed 7 --fuzz-report fuzz.txt   the long one

The long run is the same test with more inputs, on both databases and in both profiles. The inputs are made from the
specs and spoiled in every way that `tests/promises/inputs.py` knows: U+0000, lone surrogates, huge and deep JSON,
wrong types and encodings, raw bytes. The answers and frames that come back are held against the specs.
"""

from __future__ import annotations

from collections import Counter
from itertools import count

import hypothesis
import pytest

from contract_tests.contract import Contract
from contract_tests.profile import PROFILES, Profile
from tests.promises.fuzzer import Fuzzer
from tests.promises.inputs import Input, inputs, weight
from tests.running import UNLIMITED, Serve

AT_ONCE = 2500
"""Inputs for one server and one run of hypothesis; lists of users and hypothesis's memory grow with it."""

_NO_LIMITS = {**UNLIMITED, "LOGIN_MAX_PER_EMAIL": "1000000", "LOGIN_MAX_PER_ADDRESS": "1000000"}


@pytest.mark.timeout(0)  # as long as it was asked to be; the clients do not wait for ever
@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_breaks_the_server(
    serve: Serve, database_url: str, profile: Profile, pytestconfig: pytest.Config
) -> None:
    """After thousands of inputs no answer was a 5xx, all kept the specs, the server serves and its log is clean."""
    wanted = pytestconfig.getoption("--fuzz") // 4
    seed = pytestconfig.getoption("--fuzz-seed")
    counts: Counter[str] = Counter()
    sent = 0
    for part in count():
        fuzzer = Fuzzer(server := serve(database_url, _NO_LIMITS, profile=profile))
        sent += feed(fuzzer, server.contract, min(AT_ONCE, wanted - sent), seed * 1000 + part)
        fuzzer.finish()
        counts += fuzzer.counts
        if fuzzer.wrong:
            pytest.fail("\n".join(fuzzer.wrong), pytrace=False)
        server.leave()
        if sent >= wanted:
            break
    report(f"{database_url.partition(':')[0]}, {profile}: {sent} requests and frames", counts, pytestconfig)


def feed(fuzzer: Fuzzer, contract: Contract, wanted: int, seed: int) -> int:
    """Send at least so many requests and frames, fewer when something is wrong; how many they were."""
    sent = 0

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=wanted,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(inputs(contract))
    def send(one: Input) -> None:
        nonlocal sent
        if sent < wanted and not fuzzer.wrong:
            fuzzer.send(one)
            sent += weight(one)

    send()
    return sent


def report(title: str, counts: Counter[str], config: pytest.Config) -> None:
    """Tell what was answered how often."""
    lines = [title, *(f"  {count:7} {what}" for what, count in sorted(counts.items()))]
    print("\n" + "\n".join(lines))
    path = config.getoption("--fuzz-report")
    if path is not None:
        with path.open("a") as file:
            file.write("\n".join(lines) + "\n")
