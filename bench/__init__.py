"""How fast and how large: ratios measured in one run on one machine (docs/benchmarks.md)."""
