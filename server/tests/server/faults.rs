//! What goes wrong around the server: its disk, its database, its clock, its provider.

use std::{path::Path, time::Duration};

use futures::StreamExt;
use jiff::SignedDuration;
use protocol::{Event, RunId, RunStatus, RunView, Timestamp, Trouble};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    support::{
        Disk, Fault, Home, Provider, RunResult, Server, Socket, TOKEN, asking, events_to_end, next_frame,
        result,
    },
    upkeep::AN_EVENT_A_ROW,
};

const HOUR: i64 = 3_600_000;

fn pipeline() -> Value {
    json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } })
}

/// Ends as it should: all events are there, once and in order.
fn assert_whole(events: &[Event]) -> RunView {
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    let view = RunView::fold(events).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    view
}

async fn change(database: &Path, statements: &[&'static str]) {
    let mut connection = SqliteConnectOptions::new().filename(database).connect().await.unwrap();
    for statement in statements.iter().copied() {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// What a server that does not start says, once it has ended.
async fn refusal(mut command: Command) -> String {
    let output = command.stderr(std::process::Stdio::piped()).output();
    let output = tokio::time::timeout(Duration::from_secs(20), output).await.expect("it ends").unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// The program under a limit of the size of its files that can be lifted while it runs. Where it
/// is reached, writing fails; without the trap, the system would end the process.
#[cfg(target_os = "linux")]
fn with_small_disk(command: &Command, bytes: u64) -> Command {
    let command = command.as_std();
    let mut limited = Command::new("prlimit");
    limited.arg(format!("--fsize={bytes}:unlimited")).args(["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.env_remove("PITWALL_MODEL").stdout(std::process::Stdio::piped()).kill_on_drop(true);
    limited.stderr(std::process::Stdio::null());
    limited
}

/// What the next word about the server's troubles says.
#[cfg(target_os = "linux")]
async fn next_trouble(socket: &mut Socket) -> Option<String> {
    loop {
        let message = socket.next().await.expect("the socket is open").unwrap();
        if let Message::Text(text) = message
            && let Some(trouble) = Trouble::parse(&text)
        {
            return trouble.detail;
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_pauses_runs_and_they_go_on_when_there_is_space_again() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "2000".to_owned())]);
    let server = home.start_as(with_small_disk(&home.command(), 1_000_000)).await;
    let mut feed = server.connect("/ws/v1/feed").await;
    let mut watching = Vec::new();
    let refused = loop {
        let (status, answer) = server.post("/api/v1/runs", pipeline()).await;
        if status != 201 {
            break (status, answer);
        }
        let run: RunId = answer["run"].as_str().unwrap().parse().unwrap();
        watching.push((run, tokio::spawn(events_to_end(server.address, run, 0))));
        assert!(watching.len() < 200, "the disk never fills");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    // The request that finds the disk full is told so by its status; those after it are told of the trouble.
    assert!(matches!(refused.0, 503 | 507), "{}", refused.0);
    assert!(refused.1["detail"].as_str().unwrap().contains("disk is full"), "{}", refused.1);
    let unfinished = watching.iter().filter(|(_, events)| !events.is_finished()).count();
    assert!(unfinished > 0, "runs are under way when the disk is full");
    assert!(next_trouble(&mut feed).await.unwrap().contains("disk is full"), "every page is told");
    // What is there can still be read.
    assert_eq!(server.get("/api/v1/runs").await["runs"].as_array().unwrap().len(), watching.len().min(50));

    let process = server.process().to_string();
    let lifted =
        Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited"]).status().await.unwrap();
    assert!(lifted.success());
    // Each page is told when it has passed, too. It may have seemed so before.
    while next_trouble(&mut feed).await.is_some() {}
    for (run, events) in watching {
        let seen = events.await.unwrap();
        assert_whole(&seen);
        assert_eq!(server.events_to_end(run, 0).await, seen, "what a client was shown is in the log");
    }
    assert_whole(&server.events_to_end(server.start_run(pipeline()).await, 0).await);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_turns_read_only_pauses_runs_and_loses_no_answer_that_was_paid_for() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "2000".to_owned())]);
    let disk = Disk::new(home.folder());
    let server = home.start_as(disk.switchable(home.command())).await;
    let mut feed = server.connect("/ws/v1/feed").await;
    let run = server.start_run(pipeline()).await;
    let seen = tokio::spawn(events_to_end(server.address, run, 0));
    let question = json!({ "question": "What came of the RSI?" });
    let path = format!("/api/v1/runs/{run}/chat");
    assert_eq!(server.post(&path, question.clone()).await.0, 202);
    disk.turn_read_only();

    let told = next_trouble(&mut feed).await.unwrap();
    assert!(told.contains("read-only") && told.contains("make it writable"), "{told}");
    for (path, request) in [("/api/v1/runs", pipeline()), (path.as_str(), question)] {
        let (status, refused) = server.post(path, request).await;
        assert_eq!((status, refused["detail"].as_str()), (507, Some(told.as_str())), "{path}");
    }
    assert_eq!(server.get("/api/v1/runs").await["runs"].as_array().unwrap().len(), 1);
    // Long enough for every answer that is under way.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!seen.is_finished());

    disk.turn_writable();
    assert_eq!(next_trouble(&mut feed).await, None);
    let seen = seen.await.unwrap();
    let view = assert_whole(&seen);
    assert_eq!(server.events_to_end(run, 0).await, seen);
    let answers: Vec<_> = view.chats.iter().filter_map(|chat| chat.answered.as_ref()).collect();
    assert!(matches!(answers[..], [answer] if answer.error.is_none()), "{answers:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_the_disk_does_not_take_yet_says_that_the_run_has_not_ended() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "500".to_owned())]);
    let disk = Disk::new(home.folder());
    let server = home.start_as(disk.switchable(home.command())).await;
    let finished = server.program(TOKEN).finished_run().await;
    let file = server.text(&format!("/api/v1/runs/{finished}/export.jsonl")).await;
    let mut feed = server.connect("/ws/v1/feed").await;
    let run = server.start_run(pipeline()).await;
    let seen = tokio::spawn(events_to_end(server.address, run, 0));
    disk.turn_read_only();
    let told = next_trouble(&mut feed).await.unwrap();

    let stop = format!("/api/v1/runs/{run}/stop");
    assert_eq!(server.post(&stop, json!({})).await, (202, json!({ "ended": false })));
    assert!(!seen.is_finished());
    let (status, refused) = server.post_text("/api/v1/runs/import", file).await;
    assert_eq!((status, refused["detail"].as_str()), (507, Some(told.as_str())));

    disk.turn_writable();
    let view = RunView::fold(&seen.await.unwrap()).unwrap();
    assert_eq!(view.summary.status, RunStatus::Cancelled);
    let (status, over) = server.post(&stop, json!({})).await;
    assert_eq!(status, 409, "{over}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_read_only_data_folder_is_refused_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new(&[]);
    home.start().await.terminate().await;
    // Nothing is read-only to root, so the program runs as nobody.
    let mut command = home.command();
    let program = home.data().parent().unwrap().join("pitwall");
    std::fs::copy(command.as_std().get_program(), &program).unwrap();
    let is_root = std::process::Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if is_root {
        let mut as_nobody = Command::new("setpriv");
        as_nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        as_nobody.args(command.as_std().get_args());
        command = as_nobody;
    }
    let permit = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let folder = home.data();
    permit(folder.parent().unwrap(), 0o755);
    for file in std::fs::read_dir(&folder).unwrap() {
        permit(&file.unwrap().path(), 0o444);
    }
    permit(&folder, 0o555);
    let said = refusal(command).await;
    permit(&folder, 0o755);
    assert!(said.contains("may be written to") || said.contains("Make it writable"), "{said}");
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_not_touched() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())]);
    let server = home.start().await;
    let run = server.start_run(pipeline()).await;
    server.events_to_end(run, 0).await;
    server.terminate().await;
    let path = home.data().join("pitwall.db");
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() > 20 * 4096);
    bytes[4096..12 * 4096].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let said = refusal(home.command()).await;
    assert!(said.contains("damaged") && said.contains("restore a backup"), "{said}");
    assert!(std::fs::read(&path).unwrap() == bytes, "the damaged file is as it was");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_not_touched() {
    let home = Home::new(&[]);
    home.start().await.terminate().await;
    let path = home.data().join("pitwall.db");
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (9999, 'from the future', true, x'00', 0)";
    change(&path, &[newer, "pragma wal_checkpoint(truncate)"]).await;
    let before = std::fs::read(&path).unwrap();
    let said = refusal(home.command()).await;
    assert!(said.contains("newer Pitwall") && said.contains("Update Pitwall"), "{said}");
    assert!(std::fs::read(&path).unwrap() == before, "the newer file is as it was");
}

/// To the server, a clock that is set back is a log whose last entries lie in the future.
#[tokio::test]
async fn a_clock_set_back_by_an_hour_changes_no_order_and_makes_no_duration_negative() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "2000".to_owned())]);
    let server = home.start().await;
    let run = server.start_run(pipeline()).await;
    let mut socket = server.connect(&format!("/ws/v1/runs/{run}")).await;
    for _ in 0..60 {
        next_frame(&mut socket).await.unwrap();
    }
    server.kill().await;
    let set_back = [
        AN_EVENT_A_ROW,
        "update block set lines = json_set(lines, '$.at', json_extract(lines, '$.at') + 3600000)",
        "update run set summary = json_set(summary, '$.created_at', json_extract(summary, '$.created_at') + 3600000)",
    ];
    change(&home.data().join("pitwall.db"), &set_back).await;

    let server = home.start().await;
    let events = server.events_to_end(run, 0).await;
    let backwards = events.windows(2).filter(|pair| pair[0].at.0 - pair[1].at.0 > HOUR / 2).count();
    assert_eq!(backwards, 1, "the clock is set back once");
    let view = assert_whole(&events);
    assert_eq!(events.iter().map(|event| event.at).max().unwrap().since(Timestamp(i64::MAX)), 0);
    for node in &view.nodes {
        for visit in &node.visits {
            // Longer than the test itself would be a negative one, wrapped.
            assert!(visit.duration_ms.unwrap() < 600_000, "{visit:?}");
        }
    }
    let listed = server.get("/api/v1/runs").await;
    assert_eq!(listed["runs"][0]["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_hangs_or_floods_costs_an_attempt_and_no_run() {
    let (provider, base_url) = Provider::start(Duration::ZERO).await;
    let mut settings = asking(base_url).to_vec();
    settings.push(("PITWALL_MODEL_SILENCE", "1".to_owned()));
    let home = Home::new(&settings);
    let server = home.start().await;
    provider.misbehave([Fault::Hang, Fault::Cut(0), Fault::Hang]);
    let run = server.start_run(pipeline()).await;
    let view = assert_whole(&server.events_to_end(run, 0).await);
    assert_eq!(provider.faults_left(), 0);
    assert_eq!(view.summary.totals.model_calls as usize, provider.asked().len());

    // 100 MB of one letter are stopped long before they have come, and it is asked once more.
    provider.misbehave([Fault::Flood]);
    let run = server.start_run(pipeline()).await;
    let view = assert_whole(&server.events_to_end(run, 0).await);
    let outcomes = view.calls.iter().filter_map(|call| call.outcome.as_ref());
    let failed: Vec<_> = outcomes.flat_map(|outcome| &outcome.attempts).collect();
    let [stopped] = failed[..] else { panic!("{failed:?}") };
    // Which of the two comes first depends on the size of the pieces.
    let reasons = ["only repeated itself", "cut off at its limit of tokens"];
    assert!(reasons.iter().any(|reason| stopped.error.contains(reason)), "{stopped:?}");
    assert_eq!((stopped.cost, view.summary.totals.calls_of_unknown_cost > 0), (None, true));
}

/// Runs on so many different days: no two ask the same.
async fn results_of_days(server: &Server, days: std::ops::Range<i64>) -> Vec<RunResult> {
    let first = protocol::parse_date("2022-01-03").unwrap();
    let mut runs = Vec::new();
    for day in days {
        let date = first.checked_add(SignedDuration::from_hours(24 * day)).unwrap().to_string();
        let workflow = json!({ "type": "pipeline", "ticker": "AAPL", "date": date });
        runs.push(server.start_run(json!({ "workflow": workflow })).await);
    }
    let mut results = Vec::new();
    for run in runs {
        let events = server.events_to_end(run, 0).await;
        assert_whole(&events);
        results.push(result(&events));
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_breaks_off_at_any_byte_is_asked_again() {
    // A few more than the longest answer of this provider has bytes.
    const POSITIONS: usize = 900;
    const AT_A_TIME: i64 = 16;
    let (provider, base_url) = Provider::start(Duration::ZERO).await;
    let mut settings = asking(base_url).to_vec();
    settings.push(("PITWALL_CONCURRENT_RUNS", AT_A_TIME.to_string()));
    let home = Home::new(&settings);
    let server = home.start().await;
    // Each call meets two of them and is answered then, so that none fails for good.
    provider.misbehave((0..POSITIONS).map(Fault::Cut));
    let (mut days, mut disturbed) = (0, Vec::new());
    while provider.faults_left() > 0 {
        disturbed.extend(results_of_days(&server, days..days + AT_A_TIME).await);
        days += AT_A_TIME;
        assert!(days <= POSITIONS as i64, "the faults never end");
    }
    let mut undisturbed = Vec::new();
    for first in (0..days).step_by(AT_A_TIME as usize) {
        undisturbed.extend(results_of_days(&server, first..first + AT_A_TIME).await);
    }
    assert_eq!(disturbed, undisturbed, "a part of an answer went into a result");
}
