"""An edge: usage fetched from the APIs of providers and tools, page by page, to be continued."""
