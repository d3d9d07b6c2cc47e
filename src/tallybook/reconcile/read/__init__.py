"""One module for each form in which a provider states what it bills."""
