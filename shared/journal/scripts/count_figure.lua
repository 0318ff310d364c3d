#!lua flags=allow-oom
-- Counts one more of a figure of the ledger of promises (see count_promise).
--
-- ARGV  1 prefix, 2 the figure
count_promise(ARGV[1], clock_ms(), ARGV[2])
return 1
