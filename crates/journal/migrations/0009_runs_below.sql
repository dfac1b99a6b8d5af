-- Lists leave out the runs that others have started, of which there may be many more than of those that people start.
-- A summary that cannot be read keeps no list from being made.
alter table run add column below integer generated always as (
  case when json_valid(summary) then json_extract(summary, '$.parent') is not null else 0 end
) virtual;
create index run_top on run (owner, id) where below = 0;
create index run_top_status on run (owner, status, id) where below = 0;
