//! What a person should know of a file or a team: where, how serious, what, and what to do.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    limits::{
        DEEPEST_CONDITION, DEEPEST_JSON, DEEPEST_TEAM, LARGEST_FILE, LARGEST_TEAM, LONGEST_NAME,
        LONGEST_TEXT, MOST_CONDITIONS, MOST_FILES, MOST_FINDINGS, MOST_ITEMS, MOST_PARTICIPANTS, MOST_PARTS,
    },
    place::Place,
};

/// Something that a person should know, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, by its number among those that were given together; `None` for a document.
    pub file: Option<usize>,
    /// The place in the file or in the document.
    pub place: Place,
    /// What it is.
    pub problem: Problem,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 4)?;
        fields.serialize_field("file", &self.file)?;
        fields.serialize_field("place", &self.place)?;
        fields.serialize_field("severity", &self.problem.severity())?;
        fields.serialize_field("detail", &self.problem.to_string())?;
        fields.end()
    }
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The team cannot run with it; where it is about a file, nothing was read there.
    Error,
    /// A person has to decide something before the team can run.
    Question,
    /// The team runs, though likely not as it was meant.
    Warning,
    /// Good to know.
    Note,
}

/// A text of a file within a sentence: short, and in one line.
pub(crate) fn shown(text: &str) -> String {
    shown_to(60, text)
}

/// So many characters of a text, in one line.
pub(crate) fn shown_to(most: usize, text: &str) -> String {
    let mut shown: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(most).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// What can be wrong, or good to know, with a sentence for people.
#[expect(missing_docs, reason = "the fields are what the sentences name")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    // About files.
    /// More than is read at once.
    #[error("More than {MOST_FILES} files were given. Give the rest in a second step.")]
    TooManyFiles,
    /// A file beyond the bounds.
    #[error(
        "The file has {bytes} bytes, more than {LARGEST_FILE}. Give the team alone, without its history."
    )]
    FileTooLarge { bytes: usize },
    /// There is nothing in it.
    #[error("The file is empty. Export it again.")]
    EmptyFile,
    /// Bytes that are no text.
    #[error("The file is no text in UTF-8. Export the team as JSON or YAML.")]
    NoText,
    /// A pointer of Git LFS.
    #[error(
        "This is a pointer of Git LFS and not the file itself. Fetch it with `git lfs pull` and give it again."
    )]
    GitLfsPointer,
    /// A database.
    #[error(
        "This is an SQLite database. Give the `component` of a row of its table `team`, or the `config` of a row of `gallery`."
    )]
    Database,
    /// JSON that ends in the middle.
    #[error("The JSON is cut off at line {line}. Export the file again, or copy all of it.")]
    CutOff { line: usize },
    /// JSON with an error.
    #[error("The JSON has an error in line {line}, column {column}: {reason}. Mend it there.")]
    InvalidJson { line: usize, column: usize, reason: String },
    /// YAML with an error, or beyond the bounds.
    #[error("The YAML cannot be read: {reason}. Mend it, or give JSON.")]
    InvalidYaml { reason: String },
    /// Something that means nothing here.
    #[error(
        "This is no team and no part of one that is known. Give what AutoGen Studio exports, or a pair of CrewAI files."
    )]
    NothingKnown,
    /// A description of Microsoft's Agent Framework.
    #[error(
        "This is YAML of the Agent Framework, which is written here and not read. Give the team as AutoGen's JSON."
    )]
    AgentFramework,
    /// Nothing to import.
    #[error("There is no team in it, and no part of one.")]
    NoTeams,
    /// A file that belongs to nothing.
    #[error(
        "The file was not used: it is Python, and there are no `agents.yaml` and `tasks.yaml` beside it. Give them together."
    )]
    PythonAlone,
    /// Half of a pair.
    #[error("There is only `{found}` of the pair. Give `agents.yaml` and `tasks.yaml` together.")]
    HalfAPair { found: &'static str },
    /// More than is told.
    #[error("There are more than {MOST_FINDINGS} findings. The others are not told: mend these first.")]
    MoreFindings,
    /// More than is read.
    #[error("There are more than {MOST_ITEMS} teams and parts. The others were left out: split the file.")]
    TooManyItems,
    /// A workflow whose agents are elsewhere.
    #[error("“{name}” names no agents: they are in other files. Export the workflow with its agents.")]
    AgentsElsewhere { name: String },

    // About the form of components.
    /// Provider, type and shape contradict each other.
    #[error(
        "The provider “{provider}” does not fit what stands here, so that it was read as {taken}. Check it."
    )]
    Contradiction { provider: String, taken: &'static str },
    /// Another thing than belongs here.
    #[error("There should be {expected} here, and there is none. Put one here, or take it out.")]
    Misplaced { expected: &'static str },
    /// A value of another type.
    #[error("“{field}” should be {expected}, so that it is not used. Mend it.")]
    WrongType { field: String, expected: &'static str },
    /// A field that has no effect.
    #[error("“{field}” is not known and has no effect. It is kept for export.")]
    Ignored { field: String },
    /// A text beyond the bounds.
    #[error("“{field}” has more than {LONGEST_TEXT} bytes. Shorten it.")]
    TextTooLong { field: String },
    /// Two sources of tools.
    #[error("There are both tools and a workbench, which AutoGen refuses. Here both are taken.")]
    ToolsAndWorkbench,
    /// Nobody named it.
    #[error("It has no name, so that it is called “{given}”. Give it one.")]
    Unnamed { given: String },

    // About secrets.
    /// Keys in a file.
    #[error(
        "The file holds a key for “{model}”. It was not taken over: choose a connection that has one. If others have the file, replace the key."
    )]
    KeyRemoved { model: String },
    /// A placeholder in the place of a key.
    #[error("A placeholder stands in the place of the key for “{model}”. Choose a connection that has one.")]
    KeyPlaceholder { model: String },
    /// No key.
    #[error("There is no key for “{model}”. Choose a connection that has one.")]
    KeyMissing { model: String },
    /// Other secrets.
    #[error(
        "Passwords, keys or the values of variables and headers stand here ({count}). They were not taken over."
    )]
    SecretsRemoved { count: usize },

    // About models.
    /// A model has no name.
    #[error("The model is not named. Choose a connection and a model.")]
    ModelNotNamed,
    /// No model.
    #[error(
        "{whose} names no model, so the model of the run answers. Choose another one where it is not the right one."
    )]
    NoModel { whose: String },
    /// A class of models that is not known.
    #[error("The model “{provider}” is reached in a way that is not known here. Choose a connection for it.")]
    UnknownModel { provider: String },
    /// An address.
    #[error(
        "The model is asked at {address}. Test the connection: the address may be reachable only where the file was made."
    )]
    AddressToTest { address: String },
    /// The address that a model's name means.
    #[error("“{model}” without an address is asked at {address}, with the key of {variable}.")]
    AddressByName { model: String, address: String, variable: &'static str },
    /// A deployment lacks something.
    #[error("The model on Azure lacks {lacking}. Add it, or choose a connection.")]
    AzureIncomplete { lacking: String },

    // About teams.
    /// A kind of team that is not known.
    #[error(
        "“{provider}” is no kind of team that is known. Choose who speaks next: in turn, by a model, by handing over, by a graph."
    )]
    UnknownTeam { provider: String },
    /// A team without anybody.
    #[error("Nobody takes part in the team. Add a participant.")]
    NobodyTakesPart,
    /// A team that needs a choice.
    #[error("A model can only choose among two participants or more. Add one, or let them take turns.")]
    NobodyToChoose,
    /// Two of one name.
    #[error("Two participants are called “{name}”. Rename one.")]
    SameName { name: String },
    /// A participant without a name.
    #[error("A participant has no name. Give it one.")]
    NoName,
    /// A name beyond the bounds.
    #[error("The name “{name}” has more than {LONGEST_NAME} characters. Shorten it.")]
    NameTooLong { name: String },
    /// A name that providers refuse.
    #[error(
        "Providers refuse the name “{name}”, so that they are sent “{alias}”. People go on seeing the name."
    )]
    NameRefused { name: String, alias: String },
    /// Too many of something.
    #[error("There are too many participants: {count}, at most {MOST_PARTICIPANTS}. Split the team.")]
    TooManyParticipants { count: usize },
    /// Too many parts.
    #[error("There are too many {what}: {count}, at most {MOST_PARTS}. Take some out.")]
    TooManyParts { what: &'static str, count: usize },
    /// Teams within each other.
    #[error(
        "Teams are within each other more than {DEEPEST_TEAM} levels deep. Make the inner ones teams of their own."
    )]
    TeamTooDeep,
    /// Too large.
    #[error("The team is too large to be kept: {bytes} bytes, at most {LARGEST_TEAM}. Shorten its texts.")]
    TeamTooLarge { bytes: usize },
    /// Too deep.
    #[error(
        "Lists and objects are within each other more than {DEEPEST_JSON} levels deep. Flatten what nests."
    )]
    JsonTooDeep,
    /// A participant that is in no file.
    #[error(
        "“{reference}” is defined in none of the files. Give the file that defines it, or choose an agent."
    )]
    NotGiven { reference: String },
    /// A kind of agent that is not known.
    #[error("“{provider}” is no kind of agent that is known. It is kept; replace it to run the team.")]
    UnknownAgent { provider: String },
    /// Somebody who cannot be here.
    #[error("A team cannot take part in {team}. Make its members participants, or let them take turns.")]
    TeamWithin { team: &'static str },
    /// Nothing ends it.
    #[error("Nothing ends the team but the limits of the run. Add a condition, or a number of turns.")]
    NeverEnds,
    /// A question without the conversation.
    #[error(
        "The question of the selector lacks {{history}}, so that the model chooses without knowing what was said. Add {{history}}."
    )]
    PromptWithoutHistory,
    /// Nobody hands over.
    #[error("“{name}” begins and can hand over to nobody. Give it a handoff, or let another one begin.")]
    CannotHandOff { name: String },
    /// A handoff that leads out.
    #[error(
        "“{target}” takes no part in the team. Add a condition that ends the team there, or name a participant."
    )]
    HandoffOutside { target: String },
    /// A kind of context that is not known.
    #[error("“{provider}” is no kind of context that is known. All of the conversation is read.")]
    UnknownContext { provider: String },
    /// Memories.
    #[error("The memory “{provider}” is not asked. It is kept for export.")]
    MemoryNotAsked { provider: String },

    // About tools.
    /// A tool that is another one by its source.
    #[error("The tool “{name}” is AutoGen's sample `{known}` by its source. The built-in one is called.")]
    KnownTool { name: String, known: &'static str },
    /// A tool that is not run.
    #[error("The tool “{name}” is not run: no code of a file is. It is kept for export.{told}")]
    ToolNotRun { name: String, told: &'static str },
    /// A tool server.
    #[error("The tool server “{server}” is not started from a file. Choose one of the settings.")]
    ServerNotStarted { server: String },
    /// A workbench that is not known.
    #[error("The tools of “{provider}” are not called. They are kept for export.")]
    UnknownWorkbench { provider: String },
    /// Two tools of one name.
    #[error("Two tools are called “{name}”. Rename one.")]
    SameTool { name: String },

    // About conditions.
    /// A condition that is not known.
    #[error("“{provider}” is no condition that is known. It is kept; replace it to run the team.")]
    UnknownCondition { provider: String },
    /// Too many.
    #[error("There are too many conditions: {count}, at most {MOST_CONDITIONS}. Take some out.")]
    TooManyConditions { count: usize },
    /// Too deep.
    #[error(
        "Conditions are within each other more than {DEEPEST_CONDITION} levels deep. Put those of one kind side by side."
    )]
    ConditionTooDeep,
    /// An empty group.
    #[error("A condition of several has none within it and never holds. Take it out.")]
    EmptyCondition,
    /// An empty text.
    #[error(
        "The text is empty, which every message contains: the team ends at the task and nobody speaks. Write the text."
    )]
    EmptyText,
    /// A text in quotes.
    #[error(
        "The text is written with quotes inside: {text}. Only a message with the quotes ends the team. Take them out."
    )]
    QuotedText { text: String },
    /// Too few messages.
    #[error(
        "The team ends at {max_messages} messages, the task's included, so that of {agents} agents {silent} never speak. Allow more."
    )]
    TooFewMessages { max_messages: u64, agents: usize, silent: u64 },
    /// The task ends it.
    #[error(
        "A text message of anybody ends the team, also the task: nobody speaks. Name whose message it is."
    )]
    TaskEndsIt,
    /// Nobody can fulfil it.
    #[error("“{name}” takes no part in the team, so that the condition never holds. Name a participant.")]
    NobodyOfThatName { name: String },
    /// A limit without a number.
    #[error("The condition has no limit and never holds. Write one.")]
    NoLimit,

    // About graphs.
    /// An edge to nobody.
    #[error("An edge leads from “{from}” to “{target}”, which is no node. Mend the edge.")]
    EdgeToNobody { from: String, target: String },
    /// A node that is nobody.
    #[error("The node “{node}” is no participant. Add the participant, or take the node out.")]
    NodeOfNobody { node: String },
    /// Two nodes of one name.
    #[error("Two nodes are called “{node}”. Take one out.")]
    SameNode { node: String },
    /// A participant that is no node.
    #[error("“{name}” is no node of the graph and never speaks. Add a node, or take the participant out.")]
    NeverReached { name: String },
    /// No beginning.
    #[error("Every node of the graph follows another one, so that nobody begins. Name the node that begins.")]
    GraphWithoutBeginning,
    /// No end.
    #[error("Every node of the graph leads on. Let one have no edges.")]
    GraphWithoutEnd,
    /// Edges of both kinds.
    #[error("Some edges of “{node}” have a condition and some have none. Give all of them one, or none.")]
    MixedEdges { node: String },
    /// A cycle without an exit.
    #[error("A cycle through “{node}” has no condition and never ends. Give one of its edges a condition.")]
    EndlessCycle { node: String },
    /// Edges that disagree.
    #[error(
        "The edges of the group “{group}” to “{node}” disagree whether all or any of them count. Make them agree."
    )]
    MixedActivation { node: String, group: String },
    /// A cycle without a limit.
    #[error("The graph has a cycle, and nothing ends the team. Add a condition, or a number of turns.")]
    CycleWithoutLimit,

    // About steps.
    /// A step that belongs to nobody.
    #[error("Nobody does the step “{step}”.{proposed} Choose an agent.")]
    StepOfNobody { step: String, proposed: String },
    /// A step of somebody who is not there.
    #[error("The step “{step}” belongs to “{agent}”, who takes no part. Choose another agent.")]
    StepOfStranger { step: String, agent: String },
    /// An input that is not there yet.
    #[error("The step “{step}” needs the result of “{input}”, which is no earlier step. Mend its inputs.")]
    InputNotEarlier { step: String, input: String },
    /// Two steps of one name.
    #[error("Two steps are called “{step}”. Rename one.")]
    SameStep { step: String },
    /// Fields of the start form.
    #[error("Whoever starts it has to fill in: {names}.")]
    FieldsNeeded { names: String },
    /// Something that stands at the top and is nobody.
    #[error("“{key}” is no {what}: it should be a list of fields. It was left out.")]
    NoMapping { key: String, what: &'static str },
    /// What a crew has and is not run.
    #[error("“{feature}” is not run. It is named in the file and has no effect here.")]
    NotRun { feature: String },
    /// A method that is defined twice.
    #[error("The method “{method}” is defined twice. The last one counts, as in Python.")]
    DefinedTwice { method: String },
    /// A method that leads to nothing.
    #[error("The method “{method}” names “{key}”, which is in neither file. It was left out.")]
    MethodOfNothing { method: String, key: String },

    // About older workflows.
    /// A person who never speaks.
    #[error("“{name}” is a person who is never asked, so that it was left out.")]
    PersonNeverAsked { name: String },
}

impl Problem {
    /// How serious it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::FileTooLarge { .. }
            | Self::EmptyFile
            | Self::NoText
            | Self::GitLfsPointer
            | Self::Database
            | Self::CutOff { .. }
            | Self::InvalidJson { .. }
            | Self::InvalidYaml { .. }
            | Self::NothingKnown
            | Self::AgentFramework
            | Self::NoTeams
            | Self::HalfAPair { .. }
            | Self::AgentsElsewhere { .. }
            | Self::Misplaced { .. }
            | Self::TextTooLong { .. }
            | Self::NobodyTakesPart
            | Self::NobodyToChoose
            | Self::SameName { .. }
            | Self::NoName
            | Self::NameTooLong { .. }
            | Self::TooManyParticipants { .. }
            | Self::TooManyParts { .. }
            | Self::TeamTooDeep
            | Self::TeamTooLarge { .. }
            | Self::JsonTooDeep
            | Self::UnknownAgent { .. }
            | Self::TeamWithin { .. }
            | Self::CannotHandOff { .. }
            | Self::UnknownCondition { .. }
            | Self::TooManyConditions { .. }
            | Self::ConditionTooDeep
            | Self::EdgeToNobody { .. }
            | Self::NodeOfNobody { .. }
            | Self::SameNode { .. }
            | Self::GraphWithoutBeginning
            | Self::GraphWithoutEnd
            | Self::MixedEdges { .. }
            | Self::EndlessCycle { .. }
            | Self::MixedActivation { .. }
            | Self::CycleWithoutLimit
            | Self::StepOfStranger { .. }
            | Self::InputNotEarlier { .. }
            | Self::SameStep { .. } => Severity::Error,
            Self::KeyRemoved { .. }
            | Self::KeyPlaceholder { .. }
            | Self::KeyMissing { .. }
            | Self::ModelNotNamed
            | Self::NoModel { .. }
            | Self::UnknownModel { .. }
            | Self::AzureIncomplete { .. }
            | Self::UnknownTeam { .. }
            | Self::NotGiven { .. }
            | Self::StepOfNobody { .. } => Severity::Question,
            Self::TooManyFiles
            | Self::MoreFindings
            | Self::TooManyItems
            | Self::PythonAlone
            | Self::Contradiction { .. }
            | Self::WrongType { .. }
            | Self::Unnamed { .. }
            | Self::PromptWithoutHistory
            | Self::HandoffOutside { .. }
            | Self::UnknownContext { .. }
            | Self::MemoryNotAsked { .. }
            | Self::ToolNotRun { .. }
            | Self::ServerNotStarted { .. }
            | Self::UnknownWorkbench { .. }
            | Self::SameTool { .. }
            | Self::EmptyCondition
            | Self::EmptyText
            | Self::QuotedText { .. }
            | Self::TooFewMessages { .. }
            | Self::TaskEndsIt
            | Self::NobodyOfThatName { .. }
            | Self::NoLimit
            | Self::NeverReached { .. }
            | Self::NoMapping { .. }
            | Self::DefinedTwice { .. }
            | Self::MethodOfNothing { .. } => Severity::Warning,
            Self::Ignored { .. }
            | Self::ToolsAndWorkbench
            | Self::SecretsRemoved { .. }
            | Self::AddressToTest { .. }
            | Self::AddressByName { .. }
            | Self::NameRefused { .. }
            | Self::NeverEnds
            | Self::KnownTool { .. }
            | Self::FieldsNeeded { .. }
            | Self::NotRun { .. }
            | Self::PersonNeverAsked { .. } => Severity::Note,
        }
    }

    /// Whether choosing a connection for a model answers it.
    #[must_use]
    pub fn is_about_connection(&self) -> bool {
        matches!(
            self,
            Self::KeyRemoved { .. }
                | Self::KeyPlaceholder { .. }
                | Self::KeyMissing { .. }
                | Self::ModelNotNamed
                | Self::NoModel { .. }
                | Self::UnknownModel { .. }
                | Self::AzureIncomplete { .. }
        )
    }

    /// Whether a team with it can be started once each of its models has a connection.
    #[must_use]
    pub fn lets_run(&self) -> bool {
        self.severity() > Severity::Question || self.is_about_connection()
    }
}
