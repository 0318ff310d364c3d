#!lua flags=allow-oom
-- Salesforce refused the query of a lookup tool, as it does when the org no longer fits the tool's file.
--
-- ARGV  1 prefix, 2 the tool with its agent folder, 3 the conversation, 4 reason, 5 ms to wait
--
-- From the second conversation on, the tool waits: it is the tool that fails, and not one caller's words.
--
-- Returns 1 when the tool starts to wait, else 0.
local p, tool, conversation, reason, delay_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if count_refused(p, tool, conversation, 2) < 2 then return 0 end
local failure = {delay_ms = delay_ms, reason = reason, failures_in_a_row = 1}
return start_wait(p, tool, failure, clock_ms()) and 1 or 0
