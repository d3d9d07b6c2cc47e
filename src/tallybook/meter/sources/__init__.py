"""Sources of usage: one module per form of file; each tells place, record, and event or fault."""
