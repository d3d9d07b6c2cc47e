"""The only door to a database, to Parquet and to the query engine."""

from tallybook.store.engine import Store, Tx, canonical_json, storable
from tallybook.store.sqltext import sql_text

__all__ = ["Store", "Tx", "canonical_json", "sql_text", "storable"]
