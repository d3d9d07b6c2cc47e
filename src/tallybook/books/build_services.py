"""Services and the claims of keys, from form to model: who pays when another team calls."""

from __future__ import annotations

from typing import Final

from tallybook.books.faults import Place, Sheet, shown
from tallybook.books.model import CLAIMS_ANY, CLAIMS_OWN, JointUse, Key, Service, Span
from tallybook.books.schema import KeyForm, ServiceForm
from tallybook.money import NANO_SCALE, parse_units

_NEEDED: Final = {"split": ("weights",), "transfer_price": ("price", "per")}
_ALL_NEEDED: Final = ("weights", "price", "per")


def service_of(row: ServiceForm, span: Span) -> Service:
    """The service of a row that is right."""
    return Service(
        id=row.id,
        name=row.name or row.id,
        team=row.team,
        transfer=row.transfer,
        span=span,
        callee_weight=row.weights.callee if row.weights else 0,
        caller_weight=row.weights.caller if row.weights else 0,
        price_nano=parse_units(row.price, NANO_SCALE) if row.price else 0,
        per=row.per or "",
        feature=row.feature,
        joint=_joint(row),
    )


def key_of(row: KeyForm, span: Span) -> Key:
    """The key of a row that is right."""
    return Key(row.id, row.team, row.feature, row.purpose, span, _claims(row))


def check_service(row: ServiceForm, place: Place, sheet: Sheet) -> None:
    """The rule has what it needs and nothing that it does not look at."""
    needed = _NEEDED.get(row.transfer, ())
    for name in _ALL_NEEDED:
        stated = getattr(row, name) not in (None, "")
        if stated and name not in needed:
            rule = next(rule for rule, names in _NEEDED.items() if name in names)
            sheet.refuse(
                (*place, name),
                f"{name} has no effect under transfer: {row.transfer}",
                expected=f"{name} only beside transfer: {rule}",
                remedy=f"remove it, or write transfer: {rule}",
            )
        if name in needed and not stated:
            sheet.refuse(
                (*place, "transfer"),
                f"transfer: {row.transfer} without {name}",
                expected=_expected(name),
                remedy=f"add {name}",
            )
    if row.weights and not (row.weights.callee or row.weights.caller):
        sheet.refuse(
            (*place, "weights"),
            "both weights are 0, and nobody would pay",
            expected="at least one weight above 0",
            remedy="correct the weights",
        )
    if row.price and not parse_units(row.price, NANO_SCALE):
        sheet.refuse(
            (*place, "price"),
            "a price of zero, and nothing would be owed",
            expected="a price above zero",
            remedy="write transfer: callee_absorbs",
        )
    if row.joint and not row.joint.purposes:
        sheet.refuse(
            (*place, "joint", "purposes"),
            "no purpose, and no call would be joint",
            expected="at least one purpose",
            remedy="name one, or remove joint",
        )


def check_claims(row: KeyForm, place: Place, sheet: Sheet) -> list[str]:
    """The claims of a key fit together; returns the teams that they name."""
    claims, place = row.claims, (*place, "claims")
    if claims is None:
        return []
    words = [name for name in claims if name in (CLAIMS_ANY, CLAIMS_OWN)]
    if not claims or (words and len(claims) > 1):
        sheet.refuse(
            place,
            f"{shown(words[0])} beside other names" if claims else "a list without a team",
            expected="any, own, or a list of teams",
            remedy="keep one word, or name the teams",
        )
    elif words == [CLAIMS_OWN] and not (row.team or row.feature):
        sheet.refuse(
            place,
            "claims: own, and the key has no team and no feature",
            expected="a key with a team or a feature",
            remedy="name its team, or list the teams that it may speak for",
        )
    return [name for name in claims if name not in words]


def _expected(name: str) -> str:
    return {
        "weights": "weights: {callee: 3, caller: 7}, whole numbers",
        "price": 'price: "6.00", what one call or outcome costs the caller',
        "per": "per: call or per: outcome",
    }[name]


def _joint(row: ServiceForm) -> JointUse | None:
    if row.joint is None:
        return None
    purposes = tuple(sorted(set(row.joint.purposes)))
    return JointUse(purposes, row.joint.users_of or row.id, row.joint.by)


def _claims(row: KeyForm) -> tuple[str, ...] | None:
    if row.claims is None or CLAIMS_ANY in row.claims:
        return None
    return tuple(sorted(set(row.claims)))
