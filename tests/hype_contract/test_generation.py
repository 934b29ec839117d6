"""Tests of the generated requests: how many of them a target gets."""

from __future__ import annotations

from typing import Any

import pytest
from schemathesis import Case as Request
from schemathesis.core.transport import Response

from hype_contract.cases.fuzzing.schemathesis_run import ACCEPTANCE, Finding, Listener, Plan, run
from hype_contract.contract.specs import Contract
from hype_contract.running.scratch import scratch
from tests.hype_contract.fake import Fake, failure

_EXAMPLES = 12


def sent(contract: Contract, fake: Fake, *, acceptance: bool) -> tuple[list[Request[Any]], list[Finding]]:
    """Generate requests to createConsumer; return those that were sent, and the findings."""
    requests: list[Request[Any]] = []

    def answered(request: Request[Any], response: Response) -> None:
        requests.append(request)

    listener = Listener(lambda: "a-token", lambda request: None, answered)
    plan = Plan(["createConsumer"], ["fuzzing"], _EXAMPLES, 1, acceptance)
    with scratch():
        return requests, list(run(contract, fake.base_url, plan, listener))


@pytest.mark.parametrize("acceptance", [True, False])
def test_a_refusal_that_no_schema_foresees_ends_no_generation(
    contract: Contract, fake: Fake, *, acceptance: bool
) -> None:
    """A target may refuse RTP parameters of any valid shape; then the generator goes on to its last example."""
    fake.routes["POST /api/voice/consume"] = lambda fake, request: (400, failure("Cannot consume"))
    requests, findings = sent(contract, fake, acceptance=acceptance)
    assert (ACCEPTANCE in {finding.check for finding in findings}) == acceptance
    assert (len(requests) > _EXAMPLES / 3) == (not acceptance)
