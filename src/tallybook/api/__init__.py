"""The server: what comes over the network, into the inbox, before anybody is told that it is."""

from tallybook.api.app import make_app
from tallybook.api.guard import Guard
from tallybook.api.model import Limits

__all__ = ["Guard", "Limits", "make_app"]
