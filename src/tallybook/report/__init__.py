"""Statements and what else leaves the books: text, pages, CSV, JSON, Beancount, trial balance."""
