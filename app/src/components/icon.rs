//! Line icons of 16 by 16.

use leptos::prelude::*;

/// An icon by its drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say what they draw")]
pub enum IconName {
    Alert,
    Bear,
    Bull,
    Chart,
    Chat,
    Check,
    Chevron,
    Circle,
    CircleDashed,
    CircleDot,
    CircleHalf,
    Close,
    Code,
    Copy,
    Cross,
    Cut,
    Document,
    Down,
    Download,
    Fit,
    Follow,
    Fork,
    Group,
    Help,
    Hourglass,
    Import,
    Judge,
    List,
    Minus,
    Moon,
    News,
    Offline,
    Pause,
    People,
    Person,
    Play,
    Plus,
    Robot,
    Route,
    Scale,
    Search,
    Shield,
    Skip,
    Star,
    StepBack,
    StepOn,
    Stop,
    Sun,
    Timeline,
    Tool,
    Trade,
    Trash,
    Up,
    Wave,
}

impl IconName {
    fn path(self) -> &'static str {
        match self {
            Self::Alert => "M8 2.2 14.5 13.5H1.5ZM8 6.5v3.2M8 11.6v.1",
            Self::Bear => "M3 5.5h10L8 12Z",
            Self::Bull => "M3 10.5h10L8 4Z",
            Self::Chart => "M2 13.5h12M3 10.5l3-4 3 2.5 4-6",
            Self::Chat => "M2.5 3h11v7.5H7L4 13.5v-3H2.5Z",
            Self::Check => "m3 8.5 3.2 3.2L13 5",
            Self::Chevron => "m6 3.5 4.5 4.5L6 12.5",
            Self::Up => "m3.5 10 4.5-4.5 4.5 4.5",
            Self::Down => "m3.5 6 4.5 4.5L12.5 6",
            Self::Circle => "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z",
            Self::CircleDashed => {
                "M6 2.9a5.5 5.5 0 0 1 4 0M13 5.8a5.5 5.5 0 0 1 0 4.4M10 13.1a5.5 5.5 0 0 1-4 0M3 10.2a5.5 5.5 0 0 1 0-4.4"
            }
            Self::CircleDot => {
                "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 6.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8Z"
            }
            Self::CircleHalf => {
                "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 2.5v11M10.5 3.6v8.8M12.6 5.6v4.8"
            }
            Self::Close | Self::Cross => "m4 4 8 8M12 4l-8 8",
            Self::Code => "m5.5 4.5-3.5 3.5 3.5 3.5M10.5 4.5 14 8l-3.5 3.5",
            Self::Copy => "M5.5 5.5h8v8h-8ZM3.5 10.5h-1v-8h8v1",
            Self::Cut => "M2.5 8h11",
            Self::Document => "M4 2h5l3 3v9H4ZM6.5 8h3.5M6.5 11h3.5",
            Self::Download => "M8 2.5v7.5M4.5 7 8 10.5 11.5 7M3 13.5h10",
            Self::Fit => "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
            Self::Follow => {
                "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 .8v3.4M8 11.8v3.4M.8 8h3.4M11.8 8h3.4"
            }
            Self::Group => "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8Z",
            Self::Help => "M5.5 6a2.5 2.5 0 1 1 3.4 2.3c-.6.3-.9.7-.9 1.4M8 12v.1",
            Self::Fork => {
                "M4 2a1.6 1.6 0 1 0 0 3.2A1.6 1.6 0 0 0 4 2ZM4 10.8a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2ZM12 3.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2ZM4 5.2v5.6M12 6.6c0 2.4-3.2 2.6-7 3.6"
            }
            Self::Hourglass => "M4 2h8M4 14h8M5 2v2.5L8 8l3-3.5V2M5 14v-2.5L8 8l3 3.5V14",
            Self::Import => "M8 10.5V3M4.5 6.5 8 3l3.5 3.5M3 13.5h10",
            Self::Judge => "M8 2 13.5 8 8 14 2.5 8Z",
            Self::List => "M5.5 4H14M5.5 8H14M5.5 12H14M2.5 4h.1M2.5 8h.1M2.5 12h.1",
            Self::Minus => "M3.5 8h9",
            Self::Moon => "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z",
            Self::News => "M2.5 3.5h9v9h-9ZM11.5 6h2v5a1.5 1.5 0 0 1-1.5 1.5M5 6h4M5 8.5h4",
            Self::Offline => {
                "m2.5 2.5 11 11M5 8a4 4 0 0 1 2-1M9.8 7.3A4 4 0 0 1 11 8M2.7 5.7A7 7 0 0 1 5 4.4M8 3.7c2 0 4 .7 5.3 2M8 11.5v.1"
            }
            Self::Pause => "M5 3.5v9M11 3.5v9",
            Self::People => {
                "M6 3a2.2 2.2 0 1 0 0 4.4A2.2 2.2 0 0 0 6 3ZM2 13c0-2.5 1.7-4 4-4s4 1.5 4 4M10.5 3.3a2.2 2.2 0 0 1 0 3.9M11.5 9.2c1.6.5 2.5 1.8 2.5 3.8"
            }
            Self::Person => {
                "M8 2.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM3 13.5c0-2.8 2-4.5 5-4.5s5 1.7 5 4.5"
            }
            Self::Play => "M5 3.5v9L12.5 8Z",
            Self::Plus => "M8 3.5v9M3.5 8h9",
            Self::Robot => "M3 6h10v7H3ZM8 6V3M8 3h.1M6 9v.8M10 9v.8",
            Self::Route => "M3.5 2.5v6a3 3 0 0 0 3 3h6M10 9l2.5 2.5L10 14",
            Self::Scale => "M8 2.5v11M5 13.5h6M3 4.5h10M3 4.5l-1.5 4h3ZM13 4.5l-1.5 4h3Z",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3l3.2 3.2",
            Self::Shield => "M8 2 13 4v4c0 3-2 5-5 6-3-1-5-3-5-6V4Z",
            Self::Skip => "M3 4v8l5-4ZM8.5 4v8l5-4Z",
            Self::Star => "m8 2 1.8 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5Z",
            Self::StepBack => "M4 3.5v9M12 3.5 6.5 8l5.5 4.5Z",
            Self::StepOn => "M12 3.5v9M4 3.5 9.5 8 4 12.5Z",
            Self::Stop => "M4 4h8v8H4Z",
            Self::Sun => {
                "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1"
            }
            Self::Timeline => "M2 4h6M5 8h7M8 12h6",
            Self::Tool => {
                "M10 2.5a3.5 3.5 0 0 0-3 5L2.5 12 4 13.5 8.5 9a3.5 3.5 0 0 0 4.7-4.3L11 7 9 5l2.3-2.2A3.5 3.5 0 0 0 10 2.5Z"
            }
            Self::Trade => "M2.5 5.5h10l-2.5-2.5M13.5 10.5h-10L6 13",
            Self::Trash => "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5 5 13.5h6l.5-9M7 7v4M9 7v4",
            Self::Wave => "M1.5 8c1.5-4 3-4 4.5 0s3 4 4.5 0 2.5-3 4-1",
        }
    }

    /// The icon of a node's role; code and people have their own.
    pub fn of_role(role: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| role.contains(word));
        match role {
            _ if has(&["bull", "aggressive"]) => Self::Bull,
            _ if has(&["bear", "conservative"]) => Self::Bear,
            _ if has(&["market", "technical", "price"]) => Self::Chart,
            _ if has(&["fundamental", "report"]) => Self::Document,
            _ if has(&["news", "macro"]) => Self::News,
            _ if has(&["social", "sentiment"]) => Self::People,
            _ if has(&["trader", "trade", "execut", "order"]) => Self::Trade,
            _ if has(&["portfolio", "decision", "decide"]) => Self::Star,
            _ if has(&["judge", "manager", "plan"]) => Self::Judge,
            _ if has(&["risk", "guard", "check"]) => Self::Shield,
            _ if has(&["neutral", "balance", "review"]) => Self::Scale,
            _ if has(&["sector", "scan"]) => Self::Search,
            _ if has(&["person", "human", "approv"]) => Self::Person,
            _ if has(&["code", "load", "value", "gather"]) => Self::Code,
            _ => Self::Robot,
        }
    }
}

/// An icon. It is decoration: the words beside it, or the label around it, say the same.
#[component]
pub fn Icon(
    /// The icon to draw.
    name: IconName,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d=name.path() />
        </svg>
    }
}
