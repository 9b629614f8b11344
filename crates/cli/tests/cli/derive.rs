//! `chainrule derive`: transcripts, and what is refused.

use crate::support::{Folder, assert_golden, model, run, run_with, shell};

const LEAST_SQUARES: [&str; 8] =
    ["derive", "--expr", "sum((X*W-Y).^2)", "--var=X=5x3", "--var=W=3x2", "--var=Y=5x2", "--wrt", "W"];

#[test]
fn an_expression_as_text() {
    assert_golden("derive_expression.txt", &run(&LEAST_SQUARES).ok());
}

#[test]
fn an_expression_as_latex() {
    let args = [&LEAST_SQUARES[..], &["--format", "latex"]].concat();
    assert_golden("derive_expression.tex", &run(&args).ok());
}

#[test]
fn an_expression_as_json() {
    let args = [&LEAST_SQUARES[..], &["--json"]].concat();
    let text = run(&args).ok();
    let document: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(document["schema"], "chainrule.derive/2");
    assert_eq!(document["derivatives"][0]["text"], "2*X'*(X*W - Y)");
    assert!(document["derivatives"][0]["check"]["forward"].as_f64().expect("a number") < 1e-12);
    assert_golden("derive_expression.json", &text);
}

#[test]
fn a_model_with_names() {
    assert_golden("derive_spiral_b1.txt", &run(&["derive", &model("spiral.cr"), "--wrt", "b1"]).ok());
}

#[test]
fn a_model_derives_by_every_parameter() {
    let text = run(&["derive", &model("layers.cr"), "-q"]).ok();
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("dloss/d")?.split(' ').next()).collect();
    assert_eq!(names, ["dense1_W", "dense1_b", "dense2_W", "dense2_b", "dense3_W", "dense3_b"]);
}

#[test]
fn open_extents_keep_their_names() {
    let text = run(&["derive", "--expr", "sum((X*W-Y).^2)", "--var=X=NxD", "--var=W=DxK", "--var=Y=N,K"]).ok();
    assert!(text.contains("R = X*W - Y\n"), "{text}");
    assert!(text.contains("df/dW = 2*X'*R\n  shape    [D, K], gradient layout"), "{text}");
}

#[test]
fn a_domain_makes_an_expression_checkable() {
    let args = ["derive", "-q", "--expr", "log(log(x) + 4)*sqrt(x - 4.5)", "--var=x"];
    let refused = run(&args).fails(3);
    assert!(refused.contains("error[E292]") && refused.contains("--domain"), "{refused}");
    let text = run(&[&args[..], &["--domain", "x=big"]].concat()).ok();
    assert!(text.starts_with("df/dx = "), "{text}");
}

#[test]
fn standard_input_is_a_model() {
    let text = run_with(&["derive", "-", "-q"], "param w : [2, 1]\nloss sum(w.^2)\n").ok();
    assert_eq!(text, "dloss/dw = 2*w\n");
}

#[test]
fn faults_in_an_expression_have_carets() {
    assert_golden("fault_product.txt", &run(&["derive", "--expr", "sum(X*W)", "--var=X=5x3", "--var=W=2x3"]).fails(3));
    assert_golden("fault_undeclared.txt", &run(&["derive", "--expr", "sum(X*Weights)", "--var=X=5x3"]).fails(3));
    let matrix = ["derive", "--expr", "X*W", "--var=X=5x3", "--var=W=3x2", "--hessian"];
    assert_golden("fault_scalar.txt", &run(&matrix).fails(3));
    assert_golden("fault_syntax.txt", &run(&["derive", "--expr", "2x + (1", "--var=x"]).fails(3));
}

#[test]
fn faults_in_a_model_have_carets() {
    let text = "input X : [N, 2]\nparam W : [3, 2]\n\nH = relu(X*W)\nloss sum(H)\n";
    assert_golden("fault_model.txt", &run_with(&["derive", "-"], text).fails(3));
    let text = "param μ : [2, 1]\nloss sum(μ)\n";
    assert_golden("fault_unicode.txt", &run_with(&["derive", "-"], text).fails(3));
}

#[test]
fn colours_are_asked_for() {
    let plain = run(&["derive", "--expr", "sum(X", "--var=X=5x3"]).fails(3);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    let colored = run(&["--color", "always", "derive", "--expr", "sum(X", "--var=X=5x3"]).fails(3);
    assert!(colored.contains('\u{1b}'), "{colored:?}");
}

#[test]
fn wrong_arguments_end_with_2() {
    for args in [
        &["derive"][..],
        &["derive", "a.cr", "--expr", "x"],
        &["derive", "--expr", "x", "--var=x=3"],
        &["derive", "--expr", "x", "--var=x=axbxc"],
        &["derive", "--expr", "x", "--var=x=0x1"],
        &["derive", "--expr", "x", "--var=x=1x99999999999"],
        &["derive", "--expr", "x", "--var=x", "--var=x"],
        &["derive", "--expr", "x", "--var=x", "--domain=y=pos"],
        &["derive", "--expr", "x", "--var=x", "--domain=x=posi"],
        &["derive", "--expr", "sum(x)", "--var=x=3x1", "--domain=x=spd"],
        &["derive", "--expr", "x", "--var=x", "--wrt", "z"],
        &["derive", "--expr", "x", "--var=x", "--format", "pdf"],
        &["derive", "--expr", "1"],
        &["derive", "--expr", "x", "--var="],
        &["derive", ""],
        &["-q", "-v", "derive", "--expr", "x", "--var=x"],
    ] {
        run(args).fails(2);
    }
    let message = run(&["derive", &model("spiral.cr"), "--wrt", "W3"]).fails(2);
    assert!(message.contains("did you mean `W1`?"), "{message}");
}

#[test]
fn sizes_that_cannot_be_evaluated_are_refused() {
    for args in [
        ["derive", "--expr", "sum(X)", "--var=X=4000000000x4000000000"],
        ["derive", "--expr", "sum(X*X')", "--var=X=100000x1"],
        ["derive", "--expr", "sum(X*X)", "--var=X=3000x3000"],
        ["derive", "--expr", "logdet(X)", "--var=X=4000x4000"],
    ] {
        let message = run(&args).fails(3);
        assert!(message.contains("error[E294]") && message.contains("small numbers"), "{message}");
    }
}

#[test]
fn hostile_texts_end_with_3() {
    let deep = format!("loss {}x{}\n", "(".repeat(100_000), ")".repeat(100_000));
    let signs = format!("loss {}x\n", "-".repeat(100_000));
    let calls = "loss ".to_owned() + &"f(".repeat(100_000);
    let megabyte = format!("input x : [1, 1]\nloss {}y\n", "x+".repeat(500_000));
    for text in [deep, signs, calls, megabyte, "loss x\0".to_owned(), "\u{feff}\u{202e}loss".to_owned()] {
        let message = run_with(&["derive", "-"], &text).fails(3);
        assert!(message.starts_with("error[E"), "{message}");
        assert!(message.len() < 4000, "a message is short: {}", message.len());
    }
}

#[test]
fn a_long_flat_text_works() {
    let terms: Vec<String> = (1..20_000).map(|n| format!("{n}*sin(x)")).collect();
    let text = format!("input x : [1, 1]\nloss {}\n", terms.join(" + "));
    assert_eq!(run_with(&["derive", "-", "-q"], &text).ok(), "dloss/dx = 199990000*cos(x)\n");
}

#[test]
fn files_that_are_no_texts_end_with_3() {
    let folder = Folder::new("files");
    let cases = [
        (folder.file("empty.cr", ""), "E212"),
        (folder.file("binary.cr", b"input X\n\xff\xfe"), "E191"),
        (folder.0.display().to_string(), "E192"),
        (folder.0.join("missing.cr").display().to_string(), "E190"),
        ("/dev/null".to_owned(), "E212"),
        ("/dev/zero".to_owned(), "E193"),
    ];
    for (path, code) in cases {
        for command in ["derive", "check"] {
            let message = run(&[command, path.as_str()]).fails(3);
            assert!(message.starts_with(&format!("error[{code}]")), "{path}: {message}");
        }
    }
    let message = run(&["derive", &folder.file("lines.cr", b"input X : [N, 2]\nloss \xff\n")]).fails(3);
    assert!(message.contains("byte 22 (line 2)"), "{message}");
}

#[cfg(unix)]
#[test]
fn arguments_need_not_be_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let odd = OsStr::from_bytes(b"\xff\xfe.cr");
    run(&[OsStr::new("derive"), odd]).fails(3);
    run(&[OsStr::new("derive"), OsStr::new("--expr"), odd]).fails(2);
    run(&[OsStr::new("derive"), OsStr::new("--cases"), odd]).fails(3);
    run(&[odd]).fails(2);
}

#[cfg(target_os = "linux")]
#[test]
fn streams_may_be_closed_or_full() {
    let spiral = model("spiral.cr");
    let first = shell(&format!("set -o pipefail; $CHAINRULE derive {spiral} | head -1"));
    assert_eq!((first.code, first.stderr.as_str()), (0, ""), "{first:?}");
    let many = shell(
        "set -o pipefail; $CHAINRULE derive --cases <(yes '{},' | head -20000 | sed '1s/^/[/;$s/,$/]/') | head -1",
    );
    assert_eq!((many.code, many.stderr.as_str()), (0, ""), "{many:?}");
    for (script, code) in [
        (format!("$CHAINRULE derive {spiral} > /dev/full"), 6),
        ("$CHAINRULE --help > /dev/full".to_owned(), 6),
        (format!("$CHAINRULE derive {spiral} >&-"), 0),
        ("$CHAINRULE derive nothing.cr 2>&-".to_owned(), 3),
        ("$CHAINRULE derive nothing.cr 2>/dev/full".to_owned(), 3),
        ("$CHAINRULE derive - <&-".to_owned(), 3),
        (format!("ulimit -f 0; $CHAINRULE derive {spiral} > $(mktemp)"), 6),
    ] {
        assert_eq!(shell(&script).code, code, "{script}");
    }
}

/// A constant that is a huge tensor is not worked out while the text is read.
#[test]
fn huge_constants_are_not_worked_out() {
    for (expr, code) in [("sum(X.^ones(100000,100000))", 3), ("sum(X.^sum(ones(100000,100000)))", 3)] {
        let result = run(&["derive", "--expr", expr, "--var", "X=2x2", "--wrt", "X"]);
        assert_eq!(result.code, code, "{expr}: {result:?}");
    }
}

#[test]
fn facts_are_used_and_named() {
    let call = ["derive", "--expr", "tr(S'*X*S)", "--var", "S=3x3", "--var", "X=3x3", "--wrt", "X"];
    assert!(!run(&call).ok().contains("using"));
    let out = run(&[call.as_slice(), &["--fact", "S symmetric"]].concat()).ok();
    assert!(out.contains("using S' = S") && out.contains("df/dX = S*S"), "{out}");
    // The variable that one derives by is free.
    let out = run(&["derive", "--expr", "tr(S'*S)", "--var", "S=3x3", "--fact", "S symmetric", "--wrt", "S"]).ok();
    assert!(!out.contains("using") && out.contains("df/dS = 2*S\n"), "{out}");
    let wrong = ["derive", "--expr", "sum(S)", "--var", "S=3x4", "--var", "X=3x3", "--fact", "S spd", "--wrt", "X"];
    assert!(run(&wrong).fails(3).contains("E219"));
}

#[test]
fn tensors_have_gradients_in_one_call() {
    let out = run(&[
        "derive",
        "-q",
        "--expr",
        "einsum(\"bij,bjk,bik->\", A, B, G)",
        "--var",
        "A=2x3x4",
        "--var",
        "B=2x4x5",
        "--var",
        "G=2x3x5",
        "--wrt",
        "A",
    ])
    .ok();
    assert_eq!(out, "df/dA = einsum(\"ijk,ilk->ijl\", G, B)\n");
}

/// Every cell of the table of layouts: scalar, vector and matrix by scalar, vector and matrix.
#[test]
fn layouts_name_themselves() {
    let of = |expr: &str, wrt: &str, layout: &[&str]| {
        let vars = ["--var=A=3x4", "--var=x=4x1", "--var=t", "--var=X=2x3", "--var=B=3x2"];
        let args = [&["derive", "--expr", expr, "--wrt", wrt][..], &vars, layout].concat();
        run(&args).ok().lines().skip_while(|line| !line.is_empty()).skip(1).take(2).collect::<Vec<_>>().join("\n")
    };
    let mut out = String::new();
    let cells = [
        ("t^3", "t"),
        ("x'*x", "x"),
        ("tr(X*B)", "X"),
        ("t*x", "t"),
        ("A*x", "x"),
        ("X*A*x", "X"),
        ("t*A", "t"),
        ("x*x'", "x"),
        ("B*X", "X"),
    ];
    for (expr, wrt) in cells {
        for layout in ["", "gradient", "numerator", "denominator", "vec"] {
            let flag = if layout.is_empty() { vec![] } else { vec!["--layout", layout] };
            let _ = std::fmt::Write::write_fmt(
                &mut out,
                format_args!(
                    "{expr} by {wrt}, {}\n{}\n",
                    if layout.is_empty() { "usual" } else { layout },
                    of(expr, wrt, &flag)
                ),
            );
        }
    }
    assert_golden("derive_layouts.txt", &out);
}

#[test]
fn second_order_and_directions() {
    let base =
        ["derive", "--expr", "norm2(A*x - b)^2", "--var=A=5x3", "--var=x=3x1", "--var=b=5x1", "--var=v=3x1", "--wrt=x"];
    let out: Vec<String> =
        [&["--hessian"][..], &["--along", "v"], &["--hessian", "--along", "v"], &["--hessian", "--steps"]]
            .iter()
            .map(|more| run(&[&base[..], more].concat()).ok())
            .collect();
    assert_golden("derive_second_order.txt", &out.join("\n"));
}

#[test]
fn lines_of_a_derivation_in_every_format() {
    let args = [&LEAST_SQUARES[..], &["--steps"]].concat();
    assert_golden("derive_steps.txt", &run(&args).ok());
    assert_golden("derive_steps.tex", &run(&[&args[..], &["--format", "latex"]].concat()).ok());
    assert_golden("derive_index.txt", &run(&[&LEAST_SQUARES[..], &["--notation", "index"]].concat()).ok());
    let folder = Folder::new("derive-html");
    let page = &folder.file("page.html", "");
    assert_eq!(run(&["derive", &model("spiral.cr"), "--html", "-o", page]).ok(), "");
    let html = std::fs::read_to_string(page).expect("the page");
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("Hadamard rule") && !html.contains("http"), "{html}");
}
