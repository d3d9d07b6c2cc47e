"""Beside the line: what may still be spent, held while it is spent, and who decides on more."""
