//! A page of figures and charts as one HTML file without scripts and without anything from elsewhere. It follows light and
//! dark, and prints. Every text is escaped; only [`Block::Typeset`] is taken as it is.

use std::fmt::Write as _;

use crate::charts::Picture;
use crate::charts::svg::{Look, svg, variables};
use crate::text::html::STYLE;
use crate::text::print::escape;

/// A figure that stands out.
#[derive(Clone, Debug, Default)]
pub struct Tile {
    /// What it is.
    pub title: String,
    /// Its value.
    pub value: String,
    /// Remarks below it, a line each.
    pub notes: Vec<String>,
}

/// A table; the first column is text, and so are those that are named.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Heads of the columns.
    pub head: Vec<String>,
    /// The cells.
    pub rows: Vec<Vec<String>>,
    /// Columns of text; others are numbers, at the right.
    pub texts: Vec<usize>,
}

/// A part of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// Figures in a row.
    Tiles(Vec<Tile>),
    /// A table.
    Table(Table),
    /// Charts beside each other where there is room.
    Charts(Vec<Picture>),
    /// Lines of a program or of a shell.
    Code(String),
    /// What is shown when somebody asks.
    Closed(String, Vec<Block>),
    /// Elements of HTML that the program itself has written.
    Typeset(String),
}

/// A section.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Its parts.
    pub blocks: Vec<Block>,
}

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// A line below it.
    pub subtitle: String,
    /// What stands above all sections.
    pub head: Vec<Block>,
    /// The sections.
    pub sections: Vec<Section>,
    /// The last line.
    pub foot: String,
}

impl Page {
    /// The whole file.
    #[must_use]
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        let (light, dark) = (variables(false), variables(true));
        let own = include_str!("page.css");
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>\n{STYLE}:root {{{light}}}\n\
             @media (prefers-color-scheme: dark) {{ :root {{{dark}}} }}\n@media print {{ :root {{{light}}} }}\n{own}</style>\n\
             </head>\n<body>\n<main class=\"report\">\n<header>\n<h1>{title}</h1>\n<p class=\"subtitle\">{}</p>\n",
            escape(&self.subtitle)
        );
        self.head.iter().for_each(|block| write(&mut out, block));
        out.push_str("<nav aria-label=\"Sections\">");
        for (number, section) in self.sections.iter().enumerate() {
            let _ = write!(out, "<a href=\"#section-{number}\">{}</a> ", escape(&section.title));
        }
        out.push_str("</nav>\n</header>\n");
        for (number, section) in self.sections.iter().enumerate() {
            let _ = writeln!(out, "<section id=\"section-{number}\">\n<h2>{}</h2>", escape(&section.title));
            section.blocks.iter().for_each(|block| write(&mut out, block));
            out.push_str("</section>\n");
        }
        let _ = writeln!(out, "<footer>{}</footer>\n</main>\n</body>\n</html>", escape(&self.foot));
        out
    }
}

fn write(out: &mut String, block: &Block) {
    match block {
        Block::Text(text) => {
            let _ = writeln!(out, "<p>{}</p>", escape(text));
        }
        Block::Tiles(tiles) => {
            out.push_str("<div class=\"tiles\">\n");
            for Tile { title, value, notes } in tiles {
                let notes: String = notes.iter().map(|note| format!("<small>{}</small>", escape(note))).collect();
                let (title, value) = (escape(title), escape(value));
                let _ = writeln!(out, "<div class=\"tile\"><span>{title}</span><strong>{value}</strong>{notes}</div>");
            }
            out.push_str("</div>\n");
        }
        Block::Table(table) => write_table(out, table),
        Block::Charts(list) => {
            out.push_str("<div class=\"charts\">\n");
            for picture in list {
                let _ = writeln!(out, "<figure>{}</figure>", svg(picture, Look::Page));
            }
            out.push_str("</div>\n");
        }
        Block::Code(text) => {
            let _ = writeln!(out, "<pre>{}</pre>", escape(text));
        }
        Block::Closed(summary, blocks) => {
            let _ = writeln!(out, "<details>\n<summary>{}</summary>", escape(summary));
            blocks.iter().for_each(|block| write(out, block));
            out.push_str("</details>\n");
        }
        Block::Typeset(html) => out.push_str(html),
    }
}

fn write_table(out: &mut String, table: &Table) {
    let class = |column: usize| if column == 0 || table.texts.contains(&column) { "" } else { " class=\"n\"" };
    out.push_str("<div class=\"scroll\">\n<table class=\"figures\">\n<thead><tr>");
    for (column, head) in table.head.iter().enumerate() {
        let _ = write!(out, "<th{}>{}</th>", class(column), escape(head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(out, "<td{}>{}</td>", class(column), escape(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::{Axis, Plot};

    #[test]
    fn no_text_becomes_an_element() {
        let bad = "<img src=x onerror=alert(1)>\"'&\u{7}";
        let plot = Plot { title: bad.to_owned(), x: Axis::new(bad), y: Axis::new(bad), ..Plot::default() };
        let table = Table { head: vec![bad.to_owned()], rows: vec![vec![bad.to_owned()]], texts: Vec::new() };
        let tile = Tile { title: bad.to_owned(), value: bad.to_owned(), notes: vec![bad.to_owned()] };
        let blocks = vec![
            Block::Text(bad.to_owned()),
            Block::Tiles(vec![tile]),
            Block::Table(table),
            Block::Charts(vec![plot.picture()]),
            Block::Code(bad.to_owned()),
            Block::Closed(bad.to_owned(), Vec::new()),
        ];
        let section = Section { title: bad.to_owned(), blocks: blocks.clone() };
        let (title, subtitle, foot) = (bad.to_owned(), bad.to_owned(), bad.to_owned());
        let html = Page { title, subtitle, head: blocks, sections: vec![section], foot }.html();
        assert!(!html.contains("<img") && !html.contains("http:") && !html.contains("https:"), "{html}");
        assert!(!html.contains("<script") && html.contains("&lt;img src=x"));
    }
}
