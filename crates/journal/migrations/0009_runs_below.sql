-- Lists leave out the runs that others have started, of which there may be many more than of those that people start.
alter table run add column below integer generated always as (json_extract(summary, '$.parent') is not null) virtual;
create index run_top on run (owner, id) where below = 0;
create index run_top_status on run (owner, status, id) where below = 0;
