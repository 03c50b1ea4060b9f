-- Puts the plan ARGV[1], if any, into force. ARGV[2]: no, or yes: only if it is newer than what is in force, and there.
-- Answers what became of it, and the plan to do next: the newest, if it is not older than what is in force by then.
local plan, guard = tonumber(ARGV[1]), ARGV[2]
local active = tonumber(redis.call("get", "active") or "0")
local latest = tonumber(redis.call("get", "latest"))
local said = "nothing to do"
-- The changes are worked out from what is in force. If that is no more, nothing can be changed safely.
if active > 0 and redis.call("scard", "plan:" .. active) == 0 then
    return "stuck: the plan in force is no more"
end
if plan and guard == "yes" and (plan < active or redis.call("scard", "plan:" .. plan) == 0) then
    redis.call("incr", "refused")
    said = "refused"
elseif plan then
    redis.call("set", "active", plan)
    active = plan
    said = "done"
end
return (latest >= active and latest or "") .. " " .. said
