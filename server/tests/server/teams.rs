//! Teams over REST: they come in from files, run, and go out into files.

use std::time::Duration;

use protocol::{Body, RunStatus, RunView};
use serde_json::{Value, json};

use crate::support::{Home, PASSWORD, Provider, Server, TOKEN, Visitor, read_to_end, two_accounts};

async fn anna() -> (Server, Visitor) {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let server = home.start_kept().await;
    let anna = server.program_of("anna").await;
    (server, anna)
}

/// The log of a run of this team that a named model answers, which has to succeed.
async fn succeeded(server: &Server, me: &Visitor, team: &Value, model: &str) -> Vec<protocol::Event> {
    let document = json!({ "kind": "team", "title": "A team", "content": { "version": 1, "team": team } });
    let made = me.post("/api/v1/documents", document).await;
    let request = json!({
        "workflow": { "type": "team", "team": made["summary"]["id"], "task": "Write." },
        "model": { "type": "profile", "name": model },
    });
    let run = me.post("/api/v1/runs", request).await["run"].as_str().unwrap().to_owned();
    let events = server.events_to_end(run.parse().unwrap(), 0).await;
    let view = RunView::fold(&events).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    events
}

fn agent(name: &str, client: &Value) -> Value {
    json!({
        "provider": "autogen_agentchat.agents.AssistantAgent",
        "component_version": 1,
        "config": { "name": name, "description": name, "system_message": "Work.", "model_client": client },
    })
}

fn replay(answers: &[&str]) -> Value {
    json!({
        "provider": "autogen_ext.models.replay.ReplayChatCompletionClient",
        "config": { "chat_completions": answers },
    })
}

fn team(label: &str, participants: &[Value]) -> Value {
    json!({
        "provider": "autogen_agentchat.teams.RoundRobinGroupChat",
        "component_type": "team",
        "label": label,
        "config": { "participants": participants, "termination_condition": {
            "provider": "autogen_agentchat.conditions.TextMentionTermination", "config": { "text": "DONE" },
        } },
    })
}

async fn import(visitor: &Visitor, files: &[(&str, String)]) -> Value {
    let files: Vec<Value> = files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
    visitor.post("/api/v1/teams/import", json!({ "files": files })).await
}

fn document_of(team: &Value) -> &str {
    team["document"].as_str().unwrap()
}

#[tokio::test]
async fn a_team_of_a_file_runs_and_goes_back_into_one() {
    let (server, anna) = anna().await;
    let participants =
        [agent("writer", &replay(&["one", "two"])), agent("critic", &replay(&["more", "DONE"]))];
    let imported = import(&anna, &[("writers.json", team("Writers", &participants).to_string())]).await;
    let [read] = imported["teams"].as_array().unwrap().as_slice() else { panic!("{imported}") };
    assert_eq!((read["title"].as_str(), read["can_run"].as_bool()), (Some("Writers"), Some(true)), "{read}");
    let id = document_of(read);

    let workflow = json!({ "type": "team", "team": id, "task": "Write." });
    let run = anna.post("/api/v1/runs", json!({ "workflow": workflow })).await;
    let run = run["run"].as_str().unwrap();
    read_to_end(&mut anna.socket(&format!("/ws/v1/runs/{run}")).await.unwrap()).await;
    let view = anna.get(&format!("/api/v1/runs/{run}")).await;
    assert_eq!(view["summary"]["status"], "succeeded", "{view}");
    assert_eq!(view["summary"]["result"], "Text 'DONE' mentioned");
    assert_eq!(
        view["summary"]["request"]["workflow"]["team"],
        format!("{id}@1"),
        "the log holds the version"
    );

    let browser = server.nobody().sign_in("anna", PASSWORD).await.unwrap();
    for (path, words) in [
        (format!("/runs/{run}"), "speaks in turn 1. All speak in turn."),
        (format!("/runs/{run}"), "What everybody has taken"),
        ("/teams".to_owned(), "Drop files here"),
        ("/teams".to_owned(), "Writers"),
        (format!("/teams/{id}"), "AutoGen 0.5 and Studio"),
        (format!("/teams/{id}"), "It ends when someone says “DONE”."),
        (format!("/teams/{id}"), "The run's model"),
        (format!("/teams/{id}"), "Who hands to whom"),
        (format!("/teams/{id}"), "critic → writer, until the team ends"),
    ] {
        let (status, page) = browser.answer("GET", &path, None).await;
        assert!(status == 200 && page.contains(words), "{path} has no “{words}”");
    }

    let export = anna.get(&format!("/api/v1/teams/{id}/exports/autogen")).await;
    let text = export["files"][0]["text"].as_str().unwrap();
    let (_, file) = anna.answer("GET", &format!("/api/v1/teams/{id}/exports/autogen/team.json"), None).await;
    assert_eq!(file, text);
    let again = import(&anna, &[("again.json", file)]).await;
    let content = async |id: &str| anna.get(&format!("/api/v1/documents/{id}")).await["content"].clone();
    let (first, second) = (content(id).await, content(document_of(&again["teams"][0])).await);
    assert_eq!(first["team"]["participants"], second["team"]["participants"]);
    let yaml = anna.get(&format!("/api/v1/teams/{id}/exports/agent-framework")).await;
    assert!(yaml["files"][0]["name"].as_str().unwrap().ends_with(".yaml"), "{yaml}");
    assert!(yaml["files"][0]["text"].as_str().unwrap().contains("kind: Workflow"), "{yaml}");
    let (status, _) = anna.answer("GET", &format!("/api/v1/teams/{id}/exports/word"), None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_team_that_lacks_something_is_kept_and_says_what_and_no_key_stays() {
    let (_server, anna) = anna().await;
    let client = json!({
        "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "config": { "model": "gpt-4o", "api_key": "sk-verysecretverysecretverysecret" },
    });
    let surfer = json!({ "provider": "autogen_ext.agents.web_surfer.MultimodalWebSurfer", "config": { "name": "surfer" } });
    let files = [
        ("ok.json", team("Keyed", &[agent("a", &client)]).to_string()),
        ("surfing.json", team("Surfing", &[surfer]).to_string()),
        ("broken.json", "{ \"provider\": ".to_owned()),
    ];
    let imported = import(&anna, &files).await;
    let teams = imported["teams"].as_array().unwrap();
    let told: Vec<_> = teams.iter().map(|team| (team["title"].as_str(), team["can_run"].as_bool())).collect();
    assert_eq!(told, [(Some("Keyed"), Some(true)), (Some("Surfing"), Some(false))], "{imported}");
    assert_eq!(imported["findings"][0]["file"], "broken.json", "{imported}");
    assert!(!imported.to_string().contains("verysecret"));
    let id = document_of(&teams[0]);
    for path in [format!("/api/v1/documents/{id}"), format!("/api/v1/teams/{id}/exports/autogen")] {
        assert!(!anna.get(&path).await.to_string().contains("verysecret"), "{path}");
    }
    let surfing = anna.get(&format!("/api/v1/documents/{}", document_of(&teams[1]))).await;
    assert!(surfing["findings"].to_string().contains("MultimodalWebSurfer"), "{surfing}");
    let workflow = json!({ "type": "team", "team": document_of(&teams[1]), "task": "Surf." });
    let (status, why) = anna.answer("POST", "/api/v1/runs", Some(&json!({ "workflow": workflow }))).await;
    assert!(status == 422 && why.contains("MultimodalWebSurfer"), "{status} {why}");
}

#[tokio::test]
async fn a_part_that_stands_alone_is_a_team_of_one_that_runs() {
    let (server, anna) = anna().await;
    let stop = json!({ "provider": "autogen_agentchat.conditions.TextMentionTermination", "label": "Said", "config": { "text": "Write" } });
    for (name, part, reason) in [
        ("writer.json", agent("writer", &replay(&["Done."])), "Maximum number of turns 1 reached."),
        ("model.json", replay(&["Done."]), "Maximum number of turns 1 reached."),
        ("said.json", stop, "Text 'Write' mentioned"),
    ] {
        let imported = import(&anna, &[(name, part.to_string())]).await;
        assert_eq!(
            (imported["teams"].as_array().unwrap().len(), &imported["parts"]),
            (1, &json!([])),
            "{imported}"
        );
        assert_eq!(imported["teams"][0]["can_run"], true, "{imported}");
        let workflow =
            json!({ "type": "team", "team": document_of(&imported["teams"][0]), "task": "Write." });
        let run = anna.post("/api/v1/runs", json!({ "workflow": workflow })).await["run"].clone();
        let run: protocol::RunId = run.as_str().unwrap().parse().unwrap();
        read_to_end(&mut anna.socket(&format!("/ws/v1/runs/{run}")).await.unwrap()).await;
        let view = anna.get(&format!("/api/v1/runs/{run}")).await;
        assert_eq!(view["summary"]["result"], reason, "{name}");
    }
    drop(server);
}

#[tokio::test]
async fn of_a_gallery_only_what_is_chosen_becomes_a_document() {
    let (_server, anna) = anna().await;
    let client = replay(&["Done."]);
    let lists = json!({
        "agents": [agent("helper", &client)], "models": [], "tools": [], "terminations": [], "workbenches": [],
        "teams": [team("First", &[agent("a", &client)]), team("Second", &[agent("b", &client), agent("c", &client)])],
    });
    let files = json!([{ "name": "gallery.json",
        "text": json!({ "id": "g", "name": "Gallery", "components": lists }).to_string() }]);
    let documents = async || {
        let listed = anna.get("/api/v1/documents?kind=team").await;
        let titles = listed["documents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["title"].as_str().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    let read = anna.post("/api/v1/teams/contents", json!({ "files": files })).await;
    let found: Vec<Value> = read["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| json!([part["number"], part["kind"], part["title"], part["agents"], part["can_run"]]))
        .collect();
    assert_eq!(
        found,
        [
            json!([0, "team", "First", 1, true]),
            json!([1, "team", "Second", 2, true]),
            json!([2, "agent", "helper", 1, true])
        ]
    );
    assert!(documents().await.is_empty(), "reading makes nothing");
    // The page asks once: where there is something to choose, nothing is made either.
    let taken = async |files: &Value| {
        let request = json!({ "request": { "files": files } });
        let (status, answer) = anna.answer("POST", "/rpc/take_team_files", Some(&request)).await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    let offered = taken(&files).await;
    assert_eq!((&offered["kind"], offered["parts"].as_array().map(Vec::len)), (&json!("offered"), Some(3)));
    assert!(documents().await.is_empty());
    let choose = async |chosen: Value| {
        anna.answer("POST", "/api/v1/teams/import-chosen", Some(&json!({ "files": files, "chosen": chosen })))
            .await
    };
    for wrong in [json!([]), json!([3]), json!([0, u32::MAX])] {
        let (status, why) = choose(wrong).await;
        assert_eq!(status, 422, "{why}");
    }
    assert!(documents().await.is_empty());
    assert_eq!(choose(json!([1])).await.0, 200);
    assert_eq!(documents().await, ["Second"]);
    assert_eq!(choose(json!([2, 2])).await.0, 200);
    assert_eq!(documents().await, ["helper", "Second"], "once, however often it is named");
    // Where nobody chooses, all teams are taken and the parts are told.
    let imported = anna.post("/api/v1/teams/import", json!({ "files": files })).await;
    assert_eq!((imported["teams"].as_array().unwrap().len(), &imported["parts"]), (2, &json!(["helper"])));
    let alone = json!([{ "name": "team.json", "text": team("Alone", &[agent("a", &client)]).to_string() }]);
    let made = taken(&alone).await;
    assert_eq!((&made["kind"], &made["teams"][0]["title"]), (&json!("imported"), &json!("Alone")), "{made}");
    assert!(documents().await.contains(&"Alone".to_owned()));
}

#[tokio::test]
async fn two_files_of_crewai_are_one_team_that_asks_for_its_fields() {
    let (_server, anna) = anna().await;
    let agents = "researcher:\n  role: Researcher of {topic}\n  goal: Find out about {topic}\n  backstory: You look closely.\n";
    let tasks =
        "research_task:\n  description: Look into {topic}\n  expected_output: A list\n  agent: researcher\n";
    let files = [("agents.yaml", agents.to_owned()), ("tasks.yaml", tasks.to_owned())];
    let imported = import(&anna, &files).await;
    let [read] = imported["teams"].as_array().unwrap().as_slice() else { panic!("{imported}") };
    let run = async |inputs: Value| {
        let workflow =
            json!({ "type": "team", "team": document_of(read), "task": "Begin.", "inputs": inputs });
        let model = json!({ "type": "rehearsal", "characters_per_second": 0 });
        anna.answer("POST", "/api/v1/runs", Some(&json!({ "workflow": workflow, "model": model }))).await
    };
    let (status, why) = run(json!({})).await;
    assert!(status == 422 && why.contains("Fill in topic"), "{status} {why}");
    let (status, why) = run(json!({ "topic": 7 })).await;
    assert!(status == 422 && why.contains("no object of texts"), "{status} {why}");

    // The form asks for them by name, where the team is chosen, and the description of the form says so to programs.
    let options = anna.get("/api/v1/start-options").await;
    let form =
        options["kinds"].as_array().unwrap().iter().find(|kind| kind["spec"]["kind"] == "team").unwrap();
    let demand = json!({
        "if": { "properties": { "team": { "const": document_of(read) } }, "required": ["team"] },
        "then": { "properties": { "inputs": { "required": ["topic"] } }, "required": ["inputs"] },
    });
    assert_eq!(form["parameters"]["allOf"], json!([demand]));
    let page = anna.clone().with("accept", "text/html");
    let (_, asks) = page.answer("GET", &format!("/start?type=team&team={}", document_of(read)), None).await;
    assert!(asks.contains("name=\"inputs.topic\""), "{asks}");
    let (_, asks_nothing) = page.answer("GET", "/start?type=team&team=sample", None).await;
    assert!(!asks_nothing.contains("inputs.topic"));

    let (status, started) = run(json!({ "topic": "bees" })).await;
    assert!((200..300).contains(&status), "{status} {started}");
    let started: Value = serde_json::from_str(&started).unwrap();
    let id = started["run"].as_str().unwrap();
    read_to_end(&mut anna.socket(&format!("/ws/v1/runs/{id}")).await.unwrap()).await;
    let view = anna.get(&format!("/api/v1/runs/{id}")).await;
    assert_eq!(view["summary"]["result"], "All steps are done.", "{view}");
}

#[tokio::test]
async fn an_agent_with_a_model_of_its_own_is_answered_by_that_one_and_the_others_by_the_runs() {
    let (usual, usual_url) = Provider::start(Duration::ZERO).await;
    let (own, own_url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&[]);
    std::fs::create_dir_all(home.data()).unwrap();
    let named = |name: &str, url: &str| {
        format!("[models.{name}]\nmodel = \"fake-{name}\"\nbase_url = \"{url}\"\nretries = 0\nsilence = 5\n")
    };
    let settings = [named("usual", &usual_url), named("own", &own_url)].concat();
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    let server = home.start_kept().await;
    let me = server.program(TOKEN);

    let agent = |name: &str, profile: Option<&str>| {
        let mut agent = json!({ "name": name, "role": { "kind": "assistant", "system_message": "Write." } });
        if let Some(profile) = profile {
            agent["role"]["profile"] = json!(profile);
        }
        agent
    };
    let team = async |profile: &str| {
        let team = json!({ "name": "Two", "conduct": { "kind": "round_robin" }, "max_turns": 2,
            "participants": [agent("first", None), agent("second", Some(profile))] });
        let document = json!({ "kind": "team", "title": "Two", "content": { "version": 1, "team": team } });
        me.post("/api/v1/documents", document).await["summary"]["id"].as_str().unwrap().to_owned()
    };
    let request = |team: &str, model: Value| json!({ "workflow": { "type": "team", "team": team, "task": "Write." }, "model": model });
    let id = team("own").await;
    let profile = json!({ "type": "profile", "name": "usual" });
    let run =
        me.post("/api/v1/runs", request(&id, profile.clone())).await["run"].as_str().unwrap().to_owned();
    let events = server.events_to_end(run.parse().unwrap(), 0).await;
    let begun = events.iter().filter_map(|event| match &event.body {
        Body::CallStarted(call) => Some(call.model.as_str()),
        _ => None,
    });
    assert_eq!(begun.collect::<Vec<_>>(), ["fake-usual", "fake-own"], "the log names the model of each call");
    assert_eq!((usual.asked().values().sum::<u32>(), own.asked().values().sum::<u32>()), (1, 1));

    // A model that nobody has keeps the team from running; a rehearsal asks none at all.
    let unknown = team("nobody").await;
    let (status, problem) = me.answer("POST", "/api/v1/runs", Some(&request(&unknown, profile))).await;
    assert!(status >= 400 && problem.contains("nobody"), "{status} {problem}");
    let rehearsal = json!({ "type": "rehearsal", "characters_per_second": 0 });
    let run = me.post("/api/v1/runs", request(&unknown, rehearsal)).await["run"].as_str().unwrap().to_owned();
    let events = server.events_to_end(run.parse().unwrap(), 0).await;
    let view = RunView::fold(&events).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!((usual.asked().values().sum::<u32>(), own.asked().values().sum::<u32>()), (1, 1));
}

#[tokio::test]
async fn whoever_leads_speaks_for_a_team_or_is_within_one_is_answered_by_the_model_that_the_team_names() {
    const NAMES: [&str; 5] = ["usual", "chooser", "voice", "member", "planner"];
    let home = Home::new(&[]);
    std::fs::create_dir_all(home.data()).unwrap();
    let mut providers = Vec::new();
    let mut settings = String::new();
    for name in NAMES {
        let (provider, url) = Provider::start(Duration::ZERO).await;
        providers.push(provider);
        settings += &format!(
            "[models.{name}]\nmodel = \"fake-{name}\"\nbase_url = \"{url}\"\nretries = 0\nsilence = 5\n"
        );
    }
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    let server = home.start_kept().await;
    let me = server.program(TOKEN);

    // The models of each call, in order. What the providers were asked has to be the same.
    let run = async |team: Value| {
        let events = succeeded(&server, &me, &team, "usual").await;
        let asked = |event: &protocol::Event| match &event.body {
            Body::CallStarted(call) => Some(call.model.clone()),
            _ => None,
        };
        events.iter().filter_map(asked).collect::<Vec<String>>()
    };
    let asked = || {
        let count = |provider: &Provider| provider.asked().values().sum::<u32>();
        providers.iter().map(count).collect::<Vec<_>>()
    };
    let agent = |name: &str, profile: Option<&str>| {
        let mut agent = json!({ "name": name, "role": { "kind": "assistant" } });
        if let Some(profile) = profile {
            agent["role"]["profile"] = json!(profile);
        }
        agent
    };

    // The choice names nobody in three answers, so that the first one speaks; the second turn leaves no choice.
    let board = json!({ "name": "Board", "conduct": { "kind": "round_robin" }, "max_turns": 1,
        "participants": [agent("member", Some("member"))] });
    let board =
        json!({ "name": "board", "role": { "kind": "society_of_mind", "profile": "voice", "team": board } });
    let models =
        run(json!({ "name": "Chosen", "max_turns": 2, "participants": [board, agent("writer", None)],
        "conduct": { "kind": "selector", "profile": "chooser" } }))
        .await;
    let chooser = "fake-chooser";
    assert_eq!(models, [chooser, chooser, chooser, "fake-member", "fake-voice", "fake-usual"]);
    assert_eq!(asked(), [1, 3, 1, 1, 0]);

    // Facts, plan, progress, and the final answer: the work is said to be done.
    let models = run(json!({ "name": "Led", "participants": [agent("writer", None)],
        "conduct": { "kind": "magentic_one", "profile": "planner" } }))
    .await;
    assert_eq!(models, ["fake-planner"; 4]);

    // A step of nobody: who does it is asked of the model that leads, which names nobody in three answers.
    let steps = json!([{ "name": "draft", "description": "Write a draft." }]);
    let models = run(json!({ "name": "Crew", "participants": [agent("writer", None)], "conduct": {
        "kind": "steps", "steps": steps, "process": { "kind": "hierarchical", "profile": "planner" } } }))
    .await;
    assert_eq!(models, ["fake-planner", "fake-planner", "fake-planner", "fake-usual"]);
    assert_eq!(asked(), [2, 3, 1, 1, 7]);
}

#[tokio::test]
async fn the_form_of_a_team_says_when_it_ends_who_hands_over_and_which_tools_there_are() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let server = home.start_kept().await;
    let anna = server.program_of("anna").await;
    let handoff = json!({ "target": "critic", "name": "go", "description": "Go.", "message": "Gone." });
    let text = |text: &str| json!({ "kind": "text_mention", "text": text });
    let team = json!({
        "name": "Swarm", "conduct": { "kind": "swarm" }, "max_turns": 2,
        "participants": [
            { "name": "writer", "role": { "kind": "assistant", "handoffs": [handoff] } },
            { "name": "critic", "role": { "kind": "assistant", "tools": [{ "name": "gone", "kind": { "kind": "server" } }] } },
        ],
        "termination": { "kind": "any", "conditions": [{ "kind": "all", "conditions": [text("a"), text("b")] }, text("")] },
    });
    let document = json!({ "kind": "team", "title": "Swarm", "content": { "version": 1, "team": team } });
    let made = anna.post("/api/v1/documents", document).await;
    let browser = server.nobody().sign_in("anna", PASSWORD).await.unwrap();
    let address = format!("/teams/{}", made["summary"]["id"].as_str().unwrap());
    let (status, page) = browser.answer("GET", &address, None).await;
    assert_eq!(status, 200);
    let form = page
        .split_once("aria-label=\"The team\"")
        .and_then(|(_, form)| form.split_once("</form>"))
        .unwrap()
        .0;
    for words in [
        "It ends (once all of this has happened: when someone says “a”; when someone says “b”) or when someone says \
         nothing at all, which everybody does, and at the latest after 2 turns.",
        "writer hands over to",
        "What is said where critic takes over",
        "The server has no tool of this name at this moment",
        "get_stock_prices",
        "Condition 1.2",
    ] {
        assert!(form.contains(words), "{words}");
    }
    // What is wrong with a condition within others is said there, and there alone.
    let (before, after) = form.split_once("aria-label=\"Condition 2\"").unwrap();
    let told = made["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|found| found["place"] == "/team/termination/conditions/1");
    let told = told.unwrap()["detail"].as_str().unwrap();
    assert_eq!((before.contains(told), after.matches(told).count()), (false, 1), "{told}");
}

#[tokio::test]
async fn a_teams_runs_are_listed_with_their_versions_and_only_to_whom_they_belong() {
    let (_server, anna, bert) = two_accounts().await;
    let made =
        import(&anna, &[("team.json", team("Writers", &[agent("writer", &replay(&["DONE"]))]).to_string())])
            .await;
    let id = document_of(&made["teams"][0]).to_owned();
    let run = async |task: &str| {
        let request = json!({ "workflow": { "type": "team", "team": id, "task": task } });
        let run = anna.post("/api/v1/runs", request).await["run"].as_str().unwrap().to_owned();
        read_to_end(&mut anna.socket(&format!("/ws/v1/runs/{run}")).await.unwrap()).await;
        run
    };
    let first = run("Write the first text.").await;
    let document = anna.get(&format!("/api/v1/documents/{id}")).await;
    let mut content = document["content"].clone();
    content["team"]["description"] = json!("Writes.");
    let save = json!({ "base": 1, "content": content });
    let (status, answer) = anna.answer("PUT", &format!("/api/v1/documents/{id}"), Some(&save)).await;
    assert_eq!(status, 200, "{answer}");
    let second = run("Write the second text.").await;
    let other =
        import(&anna, &[("o.json", team("Others", &[agent("o", &replay(&["DONE"]))]).to_string())]).await;
    let other = json!({ "type": "team", "team": document_of(&other["teams"][0]), "task": "Something else." });
    anna.post("/api/v1/runs", json!({ "workflow": other })).await;

    let listed = anna.get(&format!("/api/v1/runs?document={id}")).await;
    let runs: Vec<(&str, &str)> = listed["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["run"].as_str().unwrap(), run["request"]["workflow"]["team"].as_str().unwrap()))
        .collect();
    let (old, new) = (format!("{id}@1"), format!("{id}@2"));
    assert_eq!(runs, [(second.as_str(), new.as_str()), (first.as_str(), old.as_str())]);

    let (status, page) =
        anna.clone().with("accept", "text/html").answer("GET", &format!("/teams/{id}"), None).await;
    assert_eq!(status, 200);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} in {page}"));
    assert!(place("Write the second text.") < place("Write the first text."), "newest first");
    assert!(!page.contains("Something else."));
    for row in [("Write the second text.", ">2<"), ("Write the first text.", ">1<")] {
        let after = &page[place(row.0)..];
        let version = after.split("data-label=\"Version\"").nth(1).unwrap();
        assert!(version.split_once("</td>").unwrap().0.contains(row.1), "{row:?}");
    }

    // Whoever knows the id of somebody else's team learns nothing of it.
    assert_eq!(bert.get(&format!("/api/v1/runs?document={id}")).await["runs"], json!([]));
}

#[tokio::test]
async fn a_team_goes_on_after_a_run_of_its_owner_and_of_nobody_else() {
    let (_server, anna, bert) = two_accounts().await;
    let file = team("Writers", &[agent("writer", &replay(&["one DONE", "two DONE", "three DONE"]))]);
    let made = import(&anna, &[("team.json", file.to_string())]).await;
    let id = document_of(&made["teams"][0]).to_owned();
    let ended = async |workflow: Value| {
        let accepted = anna.post("/api/v1/runs", json!({ "workflow": workflow, "flow": "writing" })).await;
        let run = accepted["run"].as_str().unwrap().to_owned();
        read_to_end(&mut anna.socket(&format!("/ws/v1/runs/{run}")).await.unwrap()).await;
        run
    };
    let last = async |run: &str| {
        let view = anna.get(&format!("/api/v1/runs/{run}")).await;
        assert_eq!(view["summary"]["status"], "succeeded", "{}", view["summary"]["error"]);
        view["reports"].as_array().unwrap().last().unwrap()["markdown"].to_string()
    };
    let first = ended(json!({ "type": "team", "team": id, "task": "Write." })).await;
    // An edit of the team meanwhile changes nothing for what goes on.
    let mut content = anna.get(&format!("/api/v1/documents/{id}")).await["content"].clone();
    content["team"]["description"] = json!("Writes.");
    let save = json!({ "base": 1, "content": content });
    let (status, answer) = anna.answer("PUT", &format!("/api/v1/documents/{id}"), Some(&save)).await;
    assert_eq!(status, 200, "{answer}");

    let second = ended(json!({ "type": "team", "task": "More.", "after": first })).await;
    assert!(last(&second).await.contains("two DONE"));
    let view = anna.get(&format!("/api/v1/runs/{second}")).await;
    let asked = &view["summary"]["request"]["workflow"];
    assert_eq!((&asked["team"], &asked["after"]), (&json!(format!("{id}@1")), &json!(first)));
    // The form offers it, and its page says after which run it goes on.
    let options = anna.get("/api/v1/start-options").await.to_string();
    assert!(options.contains(&format!("\"const\":\"{second}\"")), "{options}");
    let page = anna.clone().with("accept", "text/html");
    let (_, page) = page.answer("GET", &format!("/runs/{second}?view=transcript"), None).await;
    assert!(
        page.contains("Goes on after") && page.contains(&format!("/runs/{first}?view=transcript")),
        "{page}"
    );
    assert!(page.contains("Go on with this team"), "{page}");

    for (visitor, workflow, why) in [
        (&bert, json!({ "type": "team", "task": "Mine.", "after": first }), "There is no run"),
        (
            &anna,
            json!({ "type": "team", "task": "More.", "after": first, "team": format!("{id}@2") }),
            "another version",
        ),
        (&anna, json!({ "type": "team", "task": "More.", "after": "me" }), "no id"),
    ] {
        let (status, answer) =
            visitor.answer("POST", "/api/v1/runs", Some(&json!({ "workflow": workflow }))).await;
        assert!(status == 422 && answer.contains(why), "{status} {answer}");
    }
    // What was deleted is not gone on with; what has gone on with it stays as it is, and goes on.
    let (status, answer) = anna.answer("DELETE", &format!("/api/v1/runs/{first}"), None).await;
    assert!(status < 300, "{answer}");
    let gone = json!({ "workflow": { "type": "team", "task": "More.", "after": first } });
    assert_eq!(anna.answer("POST", "/api/v1/runs", Some(&gone)).await.0, 422);
    let third = ended(json!({ "type": "team", "task": "And more.", "after": second })).await;
    assert!(last(&third).await.contains("three DONE"));
}

#[tokio::test]
async fn what_a_teams_run_costs_is_counted_for_each_agent_and_for_the_choice_of_speakers() {
    let (provider, url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&[]);
    std::fs::create_dir_all(home.data()).unwrap();
    let settings = format!(
        "[models.priced]\nmodel = \"fake-priced\"\nbase_url = \"{url}\"\nretries = 0\n\
         price = {{ input = \"1000\", output = \"2000\" }}\n"
    );
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    let server = home.start_kept().await;
    let me = server.program(TOKEN);
    let agent = |name: &str| json!({ "name": name, "role": { "kind": "assistant" } });
    let team = json!({ "name": "Chosen", "max_turns": 2, "conduct": { "kind": "selector" },
        "participants": [agent("first"), agent("second")] });
    let view = RunView::fold(&succeeded(&server, &me, &team, "priced").await).unwrap();

    // What the provider was asked, and said that it took, at the settings' price for a million tokens.
    let asked: u64 =
        provider.asked().iter().map(|(prompt, times)| prompt.len() as u64 / 4 * u64::from(*times)).sum();
    let totals = &view.summary.totals;
    assert_eq!((totals.model_calls, totals.tokens_in), (5, asked), "three choices and two turns");
    let cost = protocol::Decimal::from(totals.tokens_in * 1_000 + totals.tokens_out * 2_000)
        / protocol::Decimal::from(1_000_000);
    assert_eq!((totals.cost, totals.calls_of_unknown_cost), (cost, 0));
    let of = |node: &str| view.node(&node.parse().unwrap()).unwrap().clone();
    let (lead, first, second) = (of("lead"), of("1_first"), of("2_second"));
    assert!(lead.cost > first.cost && first.cost.is_some(), "three choices cost more than a turn");
    let all = [&lead, &first, &second];
    assert_eq!(all.iter().filter_map(|node| node.cost).sum::<protocol::Decimal>(), cost);
    assert_eq!(all.iter().map(|node| node.tokens).sum::<u64>(), totals.tokens());

    let (_, page) = me
        .clone()
        .with("accept", "text/html")
        .answer("GET", &format!("/runs/{}", view.summary.run), None)
        .await;
    let table = page.split("What everybody has taken").nth(1).unwrap();
    for label in ["Who speaks next", "first", "second"] {
        assert!(table.contains(label), "{label}");
    }
    assert!(page.contains("Maximum number of turns 2 reached."), "what ended it");
    assert!(!page.contains("Ends at the latest after"), "it has ended");
}

#[tokio::test]
async fn what_is_streamed_counts_for_a_limit_of_tokens_and_each_call_and_turn_has_its_time() {
    let pause = Duration::from_millis(20);
    let (_provider, url) = Provider::start(pause).await;
    let home = Home::new(&[]);
    std::fs::create_dir_all(home.data()).unwrap();
    let settings = format!("[models.slow]\nmodel = \"fake-slow\"\nbase_url = \"{url}\"\nretries = 0\n");
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    let server = home.start_kept().await;
    let me = server.program(TOKEN);
    let team = json!({ "name": "Limited", "max_turns": 5, "conduct": { "kind": "round_robin" },
        "termination": { "kind": "token_usage", "max_total": 1 },
        "participants": [{ "name": "writer", "role": { "kind": "assistant", "stream": true } }] });
    let events = succeeded(&server, &me, &team, "slow").await;
    let view = RunView::fold(&events).unwrap();
    let reason = view.summary.result.unwrap();
    assert!(reason.starts_with("Token usage limit reached, total token count: "), "{reason}");
    let calls: Vec<u64> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::CallFinished(finished) => Some(finished.latency_ms),
            _ => None,
        })
        .collect();
    assert_eq!(calls.len(), 1);
    assert!(calls[0] >= 20, "a call takes at least as long as the provider waits: {calls:?}");
    let writer: protocol::NodeId = "1_writer".parse().unwrap();
    let turns: Vec<u64> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::NodeFinished(finished) if event.node.as_ref() == Some(&writer) => {
                Some(finished.duration_ms)
            }
            _ => None,
        })
        .collect();
    assert!(turns.len() == 1 && turns[0] >= calls[0], "{turns:?} {calls:?}");
}
