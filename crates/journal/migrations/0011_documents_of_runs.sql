-- Runs of one document are listed, newest first: of a team, of a blueprint. A run's workflow names its document with the
-- version, `id@3`, whatever the parameter is called; of several, the first counts, as in `Workflow::document`.
alter table run add column document blob check (length(document) = 16);

update run set document = (
  select unhex(replace(substr(value, 1, 36), '-', ''))
  from json_each(summary, '$.request.workflow')
  where type = 'text' and length(value) between 38 and 47 and substr(value, 37, 1) = '@'
    and substr(value, 38, 1) between '1' and '9' and substr(value, 38) not glob '*[^0-9]*'
    and substr(value, 9, 1) = '-' and substr(value, 14, 1) = '-'
    and substr(value, 19, 1) = '-' and substr(value, 24, 1) = '-'
    and length(unhex(replace(substr(value, 1, 36), '-', ''))) = 16
  order by id limit 1
) where json_valid(summary);

create index run_document on run (owner, document, id) where document is not null;
