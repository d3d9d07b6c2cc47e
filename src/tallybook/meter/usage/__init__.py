"""What a provider's response says that it used: one true reading for every API and wire."""
