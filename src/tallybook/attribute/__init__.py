"""Room 3: whose call is it."""
