//! Setting lines on pages, and writing them as a tagged PDF.

use consent::Timestamp;
use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, BBox, ContentTag, ListNumbering, Node, SpanTag, Tag, TagGroup, TagTree};
use krilla::text::{Font, TextDirection};
use skrifa::MetadataProvider;
use skrifa::instance::{LocationRef, Size};
use std::num::NonZeroU16;

/// A4 in points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const MARGIN: f32 = 56.0;
const BOTTOM: f32 = HEIGHT - 64.0;
/// The side of the code, with its quiet zone: about four centimetres.
const CODE: f32 = 116.0;

const REGULAR: &[u8] = include_bytes!("../fonts/atkinson-hyperlegible-next-400.ttf");
const STRONG: &[u8] = include_bytes!("../fonts/atkinson-hyperlegible-next-600.ttf");

/// How a piece of text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Title,
    Lead,
    Heading,
    Text,
    Strong,
    Bullet,
    Small,
    /// A picture of the text that a camera reads.
    Code,
}

impl Style {
    /// Size of the letters, height of a line, space above, in points.
    fn measures(self) -> (f32, f32, f32) {
        match self {
            Self::Title => (22.0, 28.0, 0.0),
            Self::Lead => (14.0, 19.0, 0.0),
            Self::Heading => (13.0, 18.0, 13.0),
            Self::Text | Self::Strong => (10.5, 15.0, 2.0),
            Self::Bullet => (10.5, 14.5, 2.0),
            Self::Small => (8.5, 12.0, 1.5),
            Self::Code => (0.0, CODE, 4.0),
        }
    }

    fn is_strong(self) -> bool {
        matches!(self, Self::Title | Self::Heading | Self::Strong)
    }

    fn indent(self) -> f32 {
        if self == Self::Bullet { 12.0 } else { 0.0 }
    }
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub style: Style,
    pub text: String,
}

/// What the file says about itself.
pub struct About<'a> {
    pub title: String,
    pub language: &'static str,
    pub made: Timestamp,
    pub code: &'a str,
}

/// A line, or the code, in its place.
struct Placed {
    item: usize,
    page: usize,
    y: f32,
    text: String,
    first: bool,
}

/// A font as it is drawn and as it is measured.
struct Face {
    drawn: Font,
    measured: skrifa::FontRef<'static>,
}

impl Face {
    fn read(bytes: &'static [u8]) -> Result<Self, String> {
        let drawn = Font::new(bytes.to_vec().into(), 0).ok_or("the font can not be drawn")?;
        let measured = skrifa::FontRef::new(bytes).map_err(|error| error.to_string())?;
        Ok(Self { drawn, measured })
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        let (letters, metrics) = self.metrics(size);
        text.chars().map(|c| letters.map(c).and_then(|glyph| metrics.advance_width(glyph)).unwrap_or_default()).sum()
    }

    fn metrics(&self, size: f32) -> (skrifa::charmap::Charmap<'static>, skrifa::metrics::GlyphMetrics<'static>) {
        (self.measured.charmap(), self.measured.glyph_metrics(Size::new(size), LocationRef::default()))
    }

    /// The text in letters that the font has; another letter becomes a question mark, space and control a space.
    fn printable(&self, text: &str) -> String {
        let letters = self.measured.charmap();
        let known = |c: char| match c {
            _ if c.is_whitespace() || c.is_control() => ' ',
            _ if letters.map(c).is_some_and(|glyph| glyph.to_u32() != 0) => c,
            _ => '?',
        };
        text.chars().map(known).collect()
    }

    /// Cuts a text into lines of at most this width; a word that is longer than a line is cut as well.
    fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let (mut lines, mut line) = (Vec::new(), String::new());
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&self.printable(&longer), size) <= width {
                line = longer;
                continue;
            }
            lines.extend((!line.is_empty()).then(|| std::mem::take(&mut line)));
            for letter in word.chars() {
                line.push(letter);
                if self.width(&self.printable(&line), size) > width && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, letter.to_string()));
                }
            }
        }
        lines.extend((!line.is_empty()).then_some(line));
        lines
    }
}

/// Writes the items on as many pages as they need, with the receipt attached.
pub fn write(items: &[Item], about: &About<'_>, receipt: Vec<u8>) -> Result<Vec<u8>, String> {
    let faces = [Face::read(REGULAR)?, Face::read(STRONG)?];
    let placed = place(items, &faces);
    let pages = placed.last().map_or(0, |last| last.page) + 1;
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| format!("{error:?}"))?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or("the page has no size")?;
    let mut nodes: Vec<Vec<Node>> = items.iter().map(|_| Vec::new()).collect();
    for number in 0..pages {
        let mut page = document.start_page_with(settings.clone());
        let mut surface = page.surface();
        for line in placed.iter().filter(|line| line.page == number) {
            let item = &items[line.item];
            let face = &faces[usize::from(item.style.is_strong())];
            let node = if item.style == Style::Code {
                draw_code(&mut surface, about.code, line.y)?
            } else {
                draw_line(&mut surface, face, item.style, line)
            };
            nodes[line.item].push(node);
        }
        footer(&mut surface, &faces[0], number, pages);
        surface.finish();
        page.finish();
    }
    document.set_tag_tree(tags(items, nodes, &placed, about));
    document.set_outline(outline(items, &placed));
    document.set_metadata(metadata(about));
    attach(&mut document, about, receipt)?;
    document.finish().map_err(|error| format!("{error:?}"))
}

/// Gives each line its page and height. A heading stays with what follows it.
fn place(items: &[Item], faces: &[Face; 2]) -> Vec<Placed> {
    let (mut placed, mut page, mut y) = (Vec::new(), 0, MARGIN);
    for (number, item) in items.iter().enumerate() {
        let (size, height, above) = item.style.measures();
        let face = &faces[usize::from(item.style.is_strong())];
        let lines = match item.style {
            Style::Code => vec![String::new()],
            style => face.lines(&item.text, size, WIDTH - 2.0 * MARGIN - style.indent()),
        };
        let next = items.get(number + 1).map_or(0.0, |next| next.style.measures().1 + next.style.measures().2);
        let needed = height + if item.style == Style::Heading { next } else { 0.0 };
        if y + above + needed > BOTTOM && y > MARGIN {
            (page, y) = (page + 1, MARGIN);
        } else {
            y += above;
        }
        for (place, text) in lines.into_iter().enumerate() {
            if y + height > BOTTOM && place > 0 {
                (page, y) = (page + 1, MARGIN);
            }
            placed.push(Placed { item: number, page, y, text, first: place == 0 });
            y += height;
        }
    }
    placed
}

fn draw_line(surface: &mut Surface<'_>, face: &Face, style: Style, line: &Placed) -> Node {
    let (size, height, _) = style.measures();
    // A space at the end keeps the words of two lines apart for those who copy or listen.
    let printed = format!("{} ", face.printable(&line.text));
    let said = format!("{} ", line.text);
    let actual = (printed != said).then_some(said.as_str());
    let baseline = line.y + height * 0.76;
    if style == Style::Bullet && line.first {
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Other)));
        draw(surface, face, MARGIN + 1.0, baseline, size, "•");
        surface.end_tagged();
    }
    let identifier = surface.start_tagged(ContentTag::Span(SpanTag::empty().with_actual_text(actual)));
    draw(surface, face, MARGIN + style.indent(), baseline, size, &printed);
    surface.end_tagged();
    identifier.into()
}

fn draw(surface: &mut Surface<'_>, face: &Face, x: f32, y: f32, size: f32, text: &str) {
    surface.set_fill(Some(Fill { paint: rgb::Color::new(24, 24, 27).into(), ..Fill::default() }));
    surface.draw_text(Point::from_xy(x, y), face.drawn.clone(), size, text, false, TextDirection::LeftToRight);
}

/// The code as squares: one path, so that it stays sharp in any size.
fn draw_code(surface: &mut Surface<'_>, text: &str, y: f32) -> Result<Node, String> {
    let squares = squares(text, MARGIN, y)?;
    let identifier = surface.start_tagged(ContentTag::Other);
    surface.set_fill(Some(Fill { paint: rgb::Color::new(0, 0, 0).into(), ..Fill::default() }));
    let mut path = PathBuilder::new();
    squares.into_iter().for_each(|square| path.push_rect(square));
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
    surface.end_tagged();
    Ok(identifier.into())
}

/// The dark squares of the code, in points on the page; around them a quiet zone of four squares.
pub(super) fn squares(text: &str, left: f32, top: f32) -> Result<Vec<Rect>, String> {
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).map_err(|e| e.to_string())?;
    let across = code.width();
    let side = CODE / (across as f32 + 8.0);
    let dark = code.into_colors().into_iter().enumerate().filter(|(_, color)| *color == qrcode::Color::Dark);
    let square = |(place, _): (usize, qrcode::Color)| {
        let (column, row) = ((place % across) as f32, (place / across) as f32);
        Rect::from_xywh(left + side * (column + 4.0), top + side * (row + 4.0), side, side)
    };
    dark.map(square).collect::<Option<_>>().ok_or_else(|| "the code has no size".to_owned())
}

fn footer(surface: &mut Surface<'_>, face: &Face, number: usize, pages: usize) {
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::PageNumber)));
    let text = format!("{} of {pages}", number + 1);
    let x = WIDTH - MARGIN - face.width(&text, 8.5);
    draw(surface, face, x, HEIGHT - 34.0, 8.5, &text);
    surface.end_tagged();
}

fn tags(items: &[Item], nodes: Vec<Vec<Node>>, placed: &[Placed], about: &About<'_>) -> TagTree {
    let mut tree = TagTree::new().with_lang(Some(about.language.to_owned()));
    let mut list: Option<TagGroup> = None;
    for (number, (item, lines)) in items.iter().zip(nodes).enumerate() {
        if item.style == Style::Bullet {
            let body = TagGroup::with_children(Tag::LBody, lines);
            let entry = TagGroup::with_children(Tag::LI, vec![body.into()]);
            list.get_or_insert_with(|| TagGroup::new(Tag::L(ListNumbering::Disc))).push(entry);
            continue;
        }
        if let Some(list) = list.take() {
            tree.push(list);
        }
        let heading = |level| Tag::Hn(level, Some(item.text.clone()));
        tree.push(match item.style {
            Style::Title => TagGroup::with_children(heading(NonZeroU16::MIN), lines),
            Style::Heading => TagGroup::with_children(heading(NonZeroU16::MIN.saturating_add(1)), lines),
            Style::Code => {
                let at = placed.iter().find(|line| line.item == number);
                let bounds = at.and_then(|at| Some(BBox::new(at.page, Rect::from_xywh(MARGIN, at.y, CODE, CODE)?)));
                let alt = format!("A code for cameras. It holds the text {}", item.text);
                TagGroup::with_children(Tag::Figure(Some(alt)).with_bbox(bounds), lines)
            }
            _ => TagGroup::with_children(Tag::P, lines),
        });
    }
    if let Some(list) = list {
        tree.push(list);
    }
    tree
}

fn outline(items: &[Item], placed: &[Placed]) -> Outline {
    let mut outline = Outline::new();
    for line in placed.iter().filter(|line| line.first) {
        let item = &items[line.item];
        if matches!(item.style, Style::Title | Style::Heading) {
            let place = XyzDestination::new(line.page, Point::from_xy(MARGIN, line.y));
            outline.push_child(OutlineNode::new(item.text.clone(), place));
        }
    }
    outline
}

fn metadata(about: &About<'_>) -> Metadata {
    Metadata::new()
        .title(about.title.clone())
        .language(about.language.to_owned())
        .creator("Consent Wallet".to_owned())
        .document_id(about.code.to_owned())
        .creation_date(time(about.made))
}

fn time(at: Timestamp) -> DateTime {
    let ((year, month, day), (hour, minute, second)) = (at.date().ymd(), at.hms());
    let date = DateTime::new(u16::try_from(year).unwrap_or_default()).month(month).day(day);
    date.hour(hour).minute(minute).second(second).utc_offset_hour(0).utc_offset_minute(0)
}

fn attach(document: &mut Document, about: &About<'_>, receipt: Vec<u8>) -> Result<(), String> {
    let file = EmbeddedFile {
        path: super::ATTACHED.to_owned(),
        mime_type: MimeType::new("application/ld+json"),
        description: Some("The receipt for machines: ISO/IEC TS 27560 in the Data Privacy Vocabulary".to_owned()),
        association_kind: AssociationKind::Data,
        data: receipt.into(),
        modification_date: Some(time(about.made)),
        compress: Some(true),
        location: None,
    };
    document.embed_file(file).ok_or_else(|| "the receipt can not be attached".to_owned())
}
