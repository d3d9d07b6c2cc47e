"""The hand-off to finance: two journals, FOCUS, hledger and workbooks."""
