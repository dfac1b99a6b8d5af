//! In which form a file holds teams and parts.

use serde_json::{Map, Value};

use super::{
    Part, Reading, agent, condition, envelope::Envelope, flat, importer::Importer, kind::Kind, linked, model,
    team, tool,
};
use crate::{
    finding::Problem,
    place::{Place, Spot},
};

/// The lists of a gallery.
const LISTS: [(&str, Kind); 6] = [
    ("teams", Kind::Team),
    ("agents", Kind::Agent),
    ("models", Kind::Model),
    ("tools", Kind::Tool),
    ("terminations", Kind::Condition),
    ("workbenches", Kind::Workbench),
];

/// Reads whatever stands in a file.
pub(super) fn read(value: &Value, place: &Place, importer: &mut Importer<'_>, reading: &mut Reading) {
    if reading.is_full() {
        return;
    }
    match value {
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                read(value, &place.at(number), importer, reading);
            }
        }
        Value::Object(fields) => object(value, fields, place, importer, reading),
        _ => reading.tell_at(importer.file, place.clone(), Problem::NothingKnown),
    }
}

fn object(
    value: &Value,
    fields: &Map<String, Value>,
    place: &Place,
    importer: &mut Importer<'_>,
    reading: &mut Reading,
) {
    let is_component = fields.contains_key("provider") || fields.contains_key("component_type");
    if !is_component {
        // A row of a table or of the interface.
        for key in ["component", "data"] {
            if let Some(inner) = fields.get(key) {
                return read(inner, &place.at(key), importer, reading);
            }
        }
        if is_gallery(fields) {
            return gallery(fields, place, importer, reading);
        }
        match fields.get("config") {
            Some(config @ Value::Object(inner)) if is_gallery(inner) || inner.contains_key("provider") => {
                return read(config, &place.at("config"), importer, reading);
            }
            _ => {}
        }
        if matches!(fields.get("kind").and_then(Value::as_str), Some("Workflow" | "Prompt")) {
            return reading.tell_at(importer.file, place.clone(), Problem::AgentFramework);
        }
        if linked::is_workflow(fields) {
            return linked::read(fields, place, importer, reading);
        }
        if flat::is_flat(fields) {
            return flat::read(fields, place, importer, reading);
        }
    }
    item(value, None, place, importer, reading);
}

fn is_gallery(fields: &Map<String, Value>) -> bool {
    ["components", "items"].iter().any(|key| fields.get(*key).is_some_and(Value::is_object))
}

/// A gallery: `components` with lists, or before 2025-02-20 `items` with teams and `components`.
fn gallery(fields: &Map<String, Value>, place: &Place, importer: &mut Importer<'_>, reading: &mut Reading) {
    for key in ["items", "components"] {
        let Some(Value::Object(inner)) = fields.get(key) else { continue };
        let place = place.at(key);
        for (list, kind) in LISTS {
            let Some(Value::Array(values)) = inner.get(list) else { continue };
            for (number, value) in values.iter().enumerate() {
                item(value, Some(kind), &place.at(list).at(number), importer, reading);
            }
        }
        gallery(inner, &place, importer, reading);
    }
}

/// One component that stands by itself.
fn item(
    value: &Value,
    expected: Option<Kind>,
    place: &Place,
    importer: &mut Importer<'_>,
    reading: &mut Reading,
) {
    if reading.is_full() {
        return;
    }
    importer.begin();
    let spot = Spot { file: place.clone(), document: Place::root().at("team") };
    let Some(envelope) = Envelope::open(value, expected, &spot, importer) else {
        return importer.give_up(reading);
    };
    if envelope.kind == Kind::Team {
        let team = team::read(envelope, &spot, 1, importer);
        return importer.finish_team(team, place, reading);
    }
    let label = envelope.own_label().map(str::to_owned);
    let class = envelope.class.clone();
    let part = match envelope.kind {
        Kind::Agent => {
            let spot = spot.part([], ["participants", "0"]);
            Part::Agent(agent::read(envelope, &spot, 1, importer))
        }
        Kind::Model => {
            let spot = spot.part([], ["participants", "0", "role", "model"]);
            Part::Model(model::read(envelope, &spot, importer))
        }
        Kind::Tool => Part::Tool(tool::read(envelope, importer)),
        Kind::Condition => Part::Condition(condition::read(envelope, &spot, 1, importer)),
        Kind::Workbench => {
            let (tools, benches) = tool::workbench(envelope, importer);
            for tool in tools {
                let name = tool.name.clone();
                importer.finish_part(name, Part::Tool(tool), place, reading);
            }
            match benches {
                Some(bench) => Part::Workbench(bench),
                None => return,
            }
        }
        Kind::Team | Kind::Context | Kind::Memory => {
            importer.tell(place, Problem::NothingKnown);
            return importer.give_up(reading);
        }
    };
    let name = label.unwrap_or_else(|| match &part {
        Part::Agent(participant) => participant.name.clone(),
        Part::Model(model) if !model.model.is_empty() => model.model.clone(),
        Part::Tool(tool) => tool.name.clone(),
        Part::Model(_) | Part::Condition(_) | Part::Workbench(_) => class,
    });
    importer.finish_part(name, part, place, reading);
}
