//! Pictures as PNG, in twice as many pixels as the picture counts. Letters are those of DejaVu Sans, which travels with the
//! program; other alphabets than Latin, Greek and Cyrillic become boxes.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};
use ttf_parser::{Face, OutlineBuilder};

use super::svg::light;
use super::{Anchor, Ink, Mark, Picture};

static FONT: &[u8] = include_bytes!("font/dejavu-sans.ttf");
/// Pixels for each unit of length.
const SCALE: f64 = 2.0;
/// Larger pictures are refused.
const LARGEST: f64 = 8192.0;

/// The picture as a file; none if it is too large.
#[must_use]
pub fn png(picture: &Picture) -> Option<Vec<u8>> {
    let (width, height) = (picture.width * SCALE, picture.height * SCALE);
    if !(width <= LARGEST && height <= LARGEST) {
        return None;
    }
    let mut map = Pixmap::new(width.ceil() as u32, height.ceil() as u32)?;
    map.fill(color(Ink::Paper, 1.0));
    let face = Face::parse(FONT, 0).ok()?;
    picture.marks.iter().for_each(|mark| draw(&mut map, mark, &face));
    encoded(&map)
}

/// The pixels as a file: RGB, every line by its differences to the one above, which charts pack well with. Source: the PNG
/// specification, third edition (W3C 2025).
fn encoded(map: &Pixmap) -> Option<Vec<u8>> {
    let line = 3 * map.width() as usize;
    let mut before = vec![0; line];
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for pixels in map.data().chunks(4 * map.width() as usize) {
        // Charts stand on paper: no pixel is transparent.
        let here: Vec<u8> = pixels.chunks(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let differences: Vec<u8> = here.iter().zip(&before).map(|(here, above)| here.wrapping_sub(*above)).collect();
        packed.write_all(&[2]).and_then(|()| packed.write_all(&differences)).ok()?;
        before = here;
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = [map.width().to_be_bytes(), map.height().to_be_bytes()].concat();
    // Eight bits, colours without transparency, the only compression, the only set of filters, no interlacing.
    head.extend([8, 2, 0, 0, 0]);
    for (name, data) in [(b"IHDR", head), (b"IDAT", packed.finish().ok()?), (b"IEND", Vec::new())] {
        let body = [name.as_slice(), &data].concat();
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(&body);
        file.extend(crc32fast::hash(&body).to_be_bytes());
    }
    Some(file)
}

fn color(ink: Ink, opacity: f64) -> Color {
    let code = u32::from_str_radix(light(ink).trim_start_matches('#'), 16).unwrap_or(0);
    let [_, red, green, blue] = code.to_be_bytes();
    Color::from_rgba8(red, green, blue, (255.0 * opacity.clamp(0.0, 1.0)).round() as u8)
}

fn paint(ink: Ink, opacity: f64) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(color(ink, opacity));
    paint
}

fn whole() -> Transform {
    Transform::from_scale(SCALE as f32, SCALE as f32)
}

fn polygon(points: &[(f64, f64)], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (at, &(x, y)) in points.iter().enumerate() {
        if at == 0 { path.move_to(x as f32, y as f32) } else { path.line_to(x as f32, y as f32) }
    }
    if closed {
        path.close();
    }
    path.finish()
}

fn draw(map: &mut Pixmap, mark: &Mark, face: &Face) {
    match mark {
        Mark::Line { points, ink, width, dashed, opacity } => {
            let Some(path) = polygon(points, false) else { return };
            let dash = dashed.then(|| StrokeDash::new(vec![5.0, 4.0], 0.0)).flatten();
            let (line_join, line_cap) = (LineJoin::Round, LineCap::Butt);
            let stroke = Stroke { width: *width as f32, line_join, line_cap, dash, ..Stroke::default() };
            map.stroke_path(&path, &paint(*ink, *opacity), &stroke, whole(), None);
        }
        Mark::Area { points, ink, opacity } => {
            let Some(path) = polygon(points, true) else { return };
            map.fill_path(&path, &paint(*ink, *opacity), FillRule::Winding, whole(), None);
        }
        Mark::Dots { points, ink, radius, opacity } => {
            let paint = paint(*ink, *opacity);
            for (x, y) in points {
                if let Some(path) = PathBuilder::from_circle(*x as f32, *y as f32, *radius as f32) {
                    map.fill_path(&path, &paint, FillRule::Winding, whole(), None);
                }
            }
        }
        Mark::Text { .. } => letters(map, mark, face),
    }
}

/// Draws a text letter by letter.
fn letters(map: &mut Pixmap, mark: &Mark, face: &Face) {
    let Mark::Text { at, text, size, anchor, ink, bold, turned } = mark else { return };
    let scale = size / f64::from(face.units_per_em());
    let glyphs: Vec<_> = text.chars().map(|letter| face.glyph_index(letter).unwrap_or_default()).collect();
    let advance = |id| f64::from(face.glyph_hor_advance(id).unwrap_or(0)) * scale;
    let wide: f64 = glyphs.iter().map(|&id| advance(id)).sum();
    let mut pen = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -wide / 2.0,
        Anchor::End => -wide,
    };
    let place = whole().pre_translate(at.0 as f32, at.1 as f32);
    let place = if *turned { place.pre_rotate(-90.0) } else { place };
    let mut outline = Outline { path: PathBuilder::new(), left: 0.0, scale };
    for id in glyphs {
        outline.left = pen;
        face.outline_glyph(id, &mut outline);
        pen += advance(id);
    }
    let Some(path) = outline.path.finish() else { return };
    let paint = paint(*ink, 1.0);
    map.fill_path(&path, &paint, FillRule::Winding, place, None);
    if *bold {
        // Letters that stand out are the same ones, a little thicker.
        let stroke = Stroke { width: 0.035 * *size as f32, ..Stroke::default() };
        map.stroke_path(&path, &paint, &stroke, place, None);
    }
}

/// Font outlines grow upwards, pictures downwards.
struct Outline {
    path: PathBuilder,
    left: f64,
    scale: f64,
}

impl Outline {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        ((self.left + f64::from(x) * self.scale) as f32, (-f64::from(y) * self.scale) as f32)
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::bars::{Bar, bars};

    #[test]
    fn pictures_become_png_files_with_letters_of_many_languages() {
        let bar =
            |name: &str| Bar { name: name.to_owned(), value: 1.0, note: "µ".to_owned(), spread: Some((0.9, 1.1)) };
        let picture = bars("Größe, размер, μέγεθος", "x", &[bar("ä"), bar("字")]);
        let file = png(&picture).expect("it is small");
        assert!(file.starts_with(b"\x89PNG\r\n\x1a\n"));
        let face = Face::parse(FONT, 0).expect("a font");
        for letter in "Größeразмерμέγεθος−…".chars().chain(' '..='~') {
            assert!(face.glyph_index(letter).is_some(), "{letter}");
        }
        assert!(png(&Picture { width: 1e5, ..picture }).is_none());
    }
}
