//! The planner: what is to be done, step by step. A node appears for each step.

use async_trait::async_trait;
use engine::{GrownNode, Growth, Join, NodeContext, NodeError, Outcome, Work};
use protocol::{
    EdgeAdded, EdgeKind, NodeId, Tier,
    resolver::{Step, TaskPlan},
};
use tools::Wanted;

use super::{
    assignment::Assignment,
    executor::Planned,
    facts::{PlannerFacts, ToolInShort, remarks},
    graph::{AGGREGATOR, STEPS},
    plan::{MOST_STEPS, plan_schema, read_plan},
    prompts, state,
};
use crate::{
    agent::{NoTools, ask},
    node::{brief, node_id, planned, product},
};

/// Makes the plan.
pub(super) struct Planner(pub(super) Assignment);

#[async_trait]
impl Work for Planner {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let Assignment { request, context, tools } = &self.0;
        let offered = tools.offer(&Wanted::All).await.specs().into_iter();
        let facts = PlannerFacts {
            request: request.clone(),
            context: context.clone(),
            most_steps: MOST_STEPS,
            tools: offered
                .map(|tool| ToolInShort { name: tool.name, description: tool.description })
                .collect(),
            remarks: remarks(node).await?,
        };
        let messages = prompts::messages(prompts::PLANNER, "Plan the request.", &facts);
        let plan = ask(node, brief(node, messages, Some(plan_schema())), &NoTools, read_plan).await?.answer;
        node.emit(vec![product(plan.product())?]).await?;
        node.grow(growth(&plan).map_err(NodeError::Failed)?).await?;
        Outcome::default().set(state::PLAN, plan)
    }
}

/// A node for each step, behind those that it depends on. Those that no step depends on lead to the report.
fn growth(plan: &TaskPlan) -> Result<Growth, String> {
    let edge = |from: &NodeId, to: &NodeId| EdgeAdded {
        from: from.clone(),
        to: to.clone(),
        kind: EdgeKind::Flow,
        condition: None,
    };
    let aggregator = node_id(AGGREGATOR)?;
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    for step in &plan.steps {
        let behind = |other: &&Step| step.depends_on.contains(&other.id);
        let before: Vec<&Step> = plan.steps.iter().filter(behind).collect();
        edges.extend(before.iter().map(|other| edge(&other.node, &step.node)));
        if !plan.steps.iter().any(|other| other.depends_on.contains(&step.id)) {
            edges.push(edge(&step.node, &aggregator));
        }
        let rests_on = before.iter().map(|other| (other.id.clone(), other.title.clone())).collect();
        let spec = serde_json::to_string(&Planned { step: step.clone(), rests_on });
        nodes.push(GrownNode {
            plan: planned(step.node.as_str(), &step.title, "step", STEPS, Some(Tier::Mid))?,
            // A person may lead the work past a step.
            join: Join::Reached,
            spec: spec.map_err(|error| error.to_string())?.into(),
        });
    }
    Ok(Growth { nodes, edges })
}
