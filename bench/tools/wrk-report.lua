-- For wrk: prints its totals as one JSON line behind its own report.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"bytes":%d,"us":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.bytes, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
