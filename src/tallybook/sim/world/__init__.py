"""Worlds: one seed lives a company's months through the real code, crashes included, under proof.

A world is a stream of operations as data. It is drawn step by step from a seed, carried out through
the public services, proven after every step, and written down so that it can be lived again.
"""
