-- Documents: what people make and keep, each of one account.
create table document (
    id         blob    primary key check (length(id) = 16),
    owner      text    not null,
    kind       text    not null,
    title      text    not null,
    words      text    not null, -- the title in lower case, for the search
    version    integer not null, -- the newest one
    bytes      integer not null, -- of the newest version
    kept       integer not null, -- what all its versions take of its owner's share
    created_at integer not null, -- in milliseconds since 1970
    changed_at integer not null
) strict;

-- Lists show the documents of one account, those that were changed last first.
create index document_list on document (owner, changed_at, id);
create index document_list_kind on document (owner, kind, changed_at, id);
-- How many an account has, and what they take, without a look at the documents themselves.
create index document_kept on document (owner, kept);

-- Every version that was saved.
create table document_version (
    document blob    not null references document (id),
    version  integer not null,
    saved_at integer not null,
    bytes    integer not null,
    content  text    not null, -- JSON
    primary key (document, version)
) strict;
