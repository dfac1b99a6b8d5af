-- What the runs of an account have used, each without what it took over, without imported runs. It
-- grows with the events, and stays when runs are deleted.
create table spend (
    account text primary key,
    used    text not null, -- JSON: all together
    removed text not null  -- JSON: what of it deleted runs had used
) strict, without rowid;

-- What is still to be done, once, with what an older version stored.
create table upgrade (step text primary key) strict;
insert into upgrade values ('spend');

-- When a run ended, in milliseconds since 1970: the oldest are deleted first where not all are kept.
alter table run add column finished_at integer;
update run set finished_at = case when finished and json_valid(summary)
    then case json_type(summary, '$.finished_at') when 'integer' then json_extract(summary, '$.finished_at') end
end;
create index run_finished_at on run (finished_at) where finished_at is not null;
