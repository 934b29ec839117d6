"""The requirements: what a verdict is made of. Every case names the one that it judges.

A hand-written requirement is declared where it is judged: by the `@case` that states its title, or by `declare` beside
the family that judges it (`cases.registry`). The others follow from the specs:

- `bounds.…`, `R5.issue-per-rule.…`, `R7.…`, `allow.…`: see `bounds.py` and `authorisation.py`;
- `spec.<operationId>`, `spec.<event>.in`: any generated request or frame is answered as the spec says;
- `answer.<operationId>.<status>`, `spec.<event>.out`: this answer, or event, was seen and was right. No case of their
  own checks these: they are judged by what all cases saw (the coverage ledger). `derived.py` adds both.

`cases.catalogue` puts all of them together.
"""
