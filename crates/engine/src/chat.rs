//! Questions beside a run: answered from the run's state and reports without disturbing it, while it works
//! and after it has ended.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use futures::FutureExt;

use journal::{Epoch, Journal, JournalError};
use llm::{ChatAnswer, ChatModel, ChatRequest, Message};
use protocol::{
    AccountId, Attempt, Body, CallId, ChatAnswered, ChatAsked, Decimal, NewEvent, RunId, Text, Tier, Usage,
};

use crate::{
    LiveCalls,
    lane::milliseconds,
    run_log::{RunLog, now},
};

/// The agent that a model answers as.
pub const CHAT_AGENT: &str = "run_chat";
/// Bytes of one text of the state that the model gets.
const LONGEST_TEXT: usize = 8 * 1024;
/// Bytes of the whole description of a run that the model gets.
const LONGEST_ACCOUNT: usize = 96 * 1024;
const DEFECT: &str = "The question could not be answered by a defect of Pitwall; the server's log says more.";
const TASK: &str = "You answer a person's questions about one run of a team of agents. Rest on the account \
    of the run below alone. Say so where it does not hold the answer. Invent no figures. Be brief.";

/// The questions beside one run, for as long as one of them is open. Concurrent questions share it, and with
/// it one claim: a second claim would fence off the first.
pub(crate) struct RunChat {
    pub run: RunId,
    pub epoch: Epoch,
    pub next: AtomicU32,
    pub journal: Journal,
    pub live: Arc<LiveCalls>,
    /// The log of the run if it is active, so that what a question uses counts for the run's limits at once,
    /// as it does when the log is folded again.
    pub log: Weak<RunLog>,
}

impl RunChat {
    /// Appends the question, and returns its number.
    pub async fn ask(&self, question: &str, by: AccountId) -> Result<u32, JournalError> {
        let chat = self.next.fetch_add(1, Ordering::Relaxed);
        let asked = said(Body::ChatAsked(ChatAsked { chat, question: question.into(), by }));
        self.journal.append(self.run, self.epoch, vec![asked]).await?;
        Ok(chat)
    }

    /// Asks the model, and appends its answer.
    pub async fn answer(
        &self,
        chat: u32,
        question: &str,
        model: &dyn ChatModel,
        refusal: Option<String>,
    ) -> Result<(), JournalError> {
        let clock = Instant::now();
        // The call stays open until the answer is in the log, so that at each moment its text is in one of
        // the two.
        let open = self.live.open(CallId::of_chat(chat));
        let mut push = |piece: llm::Piece<'_>| open.push(piece);
        let answer = match refusal {
            Some(refusal) => Err((refusal, Vec::new())),
            None => {
                // A panic becomes the answer's error: the question must not stay open for ever.
                let answered = AssertUnwindSafe(self.ask_model(question, model, &mut push)).catch_unwind();
                answered.await.unwrap_or_else(|_| Err((DEFECT.to_owned(), Vec::new())))
            }
        };
        let _ended = open.ended();
        let unanswered = |(error, attempts)| ChatAnswered {
            chat,
            model: model.model(Tier::Quick),
            answer: Text::default(),
            usage: Usage::default(),
            cost: Some(Decimal::ZERO),
            latency_ms: milliseconds(clock),
            attempts,
            error: Some(error),
        };
        let body = Body::ChatAnswered(answer.map_or_else(unanswered, |answer| ChatAnswered {
            chat,
            model: answer.model,
            answer: answer.text.into(),
            usage: answer.usage,
            cost: answer.cost,
            latency_ms: milliseconds(clock),
            attempts: answer.attempts,
            error: None,
        }));
        // The answer was paid for, so this append waits until the disk can be written. The question's append
        // does not: the asker can ask again.
        if let Some(log) = self.log.upgrade() {
            return log.append_beside(body).await;
        }
        let answered = said(body);
        self.journal.append_patiently(self.run, self.epoch, vec![answered]).await.map(drop)
    }

    /// The model's answer, or the reason why there is none, with the attempts that failed.
    async fn ask_model(
        &self,
        question: &str,
        model: &dyn ChatModel,
        sink: llm::Sink<'_>,
    ) -> Result<ChatAnswer, (String, Vec<Attempt>)> {
        let request = self.request(question).await.map_err(|error| (error.to_string(), Vec::new()))?;
        let answered = model.chat(&request, sink).await;
        answered.map_err(|failure| (failure.error.to_string(), failure.attempts))
    }

    async fn request(&self, question: &str) -> Result<ChatRequest, JournalError> {
        let account = account_of(&self.journal, self.run).await?;
        Ok(ChatRequest {
            agent: CHAT_AGENT.to_owned(),
            run: Some(self.run),
            tier: Tier::Quick,
            profile: None,
            messages: vec![
                Message::System(format!("{TASK}\n\n{account}")),
                Message::User(question.to_owned()),
            ],
            tools: Vec::new(),
            schema: None,
            temperature: None,
        })
    }
}

fn said(body: Body) -> NewEvent {
    NewEvent { at: now(), node: None, body }
}

/// A description of a run's state and results, for the model.
async fn account_of(journal: &Journal, run: RunId) -> Result<String, JournalError> {
    let view = journal.fold(run, u64::MAX).await?.ok_or(JournalError::NoSuchRun(run))?;
    let mut account =
        format!("# {}\nThe run stands at: {}.\n", view.summary.title, view.summary.status.label());
    let mut line = |text: String| account.extend([text.as_str(), "\n"]);
    if let Some(reason) = &view.status_reason {
        line(format!("Why: {reason}"));
    }
    if let Some(result) = &view.summary.result {
        line(format!("Result: {result}"));
    }
    line("\n## Agents".to_owned());
    for node in &view.nodes {
        let headline = node.headline.as_deref().unwrap_or_default();
        line(format!("- {}: {}. {headline}", node.plan.label, node.status.label()));
    }
    for (key, entries) in &view.state {
        line(format!("\n## State: {key}"));
        for entry in entries {
            line(cut(&journal.resolve(&entry.value).await?, LONGEST_TEXT).to_owned());
        }
    }
    for chat in view.chats.iter().filter_map(|chat| Some((chat, chat.answered.as_ref()?))) {
        let (chat, answered) = chat;
        line(format!("\n## Asked before: {}\n{}", chat.asked.question.shown(), answered.answer.shown()));
    }
    Ok(cut(&account, LONGEST_ACCOUNT).to_owned())
}

fn cut(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest)).unwrap_or_default()
}
