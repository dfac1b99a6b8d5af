-- Runs can be deleted. What a run took over from the one that it continues stands in its own log,
-- so the other one's id is plain data: it may name a run that is gone.
alter table run add column continues blob;
update run set continues = origin where origin is not null;
drop index run_origin;
alter table run drop column origin;
alter table run rename column continues to origin;
create index run_origin on run (origin, id) where origin is not null;

-- Finds the texts that no run names any more.
create index run_text_digest on run_text (digest);
