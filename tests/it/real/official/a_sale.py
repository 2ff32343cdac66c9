"""A sale's beginning through Stripe's own Python library. Standard input: {"url", "secret_key"}."""

import json
import sys

import stripe

at = json.load(sys.stdin)
client = stripe.StripeClient(at["secret_key"], base_addresses={"api": at["url"]}).v1

customer = client.customers.create({"email": "ada@example.com", "metadata": {"installation": "test"}})
product = client.products.create({"name": "Basic"})
price = client.prices.create(
    {"product": product.id, "currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}}
)
wanted = {
    "mode": "subscription",
    "customer": customer.id,
    "line_items": [{"price": price.id, "quantity": 1}],
    "success_url": "http://127.0.0.1/done?session_id={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://127.0.0.1/cancelled",
    "subscription_data": {"metadata": {"subdomain": "ada"}},
    "metadata": {"subdomain": "ada"},
}
session = client.checkout.sessions.create(wanted, {"idempotency_key": "one"})
again = client.checkout.sessions.create(wanted, {"idempotency_key": "one"})
assert session.id == again.id and session.id.startswith("cs_test_")
assert session.status == "open" and session.payment_status == "unpaid"
assert session.url.startswith(at["url"])
assert client.checkout.sessions.retrieve(session.id).metadata["subdomain"] == "ada"
try:
    client.checkout.sessions.create({"mode": "subscription"})
    raise SystemExit("a session without anything to sell was made")
except stripe.InvalidRequestError as error:
    assert error.http_status == 400, error
try:
    client.subscriptions.retrieve("sub_nothing")
    raise SystemExit("a subscription came from nowhere")
except stripe.InvalidRequestError as error:
    assert error.code == "resource_missing" and error.http_status == 404, error
assert [found.id for found in client.customers.list().auto_paging_iter()] == [customer.id]
told = {event.type for event in client.events.list({"limit": 100}).auto_paging_iter()}
assert {"customer.created", "product.created", "price.created"} <= told, told
client.checkout.sessions.expire(session.id)
assert client.checkout.sessions.retrieve(session.id).status == "expired"
