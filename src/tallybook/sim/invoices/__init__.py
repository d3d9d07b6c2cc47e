"""A year of provider invoices with differences put in on purpose, lived through the real code."""
