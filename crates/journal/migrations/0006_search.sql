-- Finds titles by what they contain: three letters in a row are a word of this index. It keeps no copy of
-- the titles. Its rows have numbers, which runs do not.
create table run_number (
    number integer primary key,
    run    blob    not null unique
) strict;
create virtual table run_title using fts5 (
    title, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram'
);
insert into run_number (run) select id from run order by id;
insert into run_title (rowid, title) select number, title from run_number join run on id = run_number.run;

create trigger run_title_added after insert on run begin
    insert into run_number (run) values (new.id);
    insert into run_title (rowid, title) select number, new.title from run_number where run = new.id;
end;
create trigger run_title_changed after update of title on run when old.title is not new.title begin
    update run_title set title = new.title where rowid = (select number from run_number where run = new.id);
end;
create trigger run_title_removed after delete on run begin
    delete from run_title where rowid = (select number from run_number where run = old.id);
    delete from run_number where run = old.id;
end;

-- Runs of kinds that this version does not know: few, if any.
create index run_list_other on run (owner, id) where kind not in ('pipeline', 'portfolio');
