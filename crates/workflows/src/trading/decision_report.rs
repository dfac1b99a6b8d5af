//! A decision of a portfolio's run as a whole, read from its log and its ledger.

use journal::{Journal, JournalError};
use protocol::{
    ProductData, RunView,
    trading::{
        DecidedOrder, Decision, DecisionReport, Order, OrderCourse, OrderEnd, PendingOrder, RejectedOrder,
        SeenCandidate, SeenReview, Task, Trade, TradeCause,
    },
};

use super::{
    facts::{CandidateFacts, Recommendation, Review},
    memory::LessonsForCase,
    portfolio_run::state,
    run_state::{text, value},
};

/// What a portfolio's run was told, decided and did; `None` for a run of another kind. `ledger` has the orders of its
/// portfolio as far as whoever asks may see them: an order that waited when the run ended is looked up there.
///
/// # Errors
/// The log cannot be read.
pub async fn decision_report(
    journal: &Journal,
    view: RunView,
    ledger: &[OrderCourse],
) -> Result<Option<DecisionReport>, JournalError> {
    let Some(Task::Portfolio { portfolio, date, .. }) = Task::of(&view.summary.request.workflow) else {
        return Ok(None);
    };
    let candidates: Vec<CandidateFacts> = value(journal, &view, state::CANDIDATES).await?.unwrap_or_default();
    let reviews: Vec<Review> = value(journal, &view, state::HOLDING_REVIEWS).await?.unwrap_or_default();
    let lessons: Option<LessonsForCase> = value(journal, &view, state::LESSONS).await?;
    let decision = products::<Decision>(journal, &view).await?.pop();
    let mut ends = ends(journal, &view, ledger).await?;
    let ordered = decision.iter().flat_map(|decision| &decision.orders);
    let mut orders: Vec<DecidedOrder> = ordered
        .map(|order| {
            let same = |end: &(Order, OrderEnd)| (end.0.side, &end.0.ticker) == (order.side, &order.ticker);
            let end = ends.iter().position(same).map(|place| ends.remove(place).1);
            DecidedOrder { order: order.clone(), end }
        })
        .collect();
    // Those that were held back are not among the decision's any more.
    let held_back = ends.into_iter().filter(|(_, end)| matches!(end, OrderEnd::Rejected { .. }));
    orders.extend(held_back.map(|(order, end)| DecidedOrder { order, end: Some(end) }));
    Ok(Some(DecisionReport {
        portfolio,
        date,
        before: value(journal, &view, state::PORTFOLIO).await?,
        reviews: reviews.into_iter().map(review).collect(),
        candidates: candidates.into_iter().map(candidate).collect(),
        macro_brief: text(journal, &view, state::MACRO_BRIEF).await?,
        micro_brief: text(journal, &view, state::MICRO_BRIEF).await?,
        lessons: lessons.into_iter().flat_map(|told| told.chosen).map(|chosen| chosen.lesson).collect(),
        decision,
        orders,
        run: view.summary,
    }))
}

/// How orders ended, as far as the run and its ledger say.
async fn ends(
    journal: &Journal,
    view: &RunView,
    ledger: &[OrderCourse],
) -> Result<Vec<(Order, OrderEnd)>, JournalError> {
    let mut ends = Vec::new();
    for trade in products::<Trade>(journal, view).await? {
        if trade.cause != TradeCause::Order {
            continue;
        }
        ends.push((trade.order(), OrderEnd::Filled { trade: Box::new(trade) }));
    }
    for PendingOrder { key, order, .. } in products(journal, view).await? {
        let course = ledger.iter().find(|course| course.key.as_ref() == Some(&key));
        ends.push((order, course.map_or(OrderEnd::Waits, |course| course.end.clone())));
    }
    let date = view.summary.as_of;
    for RejectedOrder { order, price, reasons } in products(journal, view).await? {
        let Some(date) = date else { continue };
        ends.push((order, OrderEnd::Rejected { date, price, reasons }));
    }
    Ok(ends)
}

/// What a run has brought forth of a kind, in order.
async fn products<D: ProductData>(journal: &Journal, view: &RunView) -> Result<Vec<D>, JournalError> {
    let mut documents = Vec::new();
    for product in view.products.iter().filter(|product| product.holds::<D>()) {
        // Whatever an imported file has that is none is left out.
        documents.extend(serde_json::from_str(&journal.resolve(&product.data).await?).ok());
    }
    Ok(documents)
}

fn review(review: Review) -> SeenReview {
    let Review { ticker, recommendation, confidence, rationale, risks } = review;
    SeenReview { ticker, is_sale: recommendation == Recommendation::Sell, confidence, rationale, risks }
}

fn candidate(facts: CandidateFacts) -> SeenCandidate {
    SeenCandidate {
        ticker: facts.ticker,
        sector: facts.sector,
        grade: facts.grade,
        confidence: facts.confidence,
        rated_on: facts.rated_on,
        summary: facts.summary,
        priority: facts.priority,
        skip: facts.skip,
        price: facts.price,
    }
}
