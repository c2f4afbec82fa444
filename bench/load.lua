-- Prints wrk's result as one JSON line. Of the functions only `done` is defined: a `request` or `response` function would run Lua for every call
-- and take the processor from the server under test. What is sent is set once.

local body = os.getenv("LOAD_BODY")
if body then
  wrk.method, wrk.body = "POST", body
  wrk.headers["Content-Type"] = "application/json"
end

function done(summary, latency, _)
  local errors = summary.errors
  print(string.format(
    '{"requests_per_second":%.1f,"p50_ms":%.3f,"p90_ms":%.3f,"p99_ms":%.3f,"errors":%d}',
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000,
    latency:percentile(90) / 1000,
    latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end
