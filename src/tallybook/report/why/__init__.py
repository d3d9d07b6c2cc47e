"""Anyone's rival figure explained: the bridge from our total to theirs."""
