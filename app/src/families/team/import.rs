//! Teams are taken in from files that are chosen or dropped.

use std::{collections::BTreeSet, time::Duration};

use leptos::{
    ev, html,
    prelude::*,
    task::spawn_local,
    web_sys::{DragEvent, File},
};
use protocol::team::{
    FileFinding, FoundKind, FoundPart, ImportChosen, ImportTeams, ImportedStudio, ImportedTeam, ImportedTeams,
    TakenFiles, TeamFile,
};

use super::{api as own_api, findings::Findings};
use crate::{
    api,
    base::at,
    browser,
    components::{
        icon::{Icon, IconName},
        notice::FormError,
    },
};

/// The most bytes of one file that are read.
const LARGEST_FILE: u32 = 8 * 1024 * 1024;
/// The most bytes of a database that the server takes, and how long it is waited for.
const LARGEST_DATABASE: u32 = 64 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(300);
/// How every SQLite database begins.
const DATABASE: &str = "SQLite format 3";

/// Where files are dropped or chosen. `on_done` is called once there are new teams.
#[component]
pub fn TeamImport(on_done: Callback<()>) -> impl IntoView {
    let (busy, is_over) = (RwSignal::new(false), RwSignal::new(false));
    let problem = RwSignal::new(None::<String>);
    let imported = RwSignal::new(None::<Imported>);
    let offered = RwSignal::new(None::<Offered>);
    let chooser = NodeRef::<html::Input>::new();
    let settle = move |outcome: Result<Sent, String>| {
        busy.try_set(false);
        match outcome {
            Ok(Sent::Offered(found)) => {
                problem.try_set(None);
                imported.try_set(None);
                offered.try_set(Some(found));
            }
            Ok(Sent::Imported(answer)) => {
                problem.try_set(None);
                offered.try_set(None);
                imported.try_set(Some(answer));
                on_done.try_run(());
            }
            Err(why) => {
                problem.try_set(Some(why));
            }
        }
    };
    let take = move |files: Vec<File>| {
        if files.is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move { settle(send(files).await) });
    };
    let take_chosen = move |request: ImportChosen| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let sent = own_api::import_chosen(request).await;
            settle(sent.map(Imported::Files).map(Sent::Imported).map_err(|error| error.to_string()));
        });
    };
    let chosen = move |_: ev::Event| {
        let Some(input) = chooser.get_untracked() else { return };
        let files = input.files().map(|files| (0..files.length()).filter_map(|number| files.get(number)).collect());
        take(files.unwrap_or_default());
        // So that the same file can be chosen again.
        input.set_value("");
    };
    let choose = move |_| {
        if let Some(input) = chooser.get_untracked() {
            input.click();
        }
    };
    let over = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(true);
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(false);
        take(browser::dropped_files(&event));
    };
    view! {
        <section class="card team-import" class:dropping=is_over aria-label="Import teams" on:dragover=over on:dragleave=move |_| is_over.set(false) on:drop=dropped>
            <p>
                "Drop files here: teams of AutoGen and its Studio as JSON or YAML, galleries, or the "
                <code>"agents.yaml"</code>
                " and "
                <code>"tasks.yaml"</code>
                " of a CrewAI project together; or the database of AutoGen Studio, "
                <code>"autogen04203.db"</code>
                " or the like, with its sessions and runs. Nothing in them is run, and keys are left out."
            </p>
            <input type="file" multiple=true node_ref=chooser accept=".json,.yaml,.yml,.py,.db,.sqlite,application/json" hidden=true aria-label="Files of teams" on:change=chosen />
            <button type="button" class="button" disabled=busy on:click=choose>
                <Icon name=IconName::Import />
                <span aria-live="polite">{move || if busy.get() { "Importing …" } else { "Choose files" }}</span>
            </button>
            <FormError text=problem />
            {move || offered.get().map(|found| view! { <Choice offered=found take=take_chosen busy leave=move || offered.set(None) /> })}
            {move || imported.get().map(|imported| view! { <Outcome imported /> })}
        </section>
    }
}

/// What the server made of what it was sent.
enum Sent {
    /// Documents.
    Imported(Imported),
    /// Nothing yet: there is more than one thing in a file.
    Offered(Offered),
}

/// Files of which a person is to choose.
#[derive(Clone)]
struct Offered {
    files: Vec<TeamFile>,
    parts: Vec<FoundPart>,
    findings: Vec<FileFinding>,
}

/// What came of an import.
#[derive(Clone)]
enum Imported {
    /// Of files.
    Files(ImportedTeams),
    /// Of a database of AutoGen Studio.
    Studio(ImportedStudio),
}

/// Reads the files and sends them. The error says in a sentence what to do.
async fn send(files: Vec<File>) -> Result<Sent, String> {
    let mut read = Vec::new();
    let count = files.len();
    for file in files {
        let name = file.name();
        let beginning = browser::beginning_of(&file, DATABASE.len() as u32).await;
        if beginning.is_ok_and(|beginning| beginning == DATABASE) {
            if count > 1 {
                return Err(format!("“{name}” is a database. Give it by itself."));
            }
            return send_database(file).await.map(Imported::Studio).map(Sent::Imported);
        }
        if file.size() > f64::from(LARGEST_FILE) {
            return Err(format!("“{name}” is larger than 8 MiB. Take the teams out of it and import those."));
        }
        let text = browser::beginning_of(&file, LARGEST_FILE).await;
        let text = text.map_err(|_| format!("“{name}” cannot be read. Choose it again."))?;
        read.push(TeamFile { name, text });
    }
    let taken = own_api::take_files(ImportTeams { files: read.clone() }).await;
    match taken.map_err(|error| error.to_string())? {
        TakenFiles::Imported(imported) => Ok(Sent::Imported(Imported::Files(imported))),
        TakenFiles::Offered(found) => {
            Ok(Sent::Offered(Offered { files: read, parts: found.parts, findings: found.findings }))
        }
    }
}

async fn send_database(file: File) -> Result<ImportedStudio, String> {
    if file.size() > f64::from(LARGEST_DATABASE) {
        return Err(format!(
            "“{}” is larger than 64 MiB. Stop the server and give it to pitwall import-autogen-studio, which takes \
             larger ones.",
            file.name()
        ));
    }
    let sent = api::send_file("/api/v1/teams/import-studio", "application/octet-stream", file, PATIENCE).await;
    sent.map_err(|error| error.to_string())
}

/// A gallery, or another file with more than one thing in it: the teams are proposed.
#[component]
fn Choice(
    offered: Offered,
    busy: RwSignal<bool>,
    /// Makes documents of what is chosen.
    take: impl Fn(ImportChosen) + Copy + 'static,
    /// Does nothing with the files.
    leave: impl Fn() + Copy + 'static,
) -> impl IntoView {
    let Offered { files, parts, findings } = offered;
    let teams = parts.iter().filter(|part| part.kind == FoundKind::Team).map(|part| part.number);
    let chosen = RwSignal::new(teams.collect::<BTreeSet<u32>>());
    let all = parts.len();
    let row = move |part: FoundPart| {
        let FoundPart { number, kind, title, agents, can_run, findings } = part;
        let turn = move |_| {
            chosen.update(|chosen| {
                if !chosen.remove(&number) {
                    chosen.insert(number);
                }
            });
        };
        let agents = match agents {
            0 => String::new(),
            1 => ", 1 agent".to_owned(),
            agents => format!(", {agents} agents"),
        };
        let what = match kind {
            FoundKind::Team => format!("team{agents}"),
            FoundKind::Agent => "agent: becomes a team of one".to_owned(),
            FoundKind::Model => "model".to_owned(),
            FoundKind::Tool => "tool".to_owned(),
            FoundKind::Condition => "condition".to_owned(),
            FoundKind::Workbench => "server of tools".to_owned(),
        };
        let cannot = (!can_run).then_some(" \u{b7} cannot run yet");
        view! {
            <li>
                <label class="ask-choice">
                    <input type="checkbox" prop:checked=move || chosen.with(|chosen| chosen.contains(&number)) on:change=turn />
                    <span>{title.to_string()} <span class="dim">" \u{b7} " {what} {cannot}</span></span>
                </label>
                {(!findings.is_empty()).then(|| view! {
                    <details><summary>"What is to be known"</summary><Findings findings /></details>
                })}
            </li>
        }
    };
    let count = Memo::new(move |_| chosen.with(BTreeSet::len));
    let send = move |_| {
        if count.get_untracked() > 0 {
            take(ImportChosen { files: files.clone(), chosen: chosen.get_untracked().into_iter().collect() });
        }
    };
    view! {
        <div class="team-imported" role="group" aria-label="What is to be imported">
            <p><strong>"There is more than one thing in it. What is to be imported?"</strong></p>
            <ul class="team-choice">{parts.into_iter().map(row).collect_view()}</ul>
            <Findings findings />
            <p class="page-acts">
                <button type="button" class="button primary" aria-disabled=move || (count.get() == 0 || busy.get()).then_some("true") on:click=send>
                    {move || format!("Import {} of {all}", count.get())}
                </button>
                <button type="button" class="button" on:click=move |_| leave()>"Leave it"</button>
            </p>
        </div>
    }
}

/// What was in the files.
#[component]
fn Outcome(imported: Imported) -> impl IntoView {
    let (count, teams, notes, findings) = match imported {
        Imported::Files(ImportedTeams { teams, parts, findings }) => {
            let count = match teams.len() {
                0 => "No team was found.".to_owned(),
                1 => "One team was imported.".to_owned(),
                count => format!("{count} teams were imported."),
            };
            let parts = (!parts.is_empty())
                .then(|| format!("Parts that stand by themselves were left out: {}.", parts.join(", ")));
            (count, teams, parts.into_iter().collect(), findings)
        }
        Imported::Studio(imported) => of_studio(imported),
    };
    let notes = notes.into_iter().map(|note| view! { <p class="dim">{note}</p> });
    let teams = teams.into_iter().map(|team| view! { <ImportedRow team /> });
    view! {
        <div class="team-imported" role="status">
            <p><strong>{count}</strong></p>
            <ul>{teams.collect_view()}</ul>
            {notes.collect_view()}
            <Findings findings />
        </div>
    }
}

/// What came of a database: a sentence, its teams, what else is to be said, and what was left out.
fn of_studio(imported: ImportedStudio) -> (String, Vec<ImportedTeam>, Vec<String>, Vec<FileFinding>) {
    let ImportedStudio { teams, galleries, sessions, runs, known, left_out, more_left_out } = imported;
    let words = |count: u32, one: &str, several: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    };
    let count = [
        words(u32::try_from(teams.len()).unwrap_or(u32::MAX), "team", "teams"),
        words(galleries, "gallery", "galleries"),
        words(sessions, "session", "sessions"),
        words(runs, "run", "runs"),
    ];
    let is_known = (known > 0).then(|| {
        format!("{} here already and stayed as it is. Runs stand on the page of runs.", words(known, "thing was", "things were"))
    });
    let more = (more_left_out > 0).then(|| format!("{more_left_out} more were left out."));
    let finding = |detail: String| FileFinding { file: None, place: String::new(), detail, stops_runs: false };
    (
        format!("Imported from AutoGen Studio: {}.", count.join(", ")),
        teams,
        is_known.into_iter().chain(more).collect(),
        left_out.into_iter().map(finding).collect(),
    )
}

#[component]
fn ImportedRow(team: ImportedTeam) -> impl IntoView {
    let ImportedTeam { document, title, can_run, findings } = team;
    let count = findings.len();
    let start = can_run.then(|| {
        view! { " · " <a href=at(format!("/start?type=team&team={document}"))>"Run it"</a> }
    });
    let told = (count > 0).then(|| {
        let words = if count == 1 { "One thing to know".to_owned() } else { format!("{count} things to know") };
        view! { <details open=!can_run><summary>{words}</summary><Findings findings /></details> }
    });
    view! {
        <li>
            <a href=at(format!("/documents/{document}"))>{title.to_string()}</a>
            {start}
            {told}
        </li>
    }
}
