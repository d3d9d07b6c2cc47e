"""Why a charge by tokens is not the cost: the subsidy of each team under `proportional`, by cause.

The causes come from going, step by step, from one price for every token to the price of each, and
from what each step changes for a team. The order of the steps is fixed, because what a cause
amounts to depends on it:

1. every token at the average price of all;
2. each model's tokens at the model's average price, a fine-tuned model counted as its base model
   (``model_price`` is what this step takes away);
3. fine-tuned models at their own average price (``fine_tuning``);
4. input and output at the model's average price of each; text, audio and images are sides of their
   own, and so is what has no tokens, such as web searches (``input_output_mix``);
5. each token class at its own price (``cache``: on each side, only caching has classes left).

A model here is a model in one tier, region and price: the batch price is not a cache effect.
The central team and pooled evaluation are outside, as in the model itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from tallybook.allocate.model import Month
from tallybook.allocate.models import proportional
from tallybook.books.meters import TOKEN_CLASSES_INPUT
from tallybook.books.model import TeamPolicy
from tallybook.money import PICO_PER_NANO

NO_CLASS = ""
"""The token class of what is priced by another unit."""

_SIDES = dict.fromkeys(TOKEN_CLASSES_INPUT, "input") | {
    "audio_input": "audio_input",
    "cache_read_audio": "audio_input",
    "image_input": "image_input",
}


@dataclass(frozen=True, slots=True)
class ClassUsage:
    """What one team used of one token class of one model, and its value at rate card.

    ``tier`` and ``region`` are as billed; ``card`` numbers the distinct prices of a model, tier and
    region, when it has several, as for long contexts.
    """

    team: str
    provider: str
    model: str
    tier: str
    region: str
    card: int
    token_class: str
    tokens: int
    card_pico: int


@dataclass(frozen=True, slots=True)
class Causes:
    """Charge by tokens less usage at rate card, in exact nano; positive pays for others.

    ``total`` is a whole number: the difference of what the two would post.
    """

    model_price: Fraction
    fine_tuning: Fraction
    input_output_mix: Fraction
    cache: Fraction

    @property
    def total(self) -> Fraction:
        """All causes together."""
        return self.model_price + self.fine_tuning + self.input_output_mix + self.cache


def subsidies(month: Month, usage: Sequence[ClassUsage]) -> dict[str, Causes]:
    """The causes of each team's subsidy if all teams were charged by tokens.

    Args:
        month: the month; its own models do not matter.
        usage: the usage behind the month's cells, in any order, without the central team and
            without pooled evaluation.

    Returns:
        by team with usage, sorted; empty if there is no token to split by.
    """
    posted = _posted(month)
    if not any(each.tokens for each in usage):
        return {}
    steps = [_worth(usage, price) for price in _averages(usage)]
    own: dict[str, Fraction] = defaultdict(Fraction)
    for each in usage:
        own[each.team] += each.card_pico
    steps.append(own)
    found = {}
    rounded = 2 * len(month.cells) + 2 + _worth_apart(month, usage)
    for team in sorted(own):
        values = [step[team] * Fraction(1, PICO_PER_NANO) for step in steps]
        model_price, fine_tuning, mix, cache = (wide - narrow for wide, narrow in pairwise(values))
        # Postings are whole nano: what their rounding leaves belongs to the first step.
        left = posted[team] - (values[0] - values[-1])
        assert abs(left) <= rounded, "usage by class is not the month's usage"
        found[team] = Causes(model_price + left, fine_tuning, mix, cache)
    return found


def base_model(model: str) -> str:
    """The model that a fine-tuned one was made from; any other is its own base."""
    if model.startswith("ft:"):
        return model.split(":")[1]
    return model.partition(":ft-")[0]


def _posted(month: Month) -> dict[str, int]:
    """Per team, what `proportional` charges for usage less the usage at rate card, in nano."""
    policy = replace(month.policy, default=TeamPolicy("proportional"), teams={})
    alone = replace(month, policy=policy)
    difference: dict[str, int] = defaultdict(int)
    for line in proportional.charge(alone, ()):
        if line.account.startswith("Charge:"):
            difference[line.team] += line.amount_nano
    for cell in alone.charged_cells(proportional.MODEL):
        difference[cell.team] -= cell.card_nano
    return difference


def _worth_apart(month: Month, usage: Sequence[ClassUsage]) -> Fraction:
    """What tokens are worth, in nano, that stand with another team by class than in the month.

    Parts of a split are whole tokens: of each class here, of all classes together in the month. So
    each payer's part is off by less than a token for each class.
    """
    apart: dict[str, int] = defaultdict(int)
    for each in usage:
        apart[each.team] += each.tokens
    every = sum(apart.values())
    for cell in month.cells:
        if cell.team != month.unowned and not month.is_pooled(cell):
            apart[cell.team] -= int(cell.tokens)
    off = sum(abs(tokens) for tokens in apart.values())
    assert off <= len(usage), "tokens by class are not the month's tokens"
    card_pico = sum(each.card_pico for each in usage)
    return Fraction(off * abs(card_pico), every * PICO_PER_NANO)


def _averages(usage: Sequence[ClassUsage]) -> tuple[Callable[[ClassUsage], Hashable], ...]:
    """Which usage shares one average price, in each step but the last."""
    tuned = {_family(each) for each in usage if base_model(each.model) != each.model}

    def model(each: ClassUsage) -> Hashable:
        return (each.provider, each.model, each.tier, each.region, each.card)

    return (
        lambda _: (),
        lambda each: _family(each) if _family(each) in tuned else model(each),
        model,
        lambda each: (model(each), _SIDES.get(each.token_class, each.token_class)),
    )


def _family(each: ClassUsage) -> Hashable:
    return (each.provider, base_model(each.model), each.tier, each.region)


def _worth(
    usage: Sequence[ClassUsage], price_of: Callable[[ClassUsage], Hashable]
) -> dict[str, Fraction]:
    """Each team's tokens at the averages, in pico; where there are no tokens, its own amounts."""
    tokens: dict[Hashable, int] = defaultdict(int)
    amounts: dict[Hashable, int] = defaultdict(int)
    mine: dict[tuple[str, Hashable], list[int]] = defaultdict(lambda: [0, 0])
    for each in usage:
        price = price_of(each)
        tokens[price] += each.tokens
        amounts[price] += each.card_pico
        held = mine[each.team, price]
        held[0] += each.tokens
        held[1] += each.card_pico
    return _summed(mine, tokens, amounts)


def _summed(
    mine: Mapping[tuple[str, Hashable], Sequence[int]],
    tokens: Mapping[Hashable, int],
    amounts: Mapping[Hashable, int],
) -> dict[str, Fraction]:
    worth: dict[str, Fraction] = defaultdict(Fraction)
    for (team, price), (used, own_pico) in mine.items():
        base = tokens[price]
        worth[team] += Fraction(amounts[price] * used, base) if base else own_pico
    return worth
