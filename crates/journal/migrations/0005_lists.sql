-- Lists show the runs of one account, newest first, by any of status, kind and flow together: one index
-- for each combination, so that a page costs as much as it shows, however many runs there are.
drop index run_status;
drop index run_kind;
drop index run_flow;
drop index run_owner;
create index run_list on run (owner, id);
create index run_list_status on run (owner, status, id);
create index run_list_kind on run (owner, kind, id);
create index run_list_flow on run (owner, flow, id);
create index run_list_status_kind on run (owner, status, kind, id);
create index run_list_status_flow on run (owner, status, flow, id);
create index run_list_kind_flow on run (owner, kind, flow, id);
create index run_list_status_kind_flow on run (owner, status, kind, flow, id);

-- A search looks at this alone until it has found enough.
create index run_search on run (owner, id, title, status, kind, flow);
