-- Whose run it is, and the run that it continues: both are part of the summary, and asked for.
alter table run add column owner text not null default 'local';
alter table run add column origin blob references run (id);

create index run_owner on run (owner, id);
create index run_origin on run (origin, id) where origin is not null;
