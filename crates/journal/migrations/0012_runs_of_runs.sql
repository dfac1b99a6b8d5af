-- The runs that a run has started are listed, newest first. The run that started one is a column of its own: the index of
-- the runs that people start reads no summary any more, which it did for each event that was stored.
alter table run add column parent blob check (length(parent) = 16);

update run set parent = unhex(replace(json_extract(summary, '$.parent.run'), '-', ''))
where json_valid(summary)
  and length(unhex(replace(json_extract(summary, '$.parent.run'), '-', ''))) = 16;

create index run_parent on run (parent, id) where parent is not null;

drop index run_top;
drop index run_top_status;
alter table run drop column below;
create index run_top on run (owner, id) where parent is null;
create index run_top_status on run (owner, status, id) where parent is null;

-- The summaries of runs that have started others tell what those have used.
insert into upgrade values ('below');
