"""The requirements, of which a verdict consists. Every case names the requirement that it judges.

A hand-written requirement is declared beside the code that judges it: by the `@case` with its title, or by `declare`
beside a family (`cases.registry`). The other requirements follow from the specs:

- `bounds.…`, `R5.issue-per-rule.…`, `R7.…`, `allow.…`: see `bounds.py` and `authorisation.py`;
- `spec.<operationId>`, `spec.<event>.in`: any generated request or frame is answered as the spec says;
- `answer.<operationId>.<status>`, `spec.<event>.out`: this answer, or event, was seen and was right. They have no
  cases: the coverage ledger of all cases judges them. `derived.py` adds both kinds.

`cases.catalogue` puts all of them together.
"""
