-- What a commit stores of a run is one row: its events one after the other, a line of JSON for each, or several rows
-- where they are long. A row of an earlier version holds one event, which is the same.
alter table event rename to block;
alter table block rename column seq to first;  -- number of its first event
alter table block rename column json to lines; -- separated by line feeds
