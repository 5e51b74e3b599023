-- For wrk: requests out of a file in turn. Each is method, path, headers and body, each part behind its length and a line feed.
local requests = {}

-- Not before: wrk sets the Host header, which wrk.format takes, right before it calls this.
init = function()
  local file = assert(io.open(os.getenv("REQUESTS"), "rb"))
  local function part()
    local length = file:read("*n")
    if length == nil then return nil end
    file:read(1)
    return length == 0 and "" or file:read(length)
  end
  while true do
    local method = part()
    if method == nil then break end
    local path, headers, body = part(), part(), part()
    local named = {}
    for name, value in headers:gmatch("([^:\n]+): ([^\n]*)\n") do named[name] = value end
    requests[#requests + 1] = wrk.format(method, path, named, body)
  end
end

local at = 0
request = function()
  at = at % #requests + 1
  return requests[at]
end

done = function(summary)
  io.write(string.format("RESULT %d %d %d\n", summary.requests, summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
