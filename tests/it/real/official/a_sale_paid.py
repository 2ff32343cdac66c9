"""Checkout, paid on the hosted page, then refunded, through Stripe's own Python library. Standard input: {"url", "secret_key",
"webhook_secret"}."""

import json
import sys
import time
import urllib.parse
import urllib.request

import stripe

at = json.load(sys.stdin)
client = stripe.StripeClient(at["secret_key"], base_addresses={"api": at["url"]}).v1

product = client.products.create({"name": "Basic", "metadata": {"tier": "1"}})
price = client.prices.create(
    {"product": product.id, "currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}}
)
session = client.checkout.sessions.create(
    {
        "mode": "subscription",
        "line_items": [{"price": price.id, "quantity": 1}],
        "success_url": "http://127.0.0.1:9/done?session_id={CHECKOUT_SESSION_ID}",
        "subscription_data": {"metadata": {"subdomain": "ada"}},
        "expand": ["line_items"],
    }
)
assert session.line_items.data[0].price.id == price.id

typed = {"email": "ada@example.com", "name": "Ada", "method": "card", "card_number": "4242424242424242"}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


try:
    urllib.request.build_opener(NoRedirect).open(session.url, urllib.parse.urlencode(typed).encode())
    raise SystemExit("paying leads nowhere")
except urllib.error.HTTPError as answer:
    assert answer.code == 303 and session.id in answer.headers["location"], answer

paid = client.checkout.sessions.retrieve(
    session.id, {"expand": ["subscription.latest_invoice.payments", "customer"]}
)
assert paid.status == "complete" and paid.payment_status == "paid"
assert paid.customer.email == "ada@example.com"
assert paid.subscription.status == "active" and paid.subscription.metadata["subdomain"] == "ada"
invoice = paid.subscription.latest_invoice
assert invoice.status == "paid" and invoice.amount_paid == 1900 and invoice.lines.data[0].amount == 1900
intent = client.payment_intents.retrieve(
    invoice.payments.data[0].payment.payment_intent, {"expand": ["latest_charge", "payment_method"]}
)
assert intent.status == "succeeded" and intent.latest_charge.paid
assert intent.payment_method.card.last4 == "4242"

part = client.refunds.create({"payment_intent": intent.id, "amount": 900, "reason": "requested_by_customer"})
assert part.status == "succeeded" and part.charge == intent.latest_charge.id
try:
    client.refunds.create({"payment_intent": intent.id, "amount": 1001})
    raise SystemExit("more was given back than was paid")
except stripe.InvalidRequestError as error:
    assert error.param == "amount", error
client.refunds.create({"charge": part.charge})
assert client.charges.retrieve(part.charge).refunded
try:
    client.refunds.create({"charge": part.charge})
    raise SystemExit("a payment was given back twice")
except stripe.InvalidRequestError as error:
    assert error.code == "charge_already_refunded", error
assert sum(refund.amount for refund in client.refunds.list({"charge": part.charge}).auto_paging_iter()) == 1900

told = [event for event in client.events.list({"types": ["refund.created", "charge.refunded"]}).auto_paging_iter()]
assert len(told) == 4 and told[0].api_version == stripe.api_version, told
raw = json.dumps(told[0].to_dict())
now = int(time.time())
signer = stripe.WebhookSignature
header = signer.generate_signature_header(raw, at["webhook_secret"], now)
assert stripe.Webhook.construct_event(raw, header, at["webhook_secret"]).id == told[0].id
