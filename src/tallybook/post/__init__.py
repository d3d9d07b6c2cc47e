"""Room 6: allocated lines become entries: the run."""
