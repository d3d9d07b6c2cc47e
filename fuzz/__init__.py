"""Long runs of random bytes against what reads bytes of others; `make fuzz`."""
