//! What surrounds every component.

use serde_json::{Map, Value};

use super::{
    fields::Fields,
    importer::Importer,
    kind::{Kind, class_of},
};
use crate::{
    finding::{Problem, shown},
    place::{Place, Spot},
};

/// A component without what surrounds it.
pub(super) struct Envelope {
    pub(super) kind: Kind,
    /// The provider as it stands there; the class alone where only that was found.
    pub(super) provider: String,
    /// The class that is meant.
    pub(super) class: String,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    pub(super) config: Fields,
    /// What stands beside `config` and is not known.
    beside: Fields,
}

/// Fields that say nothing here. Versions are among them: files that mix them work none the less.
const IGNORED: [&str; 3] = ["component_type", "version", "component_version"];

impl Envelope {
    /// Reads what surrounds a component; `None` if it is none, which is told.
    pub(super) fn open(
        value: &Value,
        expected: Option<Kind>,
        spot: &Spot,
        importer: &mut Importer<'_>,
    ) -> Option<Self> {
        let Some(map) = value.as_object() else {
            let expected = expected.map_or("a component", Kind::label);
            importer.tell(&spot.file, Problem::Misplaced { expected });
            return None;
        };
        let mut outer = Fields::new(map.clone(), spot.file.clone());
        let component_type = outer.get("component_type").and_then(Value::as_str).map(str::to_owned);
        let provider = outer.filled_text("provider", importer).unwrap_or_default();
        let (mut config, mut beside) = match outer.take("config") {
            Some(Value::Object(config)) => (Fields::new(config, spot.file.at("config")), outer),
            // Written by hand: all fields side by side.
            _ => (outer, Fields::new(Map::new(), spot.file.clone())),
        };
        let flat = !map.get("config").is_some_and(Value::is_object);
        let outside = if flat { &mut config } else { &mut beside };
        let label = outside.filled_text("label", importer);
        let description = if flat { None } else { outside.filled_text("description", importer) };
        for key in IGNORED {
            outside.take(key);
        }
        let shape = Kind::of_shape(map.get("config").and_then(Value::as_object).unwrap_or(map));
        let (kind, class) = decide(
            &Evidence {
                provider: &provider,
                component_type: component_type.as_deref().and_then(Kind::of_type),
                shape,
                expected,
                names: [
                    label.as_deref(),
                    config.get("name").and_then(Value::as_str),
                    component_type.as_deref(),
                ],
            },
            &spot.file,
            importer,
        )?;
        let provider = if provider.is_empty() { class.clone() } else { provider };
        Some(Self { kind, provider, class, label, description, config, beside })
    }

    /// What the file says and is not known, in the component and beside it.
    pub(super) fn rest(self, importer: &mut Importer<'_>) -> Map<String, Value> {
        let mut rest = self.config.rest(importer);
        for (key, value) in self.beside.rest(importer) {
            rest.entry(key).or_insert(value);
        }
        rest
    }

    /// What the file says and is not known, where the component has no place for it.
    pub(super) fn set_aside(self, importer: &mut Importer<'_>) {
        self.config.set_aside(importer);
        self.beside.set_aside(importer);
    }

    /// All of it, for what is kept as a whole.
    pub(super) fn into_kept(self) -> (String, Map<String, Value>) {
        let mut kept = self.config.quiet_rest();
        for (key, value) in self.beside.quiet_rest() {
            kept.entry(key).or_insert(value);
        }
        (self.provider, kept)
    }

    /// The label, unless it only repeats the class.
    pub(super) fn own_label(&self) -> Option<&str> {
        self.label.as_deref().filter(|label| *label != self.class)
    }
}

struct Evidence<'a> {
    provider: &'a str,
    component_type: Option<Kind>,
    shape: Option<Kind>,
    expected: Option<Kind>,
    /// Where the class is found as well.
    names: [Option<&'a str>; 3],
}

/// What a component is, and of which class. The provider says it first, then the type, then the shape; what stands
/// in the way of that is told, and where the provider is alone against the others it is outvoted.
fn decide(evidence: &Evidence<'_>, place: &Place, importer: &mut Importer<'_>) -> Option<(Kind, String)> {
    let class = class_of(evidence.provider);
    let by_provider = Kind::of_class(class);
    let fits = |kind: Kind| match evidence.expected {
        None => true,
        // A team can stand where an agent does.
        Some(Kind::Agent) => matches!(kind, Kind::Agent | Kind::Team),
        Some(expected) => kind == expected,
    };
    let others: Vec<Kind> =
        [evidence.component_type, evidence.shape, evidence.expected].into_iter().flatten().collect();
    let is_outvoted = |kind: Kind| {
        let against = |other: &&Kind| !(**other == kind || (**other == Kind::Agent && kind == Kind::Team));
        let is_decisive = others.len() >= 2 || evidence.shape == Some(Kind::Team);
        !fits(kind) || (is_decisive && others.iter().filter(against).count() == others.len())
    };
    let kind = match by_provider {
        Some(kind) if !is_outvoted(kind) => {
            if evidence.component_type.is_some_and(|other| other != kind) {
                importer.tell(place, Problem::Contradiction { provider: shown(class), taken: kind.label() });
            }
            return Some((kind, class.to_owned()));
        }
        _ => {
            let candidates = [evidence.component_type, evidence.shape];
            candidates.into_iter().flatten().find(|kind| fits(*kind)).or(evidence.expected)
        }
    };
    let Some(kind) = kind else {
        importer.tell(place, Problem::NothingKnown);
        return None;
    };
    if by_provider.is_some() {
        let provider = shown(evidence.provider);
        importer.tell(place, Problem::Contradiction { provider, taken: kind.label() });
    }
    let is_class = |name: &&str| Kind::of_class(name) == Some(kind);
    let named = evidence.names.iter().flatten().copied().find(is_class);
    let class = if by_provider.is_none() && !class.is_empty() { class } else { named.unwrap_or(class) };
    Some((kind, class.to_owned()))
}
