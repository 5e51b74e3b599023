import os

from posthog import Posthog

client = Posthog(
    os.environ["WRITE_KEY"], host=os.environ["MILLRACE_URL"], gzip=os.environ["MODE"] == "gzip",
    **({"capture_mode": "v1"} if os.environ["MODE"] == "v1" else {}),
)
client.capture("Product Viewed", distinct_id="a1", properties={"price": 5, "$process_person_profile": False})
client.set(distinct_id="u1", properties={"email": "ada@example.com"})
client.set_once(distinct_id="u1", properties={"plan": "free"})
client.capture("Order Completed", distinct_id="u1", groups={"company": "g1"}, properties={"order_id": "o1", "revenue": 12.5, "currency": "usd"})
client.group_identify("company", "g1", properties={"name": "Shop"})
client.alias(previous_id="a1", distinct_id="u1")
client.shutdown()
