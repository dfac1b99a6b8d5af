-- "PITA": tells this file from other SQLite databases.
pragma application_id = 1346982977;

-- Who may sign in. The password is an argon2id hash with its salt and its cost.
create table account (
    id         text    primary key,
    role       text    not null check (role in ('owner', 'viewer', 'administrator')),
    password   text    not null,
    allowance  text    not null default '{}', -- JSON
    created_at integer not null               -- milliseconds since 1970
) strict;

-- What lets somebody in: a browser's session, an API client's token, a run that is shared.
-- Of secrets only the SHA-256 is kept; a signed token has none here, and a run that is shared with
-- this server's viewers has none at all. Revoking deletes the row.
create table credential (
    id         blob    primary key check (length(id) = 16),
    kind       text    not null check (kind in ('session', 'token', 'share')),
    account    text    not null,
    digest     blob    unique,
    label      text    not null default '',
    run        blob,
    created_at integer not null,
    expires_at integer,
    check ((kind = 'share') = (run is not null))
) strict;

create index credential_account on credential (account, kind);

-- What tokens are signed with; one row.
create table signing_key (
    number integer primary key check (number = 1),
    key    blob    not null check (length(key) = 32)
) strict;
