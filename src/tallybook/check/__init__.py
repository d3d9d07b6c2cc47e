"""The invariants by name, proven on live books. Reads all, writes nothing."""
