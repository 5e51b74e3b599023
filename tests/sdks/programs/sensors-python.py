import os
import sensorsanalytics as sa

url = os.environ["MILLRACE_URL"] + "/sa?project=default&token=" + os.environ["WRITE_KEY"]
mode = os.environ["MODE"]
if mode == "default":
    consumer = sa.DefaultConsumer(url)
elif mode == "batch":
    consumer = sa.BatchConsumer(url, 20)
else:
    consumer = sa.DebugConsumer(url, write_data=mode == "debug")

sensors = sa.SensorsAnalytics(consumer, enable_time_free=True)
sensors.track("a1", "ViewProduct", {"product_id": "p1", "price": 5, "$time": 1717056000000})
sensors.track_signup("u1", "a1", {"method": "mobile"})
sensors.track("u1", "PayOrder", {"order_id": "o1", "revenue": 12.5, "currency": "CNY"}, is_login_id=True)
sensors.profile_set("u1", {"email": "ada@example.com", "level": "gold"}, is_login_id=True)
sensors.profile_set_once("u1", {"first_channel": "news"}, is_login_id=True)
sensors.profile_increment("u1", {"visits": 2}, is_login_id=True)
sensors.profile_append("u1", {"likes": ["tea", "books"]}, is_login_id=True)
sensors.profile_unset("u1", ["level"], is_login_id=True)
sensors.item_set("product", "p1", {"name": "Tea"})
login = sa.SensorsAnalyticsIdentity(sa.SensorsAnalyticsIdentity.LOGIN_ID, "u1")
mobile = sa.SensorsAnalyticsIdentity(sa.SensorsAnalyticsIdentity.MOBILE, "13800000000")
sensors.bind(login, mobile)
sensors.track_by_id("CallShop", {"seconds": 9}, mobile)
sensors.unbind(mobile)
sensors.profile_delete("u2", is_login_id=True)
sensors.close()

if mode == "dry":
    # Only this one is to be kept.
    sensors = sa.SensorsAnalytics(sa.DefaultConsumer(url))
    sensors.track("a1", "Kept")
    sensors.close()
