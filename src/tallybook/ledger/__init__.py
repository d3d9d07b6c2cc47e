"""The journal: balanced entries and acts on one chain, and the folds that read them."""

from tallybook.ledger.append import append_act, append_entry
from tallybook.ledger.balance import Balance, TrialRow, balances, booked, trial_balance
from tallybook.ledger.chain import GENESIS, head
from tallybook.ledger.chart import CENTRAL, Family, check_account, is_memo
from tallybook.ledger.journal import JournalEntry, entries, entry_of
from tallybook.ledger.model import Act, ActKind, Entry, Link, Posting, PostingKey, Reason
from tallybook.ledger.reverse import reverse
from tallybook.ledger.state import (
    RecordedAct,
    acts,
    admits,
    last_act,
    last_turn,
    period_state,
    standing_close,
    standing_cutoff,
)
from tallybook.ledger.verify import Verification, verify
from tallybook.ledger.walk import Fault

__all__ = [
    "CENTRAL",
    "GENESIS",
    "Act",
    "ActKind",
    "Balance",
    "Entry",
    "Family",
    "Fault",
    "JournalEntry",
    "Link",
    "Posting",
    "PostingKey",
    "Reason",
    "RecordedAct",
    "TrialRow",
    "Verification",
    "acts",
    "admits",
    "append_act",
    "append_entry",
    "balances",
    "booked",
    "check_account",
    "entries",
    "entry_of",
    "head",
    "is_memo",
    "last_act",
    "last_turn",
    "period_state",
    "reverse",
    "standing_close",
    "standing_cutoff",
    "trial_balance",
    "verify",
]
