"""The four chargeback models, one file each: who is debited for what.

Each has ``charge(month, shares) -> list[AllocatedLine]`` over the teams that are on it.
"""
