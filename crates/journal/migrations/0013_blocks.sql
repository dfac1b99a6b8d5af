-- What a commit stores of a run is one row: its events one after the other, a line of JSON for each, or several rows
-- where they are long. A row that comes from an earlier version holds one event, which is the same form.
--
-- The table has row numbers: in one that is ordered by its key, each search for a place reads rows of this length whole.
create table block (
    run   blob    not null references run (id),
    first integer not null, -- number of its first event
    lines text    not null, -- separated by line feeds
    primary key (run, first)
) strict;

insert into block (run, first, lines) select run, seq, json from event order by run, seq;
drop table event;
