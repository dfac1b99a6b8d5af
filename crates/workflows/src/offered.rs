//! The server's tools in an agent's hands.

use async_trait::async_trait;
use engine::ToolResult;
use llm::ToolSpec;
use serde_json::Value;
use tools::{Offer, Outcome};

use crate::agent::Toolbox;

/// What an agent is offered of the registry. Its calls are in the log like those of any other tool.
#[async_trait]
impl Toolbox for Offer {
    fn specs(&self) -> Vec<ToolSpec> {
        Self::specs(self)
    }

    async fn call(&self, name: &str, arguments: &Value) -> ToolResult {
        let Outcome { status, text, source } = Self::call(self, name, arguments).await;
        ToolResult { status, text, vendor: source }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Map, json};
    use tools::{Definition, Registry, Tool, Wanted};

    use super::*;

    struct Greet(Definition);

    #[async_trait]
    impl Tool for Greet {
        fn definition(&self) -> &Definition {
            &self.0
        }

        async fn call(&self, arguments: &Map<String, Value>) -> Outcome {
            Outcome::success(format!("Hello, {}.", arguments["name"]), "greeter")
        }
    }

    /// AgentOS 6.A 17.
    #[tokio::test]
    async fn an_agents_call_reaches_the_registrys_tool_and_is_checked_before() {
        let schema = json!({ "properties": { "name": { "type": "integer" } }, "required": ["name"] });
        let definition = Definition::new("greet".parse().unwrap(), "Greets.", schema).unwrap();
        let registry = Registry::default().with(Arc::new(Greet(definition))).unwrap();
        let offer = registry.offer(&Wanted::All).await;
        let toolbox: &dyn Toolbox = &offer;
        assert_eq!(toolbox.specs()[0].name, "greet");
        let greeted = toolbox.call("greet", &json!({ "name": 7 })).await;
        assert_eq!(greeted, ToolResult::success("Hello, 7.", "greeter"));
        let refused = toolbox.call("greet", &json!({ "name": "seven" })).await;
        assert_eq!(refused, ToolResult::error(refused.text.clone()));
    }
}
