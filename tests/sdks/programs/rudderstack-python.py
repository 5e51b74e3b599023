import os
from datetime import datetime, timedelta, timezone

import rudderstack.analytics as analytics


def fail(error, items):
    os._exit(1)


analytics.write_key = os.environ["WRITE_KEY"]
analytics.dataPlaneUrl = os.environ["MILLRACE_URL"]
analytics.on_error = fail
analytics.track(anonymous_id="a1", event="Product Viewed", properties={"price": 5, "name": "中文 ☕"})
analytics.identify(user_id="u1", anonymous_id="a1", traits={"email": "ada@example.com"})
analytics.track("u1", "Order Completed", {"order_id": "o1", "revenue": 12.5, "currency": "usd"})
analytics.track("u1", "Tea Drunk", timestamp=datetime.now(timezone.utc) - timedelta(days=2))
analytics.page("u1", "Shop", "Home")
analytics.screen("u1", "Shop", "Start")
analytics.group("u1", "g1", {"name": "Shop"})
analytics.alias("old", "u1")
analytics.flush()
analytics.join()
