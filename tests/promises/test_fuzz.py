"""Generated requests and frames: none gets a 5xx, kills the process or leaves an unhandled error in the log.

    pytest tests/promises/test_fuzz.py -s                                                    a short run
    pytest tests/promises/test_fuzz.py -s --fuzz 200000 --fuzz-seed 7 --fuzz-report fuzz.txt   the long one

The long run is the same test with more inputs, on both databases and in both profiles. The inputs are made from the
specs and spoiled in every way that `tests/promises/inputs.py` knows: U+0000, lone surrogates, huge and deep JSON,
wrong types and encodings, raw bytes. The answers and frames that come back are held against the specs.
"""

from __future__ import annotations

import random
from collections import Counter

import hypothesis
import pytest
from hypothesis import strategies as st

from hype_contract.contract.profile import PROFILES, Profile
from hype_contract.contract.specs import load
from tests.promises.fuzzer import Fuzzer
from tests.promises.inputs import Input, inputs, weight
from tests.running import UNLIMITED, Serve

A_SERVER = 5000
"""Requests and frames for one server; its lists of users and channels grow with them."""

FRESH = 10
"""Inputs for one run of hypothesis, which makes later ones by repeating parts of earlier ones."""


@pytest.mark.timeout(0)  # as long as it was asked to be; the clients do not wait for ever
@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_breaks_the_server(
    serve: Serve, database_url: str, profile: Profile, pytestconfig: pytest.Config
) -> None:
    """After thousands of inputs no answer was a 5xx, all kept the specs, the server serves and its log is clean."""
    wanted = pytestconfig.getoption("--fuzz") // 4
    place = f"{database_url.partition(':')[0]}, {profile}"
    seed = random.Random(f"{pytestconfig.getoption('--fuzz-seed')}, {place}").getrandbits(64)
    counts: Counter[str] = Counter()
    sent = 0
    every = inputs(load(profile))
    while sent < wanted:
        server = serve(database_url, UNLIMITED, profile=profile)
        fuzzer = Fuzzer(server)
        enough = min(sent + A_SERVER, wanted)
        while sent < enough and not fuzzer.wrong:
            sent += feed(fuzzer, every, seed := seed + 1)
        fuzzer.finish()
        counts += fuzzer.counts
        if fuzzer.wrong:
            pytest.fail("\n".join(fuzzer.wrong), pytrace=False)
        server.leave()
    report(f"{place}: {sent} requests and frames", counts, pytestconfig)


def feed(fuzzer: Fuzzer, every: st.SearchStrategy[Input], seed: int) -> int:
    """Send some inputs, the same for the same seed; how many requests and frames they were."""
    sent = 0

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=FRESH,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(every)
    def send(one: Input) -> None:
        nonlocal sent
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
