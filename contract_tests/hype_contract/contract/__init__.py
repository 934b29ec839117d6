"""The two published specs and the rulings, read for one profile, without a target."""
