"""Room 4: cost pools, drivers, the four chargeback models, evaluation funding."""
