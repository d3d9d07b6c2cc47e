"""What an address tells: the model in a path, the region in a host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

_MODEL: Final = re.compile(r"/models?/([^/?]+?)(?::[a-zA-Z]+)?(?:[/?]|$)")
_REGIONS: Final = (
    re.compile(r"bedrock[a-z-]*\.([a-z0-9-]+)\.(?:amazonaws\.com|api\.aws)"),
    re.compile(r"/locations/([a-z0-9-]+)/"),
    re.compile(r"//([a-z0-9-]+)-aiplatform\.googleapis\.com"),
)


@lru_cache(maxsize=1024)
def model_in(endpoint: str) -> str:
    """The model that a path names, as Bedrock's and Google's do; '' if it names none."""
    found = _MODEL.search(endpoint) if "/model" in endpoint else None
    return unquote(found[1]) if found else ""


def region_in(endpoint: str, headers: Mapping[str, str]) -> str:
    """The region that an address or a header names, as the cloud itself writes it; else ''."""
    told = headers.get("x-ms-region", "")
    return told.lower().replace(" ", "") if told else _region_of(endpoint)


@lru_cache(maxsize=1024)
def _region_of(endpoint: str) -> str:
    for pattern in _REGIONS:
        found = pattern.search(endpoint)
        if found:
            return found[1]
    return ""
