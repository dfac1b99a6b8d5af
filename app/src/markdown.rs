//! Markdown as models write it, shown without trusting it.
//!
//! The text is parsed and every element is built anew as a view, so nothing of the
//! source reaches the page but escaped text: raw HTML is shown as text, an image only
//! by its description, and a link leads only to `http`, `https` or `mailto`.
//!
//! Nesting, the number of elements and the length of what is parsed are bounded, because each level
//! takes a part of the stack here and in the browser. What is nested too deep is shown flat; what
//! follows once a text is too long or has too many elements is shown as it was written.

use std::{borrow::Cow, sync::Arc};

use leptos::prelude::*;
use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::legible::legible;

/// Levels of elements that a text may have.
const DEEPEST: usize = 24;
/// Elements that a text may have.
const MOST_ELEMENTS: usize = 10_000;
/// Bytes of a text that are read as Markdown; many times the length of any report.
const LONGEST: usize = 128 * 1024;
/// Bytes of a word that is set with kerning. Where each pair of letters is kerned, a browser shapes all of
/// a word anew for each line that it breaks it into.
const LONGEST_WORD: usize = 1_000;

/// A Markdown text.
#[component]
pub fn Markdown(
    /// The source.
    #[prop(into)]
    text: Arc<str>,
) -> impl IntoView {
    let has_endless_word = text.split_whitespace().any(|word| word.len() > LONGEST_WORD);
    view! { <div class="prose" class:unkerned=has_endless_word>{render(&text)}</div> }
}

fn render(source: &str) -> AnyView {
    let (head, mut rest) = source.split_at(beginning(source));
    let head = without_deep_markers(head);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut builder = Builder::default();
    let mut unread = None;
    for (event, place) in Parser::new_ext(&head, options).into_offset_iter() {
        if !builder.take(event) {
            unread = head.get(place.start..);
            break;
        }
    }
    let read = builder.finish();
    let unread = unread.map(|text| {
        let text = format!("{text}{rest}");
        rest = "";
        text
    });
    let plain = unread.or_else(|| (!rest.is_empty()).then(|| rest.to_owned()));
    let plain = plain.map(|text| view! { <p class="as-written">{legible(&text).into_owned()}</p> });
    view! {
        {read}
        {plain}
    }
    .into_any()
}

/// Where the part that is read as Markdown ends: with a line, where one ends before [`LONGEST`].
fn beginning(source: &str) -> usize {
    if source.len() <= LONGEST {
        return source.len();
    }
    let most = source.floor_char_boundary(LONGEST);
    source[..most].rfind('\n').map_or(most, |end| end + 1)
}

/// The same with the marks of quotes and lists escaped that would nest deeper than is shown. The parser
/// compares each line with all levels that are open, which would take time without end.
fn without_deep_markers(source: &str) -> Cow<'_, str> {
    let mut written = String::new();
    let mut done = 0;
    let mut begin = 0;
    for line in source.split_inclusive('\n') {
        if let Some(deep) = deep_marker(line.as_bytes()) {
            written.push_str(&source[done..begin + deep]);
            written.push('\\');
            done = begin + deep;
        }
        begin += line.len();
    }
    if done == 0 {
        return Cow::Borrowed(source);
    }
    written.push_str(&source[done..]);
    Cow::Owned(written)
}

/// Where a line opens one quote or list too many.
fn deep_marker(line: &[u8]) -> Option<usize> {
    let is_blank = |at: usize| line.get(at).is_none_or(u8::is_ascii_whitespace);
    let mut at = 0;
    let mut opened = 0;
    loop {
        at += line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let marker = at;
        match line.get(at)? {
            b'>' => at += 1,
            b'-' | b'+' | b'*' if is_blank(at + 1) => at += 1,
            b'0'..=b'9' => {
                at += line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                if !matches!(line.get(at), Some(b'.' | b')')) || !is_blank(at + 1) {
                    return None;
                }
                at += 1;
            }
            _ => return None,
        }
        opened += 1;
        if opened > DEEPEST {
            // A number is escaped at the point behind it.
            return Some(if line[marker].is_ascii_digit() { at - 1 } else { marker });
        }
    }
}

/// An element that is open, with what it holds so far.
struct Open {
    element: Element,
    children: Children,
}

/// What an element holds. Texts that follow one another are one, as they are to a browser.
#[derive(Default)]
struct Children {
    views: Vec<AnyView>,
    text: String,
}

impl Children {
    fn push(&mut self, view: AnyView) {
        self.end_text();
        self.views.push(view);
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.views.push(std::mem::take(&mut self.text).into_any());
        }
    }

    fn finish(mut self) -> Vec<AnyView> {
        self.end_text();
        self.views
    }
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
    Cell { header: bool, alignment: Alignment },
    Emphasis,
    Strong,
    Struck,
    Link(String),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    /// Of each tag that is open, whether it is an element; only its content is shown otherwise.
    tags: Vec<bool>,
    done: Children,
    elements: usize,
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
    /// Nested tables and links cannot be told apart by a browser that reads the HTML.
    in_table: bool,
    in_link: bool,
}

impl Builder {
    /// Takes what comes next; `false`: it has no room any more.
    fn take(&mut self, event: Event<'_>) -> bool {
        if self.elements >= MOST_ELEMENTS && !matches!(event, Event::End(_) | Event::Text(_)) {
            return false;
        }
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::End(end) => self.end(end),
            // Raw HTML is shown as what it is: text.
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.text(&text),
            Event::Code(code) => {
                let code = legible(&code).into_owned();
                self.element(view! { <code>{code}</code> }.into_any());
            }
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.element(view! { <br /> }.into_any()),
            Event::Rule => self.element(view! { <hr /> }.into_any()),
            Event::TaskListMarker(done) => self.text(if done { "\u{2611} " } else { "\u{2610} " }),
        }
        true
    }

    fn begin(&mut self, tag: Tag<'_>) {
        let element = self.element_of(tag).filter(|element| self.open.len() + element.levels() <= DEEPEST);
        self.tags.push(element.is_some());
        match element {
            Some(element) => {
                self.elements += 1;
                match element {
                    Element::Table => self.in_table = true,
                    Element::Link(_) => self.in_link = true,
                    _ => {}
                }
                self.open.push(Open { element, children: Children::default() });
            }
            // What was apart stays apart.
            None => self.text(" "),
        }
    }

    fn element_of(&mut self, tag: Tag<'_>) -> Option<Element> {
        Some(match tag {
            Tag::Paragraph => Element::Paragraph,
            Tag::Heading { level, .. } => Element::Heading(level),
            Tag::BlockQuote(_) => Element::Quote,
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => Element::Code,
            Tag::List(None) => Element::Bullets,
            Tag::List(Some(first)) => Element::Numbers(first),
            Tag::Item if self.holds(|outer| matches!(outer, Element::Bullets | Element::Numbers(_))) => {
                Element::Item
            }
            Tag::Table(alignments) if !self.in_table => {
                self.alignments = alignments;
                Element::Table
            }
            Tag::TableHead if self.holds(|outer| matches!(outer, Element::Table)) => {
                (self.in_head, self.column) = (true, 0);
                Element::Head
            }
            Tag::TableRow if self.holds(|outer| matches!(outer, Element::Table)) => {
                self.column = 0;
                Element::Row
            }
            Tag::TableCell if self.holds(|outer| matches!(outer, Element::Head | Element::Row)) => {
                let alignment = self.alignments.get(self.column).copied().unwrap_or(Alignment::None);
                self.column += 1;
                Element::Cell { header: self.in_head, alignment }
            }
            Tag::Emphasis => Element::Emphasis,
            Tag::Strong => Element::Strong,
            Tag::Strikethrough => Element::Struck,
            Tag::Link { dest_url, .. } if !self.in_link && is_safe(&dest_url) => {
                Element::Link(legible(&dest_url).into_owned())
            }
            _ => return None,
        })
    }

    /// Whether the innermost element is one of these.
    fn holds(&self, fits: impl Fn(&Element) -> bool) -> bool {
        self.open.last().is_some_and(|open| fits(&open.element))
    }

    fn end(&mut self, end: TagEnd) {
        if end == TagEnd::TableHead {
            self.in_head = false;
        }
        if self.tags.pop() == Some(true) {
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some(closed) = self.open.pop() {
            match closed.element {
                Element::Table => self.in_table = false,
                Element::Link(_) => self.in_link = false,
                _ => {}
            }
            self.innermost().push(closed.view());
        }
    }

    fn innermost(&mut self) -> &mut Children {
        self.open.last_mut().map_or(&mut self.done, |open| &mut open.children)
    }

    fn text(&mut self, text: &str) {
        self.innermost().text.push_str(&legible(text));
    }

    fn element(&mut self, view: AnyView) {
        self.elements += 1;
        self.innermost().push(view);
    }

    fn finish(mut self) -> AnyView {
        while !self.open.is_empty() {
            self.close();
        }
        self.done.finish().into_any()
    }
}

impl Element {
    /// Levels that it needs at least, with what it cannot be without.
    fn levels(&self) -> usize {
        match self {
            Self::Table => 3,
            Self::Bullets | Self::Numbers(_) => 2,
            _ => 1,
        }
    }
}

impl Open {
    fn view(self) -> AnyView {
        let children = self.children.finish();
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

    /// How deep the elements of this HTML are nested. Everything that is opened must be closed in order.
    fn depth(html: &str) -> usize {
        let (mut open, mut deepest) = (Vec::new(), 0);
        for tag in html.split('<').skip(1) {
            let name = |tag: &str| tag.split(['>', ' ', '/']).next().unwrap_or_default().to_owned();
            if let Some(closed) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name(closed)), "{html:.2000}");
            } else if !tag.starts_with('!') && !["br", "hr"].contains(&name(tag).as_str()) {
                open.push(name(tag));
                deepest = deepest.max(open.len());
            }
        }
        assert!(open.is_empty(), "{open:?}");
        deepest
    }

    /// The deepest text and what holds it: a table needs four levels, the frame of the prose is one.
    const ALLOWED: usize = DEEPEST + 5;

    #[test]
    fn no_nesting_is_drawn_deeper_than_a_stack_can_take() {
        let lists: String =
            (0..600).map(|level| format!("{}- level {level}\n", "  ".repeat(level))).collect();
        let cases = [
            ">".repeat(1_800),
            ">".repeat(1_000_000),
            "> ".repeat(200),
            "- ".repeat(100_000) + "end",
            "1. ".repeat(100_000) + "end",
            lists,
            "*a ".repeat(10_000) + &" a*".repeat(10_000),
            "**_~~".repeat(2_000) + "a" + &"~~_**".repeat(2_000),
            "[".repeat(60_000) + &"](https://a.example)".repeat(3_000),
            "![".repeat(50_000) + &"](a)".repeat(10_000),
            format!("{}| a | b |\n{}|--|--|\n{}| 1 | 2 |", "> ".repeat(22), "> ".repeat(22), "> ".repeat(22)),
            format!("{}- \n{}", "- ".repeat(60_000), "\n".repeat(60_000)),
        ];
        for source in cases {
            let shown = html(&source);
            assert!(depth(&shown) <= ALLOWED, "{} levels for {source:.40}", depth(&shown));
        }
        assert!(html(&format!("{}the end", ">".repeat(1_800))).contains("the end"));
    }

    #[test]
    fn a_million_of_any_character_is_drawn_with_bounded_elements() {
        for piece in [
            ">",
            "*",
            "_",
            "[",
            "]",
            "(",
            ")",
            "|",
            "`",
            "\\",
            "<",
            "&",
            "#",
            "-",
            "~",
            "!",
            "+",
            "=",
            ":",
            "\"",
            " ",
            "\t",
            "\n",
            "\r",
            "\0",
            "a",
            "é",
            "\u{202e}",
            "    a\n",
            "> \n",
            "- a\n",
            "* ",
            "1. ",
            "\n\n",
            "`a` ",
            "*a* ",
            "**",
            "[a](",
            "](b)",
            "[](https://a.b)",
            "<a",
            "<!--",
            "&amp;",
            "a|b\n-|-\n",
            "|\n",
            "```\n",
            "\\\n",
            "<https://a.b>",
            "a  \n",
            "~~a~~",
            "- [ ] a\n",
            "[a]: b\n",
            "***a**",
            "_a*",
        ] {
            let source = piece.repeat(1_000_000 / piece.len());
            let shown = html(&source);
            assert!(depth(&shown) <= ALLOWED, "{piece:?}");
            let elements = shown.matches('<').count();
            assert!(elements <= 9 * MOST_ELEMENTS, "{elements} for {piece:?}");
        }
    }

    #[test]
    fn any_mixture_of_marks_is_drawn_well_nested() {
        let pieces = [
            "> ",
            "- ",
            "1. ",
            "* ",
            "# ",
            "    ",
            "\n",
            "\n\n",
            "*",
            "**",
            "_",
            "~~",
            "`",
            "```\n",
            "[",
            "](",
            ")",
            "![",
            "https://a.b",
            "<https://a.b>",
            "|",
            "|--|--|\n",
            "a",
            " ",
            "\\",
            "<b>",
            "&lt;",
            "- [x] ",
            "\0",
        ];
        let mut state = 9_u64;
        let mut next = |below: usize| {
            // The numbers of Knuth's generator: the same in every run.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..3_000 {
            let length = next(60);
            let source: String = (0..length).map(|_| pieces[next(pieces.len())]).collect();
            let shown = html(&source);
            assert!(depth(&shown) <= ALLOWED, "{source:?}");
            assert!(!shown.contains('\0'), "{source:?}");
            let links =
                shown.split("<a").skip(1).all(|link| !link.split("</a>").next().unwrap().contains("<a"));
            assert!(links, "{source:?}: {shown}");
        }
    }

    #[test]
    fn what_does_not_fit_is_shown_as_it_was_written() {
        let shown = html(&format!("# Title\n\n{}**the end**", "word \n".repeat(30_000)));
        assert!(shown.contains("<h3>") && shown.contains("**the end**"), "{shown:.200}");
        let shown = html(&format!("{}**the end**", "*a* ".repeat(20_000)));
        assert!(shown.contains("<em>") && shown.contains("**the end**"), "{shown:.200}");
    }

    #[test]
    fn control_characters_are_replaced_wherever_they_stand() {
        let shown = html(
            "# a\0b\n\n`c\u{1}d` **e\u{2}** [f\u{3}](https://a.b/\u{4})\n\n| \u{5} |\n|--|\n| g\u{6} |\n\n    h\u{7}\n",
        );
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(shown.matches('\u{fffd}').count() >= 7, "{shown:?}");
    }
}
