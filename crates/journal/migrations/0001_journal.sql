-- "PITW": tells Pitwall's files from other SQLite databases.
pragma application_id = 1346982999;

-- One row for each time that the journal was opened; epochs count up from here.
create table opening (
    number integer primary key,
    at     text not null default current_timestamp
) strict;

-- A run: its owner's epoch, the number of its last event, and its summary, with the
-- summary's fields that are searched in columns. The id is the UUID's 16 bytes: newest last.
create table run (
    id       blob    primary key check (length(id) = 16),
    epoch    integer not null,
    seq      integer not null,
    finished integer not null,
    status   text    not null,
    kind     text    not null,
    flow     text    not null,
    title    text    not null, -- in lower case, for the search
    summary  text    not null  -- JSON
) strict;

create index run_unfinished on run (id) where finished = 0;
create index run_status on run (status, id);
create index run_kind on run (kind, id);
create index run_flow on run (flow, id);

-- The log: what subscribers are sent, byte for byte.
create table event (
    run  blob    not null references run (id),
    seq  integer not null,
    json text    not null,
    primary key (run, seq)
) strict, without rowid;

-- Long texts of events, each once.
create table text (
    digest text primary key,
    body   text not null
) strict;

-- Which run may show which long text.
create table run_text (
    run    blob not null references run (id),
    digest text not null references text (digest),
    primary key (run, digest)
) strict, without rowid;

-- Entries of portfolios, each stored once under its key. The first has no key.
create table ledger_entry (
    portfolio text    not null,
    number    integer not null,
    key       text,
    body      text    not null,
    primary key (portfolio, number),
    unique (portfolio, key)
) strict;
