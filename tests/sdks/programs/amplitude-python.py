import os

from amplitude import Amplitude, BaseEvent, Config, EventOptions, Identify, Revenue

faults = []
use_batch = os.environ["MODE"] == "batch"
client = Amplitude(
    os.environ["WRITE_KEY"],
    Config(
        server_url=f'{os.environ["MILLRACE_URL"]}/{"batch" if use_batch else "2/httpapi"}', use_batch=use_batch,
        callback=lambda event, code, message=None: faults.append(f"{code} {message}") if code != 200 else None,
    ),
)
user = EventOptions(user_id="user1", device_id="device1")
client.track(BaseEvent("Product Viewed", device_id="device1", event_properties={"price": 5}))
changes = Identify()
changes.set("email", "ada@example.com").set_once("plan", "free").add("visits", 2).append("seen", "p1")
changes.prepend("first", "p0").post_insert("tags", ["a", "b"]).pre_insert("marks", "c").remove("old", "x").unset("gone")
client.identify(changes, user)
client.track(BaseEvent("Order Completed", user_id="user1", time=1714550400000, event_properties={"order_id": "o1", "revenue": 12.5, "currency": "usd"}))
client.revenue(Revenue(price=3.25, quantity=2, product_id="p1"), user)
client.set_group("company", "g1", user)
client.group_identify("company", "g1", Identify().set("name", "Shop"), event_options=user)
client.shutdown()
if faults:
    raise SystemExit("; ".join(faults))
