"""The form of each policy file: which keys it has, and which scalars.

What rows mean to each other is checked where the books are built. The forms also make the canonical
document: only what was written is kept, defaults are not, so a document means the same for as long
as the form keeps its defaults.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tallybook.books.budgets import OVERS, RESETS, Over, Resets
from tallybook.books.faults import Sheet, refuse_form
from tallybook.books.model import (
    BUDGETING,
    BYS,
    DRIVERS,
    MODELS,
    PERS,
    POOL_METHODS,
    PURPOSES,
    TRANSFERS,
    Budgeting,
    By,
    Charge,
    Driver,
    Model,
    Per,
    PoolMethod,
    RecoveredBy,
    Transfer,
)
from tallybook.books.scalars import (
    Count,
    Currency,
    Date,
    Id,
    Instant,
    Money,
    Month,
    Percent,
    Text,
    TokenPrice,
    UnitPrice,
    WarnLevel,
    Zone,
    choice,
    read_chain,
    read_mapping,
    read_rows,
)
from tallybook.books.terms import CAPACITY_KINDS, CAUSES, CapacityKind, Cause

PurposeText = Annotated[str, BeforeValidator(choice(PURPOSES))]
ModelText = Annotated[Model, BeforeValidator(choice(MODELS))]
ChargeText = Annotated[Charge, BeforeValidator(choice(("actual", "committed")))]
TransferText = Annotated[Transfer, BeforeValidator(choice(TRANSFERS))]
PerText = Annotated[Per, BeforeValidator(choice(PERS))]
ByText = Annotated[By, BeforeValidator(choice(BYS))]
DriverText = Annotated[Driver, BeforeValidator(choice(DRIVERS))]
BudgetingText = Annotated[Budgeting, BeforeValidator(choice(BUDGETING))]
PoolMethodText = Annotated[PoolMethod, BeforeValidator(choice(POOL_METHODS))]
FundingText = Annotated[
    Literal["charged", "pooled"],
    BeforeValidator(
        choice(
            ("charged", "pooled"),
            dict.fromkeys(("matched", "floor"), "evaluation is charged or pooled"),
        )
    ),
]
BasisText = Annotated[Literal["contract", "list"], BeforeValidator(choice(("contract", "list")))]
FreezeText = Annotated[Literal["monthly"], BeforeValidator(choice(("monthly",)))]
RecoveredByText = Annotated[RecoveredBy, BeforeValidator(choice(("markup", "driver")))]
OverText = Annotated[Over, BeforeValidator(choice(OVERS))]
ResetsText = Annotated[Resets, BeforeValidator(choice(RESETS))]
VarianceText = Annotated[
    Literal["absorb", "recharge"], BeforeValidator(choice(("absorb", "recharge")))
]
BearText = Annotated[Literal["central", "owner"], BeforeValidator(choice(("central", "owner")))]
CapacityKindText = Annotated[CapacityKind, BeforeValidator(choice(CAPACITY_KINDS))]
CauseText = Annotated[Cause, BeforeValidator(choice(CAUSES))]


class Form(BaseModel):
    """A mapping with exactly these keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DatedForm(Form):
    """A row that holds from one date until before another, in the company's zone."""

    from_: Date = Field(default="", alias="from")
    to: Date = ""


class CompanyForm(Form):
    """Whose books."""

    name: Text
    currency: Currency
    fiscal_year_start: Month
    timezone: Zone
    simulated: bool = False


class UnitForm(Form):
    """A business unit."""

    id: Id
    name: Text = ""
    legal_entity: Text = ""


class OwnersForm(Form):
    """A person or mailbox per role."""

    engineering: Text = ""
    product: Text = ""
    finance: Text = ""
    procurement: Text = ""
    capacity: Text = ""
    quality: Text = ""


class TeamForm(DatedForm):
    """A team."""

    id: Id
    name: Text = ""
    unit: Id
    cost_center: Text = ""
    headcount: Count | None = None
    owners: OwnersForm = OwnersForm()


class FeatureForm(DatedForm):
    """A use case and the team that owns it."""

    id: Id
    name: Text = ""
    team: Id


class WeightsForm(Form):
    """The parts of a split."""

    callee: Count
    caller: Count


class JointForm(Form):
    """Which of a service's own calls serve everyone; ``users_of`` left out means itself."""

    purposes: Annotated[list[PurposeText], BeforeValidator(read_chain)]
    users_of: Text = ""
    by: ByText


class ServiceForm(DatedForm):
    """A tool or an agent that others call."""

    id: Text
    name: Text = ""
    team: Id
    transfer: TransferText = "caller_pays"
    weights: WeightsForm | None = None
    price: Money = ""
    per: PerText | None = None
    feature: Id = ""
    joint: JointForm | None = None


class KeyForm(DatedForm):
    """What a key says about its calls, and for whom their tags may speak."""

    id: Text
    team: Id = ""
    feature: Id = ""
    purpose: PurposeText = ""
    claims: Annotated[list[Id], BeforeValidator(read_chain)] | None = None


class RuleForm(DatedForm):
    """What a matching call belongs to."""

    when: dict[str, Text]
    team: Id = ""
    feature: Id = ""
    purpose: PurposeText = ""


class UnownedForm(Form):
    """Who answers for what nobody tagged."""

    team: Id


class TrustForm(Form):
    """Whose tags are believed."""

    tags: Annotated[list[Text], BeforeValidator(read_rows)]


class RolesForm(Form):
    """Who may sign for the books: close them, approve, prepare."""

    controller: Annotated[list[Text], BeforeValidator(read_rows)] = []
    approver: Annotated[list[Text], BeforeValidator(read_rows)] = []
    preparer: Annotated[list[Text], BeforeValidator(read_rows)] = []


class OrgForm(Form):
    """org.yaml."""

    company: CompanyForm
    business_units: Annotated[list[UnitForm], BeforeValidator(read_rows)]
    teams: Annotated[list[TeamForm], BeforeValidator(read_rows)]
    features: Annotated[list[FeatureForm], BeforeValidator(read_rows)] = []
    services: Annotated[list[ServiceForm], BeforeValidator(read_rows)] = []
    keys: Annotated[list[KeyForm], BeforeValidator(read_rows)] = []
    rules: Annotated[list[RuleForm], BeforeValidator(read_rows)] = []
    unowned: UnownedForm
    trust: TrustForm | None = None
    roles: RolesForm | None = None


class TeamPolicyForm(Form):
    """How a team is charged; what it leaves out it takes from the default."""

    model: ModelText | None = None
    markup: Percent = ""
    charge: ChargeText | None = None


class DefaultPolicyForm(Form):
    """How a team without an entry is charged."""

    model: ModelText
    markup: Percent = ""
    charge: ChargeText | None = None


class RateCardForm(Form):
    """The price a team sees."""

    basis: BasisText = "contract"
    freeze: FreezeText = "monthly"


class PoolForm(Form):
    """A shared cost and how it is spread."""

    id: Id
    monthly: Money = ""
    driver: DriverText
    fallback: Annotated[list[DriverText], BeforeValidator(read_chain)] = []
    weights: dict[str, Count] = {}
    serves: Annotated[dict[str, Percent], BeforeValidator(read_mapping)] = {}
    floor: Money = ""
    recovered_by: RecoveredByText = "driver"
    reserved: Annotated[dict[str, Percent], BeforeValidator(read_mapping)] = {}
    idle: Id = ""


class EvaluationForm(Form):
    """Who bears evaluation calls."""

    funding: FundingText
    pool: Id = ""


class LimitsForm(Form):
    """Shares of the period's cost above which it does not close without a waiver."""

    unallocated: Percent = "0%"
    unknown: Percent = "0%"
    estimated: Percent = "0%"
    unpriced: Percent = "0%"


class FanOutForm(Form):
    """A trace with more calls than its feature's usual."""

    times: Count = 3
    least: Count = 50


class SpendForm(Form):
    """An hour that costs more than such an hour usually does."""

    times: Count = 5
    least: Money = "10.00"


class AlertsForm(Form):
    """From where on `live` gives an alert; 0 turns one off."""

    loop: Count = 100
    retries: Count = 8
    fan_out: FanOutForm = FanOutForm()
    spend: SpendForm = SpendForm()


class CompletenessForm(Form):
    """The accrual for usage that past months show to be unmetered."""

    months: Count = 3
    cap: Percent = "5%"
    causes: Annotated[list[CauseText], BeforeValidator(read_chain)] = list(CAUSES)
    bear: BearText = "central"


class OpenItemsForm(Form):
    """From which age and above which amount an open item stops the close."""

    days: Count
    amount: Money = "0"


class ClosingForm(Form):
    """What else stops a close; what is not named is shown and stops nothing."""

    suspects: Percent = ""
    suspense: Percent = ""
    unreconciled: Money = ""
    open_items: OpenItemsForm | None = None
    dispute_days: Count | None = None


class PolicyVersionForm(Form):
    """The policy from one month on."""

    effective_from: Month
    default: DefaultPolicyForm
    teams: Annotated[dict[str, TeamPolicyForm], BeforeValidator(read_mapping)] = {}
    rate_card: RateCardForm = RateCardForm()
    pool_method: PoolMethodText = "direct"
    pool_order: Annotated[list[Id], BeforeValidator(read_rows)] = []
    pools: Annotated[list[PoolForm], BeforeValidator(read_rows)] = []
    evaluation: EvaluationForm = EvaluationForm(funding="charged")
    variance: VarianceText = "absorb"
    completeness: CompletenessForm | None = None
    limits: LimitsForm = LimitsForm()
    closing: ClosingForm = ClosingForm()
    budgeting: BudgetingText | None = None
    alerts: AlertsForm | None = None
    tolerance: Money = ""


class PolicyForm(Form):
    """policy.yaml."""

    versions: Annotated[list[PolicyVersionForm], BeforeValidator(read_rows)]


class LongContextForm(Form):
    """Other prices for calls with more input tokens than ``over``."""

    over: Count
    per_million_tokens: dict[str, TokenPrice]


class ContractForm(Form):
    """A negotiated discount or price; dates are UTC."""

    contract: Text
    provider: Text
    currency: Currency = ""
    model: Text = ""
    tier: Text = ""
    region: Text = ""
    discount: Percent = ""
    per_million_tokens: dict[str, TokenPrice] = {}
    per_unit: dict[str, UnitPrice] = {}
    long_context: LongContextForm | None = None
    from_: Instant = Field(default="", alias="from")
    to: Instant = ""


class AliasForm(Form):
    """A model under another name."""

    provider: Text
    model: Text
    is_: Text = Field(alias="is")
    is_provider: Text = ""


class RateForm(Form):
    """Units of the books' currency for one unit of another, from a UTC day on."""

    currency: Currency
    date: Date
    rate: UnitPrice


class CommitmentForm(Form):
    """The least that is spent at a provider over a term; ``to`` is the first month after it."""

    id: Id
    provider: Text
    amount: Money
    from_: Month = Field(alias="from")
    to: Month


class CreditForm(Form):
    """Prepaid credit; without ``cost`` it cost its amount. ``expires`` is the first day without."""

    id: Id
    provider: Text
    amount: Money
    cost: Money = ""
    bought: Date
    expires: Date


class CapacityForm(Form):
    """Capacity that is paid by time, and the calls that run on it; dates are UTC."""

    id: Id
    kind: CapacityKindText
    pool: Id
    provider: Text = ""
    model: Text = ""
    tier: Text = ""
    region: Text = ""
    product: Text = ""
    monthly: Money = ""
    hourly: Money = ""
    count: Count = 1
    once: Money = ""
    full: Count = 0
    from_: Instant = Field(alias="from")
    to: Instant = ""


class PricesForm(Form):
    """prices.yaml."""

    currency: Currency = ""
    contracts: Annotated[list[ContractForm], BeforeValidator(read_rows)] = []
    aliases: Annotated[list[AliasForm], BeforeValidator(read_rows)] = []
    rates: Annotated[list[RateForm], BeforeValidator(read_rows)] = []
    commitments: Annotated[list[CommitmentForm], BeforeValidator(read_rows)] = []
    credits: Annotated[list[CreditForm], BeforeValidator(read_rows)] = []
    capacity: Annotated[list[CapacityForm], BeforeValidator(read_rows)] = []


class LimitForm(Form):
    """What happens at an amount and beyond."""

    warn: Annotated[list[WarnLevel], BeforeValidator(read_rows)] = []
    over: OverText = "none"
    calls_per_minute: Count | None = None
    up_to: WarnLevel = ""
    downgrade: Annotated[dict[Text, Text], BeforeValidator(read_mapping)] = {}
    approvers: Annotated[list[Text], BeforeValidator(read_rows)] = []


class DefaultForm(LimitForm):
    """The monthly budget of what has none of its own."""

    monthly: Money


class BudgetForm(LimitForm):
    """A budget of one of the five; ``to`` is the first month without it.

    It has ``monthly``, or an ``amount`` that ``resets: never``.
    """

    monthly: Money = ""
    amount: Money = ""
    resets: ResetsText = "monthly"
    feature: Id = ""
    team: Id = ""
    unit: Id = ""
    key: Id = ""
    customer: Text = ""
    from_: Month = Field(alias="from")
    to: Month = ""


class IncreaseForm(Form):
    """An approved addition to one month."""

    feature: Id
    month: Month
    amount: Money
    approved_by: Text
    approved_on: Date


class BudgetsForm(Form):
    """budgets.yaml; ``default`` limits every use case without a budget of its own."""

    default: DefaultForm | None = None
    budgets: Annotated[list[BudgetForm], BeforeValidator(read_rows)] = []
    increases: Annotated[list[IncreaseForm], BeforeValidator(read_rows)] = []


F = TypeVar("F", bound=Form)


def read_form(form: type[F], data: Any, sheet: Sheet) -> F | None:
    """Check the form of one file.

    Returns:
        The form; None after noting everything that is wrong with it.
    """
    try:
        return form.model_validate(data)
    except ValidationError as error:
        refuse_form(error, form, sheet)
        return None
