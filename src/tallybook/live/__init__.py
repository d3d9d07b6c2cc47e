"""Beside the line: what usage costs while it happens. It reads, it never posts."""
