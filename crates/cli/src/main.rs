//! The `chainrule` command line.
use chainrule::lang::Shape;
use chainrule::model::cases::{Declaration, gradient, steps_text};
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let v: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for c in v.as_array().unwrap() {
        let id = c["id"].as_str().unwrap();
        if c["kind"] != "gradient" {
            println!("{}", serde_json::json!({"id": id, "status": "refused"}));
            continue;
        }
        let d: Vec<Declaration> = c["vars"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(n, s)| Declaration {
                name: n.clone(),
                shape: Shape::known(s[0].as_u64().unwrap() as u32, s[1].as_u64().unwrap() as u32),
                domain: c["domain"][n]
                    .as_str()
                    .and_then(|t| chainrule::calculus::sample::NAMES.iter().find(|x| x.0 == t).map(|x| x.1)),
            })
            .collect();
        let t = std::time::Instant::now();
        let r = gradient(c["expr"].as_str().unwrap(), &d, c["wrt"].as_str().unwrap());
        let s = t.elapsed().as_secs_f64();
        match r {
            Ok(a) => {
                println!("{}", serde_json::json!({"id": id, "status": "ok", "derivative": a.text, "seconds": s}));
                if std::env::args().nth(2).as_deref() == Some(id) {
                    for (l, r) in steps_text(&a.graph, &a.derivation, chainrule::text::print::Style::Text) {
                        eprintln!("{l:60}   [{r}]");
                    }
                }
            }
            Err(e) => println!("{}", serde_json::json!({"id": id, "status": "refused", "reason": e.reason()})),
        }
    }
}
