-- Whole numbers under which other systems know what has a UUID here. None is given twice. What is to be a run within
-- something else, and has not begun, names that.
create table number (
    number  integer primary key autoincrement,
    owner   text    not null,
    subject blob    not null unique check (length(subject) = 16),
    within  blob    check (length(within) = 16)
) strict;

create index number_waits on number (owner, number) where within is not null;

create trigger number_begun after insert on run begin
    update number set within = null where subject = new.id;
end;
create trigger number_of_run_removed after delete on run begin
    delete from number where subject = old.id;
end;
create trigger number_of_document_removed after delete on document begin
    delete from number where subject = old.id;
end;
