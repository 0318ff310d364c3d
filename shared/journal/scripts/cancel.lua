#!lua flags=allow-oom
-- include: _cancel
-- Cancels an intent for its caller, as long as nothing of it can have reached Salesforce.
--
-- ARGV  1 prefix, 2 id, 3 reason, 4 ms a wake-up counts as on its way
--
-- A parked intent that was never written is cancelled too. One that may have been written stays parked,
-- with the reason NOT_WANTED. The fingerprint is removed, so the same request later is a new one.
--
-- Returns {state after, kind, kind, ...}: "cancelled", or the state that forbids it ("leased",
-- "delivered", "parked", "in_doubt" when an attempt may have been committed, "" when unknown); then
-- the kinds to notify.
local p, id, wake_up_ms = ARGV[1], ARGV[2], tonumber(ARGV[4])
local reply = {}
local became = cancel(p, id, ARGV[3], clock_ms(), wake_up_ms, reply)
table.insert(reply, 1, became)
return reply
