"""Langfuse: its buckets of usage, its observations in three forms."""
