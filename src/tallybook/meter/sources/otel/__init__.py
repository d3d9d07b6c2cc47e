"""OpenTelemetry spans: two wires, one table of dialects, one reading of what a span used."""
