//! Markdown as models write it, shown without trusting it.
//!
//! The text is parsed and every element is built anew as a view, so nothing of the
//! source reaches the page but escaped text: raw HTML is shown as text, an image only
//! by its description, and a link leads only to `http`, `https` or `mailto`.

use std::sync::Arc;

use leptos::prelude::*;
use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A Markdown text.
#[component]
pub fn Markdown(
    /// The source.
    #[prop(into)]
    text: Arc<str>,
) -> impl IntoView {
    view! { <div class="prose">{render(&text)}</div> }
}

fn render(source: &str) -> AnyView {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut builder = Builder::default();
    for event in Parser::new_ext(source, options) {
        builder.take(event);
    }
    builder.finish()
}

/// An element that is open, with what it holds so far.
struct Open {
    element: Element,
    children: Vec<AnyView>,
}

/// The elements that Markdown can make.
enum Element {
    Paragraph,
    Heading(HeadingLevel),
    Quote,
    Code,
    Bullets,
    Numbers(u64),
    Item,
    Table,
    Head,
    Row,
    Cell {
        header: bool,
        alignment: Alignment,
    },
    Emphasis,
    Strong,
    Struck,
    Link(String),
    /// Only its content is shown.
    Plain,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    done: Vec<AnyView>,
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::End(end) => self.end(end),
            // Raw HTML is shown as what it is: text.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.push(text.into_string().into_any());
            }
            Event::Code(code) => self.push(view! { <code>{code.into_string()}</code> }.into_any()),
            Event::SoftBreak => self.push(" ".into_any()),
            Event::HardBreak => self.push(view! { <br /> }.into_any()),
            Event::Rule => self.push(view! { <hr /> }.into_any()),
            Event::TaskListMarker(done) => {
                self.push(if done { "\u{2611} " } else { "\u{2610} " }.into_any());
            }
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.push(text.into_string().into_any());
            }
        }
    }

    fn begin(&mut self, tag: Tag<'_>) {
        let element = match tag {
            Tag::Paragraph => Element::Paragraph,
            Tag::Heading { level, .. } => Element::Heading(level),
            Tag::BlockQuote(_) => Element::Quote,
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => Element::Code,
            Tag::List(None) => Element::Bullets,
            Tag::List(Some(first)) => Element::Numbers(first),
            Tag::Item => Element::Item,
            Tag::Table(alignments) => {
                self.alignments = alignments;
                Element::Table
            }
            Tag::TableHead => {
                (self.in_head, self.column) = (true, 0);
                Element::Head
            }
            Tag::TableRow => {
                self.column = 0;
                Element::Row
            }
            Tag::TableCell => {
                let alignment = self.alignments.get(self.column).copied().unwrap_or(Alignment::None);
                self.column += 1;
                Element::Cell { header: self.in_head, alignment }
            }
            Tag::Emphasis => Element::Emphasis,
            Tag::Strong => Element::Strong,
            Tag::Strikethrough => Element::Struck,
            Tag::Link { dest_url, .. } if is_safe(&dest_url) => Element::Link(dest_url.into_string()),
            _ => Element::Plain,
        };
        self.open.push(Open { element, children: Vec::new() });
    }

    fn end(&mut self, end: TagEnd) {
        if end == TagEnd::TableHead {
            self.in_head = false;
        }
        if let Some(closed) = self.open.pop() {
            self.push(closed.view());
        }
    }

    fn push(&mut self, view: AnyView) {
        match self.open.last_mut() {
            Some(open) => open.children.push(view),
            None => self.done.push(view),
        }
    }

    fn finish(mut self) -> AnyView {
        while let Some(closed) = self.open.pop() {
            self.push(closed.view());
        }
        self.done.into_any()
    }
}

impl Open {
    fn view(self) -> AnyView {
        let children = self.children;
        match self.element {
            Element::Paragraph => view! { <p>{children}</p> }.into_any(),
            // The page's own headings stand above those of a text.
            Element::Heading(HeadingLevel::H1 | HeadingLevel::H2) => view! { <h3>{children}</h3> }.into_any(),
            Element::Heading(HeadingLevel::H3) => view! { <h4>{children}</h4> }.into_any(),
            Element::Heading(_) => view! { <h5>{children}</h5> }.into_any(),
            Element::Quote => view! { <blockquote>{children}</blockquote> }.into_any(),
            Element::Code => view! { <pre class="verbatim"><code>{children}</code></pre> }.into_any(),
            Element::Bullets => view! { <ul>{children}</ul> }.into_any(),
            Element::Numbers(first) => view! { <ol start=first.to_string()>{children}</ol> }.into_any(),
            Element::Item => view! { <li>{children}</li> }.into_any(),
            Element::Table => table(children),
            Element::Head => view! { <thead><tr>{children}</tr></thead> }.into_any(),
            Element::Row => view! { <tr>{children}</tr> }.into_any(),
            Element::Cell { header, alignment } => cell(header, alignment, children),
            Element::Emphasis => view! { <em>{children}</em> }.into_any(),
            Element::Strong => view! { <strong>{children}</strong> }.into_any(),
            Element::Struck => view! { <s>{children}</s> }.into_any(),
            Element::Link(target) => link(target, children),
            Element::Plain => children.into_any(),
        }
    }
}

fn table(mut children: Vec<AnyView>) -> AnyView {
    let body = children.split_off(children.len().min(1));
    view! {
        <div class="table-frame">
            <table>{children} <tbody>{body}</tbody></table>
        </div>
    }
    .into_any()
}

fn cell(header: bool, alignment: Alignment, children: Vec<AnyView>) -> AnyView {
    let class = match alignment {
        Alignment::Right => "align-right",
        Alignment::Center => "align-center",
        Alignment::None | Alignment::Left => "align-left",
    };
    if header {
        view! { <th class=class>{children}</th> }.into_any()
    } else {
        view! { <td class=class>{children}</td> }.into_any()
    }
}

/// A link that a model wrote: it names its target and gets nothing from us.
fn link(target: String, children: Vec<AnyView>) -> AnyView {
    view! {
        <a href=target.clone() title=target.clone() rel="noopener noreferrer nofollow" target="_blank">
            {children}
        </a>
        <span class="link-target">{format!(" ({})", shown_target(&target))}</span>
    }
    .into_any()
}

/// The part of an address that says whose it is.
fn shown_target(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn is_safe(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|scheme| address.starts_with(scheme))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn html(source: &str) -> String {
        let owner = Owner::new();
        owner.with(|| render(source).to_html())
    }

    #[test]
    fn scripts_are_shown_as_text() {
        let shown = html("before <script>alert(1)</script>\n\n<script>alert(2)</script>");
        assert!(!shown.contains("<script"), "{shown}");
        assert!(shown.contains("&lt;script"), "{shown}");
    }

    #[test]
    fn an_image_loads_nothing() {
        let shown = html("![a chart](https://evil.example/track.png) <img src=x onerror=alert(1)>");
        assert!(!shown.contains("<img"), "{shown}");
        assert!(shown.contains("a chart"), "{shown}");
    }

    #[test]
    fn a_link_leads_only_to_the_web() {
        for hostile in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "/runs/1",
            "//evil.example",
        ] {
            let shown = html(&format!("[click]({hostile})"));
            assert!(!shown.contains("<a"), "{hostile}: {shown}");
            assert!(shown.contains("click"), "{shown}");
        }
        let shown = html("[filing](https://sec.example/a?b=1)");
        assert!(shown.contains(r#"rel="noopener noreferrer nofollow""#), "{shown}");
        assert!(shown.contains("(sec.example)"), "{shown}");
    }

    #[test]
    fn what_models_write_is_readable() {
        let shown = html("# Title\n\n1. one **bold** `x`\n2. two\n\n| A | B |\n|--|--:|\n| 1 | 2 |\n");
        for part in ["<h3>", "<ol", "<strong>", "<code>", "<thead>", "<tbody>", r#"class="align-right""#] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn deep_nesting_ends() {
        let shown = html(&"> ".repeat(200));
        assert!(shown.matches("<blockquote>").count() <= 200);
    }
}
