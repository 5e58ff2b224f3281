-- Load by wrk: signed pushes to devices drawn at random from a list. See README.md.
-- 用 wrk 施加负载：对随机抽取的设备发送带签名的推送。说明见 README.md。
--
--   wrk -t1 -c64 -d10s -s deploy/wrk/push.lua http://127.0.0.1:8080 -- --app demo --secret S --devices tokens.txt

local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
local md5 = dofile(here .. "/md5.lua")

local options = { app = "demo", secret = "", devices = nil, org = nil, tag = nil, biz = false, size = 200, json = false }
local function parse(arguments)
    local i = 1
    while i <= #arguments do
        local name = arguments[i]:match("^%-%-(%w+)$")
        if name == nil or options[name] == nil and name ~= "devices" and name ~= "org" and name ~= "tag" then
            error("push.lua: unknown option " .. arguments[i])
        end
        if type(options[name]) == "boolean" then
            options[name] = true
        else
            i = i + 1
            options[name] = arguments[i] or error("push.lua: --" .. name .. " needs a value")
        end
        i = i + 1
    end
    if options.devices == nil and options.org == nil then error("push.lua: give --devices FILE or --org ID") end
end

local tokens = {}
local function read(path)
    for line in assert(io.open(path)):lines() do
        if line ~= "" then tokens[#tokens + 1] = line end
    end
    if #tokens == 0 then error("push.lua: no device in " .. path) end
end

-- wrk makes a Lua state for each thread; the number keeps their out_biz_no apart.
local threads = 0
function setup(thread)
    thread:set("thread_number", threads)
    threads = threads + 1
end

local head, target_end, prefix, count = "", "", "", 0
function init(arguments)
    parse(arguments)
    if options.devices then read(options.devices) end
    math.randomseed(os.time() * 64 + (thread_number or 0))
    prefix = string.format("wrk-%x-%x-%d-", os.time(), math.random(0, 0xfffffff), thread_number or 0)
    target_end = options.org and string.format('{"type":"groupcast","org_id":"%s",', options.org) or '{"type":"unicast","device_tokens":"'
    local tag = options.tag and string.format(',"tag":"%s"', options.tag) or ""
    local size = math.max(1, tonumber(options.size) - 70 - #tag)
    head = string.format(
        '"payload":{"display_type":"notification","body":{"title":"load","custom":"%s"}%s}', string.rep("x", size), tag)
end

local signed_at, headers = 0, nil
local function sign()
    local now = os.time()
    if now == signed_at then return end
    signed_at = now
    headers = {
        ["Content-Type"] = "application/json",
        ["appkey"] = options.app,
        ["timestamp"] = tostring(now),
        ["validation-token"] = md5(options.app:lower() .. options.secret:lower() .. tostring(now)),
    }
end

function request()
    sign()
    count = count + 1
    local body = target_end
    if options.org == nil then body = body .. tokens[math.random(#tokens)] .. '",' end
    body = body .. head
    if options.biz then body = body .. ',"policy":{"out_biz_no":"' .. prefix .. count .. '"}' end
    return wrk.format("POST", "/psp/push/msg", headers, body .. "}")
end

-- One line that a script can read, after wrk's own report. Times in microseconds.
function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"refused":%d,"failed":%d,"p50":%d,"p99":%d,"p999":%d,"max":%d}\n', summary.requests,
        summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50),
        latency:percentile(99), latency:percentile(99.9), latency.max))
end
