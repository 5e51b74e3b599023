import os
from urllib.parse import urlsplit

from mixpanel import Consumer, Mixpanel, BufferedConsumer

url = os.environ["MILLRACE_URL"]
consumer_of = BufferedConsumer if os.environ["MODE"] == "buffered" else Consumer
key = os.environ["WRITE_KEY"]
consumer = consumer_of(
    events_url=f"{url}/track", people_url=f"{url}/engage", groups_url=f"{url}/groups", import_url=f"{url}/import", api_host=urlsplit(url).netloc,
)
client = Mixpanel(key, consumer=consumer)
client.track("$device:a1", "Product Viewed", {"price": 5, "$device_id": "a1"})
client.track("u1", "Order Completed", {"$user_id": "u1", "order_id": "o1", "revenue": 12.5, "currency": "usd"})
client.import_data(key, "u1", "Order Completed", 1714550400, {"order_id": "o0", "revenue": 7}, api_secret=key)
client.merge(key, "$device:a1", "u1", api_secret=key)
client.people_set("u1", {"$email": "ada@example.com"})
client.people_set_once("u1", {"plan": "free"})
client.people_increment("u1", {"visits": 2})
client.people_append("u1", {"seen": "p1"})
client.people_union("u1", {"tags": ["a", "b"]})
client.people_remove("u1", {"tags": "a"})
client.people_unset("u1", ["plan"])
client.people_track_charge("u1", 12.5)
client.people_delete("u2")
client.group_set("company", "g1", {"name": "Shop"})
if hasattr(consumer, "flush"):
    consumer.flush()
