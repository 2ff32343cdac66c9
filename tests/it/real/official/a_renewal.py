"""Months by a test clock: renewals, a payment that fails and is mended, a plan that changes, an end. Standard input: {"url",
"secret_key"}."""

import json
import sys
import time

import stripe

at = json.load(sys.stdin)
client = stripe.StripeClient(at["secret_key"], base_addresses={"api": at["url"]}).v1
DAY = 24 * 3600
START = 1_800_000_000

clock = client.test_helpers.test_clocks.create({"frozen_time": START, "name": "renewals"})


def advance(to):
    client.test_helpers.test_clocks.advance(clock.id, {"frozen_time": to})
    for _ in range(500):
        if client.test_helpers.test_clocks.retrieve(clock.id).status == "ready":
            return
        time.sleep(0.02)
    raise SystemExit("the clock never gets ready")


customer = client.customers.create(
    {
        "test_clock": clock.id,
        "payment_method": "pm_card_visa",
        "invoice_settings": {"default_payment_method": "pm_card_visa"},
    }
)
prices = [
    client.prices.create(
        {
            "product": client.products.create({"name": name}).id,
            "currency": "eur",
            "unit_amount": amount,
            "recurring": {"interval": "month"},
        }
    )
    for name, amount in [("Small", 1000), ("Large", 3000)]
]
subscription = client.subscriptions.create(
    {"customer": customer.id, "items": [{"price": prices[0].id}], "expand": ["latest_invoice"]}
)
assert subscription.status == "active" and subscription.test_clock == clock.id
assert subscription.created == START and subscription.latest_invoice.status == "paid"


def latest():
    found = client.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    return found.status, found.latest_invoice


advance(START + 32 * DAY)
status, invoice = latest()
assert status == "active" and invoice.billing_reason == "subscription_cycle" and invoice.status == "paid"

failing = client.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
client.customers.update(customer.id, {"invoice_settings": {"default_payment_method": failing.id}})
advance(START + 61 * DAY)
status, invoice = latest()
assert status == "past_due" and invoice.status == "open" and invoice.attempt_count == 1, (status, invoice)
assert invoice.next_payment_attempt > START + 61 * DAY
try:
    client.invoices.pay(invoice.id)
    raise SystemExit("a failing card paid")
except stripe.CardError as error:
    assert error.code == "card_declined" and error.http_status == 402, error
    assert error.error.payment_intent.last_payment_error.decline_code == "generic_decline"
working = client.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
assert working.card.brand == "mastercard"
client.customers.update(customer.id, {"invoice_settings": {"default_payment_method": working.id}})
assert client.invoices.pay(invoice.id).status == "paid"
assert latest()[0] == "active"
assert len(client.customers.payment_methods.list(customer.id).data) == 3

item = subscription["items"].data[0].id
change = {"items": [{"id": item, "price": prices[1].id}]}
preview = client.invoices.create_preview(
    {"subscription": subscription.id, "subscription_details": {**change, "proration_behavior": "always_invoice"}}
)
assert [line.parent.subscription_item_details.proration for line in preview.lines.data] == [True, True]
client.subscriptions.update(subscription.id, {**change, "proration_behavior": "always_invoice"})
status, invoice = latest()
assert invoice.billing_reason == "subscription_update" and invoice.amount_paid == preview.amount_due
client.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
advance(START + 94 * DAY)
assert latest()[0] == "canceled"
assert [found.id for found in client.subscriptions.list({"customer": customer.id, "status": "all"}).auto_paging_iter()]
assert not client.customers.list().data, "who lives by a clock is not listed"
assert client.test_helpers.test_clocks.delete(clock.id).deleted
told = {event.type for event in client.events.list({"limit": 100}).auto_paging_iter()}
wanted = {
    "customer.subscription.deleted",
    "customer.subscription.updated",
    "invoice.paid",
    "invoice.payment_failed",
    "payment_method.attached",
    "test_helpers.test_clock.ready",
}
assert wanted <= told, wanted - told
