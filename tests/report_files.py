"""Files of reports for tests of readers, and what is read of them in short."""

import csv
import json

from tallybook.reconcile.read.registry import read_files
from tallybook.reconcile.read.told import Ask

OCTOBER = (1_790_812_800_000_000, 1_793_491_200_000_000)


def read(*paths, provider="x", window=None, mapping=None):
    return read_files(list(paths), Ask(provider, window), mapping)


def table(path, *rows, delimiter=","):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def brief(told):
    return [
        (str(x.kind), x.model, x.token_class, x.tier, x.quantity, x.own_pico, x.currency)
        for x in told.lines
    ]


CUR = {
    "bill_invoice_id": "I-1", "bill_payer_account_id": "111",
    "line_item_line_item_type": "Usage", "line_item_product_code": "AmazonBedrock",
    "line_item_usage_type": "USW2-Claude4.5Sonnet-input-tokens",
    "line_item_usage_start_date": "2026-10-03T00:00:00Z",
    "line_item_usage_end_date": "2026-10-03T01:00:00Z", "line_item_usage_amount": "29.481",
    "line_item_unblended_cost": "0.0972873", "line_item_currency_code": "USD",
    "line_item_line_item_description": "", "product_product_name": "Amazon Bedrock",
}  # fmt: skip


def jsonl(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


FOCUS = {
    "BilledCost": "31.5", "BillingCurrency": "USD", "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-10-03T00:00:00Z", "ChargePeriodEnd": "2026-10-04T00:00:00Z",
    "ServiceCategory": "AI and Machine Learning", "ServiceName": "LLM", "InvoiceId": "F-1",
    "ConsumedQuantity": "10500000", "ConsumedUnit": "Tokens", "PricingQuantity": "10.5",
    "PricingUnit": "1000000 Tokens", "ChargeDescription": "m-1 input",
    "SkuPriceDetails": '{"x_ModelId":"m-1","x_TokenDirection":"Input","x_TokenCacheAction":"Read"}',
}  # fmt: skip
