-- The load of wrk: callbacks that differ in stream, object and capture time, as those of real
-- snapshots do. All numbers have a fixed width, so that a request is a few pieces of text.
-- Arguments: path, timestamp, signature, the number of the first callback, its capture time in ms.
local head, number, first, captured
local STREAMS = 500
-- Callbacks in a millisecond of capture time.
local IN_A_MILLISECOND = 20

local function body_of(n, time)
  local stream = string.format('stream-%03d', n % STREAMS)
  return '{"DomainName":"play.example.com","AppName":"live","StreamName":"' .. stream
    .. '","OssEndpoint":"oss-cn-shanghai.example.com","OssBucket":"snapshots","OssObject":"live/'
    .. stream .. string.format('/%010d.jpg","CreateTimestamp":%013d,"IsOverlay":false}', n, time)
end

function init(args)
  first = tonumber(args[4])
  number = first
  captured = tonumber(args[5])
  head = 'POST ' .. args[1] .. ' HTTP/1.1\r\nHost: ' .. wrk.host .. ':' .. wrk.port
    .. '\r\nContent-Type: application/json\r\nALI-LIVE-TIMESTAMP: ' .. args[2]
    .. '\r\nALI-LIVE-SIGNATURE: ' .. args[3]
    .. '\r\nContent-Length: ' .. #body_of(0, captured) .. '\r\n\r\n'
end

function request()
  number = number + 1
  return head .. body_of(number, captured + math.floor((number - first) / IN_A_MILLISECOND))
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"p99Ms":%f,"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1000, errors.status, failed))
end
