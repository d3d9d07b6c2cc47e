"""What can be counted on a call: the published list of token classes.

All classes but ``reasoning`` are disjoint, so their sum is the tokens of a call and no token is
priced twice. A new class is added under a new version; a class never changes its meaning.
"""

from __future__ import annotations

from typing import Final

TOKEN_CLASSES_VERSION: Final = 1

TOKEN_CLASSES_INPUT: Final = (
    "input_uncached",
    "cache_read",
    "cache_write",  # time to live not stated by the provider
    "cache_write_5m",
    "cache_write_30m",
    "cache_write_1h",
    "cache_write_12h",
    "audio_input",
    "image_input",
    "cache_read_audio",
)

TOKEN_CLASSES_OUTPUT: Final = ("output", "audio_output", "image_output")

TOKEN_CLASSES: Final = TOKEN_CLASSES_INPUT + TOKEN_CLASSES_OUTPUT

# Part of `output`, told by some providers; it is never priced and never added to a total.
TOKEN_CLASSES_INFORMATIVE: Final = ("reasoning",)
