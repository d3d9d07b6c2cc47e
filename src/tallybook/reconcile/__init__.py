"""Provider invoices in, matched with what was metered; every difference has a name."""
