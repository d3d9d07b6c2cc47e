"""Tallybook: the chargeback ledger for LLM inference."""

__version__ = "0.1.0"
