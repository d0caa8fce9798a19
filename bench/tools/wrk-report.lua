-- For wrk: asks for the paths in WRK_PATHS in turn, and prints its totals as one JSON line behind its own report.
local requests, at = {}, 0
function init()
  for path in (os.getenv("WRK_PATHS") or ""):gmatch("%S+") do
    requests[#requests + 1] = wrk.format(nil, path)
  end
end
if os.getenv("WRK_PATHS") then
  function request()
    at = at % #requests + 1
    return requests[at]
  end
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"bytes":%d,"us":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.bytes, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
