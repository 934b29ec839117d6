"""Tests of the links of a requirement to the places where its text stands."""

from __future__ import annotations

from hype_contract.cases import catalogue
from hype_contract.contract.rulings import RULINGS
from hype_contract.contract.specs import Contract
from hype_contract.reporting.links import links_of


def test_each_requirement_links_to_places_that_exist(contract: Contract) -> None:
    """Almost every requirement has a link; each leads to a heading of RULINGS.md or to a place in a spec."""
    headings = {line.removeprefix("### ").strip().lower() for line in RULINGS.read_text(encoding="utf-8").splitlines()}
    links = {rule.id: links_of(rule, contract) for rule in catalogue.load(contract)}
    assert sum(map(bool, links.values())) / len(links) > 0.95
    for link in {link for some in links.values() for link in some}:
        file, _, place = link.partition("#")
        if file == "RULINGS.md":
            assert place in headings, link


def test_an_answer_links_to_its_operation(contract: Contract) -> None:
    """The requirement about an answer links to the answer in the spec, and to the ruling in its source."""
    rule = catalogue.load(contract)["answer.createChannel.201"]
    assert links_of(rule, contract)[0] == "openapi.yaml#/paths/~1api~1channels/post/responses/201"
    assert "RULINGS.md#r14" in links_of(rule, contract)
