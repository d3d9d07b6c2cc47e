"""A month as FOCUS rows, as one sheet has it: usage per token class, and the shares of pools.

Pooled evaluation is split over the teams that share the pool; tokens stay whole, so quantity times
price is the cost of every part. What rounding made of the month is a row of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import Allocation, Month, PoolShare
from tallybook.clock import Period
from tallybook.ledger.chart import Family, check_account
from tallybook.money import PICO_PER_NANO, apportion
from tallybook.post.basis import basis_at
from tallybook.post.compute import month_of, pool_actuals
from tallybook.post.sheet import Sheet
from tallybook.report.handoff.focus.model import RATIO_ONE, Bearer, Part, Row
from tallybook.report.handoff.focus.usage import UNKNOWN, Use, usage_of
from tallybook.store import Store

POOL_METHOD = "tallybook-driver-{driver}-v1"
PAYERS_METHOD = "tallybook-payers-v1"
_UNITS = {"calls": "Requests", "tokens": "Tokens"}


class MonthRows:
    """The rows of one sheet, and what they must add up to."""

    def __init__(self, store: Store, sheet: Sheet) -> None:
        self._store, self._sheet = store, sheet
        self.basis = basis_at(store, Period.parse(sheet.period), sheet.versions)
        with store.read() as tx:
            actuals = pool_actuals(tx, sheet.period, sheet.versions.pools)
        self.month: Month = month_of(self.basis, sheet.lines, actuals, sheet.uses)
        self.allocation: Allocation = allocate(self.month)
        self._shares = {share.label: share for share in self.allocation.shares}
        self._home = Bearer(self.month.unowned)
        self._pico: dict[str, int] = defaultdict(int)

    @property
    def groups(self) -> frozenset[str]:
        """The groups of postings that these rows stand for."""
        return frozenset(line.group for line in self.allocation.lines)

    @property
    def ledger_nano(self) -> int:
        """The ledger cost of the sheet: what is accrued, and what the sources of pools cost."""
        outside = (Family.ACCRUED, Family.SOURCE)
        lines = self.allocation.lines
        return -sum(x.amount_nano for x in lines if check_account(x.account) in outside)

    def rows(self) -> Iterator[Row]:
        """Usage, what rounding made of it, and pools; a provider's rows are what it is owed."""
        for use in usage_of(self._store, self.basis, self._sheet.sums):
            for row in self._of_use(use):
                self._pico[use.sku.provider] += row.effective_pico
                yield row
        yield from self._roundings()
        yield from self._pools()

    def _of_use(self, use: Use) -> Iterator[Row]:
        share = self._pooled(use)
        if share is not None:
            origin = use.bearers[0][0]
            targets = [
                (Bearer(team), nano) for team, nano in share.amounts_nano.items() if nano > 0
            ]
            method = POOL_METHOD.format(driver=share.driver)
            yield from self._split(use, origin, targets, method)
        elif len(use.bearers) == 1:
            yield self._row(use, use.bearers[0][0], use.quantity)
        else:
            started = Bearer(*use.owner.started_by, use.owner.purpose)
            yield from self._split(use, started, use.bearers, PAYERS_METHOD)

    def _pooled(self, use: Use) -> PoolShare | None:
        """The shares of the pool that pays this usage; none if its owner does."""
        evaluation = self.month.policy.evaluation
        pooled = evaluation.funding == "pooled" and use.owner.purpose == "evaluation"
        if not pooled or any(bearer.team == self.month.unowned for bearer, _ in use.bearers):
            return None
        share = self._shares.get(evaluation.pool)
        return share if share and any(nano > 0 for nano in share.amounts_nano.values()) else None

    def _split(
        self, use: Use, origin: Bearer, targets: Sequence[tuple[Bearer, int]], method: str
    ) -> Iterator[Row]:
        whole = self._row(use, origin, use.quantity)
        names = [f"{at}\x1f{bearer.team}" for at, (bearer, _) in enumerate(targets)]
        weights = [weight for _, weight in targets]
        salt = f"{method}:{self._sheet.period}:{use.sku}:{use.owner}"
        counts = apportion(use.quantity, weights, names, salt=salt)
        live = [at for at, count in enumerate(counts) if count]
        ratios = apportion(RATIO_ONE, [counts[at] for at in live], [names[at] for at in live],
                           salt=salt)  # fmt: skip
        for at, ratio in zip(live, ratios, strict=True):
            part = Part(
                method=method,
                origin=f"{self._sheet.period}/{_named(use, origin)}",
                origin_pico=whole.effective_pico,
                team=targets[at][0].team,
                feature=targets[at][0].feature,
                ratio=ratio,
                unit="Tokens" if use.sku.meter else "Requests",
                quantity=counts[at],
            )
            yield self._row(use, origin, counts[at], part)

    def _row(self, use: Use, bearer: Bearer, quantity: int, part: Part | None = None) -> Row:
        sku = use.sku
        listed = quantity * (sku.list_pico or 0)
        contract = quantity * (sku.contract_pico or 0)
        return Row(
            category="Usage",
            description=_description(use),
            service_period=self._sheet.period,
            bearer=bearer,
            list_pico=listed,
            contract_pico=contract,
            effective_pico=contract,
            sku=sku,
            quantity=quantity,
            state=use.state if sku.meter else UNKNOWN,
            part=part,
        )

    def _roundings(self) -> Iterator[Row]:
        accrued: dict[str, int] = defaultdict(int)
        for cell in self.month.cells:
            accrued[cell.provider] += cell.card_nano + cell.variance_nano
        for provider in sorted(accrued):
            rest = accrued[provider] * PICO_PER_NANO - self._pico[provider]
            if rest:
                yield self._adjusted(f"Rounding of {provider} to the ledger's unit", rest, "")

    def _pools(self) -> Iterator[Row]:
        """What pools cost: each team's share by driver, and what no team bears."""
        evaluation = self.month.policy.evaluation
        fed = evaluation.pool if evaluation.funding == "pooled" else ""
        variances = {
            amount.pool: amount.actual_nano - amount.policy_nano for amount in self.month.pools
        }
        passed_on = 0
        for pool, share in sorted(self._shares.items()):
            if pool != fed:
                yield from self._pool(share, variances.get(pool, 0))
        for flow in self.allocation.flows:
            passed_on += (flow.taker == fed) * flow.amount_nano
            passed_on -= (flow.giver == fed) * flow.amount_nano
        own = next((a.actual_nano for a in self.month.pools if a.pool == fed), 0)
        if passed_on + own:
            text = f"Cost pool {fed}, beside the evaluation that it pays"
            yield self._adjusted(text, (passed_on + own) * PICO_PER_NANO, fed)

    def _pool(self, share: PoolShare, variance_nano: int) -> Iterator[Row]:
        amounts = {team: nano for team, nano in share.amounts_nano.items() if nano}
        rest = share.total_nano - sum(amounts.values()) + variance_nano
        whole = share.total_nano + variance_nano
        if any(nano < 0 for nano in (*amounts.values(), rest)):
            # Ratios cannot say what is below zero: the shares stand whole, the rest beside them.
            whole, apart, rest = sum(amounts.values()), rest, 0
        else:
            apart = 0
        parts = [*amounts.items(), *([(self.month.unowned, rest)] if rest else [])]
        if parts:
            ratios = apportion(
                RATIO_ONE, [abs(nano) for _, nano in parts], [team for team, _ in parts],
                salt=f"{share.label}:{self._sheet.period}",
            )  # fmt: skip
            for (team, nano), ratio in zip(parts, ratios, strict=True):
                yield self._share(share, team, nano, whole, ratio)
        if apart:
            text = f"Cost pool {share.pool}: actual against policy"
            yield self._adjusted(text, apart * PICO_PER_NANO, share.pool)

    def _share(self, share: PoolShare, team: str, nano: int, whole: int, ratio: int) -> Row:
        weight = share.weights.get(team, 0)
        counted = share.driver in _UNITS and isinstance(weight, int) and weight > 0
        pico = nano * PICO_PER_NANO
        part = Part(
            method=POOL_METHOD.format(driver=share.driver),
            origin=f"{self._sheet.period}/pool/{share.label}",
            origin_pico=whole * PICO_PER_NANO,
            team=team,
            feature="",
            ratio=ratio,
            unit=_UNITS[share.driver] if counted else "",
            quantity=int(weight) if counted else 0,
        )
        return Row(
            category="Usage",
            description=f"Cost pool {share.label}"
            + (", share by driver" if team in share.amounts_nano else ", central"),
            service_period=self._sheet.period,
            bearer=self._home,
            list_pico=pico,
            contract_pico=pico,
            effective_pico=pico,
            pool=share.pool,
            part=part,
        )

    def _adjusted(self, text: str, pico: int, pool: str) -> Row:
        return Row("Adjustment", text, self._sheet.period, self._home, pico, pico, pico, pool=pool)


def _description(use: Use) -> str:
    if not use.sku.meter:
        return f"Calls of {use.sku.provider} whose usage is not known"
    named = f"{use.sku.meter.replace('_', ' ')}, {use.sku.model or use.sku.provider}"
    return f"{named}, without a price" if use.sku.contract_pico is None else named


def _named(use: Use, origin: Bearer) -> str:
    sku = use.sku
    said: Mapping[str, object] = {
        "provider": sku.provider, "model": sku.model, "tier": sku.tier, "region": sku.region,
        "meter": sku.meter, "list": sku.list_pico, "contract": sku.contract_pico,
        "team": origin.team, "feature": origin.feature, "purpose": origin.purpose,
        "service": origin.service, "executor": origin.executor, "rule": use.owner.rule,
        "state": use.state,
    }  # fmt: skip
    return "/".join(str(value) for value in said.values() if value not in ("", None))
