"""Signs a webhook with Stripe's own library, and has that library check its own work.

Standard input: {"payload", "secret", "at"}. Standard output: the value of the Stripe-Signature header.
"""

import json
import sys

import stripe

asked = json.load(sys.stdin)
signed = f"{asked['at']}.{asked['payload']}"
signature = stripe.WebhookSignature._compute_signature(signed, asked["secret"])
header = f"t={asked['at']},v1={signature}"
stripe.Webhook.construct_event(asked["payload"], header, asked["secret"], tolerance=86_400)
print(header)
