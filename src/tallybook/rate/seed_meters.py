"""What the seed library counts, in our meters, at our scale; and what of it cannot be said.

The library counts subsets inside their whole (cached tokens inside input tokens) and charges a
subset without a price of its own at the price of the whole. Our meters are disjoint, so each
carries its own price or none. A meter that the library's prices do not settle is refused, with
the reason: a price that is not known must never look like one that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tallybook.money import PICO_PER_UNIT

# Library price key -> our meter, and how many of the meter one price pays for.
METERS: Final[Mapping[str, tuple[str, int]]] = {
    "input_mtok": ("input_uncached", 1_000_000),
    "cache_read_mtok": ("cache_read", 1_000_000),
    "cache_write_mtok": ("cache_write", 1_000_000),
    "cache_write_5m_mtok": ("cache_write_5m", 1_000_000),
    "cache_write_1h_mtok": ("cache_write_1h", 1_000_000),
    "input_audio_mtok": ("audio_input", 1_000_000),
    "cache_audio_read_mtok": ("cache_read_audio", 1_000_000),
    "input_image_mtok": ("image_input", 1_000_000),
    "output_mtok": ("output", 1_000_000),
    "output_audio_mtok": ("audio_output", 1_000_000),
    "output_image_mtok": ("image_output", 1_000_000),
    "audio_hours": ("audio_ms", 3_600_000),
    "input_audio_hours": ("audio_ms", 3_600_000),
    "input_document_kpages": ("page", 1_000),
    "input_annotated_document_kpages": ("annotated_page", 1_000),
    "input_mchars": ("character", 1_000_000),
    "input_text_messages_kcount": ("text_message", 1_000),
    "requests_kcount": ("request", 1_000),
    "rerank_searches_kcount": ("rerank_search", 1_000),
    "social_searches_kcount": ("social_search", 1_000),
    "storage_searches_kcount": ("file_search", 1_000),
    "web_searches_kcount": ("web_search", 1_000),
    "code_executions_kcount": ("code_execution", 1_000),
}

# Subsets that we do not count apart: harmless at the price of the meter that holds them, and a
# reason to refuse that meter at any other price.
INSIDE: Final[Mapping[str, str]] = {
    "cache_image_read_mtok": "cache_read_mtok",
    "input_video_mtok": "input_mtok",
    "output_video_mtok": "output_mtok",
    "output_reasoning_mtok": "output_mtok",
    "output_citation_mtok": "output_mtok",
}

BASE: Final = frozenset({"input_uncached", "output", "request"})


@dataclass(slots=True)
class Meters:
    """Prices by meter in pico, and the reason why each refused meter has none."""

    prices: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def refuse(self, meter: str, reason: str) -> None:
        """Take the meter out, for the first reason given."""
        self.prices.pop(meter, None)
        self.refused.setdefault(meter, reason)

    @property
    def base_refused(self) -> str:
        """Why the whole price must be refused; empty when it need not be.

        ``request`` is counted on every call, so without its price every call would look cheaper.
        """
        faults = [f"{meter}: {why}" for meter, why in sorted(self.refused.items()) if meter in BASE]
        return "; ".join(faults)


def pico_of_price(price: Decimal, per: int) -> int | None:
    """The price of one of ``per`` in pico; None when it is no whole number of them.

    A price per million with more than six decimals is float noise or a rate of its own kind: both
    would need rounding, and a published price is never rounded in silence.
    """
    digits = price.as_tuple()
    if not isinstance(digits.exponent, int) or price < 0:
        return None
    units = int("".join(map(str, digits.digits)) or "0") * PICO_PER_UNIT
    up, down = 10 ** max(digits.exponent, 0), per * 10 ** max(-digits.exponent, 0)
    whole, rest = divmod(units * up, down)
    return None if rest else whole


def meters_of(provider: str, model: str, prices: Mapping[str, Decimal]) -> Meters:
    """One set of library prices in our meters.

    Args:
        provider: the library's provider id.
        model: the library's model id.
        prices: USD by price key of the library; thresholds resolved before.
    """
    made = Meters()
    for key, price in sorted(prices.items()):
        if key in INSIDE:
            continue
        if key not in METERS:
            made.refuse(key, "we do not count this")
            continue
        meter, per = METERS[key]
        _add(made, meter, key, price, per)
    _refuse_mixed(made, prices)
    _refuse_minimum(made, provider, model)
    _fill_write_class(made, provider, model)
    _fill_modalities(made, provider, model)
    return made


def _add(made: Meters, meter: str, key: str, price: Decimal, per: int) -> None:
    pico = pico_of_price(price, per)
    if meter in made.refused:
        return
    if pico is None:
        made.refuse(meter, f"{key} {price} USD is no whole number of pico per {meter}")
    elif made.prices.setdefault(meter, pico) != pico:
        made.refuse(meter, f"{key} {price} USD disagrees with another price of {meter}")


def _refuse_mixed(made: Meters, prices: Mapping[str, Decimal]) -> None:
    for subset, whole in INSIDE.items():
        if subset in prices and prices[subset] != prices.get(whole):
            text = f"{subset} {prices[subset]} USD inside {whole} {prices.get(whole)} USD"
            made.refuse(METERS[whole][0], f"{text}: we count no {subset} apart")


def _refuse_minimum(made: Meters, provider: str, model: str) -> None:
    # The library bills at least ten seconds a call here, in code and not in data.
    if provider == "groq" and model.startswith("whisper-") and "audio_ms" in made.prices:
        made.refuse("audio_ms", "a minimum of 10 s per call cannot be stated as a price")


def _fill_write_class(made: Meters, provider: str, model: str) -> None:
    """Give the unstated cache write price to the provider's default time to live as well."""
    gpt = "gpt" in model and provider in {"openai", "azure", "aws"}
    claude = provider == "anthropic" or ("claude" in model and provider in {"azure", "google"})
    meter = "cache_write_30m" if gpt else "cache_write_5m" if claude or provider == "aws" else ""
    if meter and "cache_write" in made.prices:
        made.prices.setdefault(meter, made.prices["cache_write"])


def _fill_modalities(made: Meters, provider: str, model: str) -> None:
    """Price input in another modality as the list defines it: ``input_mtok`` is every modality.

    The library has a unit of its own for text alone and does not use it here, and it demands the
    joint price (cached audio) as soon as a modality is priced apart. Audio is filled for Gemini
    only, whose maker publishes one rate for text, image and audio; elsewhere, and for all output,
    a missing price means that nobody looked.
    """
    pairs = [("image_input", "input_uncached")]
    if provider == "google" and model.startswith("gemini"):
        pairs += [("audio_input", "input_uncached"), ("cache_read_audio", "cache_read")]
    for meter, whole in pairs:
        if whole in made.prices and meter not in made.refused:
            made.prices.setdefault(meter, made.prices[whole])
