//! Charts as files, by the ending of their name, and as characters.

use std::path::Path;

use chainrule::charts::characters::characters;
use chainrule::charts::svg::{Look, svg};
use chainrule::charts::{Picture, Plot, png};

use crate::errors::Failure;
use crate::models::number;

/// Refuses a name that is neither SVG nor PNG, before there is anything to draw.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    kind(path).map(drop)
}

/// Writes a chart to a file, SVG or PNG by its name; `-` is SVG on standard output.
pub(crate) fn write(path: &Path, picture: &Picture) -> Result<(), Failure> {
    let bytes = match kind(path)? {
        Kind::Svg => svg(picture, Look::File).into_bytes(),
        Kind::Png => png::png(picture).ok_or_else(|| Failure::usage("the chart is too large for a PNG file"))?,
    };
    if path.as_os_str() == "-" {
        return crate::output::answer(&String::from_utf8_lossy(&bytes));
    }
    std::fs::write(path, bytes).map_err(|error| Failure::system("write", &path.display().to_string(), &error))
}

enum Kind {
    Svg,
    Png,
}

fn kind(path: &Path) -> Result<Kind, Failure> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("svg") => Ok(Kind::Svg),
        Some("png") => Ok(Kind::Png),
        None if path.as_os_str() == "-" => Ok(Kind::Svg),
        _ => Err(Failure::usage(format!("{} is neither an SVG nor a PNG file", path.display()))
            .help("end its name with .svg or .png")),
    }
}

/// A chart on a terminal.
pub(crate) fn text(plot: &Plot, size: (usize, usize)) -> String {
    characters(plot, size, &number)
}
