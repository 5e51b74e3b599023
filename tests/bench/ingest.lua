-- For wrk: events as the SDKs send them, each with an id of its own. BATCH events a request, RUN in every id.
local names = { "Product Viewed", "Product Added", "Page Viewed", "Searched", "Order Completed" }
local batch = tonumber(os.getenv("BATCH"))
local run = os.getenv("RUN")
local count = 0

local function event()
  count = count + 1
  local random = (count * 2654435761) % 4294967296
  return string.format(
    '{"type":"track","event":"%s","messageId":"%s-%08x-%d-4c8f-9b1d-5e2a","userId":"%s-u%d","timestamp":"%sT%02d:%02d:%02d.%03dZ",' ..
    '"properties":{"product_id":"p%d","category":"c%d","title":"A thing that somebody might want to buy","price":%d.%02d,"position":%d,"list":"spring","in_stock":true,"coupon":"%x"},' ..
    '"context":{"library":{"name":"analytics-node","version":"3.1.0"},"page":{"path":"/products/%d","url":"https://shop.example/products/%d"},"locale":"zh-CN"}}',
    names[count % 5 + 1], run, random, count, run, random % 10000, os.getenv("DAY"), count % 20, count % 60, random % 60, random % 1000,
    random % 500, random % 20, random % 300, random % 100, random % 30, random, random % 500, random % 500)
end

wrk.headers["authorization"] = os.getenv("AUTHORIZATION")
wrk.headers["content-type"] = "application/json"

request = function()
  if batch == 1 then return wrk.format("POST", "/v1/track", nil, event()) end
  local events = {}
  for at = 1, batch do events[at] = event() end
  return wrk.format("POST", "/v1/batch", nil, '{"batch":[' .. table.concat(events, ",") .. '],"sentAt":"' .. os.date("!%Y-%m-%dT%H:%M:%S.000Z") .. '"}')
end

done = function(summary)
  io.write(string.format("RESULT %d %d %d\n", summary.requests, summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
