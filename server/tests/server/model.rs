//! Random commands of two accounts, with restarts and kills in between, held against a small model of
//! what each may see and what must be true: no event is lost or renumbered, no trade doubled, nothing
//! of another's seen, each figure is the fold of the log, and what an account spent is what its own runs
//! spent.
//!
//! `SEED` and `STEPS` repeat and lengthen what failed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use journal::Journal;
use protocol::{
    Body, Event, RunStatus, RunView, Totals,
    trading::{PendingOrder, Trade},
};
use serde_json::{Value, json};

use crate::support::{Home, Moments, Server, Visitor};

/// Every answer comes within this time, however many runs wait; a slow run takes far longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Characters a second of a slow run.
const SLOW: u32 = 20;
/// Runs that work at the same time.
const PLACES: usize = 2;
const NAMES: [&str; 2] = ["anna", "bert"];
const SEEDS: [u64; 3] = [1, 2, 3];
const STEPS: u64 = 40;

/// A run as the model knows it.
#[derive(Default)]
struct Known {
    is_imported: bool,
    is_deleted: bool,
    log: Vec<Event>,
    totals: Totals,
    charged: Totals,
    is_over: bool,
    is_waiting: bool,
}

struct Account {
    program: Visitor,
    runs: BTreeMap<String, Known>,
    portfolios: Vec<String>,
}

impl Account {
    /// The runs that it can see.
    fn seen(&self) -> impl Iterator<Item = &String> {
        self.runs.iter().filter(|(_, run)| !run.is_deleted).map(|(id, _)| id)
    }
}

struct World {
    home: Home,
    server: Option<Server>,
    accounts: [Account; 2],
    moments: Moments,
    /// Files that were exported, and can be sent to anybody.
    files: Vec<String>,
    /// Digests of long texts, with the account that has them.
    digests: BTreeSet<(usize, String)>,
    /// What was done so far, for whoever reads of a failure.
    done: Vec<String>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let home = Home::bare(&[
            ("PITWALL_REHEARSAL_SPEED", "0".to_owned()),
            // So few that runs wait for places.
            ("PITWALL_CONCURRENT_RUNS", PLACES.to_string()),
        ]);
        for name in NAMES {
            home.add_account(name, "owner").await;
        }
        let server = home.start().await;
        let mut accounts = Vec::new();
        for name in NAMES {
            let program = server.program_of(name).await;
            accounts.push(Account { program, runs: BTreeMap::new(), portfolios: Vec::new() });
        }
        let accounts = accounts.try_into().ok().unwrap();
        let (files, digests, done) = (Vec::new(), BTreeSet::new(), Vec::new());
        // A xorshift generator needs a seed with many bits.
        let moments = Moments::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let server = Some(server);
        Self { home, server, accounts, moments, files, digests, done }
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let index = self.moments.next(from.len().max(1) as u64) as usize;
        from.get(index).cloned()
    }

    /// An answer that comes in time and is no failure of the server.
    async fn ask(&mut self, who: usize, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        self.done.push(format!("{} {method} {path} {}", NAMES[who], body.unwrap_or(&Value::Null)));
        let answer =
            tokio::time::timeout(PATIENCE, self.accounts[who].program.answer(method, path, body)).await;
        let (status, text) = answer.unwrap_or_else(|_| panic!("{method} {path} is not answered"));
        self.done.push(format!("  {status} {}", text.chars().take(200).collect::<String>()));
        assert!(status < 500, "{method} {path}: {status} {text}");
        (status, text)
    }

    async fn read(&mut self, who: usize, path: &str) -> Value {
        let (status, text) = self.ask(who, "GET", path, None).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Any run of either account that is not deleted, with its owner.
    fn any_run(&mut self) -> Option<(usize, String)> {
        let all: Vec<(usize, String)> = (0..2)
            .flat_map(|owner| self.accounts[owner].seen().map(move |run| (owner, run.clone())))
            .collect();
        self.pick(&all)
    }

    /// Any portfolio of either account, as its owner names it, with its owner.
    fn any_portfolio(&mut self) -> Option<(usize, String)> {
        let of = |owner: usize| self.accounts[owner].portfolios.iter().map(move |id| (owner, id.clone()));
        let all: Vec<_> = of(0).chain(of(1)).collect();
        self.pick(&all)
    }

    /// A workflow, and whether its caller may run it.
    fn workflow(&mut self, who: usize) -> (Value, bool) {
        match self.any_portfolio() {
            Some((owner, portfolio)) if self.moments.next(2) == 0 => {
                (portfolio_workflow(&portfolio), owner == who)
            }
            _ => {
                let workflow = json!({
                    "type": "pipeline", "ticker": "LLY", "date": "2022-06-30", "analysts": ["market"],
                });
                (workflow, true)
            }
        }
    }

    fn accepted(&mut self, who: usize, text: &str, is_imported: bool) -> String {
        let accepted: Value = serde_json::from_str(text).unwrap();
        let run = accepted["run"].as_str().unwrap().to_owned();
        self.accounts[who].runs.insert(run.clone(), Known { is_imported, ..Known::default() });
        run
    }

    async fn step(&mut self) {
        let who = self.moments.next(2) as usize;
        match self.moments.next(20) {
            0..4 => self.start(who).await,
            4..7 => self.steer(who).await,
            7 => self.answer(who).await,
            8..11 => self.fork(who).await,
            11 => self.export(who).await,
            12 | 13 => self.import(who).await,
            14 => self.share(who).await,
            15 => self.delete(who).await,
            16 => self.chat(who).await,
            17 => self.open_portfolio(who).await,
            18 => self.settle(who).await,
            _ => self.restart().await,
        }
    }

    async fn open_portfolio(&mut self, who: usize) {
        let id = format!("p{}", self.accounts[who].portfolios.len());
        let fill = ["next_price", "decision_close"][self.moments.next(2) as usize];
        let settings = json!({ "fill": fill });
        let request = json!({ "id": id, "name": "A portfolio", "cash": "100000", "settings": settings });
        let (status, text) = self.ask(who, "POST", "/api/v1/portfolios", Some(&request)).await;
        assert_eq!(status, 201, "{text}");
        let opened: Value = serde_json::from_str(&text).unwrap();
        self.accounts[who].portfolios.push(opened["id"].as_str().unwrap().to_owned());
    }

    async fn start(&mut self, who: usize) {
        let (workflow, may) = self.workflow(who);
        let pace = [0, 0, SLOW][self.moments.next(3) as usize];
        let approval =
            [json!({ "type": "off" }), json!({ "type": "every" })][self.moments.next(2) as usize].clone();
        let request = json!({
            "workflow": workflow, "flow": "shared", "approval": approval,
            "model": { "type": "rehearsal", "characters_per_second": pace },
        });
        let (status, text) = self.ask(who, "POST", "/api/v1/runs", Some(&request)).await;
        match status {
            201 => {
                assert!(may, "a run on another's portfolio was accepted");
                self.accepted(who, &text, false);
            }
            429 => {}
            _ => assert!(!may, "{text}"),
        }
    }

    /// Fills all places with slow runs; those that wait behind them take commands as any other.
    async fn crowd(&mut self) {
        let request = json!({
            "workflow": { "type": "pipeline", "ticker": "LLY", "date": "2022-06-30", "analysts": ["market"] },
            "flow": "shared", "approval": { "type": "off" },
            "model": { "type": "rehearsal", "characters_per_second": SLOW },
        });
        let mut paths = Vec::new();
        for who in (0..2).cycle().take(PLACES + 2) {
            let (status, text) = self.ask(who, "POST", "/api/v1/runs", Some(&request)).await;
            assert_eq!(status, 201, "{text}");
            paths.push((who, format!("/api/v1/runs/{}", self.accepted(who, &text, false))));
        }
        for (who, path) in paths.into_iter().rev() {
            let every = json!({ "type": "every" });
            let (status, text) = self.ask(who, "PUT", &format!("{path}/approval"), Some(&every)).await;
            assert_eq!(status, 204, "{text}");
            let (status, text) = self.ask(who, "POST", &format!("{path}/stop"), Some(&json!({}))).await;
            assert_eq!(status, 202, "{text}");
        }
    }

    /// Stops a run, or changes where it pauses, in whatever state it is.
    async fn steer(&mut self, who: usize) {
        let Some((owner, run)) = self.any_run() else { return };
        let (method, path, request, done) = match self.moments.next(3) {
            0 => ("POST", "stop", json!({}), 202),
            1 => ("PUT", "approval", json!({ "type": "off" }), 204),
            _ => ("PUT", "approval", json!({ "type": "every" }), 204),
        };
        let path = format!("/api/v1/runs/{run}/{path}");
        let (status, text) = self.ask(who, method, &path, Some(&request)).await;
        if owner == who {
            // What is over takes no commands.
            assert!(status == done || status == 409, "{status} {text}");
        } else {
            assert_eq!(status, 404, "{text}");
        }
    }

    /// Approves what a run waits for.
    async fn answer(&mut self, who: usize) {
        let Some((owner, run)) = self.any_run() else { return };
        let view = self.read(owner, &format!("/api/v1/runs/{run}")).await;
        let view: RunView = serde_json::from_value(view).unwrap();
        let Some(input) = view.open_inputs().next() else { return };
        let protocol::InputForm::Approval(form) = &input.request.form else { return };
        let answer = json!({ "type": "approved", "digest": form.digest });
        let path = format!("/api/v1/runs/{run}/inputs/{}", input.request.input);
        let (status, text) = self.ask(who, "POST", &path, Some(&answer)).await;
        if owner == who {
            assert!(status == 204 || status == 409, "{status} {text}");
        } else {
            assert_eq!(status, 404, "{text}");
        }
    }

    async fn fork(&mut self, who: usize) {
        let Some((owner, run)) = self.any_run() else { return };
        let (mut is_allowed, mut request) = match self.moments.next(2) {
            0 => (true, json!({ "point": { "type": "end" } })),
            _ => (true, json!({ "point": { "type": "before", "node": "market_analyst" } })),
        };
        if self.moments.next(3) == 0 {
            let (workflow, may) = self.workflow(who);
            request["workflow"] = workflow;
            is_allowed &= may;
        }
        let digests: Vec<_> = self.digests.iter().cloned().collect();
        let edit = match (self.moments.next(3), self.pick(&digests)) {
            // What comes from outside is whole text.
            (0, Some((_, digest))) => Some((digest, false)),
            (1, _) => Some(("ab".repeat(32), false)),
            _ => None,
        };
        if let Some((digest, may)) = &edit {
            request["edits"] = json!({ "report": { "preview": "…", "bytes": 9000, "digest": digest } });
            is_allowed &= may;
        }
        is_allowed &= !self.accounts[owner].runs[&run].is_imported;
        let (status, text) =
            self.ask(who, "POST", &format!("/api/v1/runs/{run}/forks"), Some(&request)).await;
        if status == 201 {
            assert!(owner == who && is_allowed, "this was accepted");
            self.accepted(who, &text, false);
        } else if owner != who && edit.is_none() {
            assert_eq!(status, 404, "{text}");
        }
    }

    async fn export(&mut self, who: usize) {
        let Some((owner, run)) = self.any_run() else { return };
        let (status, text) = self.ask(who, "GET", &format!("/api/v1/runs/{run}/export.jsonl"), None).await;
        if owner == who {
            assert_eq!(status, 200, "{text}");
            self.files.push(text);
        } else {
            assert_eq!(status, 404, "{text}");
        }
    }

    /// Imports a file as it is, or as somebody might have changed it, and tries to make it act.
    async fn import(&mut self, who: usize) {
        let files = std::mem::take(&mut self.files);
        let file = self.pick(&files);
        self.files = files;
        let Some(file) = file else { return };
        let (mut lines, mut is_changed) = (file.lines().map(str::to_owned).collect::<Vec<_>>(), false);
        let other = self.accounts[1 - who].portfolios.first().cloned();
        match (self.moments.next(3), other) {
            (0, Some(portfolio)) => {
                let start = lines.iter().position(|line| line.contains("run_started"));
                let line = &mut lines[start.expect("a start")];
                let mut event: Value = serde_json::from_str(line).unwrap();
                let workflow = portfolio_workflow(&format!("{}--{portfolio}", NAMES[1 - who]));
                event["body"]["data"]["request"]["workflow"] = workflow;
                *line = event.to_string();
            }
            (1, _) => {
                for line in &mut lines {
                    let changed = line.replace(r#""cost":"0""#, r#""cost":"-1000000""#);
                    is_changed |= changed != *line;
                    *line = changed;
                }
            }
            _ => {}
        }
        let request = self.accounts[who].program.ask("POST", "/api/v1/runs/import").body(lines.join("\n"));
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        self.done.push(format!("{} imports: {status} {text}", NAMES[who]));
        assert!(status == 201 || status == 422, "{status} {text}");
        if status == 201 {
            let run = self.accepted(who, &text, true);
            self.check_run(who, &run).await;
            let is_sane = self.accounts[who].runs[&run].totals.cost.is_sign_positive();
            assert!(is_sane || !is_changed, "a negative cost was taken in");
            let fork = json!({ "point": { "type": "end" } });
            let (status, text) =
                self.ask(who, "POST", &format!("/api/v1/runs/{run}/forks"), Some(&fork)).await;
            assert!(status >= 400, "an imported run acts: {text}");
        }
    }

    async fn share(&mut self, who: usize) {
        let Some((owner, run)) = self.any_run() else { return };
        let path = format!("/api/v1/runs/{run}/shares");
        let (status, text) = self.ask(who, "POST", &path, Some(&json!({}))).await;
        if owner != who {
            assert_eq!(status, 404, "{text}");
            return;
        }
        assert_eq!(status, 201, "{text}");
        let share: Value = serde_json::from_str(&text).unwrap();
        let id = share["summary"]["id"].as_str().unwrap();
        let opened = self
            .server
            .as_ref()
            .unwrap()
            .nobody()
            .ask("GET", share["path"].as_str().unwrap())
            .send()
            .await
            .unwrap();
        let cookie = crate::support::set_cookie(&opened).expect("the link leads in");
        let guest = self.server.as_ref().unwrap().nobody().with("cookie", &cookie);
        let runs = self.accounts[who].seen().cloned().collect::<Vec<_>>();
        for seen in runs {
            let expected = if seen == run { 200 } else { 404 };
            assert_eq!(guest.answer("GET", &format!("/api/v1/runs/{seen}"), None).await.0, expected);
        }
        let (status, _) = self.ask(who, "DELETE", &format!("/api/v1/shares/{id}"), None).await;
        assert_eq!(status, 204);
        assert!(guest.answer("GET", &format!("/api/v1/runs/{run}"), None).await.0 >= 400);
    }

    async fn delete(&mut self, who: usize) {
        let Some((owner, run)) = self.any_run() else { return };
        // So that the model knows what it spent.
        self.check_run(owner, &run).await;
        let known = &self.accounts[owner].runs[&run];
        if !known.is_over && !known.is_waiting {
            // It may come to its end while it is asked for.
            return;
        }
        let (status, text) = self.ask(who, "DELETE", &format!("/api/v1/runs/{run}"), None).await;
        if owner != who {
            assert_eq!(status, 404, "{text}");
        } else if status == 204 {
            let known = self.accounts[who].runs.get_mut(&run).unwrap();
            assert!(known.is_over, "a run at work was deleted");
            known.is_deleted = true;
        } else {
            assert_eq!(status, 409, "{text}");
        }
    }

    async fn chat(&mut self, who: usize) {
        let Some((owner, run)) = self.any_run() else { return };
        let question = json!({ "question": "What came of it?" });
        let (status, text) =
            self.ask(who, "POST", &format!("/api/v1/runs/{run}/chat"), Some(&question)).await;
        if owner != who {
            assert_eq!(status, 404, "{text}");
        }
    }

    /// Another process on the same data, after a good end of the one before or a bad one.
    async fn restart(&mut self) {
        let server = self.server.take().unwrap();
        if self.moments.next(2) == 0 {
            server.kill().await;
        } else {
            assert!(server.terminate().await.success());
        }
        self.done.push("the server is another process now".to_owned());
        let server = self.home.start().await;
        for account in &mut self.accounts {
            account.program = account.program.clone().at(&server);
        }
        self.server = Some(server);
    }

    /// What an account's run must be, and that the other one knows nothing of it.
    async fn check_run(&mut self, owner: usize, run: &str) {
        let path = format!("/api/v1/runs/{run}");
        let view: RunView = serde_json::from_value(self.read(owner, &path).await).unwrap();
        let mut log: Vec<Event> = Vec::new();
        while (log.len() as u64) < view.seq() {
            let page = self.read(owner, &format!("{path}/events?limit=1000&after={}", log.len())).await;
            log.extend(serde_json::from_value::<Vec<Event>>(page).unwrap());
        }
        assert!(log.iter().map(|event| event.seq).eq(1..=log.len() as u64), "the numbers have gaps");
        let known = &self.accounts[owner].runs[run];
        assert!(log.starts_with(&known.log), "an event that was seen is gone, or another one");
        let folded = RunView::fold(&log[..view.seq() as usize]).unwrap();
        assert_eq!(folded, view, "the state is not the fold of the log");
        assert_eq!(view.summary.owner.as_str(), NAMES[owner]);
        let json = serde_json::to_string(&log).unwrap();
        let digests = json.split(r#""digest":""#).skip(1).map(|rest| (owner, rest[..64].to_owned()));
        self.digests.extend(digests);

        let known = self.accounts[owner].runs.get_mut(run).unwrap();
        known.charged = view.summary.charged();
        known.totals = view.summary.totals.clone();
        known.is_over = view.summary.status.is_over();
        known.is_waiting = view.summary.status == RunStatus::Waiting;
        known.log = log;
        let foreign: Vec<String> = self.digests.iter().map(|(_, digest)| digest.clone()).collect();
        let digest = self.pick(&foreign).unwrap_or_else(|| "0".repeat(64));
        for path in [path.clone(), format!("{path}/events"), format!("{path}/texts/{digest}")] {
            let (status, text) = self.ask(1 - owner, "GET", &path, None).await;
            assert_eq!(status, 404, "{} reads {path}: {text}", NAMES[1 - owner]);
        }
    }

    /// All that must hold of both accounts.
    async fn check(&mut self) {
        for (owner, name) in NAMES.into_iter().enumerate() {
            let runs: Vec<String> = self.accounts[owner].seen().cloned().collect();
            for run in &runs {
                self.check_run(owner, run).await;
            }
            let page = self.read(owner, "/api/v1/runs?limit=200").await;
            let mut listed: Vec<&str> =
                page["runs"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
            listed.sort_unstable();
            assert_eq!(listed, runs, "the list of {name}");
            self.check_texts(owner).await;
            self.check_borrowing(owner).await;
            self.check_trades(owner).await;
        }
    }

    /// A long text is read through runs that have it alone.
    async fn check_texts(&mut self, owner: usize) {
        let runs: Vec<String> = self.accounts[owner].seen().cloned().collect();
        let digests: Vec<_> = self.digests.iter().cloned().collect();
        let (Some(run), Some((_, digest))) = (self.pick(&runs), self.pick(&digests)) else { return };
        let (status, text) =
            self.ask(owner, "GET", &format!("/api/v1/runs/{run}/texts/{digest}"), None).await;
        // A run at work may have come to have it a moment ago.
        self.check_run(owner, &run).await;
        let has = serde_json::to_string(&self.accounts[owner].runs[&run].log).unwrap().contains(&digest);
        assert!(status == 404 || (status == 200 && has), "{status} {}", &text[..text.len().min(80)]);
    }

    /// Whoever knows the digest of another's text cannot have it read to them, through no run of theirs.
    async fn check_borrowing(&mut self, owner: usize) {
        let over = |(run, known): (&String, &Known)| {
            (known.is_over && !known.is_deleted && !known.is_imported).then(|| run.clone())
        };
        let runs: Vec<_> = self.accounts[owner].runs.iter().filter_map(over).collect();
        let foreign = self.digests.iter().filter(|(of, _)| *of != owner).map(|(_, digest)| digest.clone());
        let foreign: Vec<_> = foreign.collect();
        let (Some(run), Some(digest)) = (self.pick(&runs), self.pick(&foreign)) else { return };
        let report = json!({ "preview": "…", "bytes": 9000, "digest": digest });
        let fork = json!({ "point": { "type": "end" }, "edits": { "market_report": report } });
        let (status, text) = self.ask(owner, "POST", &format!("/api/v1/runs/{run}/forks"), Some(&fork)).await;
        assert_eq!(status, 422, "{text}");
    }

    /// The ledger has the trades of the account's own runs, each once, and so do their logs.
    async fn check_trades(&mut self, owner: usize) {
        let mut in_ledger: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for portfolio in self.accounts[owner].portfolios.clone() {
            let view = self.read(owner, &format!("/api/v1/portfolios/{portfolio}")).await;
            for trade in serde_json::from_value::<Vec<Trade>>(view["trades"].clone()).unwrap() {
                let run = trade.run.expect("a run traded").to_string();
                let known = self.accounts[owner].runs.get(&run).expect("a run of its owner traded");
                assert!(!known.is_imported, "an imported run traded");
                assert!(in_ledger.entry(run).or_default().insert(trade.key.clone()), "{} twice", trade.key);
            }
        }
        for (run, known) in &self.accounts[owner].runs {
            // An order that waits for its price is traded after its run.
            let is_trade = |event: &&Event| match &event.body {
                Body::Produced(product) => product.holds::<Trade>() || product.holds::<PendingOrder>(),
                _ => false,
            };
            let in_log = known.log.iter().filter(is_trade).count();
            let in_ledger = in_ledger.get(run).map_or(0, BTreeSet::len);
            if known.is_over && !known.is_imported {
                assert!(in_log >= in_ledger, "{run} traded {in_ledger} times and tells of {in_log}");
            }
        }
    }

    /// Ends what an account has under way, so that all its figures are final.
    async fn settle(&mut self, owner: usize) {
        for run in self.accounts[owner].seen().cloned().collect::<Vec<_>>() {
            let path = format!("/api/v1/runs/{run}");
            let (status, text) = self.ask(owner, "POST", &format!("{path}/stop"), Some(&json!({}))).await;
            assert!(status == 202 || status == 409, "{status} {text}");
            while !self.is_settled(owner, &path).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    async fn is_settled(&mut self, owner: usize, path: &str) -> bool {
        let view: RunView = serde_json::from_value(self.read(owner, path).await).unwrap();
        view.summary.status.is_over() && view.summary.open_chats == 0
    }

    async fn run(&mut self, steps: u64) {
        for who in 0..2 {
            self.open_portfolio(who).await;
        }
        self.crowd().await;
        for step in 0..steps {
            self.step().await;
            if step % 8 == 7 {
                self.check().await;
            }
        }
        self.check().await;
        for owner in 0..2 {
            self.settle(owner).await;
        }
        self.check().await;
        self.restart().await;
        self.check().await;
        self.check_spend().await;
    }

    /// What each account spent, as its limits count it, is what its own runs spent, deleted ones as well.
    async fn check_spend(&mut self) {
        self.server.take().unwrap().terminate().await;
        let journal = Journal::open(&self.home.data().join("pitwall.db")).await.unwrap();
        for (name, account) in NAMES.iter().zip(&self.accounts) {
            let mut expected = Totals::default();
            for known in account.runs.values() {
                expected.add(&known.charged);
            }
            let each: Vec<_> =
                account.runs.iter().map(|(id, known)| (id, known.is_imported, &known.charged)).collect();
            let spent = journal.spent(&name.parse().unwrap()).await.unwrap();
            assert_eq!(spent, expected, "{name}, of {each:#?}");
        }
        journal.close().await;
    }
}

fn portfolio_workflow(portfolio: &str) -> Value {
    json!({ "type": "portfolio", "portfolio": portfolio, "date": "2022-06-30" })
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_do_whatever_they_like_and_neither_harms_the_other_nor_the_log() {
    let seeds = number("SEED").map_or(SEEDS.to_vec(), |seed| vec![seed]);
    let steps = number("STEPS").unwrap_or(STEPS);
    for seed in seeds {
        let mut world = World::new(seed).await;
        let failed = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(world.run(steps))).await;
        if failed.is_err() {
            world.done.retain(|line| {
                !line.contains(" GET ") && !line.starts_with("  200 ") && !line.starts_with("  404 ")
            });
            let last = world.done.len().saturating_sub(40);
            panic!("SEED={seed} STEPS={steps} failed after:\n{}", world.done[last..].join("\n"));
        }
    }
}
