"""Beside the line: what may still be spent, held while it is being spent, and who decides on more."""
