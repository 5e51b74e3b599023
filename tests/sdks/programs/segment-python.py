import os
from datetime import datetime, timedelta, timezone

from segment.analytics.client import Client


def fail(error, items):
    os._exit(1)


client = Client(os.environ["WRITE_KEY"], host=os.environ["MILLRACE_URL"], gzip=os.environ["MODE"] == "gzip", on_error=fail)
client.track(anonymous_id="a1", event="Product Viewed", properties={"price": 5, "name": "中文 ☕"})
client.identify(user_id="u1", anonymous_id="a1", traits={"email": "ada@example.com"})
client.track("u1", "Order Completed", {"order_id": "o1", "revenue": 12.5, "currency": "usd"})
client.track("u1", "Tea Drunk", timestamp=datetime.now(timezone.utc) - timedelta(days=2))
client.page("u1", name="Home", category="Shop")
client.screen("u1", name="Start")
client.group("u1", "g1", {"name": "Shop"})
client.alias("old", "u1")
client.flush()
client.join()
