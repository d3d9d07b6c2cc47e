"""Who caused it, who ran it, who pays: the month between teams, and one trace as a tree."""
