//! Crews of CrewAI.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;

use support::{place_of, problems};
use teamfile::{
    Problem, Reader, Reading, SourceFile, TeamRead,
    team::{Conduct, ModelProvider, Process, Steps, TeamDocument},
};

const AGENTS: &str = "\
researcher:
  role: >
    {topic} Senior Researcher
  goal: >
    Find what is new in {topic}
  backstory: >
    You find everything.
  llm: openai/gpt-4o
  verbose: true
  max_iter: 5
reporting_analyst:
  role: Analyst
  goal: >
    Write reports as JSON such as {\"title\": 1} and keep {{braces}}
  backstory: You are meticulous.
  allow_delegation: true
  tools: [search]
tool:
  - stray
";

const TASKS: &str = "\
research_task:
  description: >
    Research {topic} in {current_year}.
  expected_output: >
    Ten points
  agent: researcher
reporting_task:
  description: Write a report.
  expected_output: A report
  agent: reporting_analyst
  context: [research_task]
  output_file: report.md
  inputs: {a: 1}
summary_task:
  description: Sum up.
  expected_output: One line
  agent: reporting_analyst
  context: []
";

fn read(files: &[(&str, &str)]) -> Reading {
    let files: Vec<SourceFile<'_>> =
        files.iter().map(|(name, text)| SourceFile { name, bytes: text.as_bytes() }).collect();
    Reader::new().read(&files)
}

fn crew(files: &[(&str, &str)]) -> TeamRead {
    let reading = read(files);
    assert_eq!(reading.teams.len(), 1, "{:#?}", reading.findings);
    reading.teams.into_iter().next().unwrap()
}

fn steps(read: &TeamRead) -> &Steps {
    let Conduct::Steps(steps) = &read.team.conduct else { panic!("{:?}", read.team.conduct) };
    steps
}

#[test]
fn a_pair_becomes_agents_and_steps() {
    let read = crew(&[("news_crew/config/agents.yaml", AGENTS), ("news_crew/config/tasks.yaml", TASKS)]);
    assert_eq!(read.team.name, "news_crew");
    let names: Vec<&str> = read.team.participants.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["researcher", "reporting_analyst"]);
    let researcher = &read.team.participants[0];
    assert_eq!(researcher.title.as_deref(), Some("{topic} Senior Researcher"));
    let assistant = researcher.assistant().unwrap();
    assert_eq!(
        assistant.system_message.as_deref(),
        Some(
            "You are {topic} Senior Researcher.\n\nYou find everything.\n\nYour goal: Find what is new in {topic}"
        )
    );
    let model = assistant.model.as_ref().unwrap();
    assert_eq!((&model.provider, model.model.as_str()), (&ModelProvider::OpenAi, "gpt-4o"));
    assert_eq!(assistant.max_tool_iterations, 5);
    assert!(assistant.handoffs.is_empty());
    let analyst = read.team.participants[1].assistant().unwrap();
    assert_eq!(analyst.handoffs[0].target, "researcher");

    let steps = steps(&read);
    assert_eq!(steps.process, Process::Sequential);
    let names: Vec<&str> = steps.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["research_task", "reporting_task", "summary_task"]);
    assert_eq!(steps.steps[0].agent.as_deref(), Some("researcher"));
    // Nothing said means all results before it, an empty list none.
    assert_eq!(steps.steps[0].inputs, None);
    assert_eq!(steps.steps[1].inputs, Some(vec!["research_task".to_owned()]));
    assert_eq!(steps.steps[2].inputs, Some(Vec::new()));
    assert_eq!(steps.steps[1].artefact.as_deref(), Some("report.md"));
    assert_eq!(
        steps.steps[0].instruction(),
        "Research {topic} in {current_year}.\n\nExpected output: Ten points"
    );
    assert_eq!(steps.fields, ["topic", "current_year"]);

    let told = problems(&read.findings);
    assert!(told.contains(&&Problem::NotRun { feature: "tools".to_owned() }));
    assert!(told.contains(&&Problem::Ignored { field: "inputs".to_owned() }));
    assert!(told.contains(&&Problem::NoMapping { key: "tool".to_owned(), what: "agent" }));
    assert!(told.contains(&&Problem::FieldsNeeded { names: "topic, current_year".to_owned() }));
    assert!(!told.iter().any(|problem| matches!(problem, Problem::Ignored { field } if field == "verbose")));
    assert!(read.can_run(), "{told:#?}");
    let stray = read.findings.iter().find(|one| matches!(one.problem, Problem::NoMapping { .. })).unwrap();
    assert_eq!((stray.file, stray.place.as_str()), (Some(0), "/tool"));
    let lacks = place_of(&read.findings, |problem| matches!(problem, Problem::NoModel { .. }));
    assert_eq!(lacks, Some("/reporting_analyst/llm"));
}

#[test]
fn fields_are_filled_in_and_other_braces_stay() {
    let read = crew(&[("agents.yaml", AGENTS), ("tasks.yaml", TASKS)]);
    let values = BTreeMap::from([("topic".to_owned(), "{current_year} tides".to_owned())]);
    let team = read.team.filled_in(&values);
    assert_eq!(team.participants[0].title.as_deref(), Some("{current_year} tides Senior Researcher"));
    let analyst = team.participants[1].assistant().unwrap().system_message.as_deref().unwrap();
    assert!(analyst.contains("{\"title\": 1} and keep {{braces}}"), "{analyst}");
    let Conduct::Steps(steps) = &team.conduct else { panic!() };
    assert_eq!(steps.steps[0].description, "Research {current_year} tides in {current_year}.");
    assert_eq!(steps.fields, ["current_year"]);
}

const CODE: &str = "\
from crewai import Agent, Crew, Process, Task
@CrewBase
class LatestNews():
    agents_config = 'config/agents.yaml'

    @agent
    def finder(self) -> Agent:
        return Agent(
            config=self.agents_config['researcher'],
            tools=[SerperDevTool()],  # searches
            verbose=True
        )

    @agent
    def writer(self) -> Agent:
        return Agent(config=self.agents_config[\"reporting_analyst\"])

    @task
    def look(self) -> Task:
        return Task(config=self.tasks_config['research_task'], agent=self.writer())

    @task
    def look(self) -> Task:
        return Task(config=self.tasks_config['research_task'], agent=self.finder(), async_execution=True)

    @task
    def tell(self) -> Task:
        return Task(
            config=self.tasks_config['reporting_task'],
            agent=self.writer(),
            context=[self.look()],
            output_file='out.md'
        )

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.hierarchical,
                    manager_agent=self.writer())
";

const BARE_TASKS: &str = "\
research_task:
  description: Research.
  expected_output: Points
reporting_task:
  description: Report.
  expected_output: A report
";

#[test]
fn the_program_says_what_the_pair_does_not() {
    let read = crew(&[
        ("crew/config/agents.yaml", AGENTS),
        ("crew/config/tasks.yaml", BARE_TASKS),
        ("crew/crew.py", CODE),
    ]);
    assert_eq!(read.team.name, "LatestNews");
    let steps = steps(&read);
    // Agents and inputs are named by methods; the last definition of one counts.
    assert_eq!(steps.steps[0].agent.as_deref(), Some("researcher"));
    assert_eq!(steps.steps[1].agent.as_deref(), Some("reporting_analyst"));
    assert_eq!(steps.steps[1].inputs, Some(vec!["research_task".to_owned()]));
    assert_eq!(steps.steps[1].artefact.as_deref(), Some("out.md"));
    assert_eq!(
        steps.process,
        Process::Hierarchical { lead: Some("reporting_analyst".to_owned()), model: None, profile: None }
    );
    let told = problems(&read.findings);
    assert!(told.contains(&&Problem::DefinedTwice { method: "look".to_owned() }));
    assert!(told.contains(&&Problem::NotRun { feature: "async_execution".to_owned() }));
    assert!(told.iter().filter(|it| ***it == Problem::NotRun { feature: "tools".to_owned() }).count() >= 2);
    assert!(read.can_run(), "{told:#?}");
}

#[test]
fn an_agent_in_a_list_of_tasks_is_the_method_of_the_program_and_not_the_entry_of_that_name() {
    // The method `writer` stands for the entry `reporting_analyst`.
    let tasks =
        BARE_TASKS.replace("  expected_output: A report\n", "  expected_output: A report\n  agent: writer\n");
    let code = CODE.replace("            agent=self.writer(),\n", "");
    assert!(tasks.contains("agent: writer") && !code.contains("agent=self.writer(),\n            context"));
    let read = crew(&[("agents.yaml", AGENTS), ("tasks.yaml", &tasks), ("crew.py", &code)]);
    assert_eq!(steps(&read).steps[1].agent.as_deref(), Some("reporting_analyst"));
}

#[test]
fn a_model_leads_where_no_agent_does() {
    let code = CODE.replace("manager_agent=self.writer()", "manager_llm='gpt-4o'");
    let read = crew(&[("agents.yaml", AGENTS), ("tasks.yaml", BARE_TASKS), ("crew.py", &code)]);
    let Process::Hierarchical { lead: None, model: Some(model), .. } = &steps(&read).process else {
        panic!()
    };
    assert_eq!(model.model, "gpt-4o");
}

#[test]
fn without_agents_and_program_it_proposes_and_asks() {
    let read = crew(&[("agents.yaml", AGENTS), ("tasks.yaml", BARE_TASKS)]);
    let asked: Vec<String> = read
        .findings
        .iter()
        .filter(|one| matches!(one.problem, Problem::StepOfNobody { .. }))
        .map(|one| one.problem.to_string())
        .collect();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].contains("“researcher”") && asked[1].contains("“reporting_analyst”"), "{asked:?}");
    assert!(!read.can_run());
    // By order where no name says it.
    let tasks =
        "one:\n  description: a\n  expected_output: b\ntwo:\n  description: c\n  expected_output: d\n";
    let read = crew(&[("agents.yaml", AGENTS), ("tasks.yaml", tasks)]);
    let told =
        problems(&read.findings).iter().map(|problem| problem.to_string()).collect::<Vec<_>>().join("\n");
    assert!(told.contains("“one”. By names and order, it might be “researcher”"), "{told}");
}

#[test]
fn half_a_pair_and_stray_programs_are_told() {
    let reading = read(&[("agents.yaml", AGENTS), ("crew.py", CODE)]);
    assert_eq!(
        problems(&reading.findings),
        [&Problem::HalfAPair { found: "agents.yaml" }, &Problem::PythonAlone]
    );
    let reading = read(&[("tasks.yaml", TASKS)]);
    assert_eq!(problems(&reading.findings), [&Problem::HalfAPair { found: "tasks.yaml" }]);
}

#[test]
fn pairs_of_several_folders_are_kept_apart() {
    let reading = read(&[
        ("one/config/agents.yaml", AGENTS),
        ("one/config/tasks.yaml", TASKS),
        ("two/config/agents.yaml", AGENTS),
        ("two/config/tasks.yaml", BARE_TASKS),
        ("two/crew.py", CODE),
    ]);
    let names: Vec<&str> = reading.teams.iter().map(|read| read.team.name.as_str()).collect();
    assert_eq!(names, ["one", "LatestNews"]);
}

#[test]
fn a_document_asks_for_what_its_texts_say_now() {
    let read = crew(&[("agents.yaml", AGENTS), ("tasks.yaml", TASKS)]);
    let mut content = TeamDocument::new(read.team.clone()).to_value();
    let before = TeamDocument::read(&content).unwrap();
    assert_eq!(before.team, read.team);
    content["team"]["conduct"]["steps"][0]["description"] = "Look into {place}, not {{braces}}.".into();
    content["team"]["participants"][0]["title"] = "Researcher".into();
    let Conduct::Steps(steps) = TeamDocument::read(&content).unwrap().team.conduct else {
        panic!("{content}")
    };
    assert!(steps.fields.contains(&"place".to_owned()), "{:?}", steps.fields);
    assert!(
        !steps.fields.contains(&"braces".to_owned()) && !steps.fields.contains(&"current_year".to_owned()),
        "{:?}",
        steps.fields
    );
}
