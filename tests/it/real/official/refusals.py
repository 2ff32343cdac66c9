"""Errors by class, idempotency keys and pages through Stripe's own Python library. Standard input: {"url", "secret_key"}."""

import json
import sys

import stripe

at = json.load(sys.stdin)


def connect(key, **more):
    return stripe.StripeClient(key, base_addresses={"api": at["url"]}, **more).v1


def refused(kind, ask):
    try:
        ask()
    except kind as error:
        assert type(error) is kind, error
        assert error.request_id.startswith("req_"), error
        return error
    raise SystemExit(f"no {kind.__name__}")


client = connect(at["secret_key"], max_network_retries=0)
error = refused(stripe.AuthenticationError, lambda: connect("sk_test_not_a_key_of_this_account").customers.list())
assert error.http_status == 401 and error.user_message.startswith("Invalid API Key provided: sk_test_")
refused(stripe.PermissionError, lambda: connect("pk_test_publishable").customers.list())

error = refused(stripe.InvalidRequestError, lambda: client.customers.retrieve("cus_none"))
assert error.code == "resource_missing" and error.param == "id" and error.http_status == 404
error = refused(stripe.InvalidRequestError, lambda: client.prices.create({"currency": "eur"}))
assert error.code == "parameter_missing", error
error = refused(stripe.InvalidRequestError, lambda: client.customers.create({"emial": "x"}))
assert error.code == "parameter_unknown" and error.param == "emial"
error = refused(stripe.CardError, lambda: client.customers.create({"payment_method": "pm_card_chargeDeclined"}))
assert error.code == "card_declined" and error.error.decline_code == "generic_decline"

one = client.customers.create({"name": "Ada"}, {"idempotency_key": "k"})
again = client.customers.create({"name": "Ada"}, {"idempotency_key": "k"})
assert one.id == again.id and again.last_response.headers["idempotent-replayed"] == "true"
assert again.last_response.headers["original-request"] == one.last_response.request_id
refused(stripe.IdempotencyError, lambda: client.customers.create({"name": "Bob"}, {"idempotency_key": "k"}))

for number in range(24):
    client.customers.create({"name": f"c{number}", "metadata": {"n": str(number)}})
names = [found.name for found in client.customers.list({"limit": 7}).auto_paging_iter()]
assert names == [f"c{number}" for number in reversed(range(24))] + ["Ada"], names
page = client.customers.list({"limit": 7, "starting_after": one.id})
assert page.data == [] and not page.has_more
backwards = client.customers.list({"limit": 3, "ending_before": one.id})
assert [found.name for found in backwards.data] == ["c2", "c1", "c0"] and backwards.has_more

clock = client.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000})
there = client.customers.create({"test_clock": clock.id})
client.test_helpers.test_clocks.advance(clock.id, {"frozen_time": 1_800_086_400})
error = refused(stripe.RateLimitError, lambda: client.customers.update(there.id, {"name": "x"}))
assert error.http_status == 429 and "advancement underway" in error.user_message
