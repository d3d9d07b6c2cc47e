"""A period's ledger cost as FOCUS rows, per token class."""
