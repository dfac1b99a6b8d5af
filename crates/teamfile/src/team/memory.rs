//! What an agent remembers from its file: AutoGen's memories that are lists, which need nothing beside the file.

use serde_json::Value;

use super::Assistant;
use crate::message::remembered;

/// What one memory holds, in its order: each as the file has it, `{content, mime_type, metadata}`. `None` for a memory
/// of another kind, which somebody else keeps.
pub(super) fn list(memory: &Value) -> Option<&[Value]> {
    let provider = memory.get("provider")?.as_str()?;
    (provider.rsplit('.').next() == Some("ListMemory")).then_some(())?;
    Some(memory.pointer("/config/memory_contents").and_then(Value::as_array).map_or(&[], Vec::as_slice))
}

impl Assistant {
    /// What each of its memories holds that holds anything. Those of other kinds than a list are not asked.
    pub fn memories(&self) -> impl Iterator<Item = &[Value]> {
        self.memory.iter().filter_map(list).filter(|contents| !contents.is_empty())
    }

    /// What its model is told before everything else: its instructions, and what its memories hold. `None` for nothing.
    #[must_use]
    pub fn instructions(&self) -> Option<String> {
        let told = self.system_message.iter().filter(|text| !text.trim().is_empty()).cloned();
        let memories = self.memories().map(|contents| {
            let lines = contents
                .iter()
                .enumerate()
                .map(|(number, one)| format!("\n{}. {}", number + 1, remembered(one)));
            format!("Relevant memory content (in chronological order):{}", lines.collect::<String>())
        });
        let parts: Vec<String> = told.chain(memories).collect();
        (!parts.is_empty()).then(|| parts.join("\n\n"))
    }
}
