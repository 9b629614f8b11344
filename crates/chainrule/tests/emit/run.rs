//! Emitted programs are run: each gives the values of the reference interpreter, in every language that is here. All
//! cases of a language are one program. A language that is missing is skipped aloud.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::cases::{Case, Given, all};
use chainrule::text::emit::{Emitted, Target};
use serde_json::{Value, json};

/// Bound on the difference of a number, relative to the largest of its array.
const TOLERANCE: f64 = 1e-10;

/// A folder for the programs of one language.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emitted").join(name);
    std::fs::create_dir_all(&path).expect("a folder for programs");
    path
}

/// Can this command be started?
fn is_here(command: &str, argument: &str) -> bool {
    let run = Command::new(command).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

/// Runs a command that must succeed, and gives its standard output.
fn output(command: &mut Command) -> String {
    let run = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{command:?}:\n{}", errors.chars().take(6000).collect::<String>());
    String::from_utf8(run.stdout).expect("text")
}

/// All numbers that the functions are given, in order.
fn data(cases: &[Case], programs: &[Emitted]) -> String {
    let mut text = String::new();
    for (case, program) in cases.iter().zip(programs) {
        for given in case.given(program) {
            if let Given::Value(tensor, _) = given {
                tensor.values.iter().for_each(|value| writeln!(text, "{value:e}").expect("memory"));
            }
        }
    }
    text
}

/// Compares the numbers that were printed, one to a line, with what is expected.
fn compare(language: &str, cases: &[Case], printed: &str) {
    let mut numbers = printed.split_whitespace().map(|word| word.parse::<f64>().expect("a number"));
    let mut faults = String::new();
    let mut worst: f64 = 0.0;
    for case in cases {
        for (name, expected) in case.outputs().zip(&case.expected) {
            let found: Vec<f64> = numbers.by_ref().take(expected.values.len()).collect();
            let difference = difference(&found, &expected.values);
            worst = worst.max(difference);
            if difference > TOLERANCE {
                writeln!(faults, "{} ({}): {name} differs by {difference:e}", case.name, case.function)
                    .expect("memory");
            }
        }
    }
    assert_eq!(numbers.next(), None, "more numbers than expected");
    assert!(faults.is_empty(), "{language}:\n{faults}");
    eprintln!("{language}: {} programs, largest difference {worst:.1e}", cases.len());
}

/// The largest difference, relative to the largest number expected; both infinite or no numbers is no difference.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let scale = expected.iter().filter(|v| v.is_finite()).fold(1.0, |m: f64, v| m.max(v.abs()));
    let one = |(a, b): (&f64, &f64)| match a == b || a.is_nan() && b.is_nan() {
        true => 0.0,
        false => ((a - b) / scale).abs(),
    };
    found.iter().zip(expected).map(one).fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m })
}

/// The parts of programs that stand before their functions, each once, and the rest of each.
fn shared_parts(programs: &[Emitted]) -> (String, Vec<String>) {
    let mut seen = BTreeSet::new();
    let mut shared = String::new();
    let mut own = Vec::new();
    for program in programs {
        let parts: Vec<&str> = program.text.trim_end().split("\n\n").collect();
        let helpers = parts.iter().take_while(|part| !part.contains("case_") && !part.contains("struct Value"));
        let count = helpers.clone().count();
        for part in helpers {
            if seen.insert((*part).to_owned()) {
                shared.push_str(part);
                shared.push_str("\n\n");
            }
        }
        own.push(parts[count..].join("\n\n"));
    }
    (shared, own)
}

#[test]
fn c_programs_give_the_reference_values() {
    let Some(compiler) = ["cc", "gcc", "clang"].into_iter().find(|name| is_here(name, "--version")) else {
        eprintln!("skipped: no C compiler is here");
        return;
    };
    let cases = all();
    let programs: Vec<Emitted> = cases.iter().map(|case| case.emit(Target::C)).collect();
    let folder = folder("c");
    let (mut text, own) = shared_parts(&programs);
    text.push_str(&own.join("\n\n"));
    text.push_str(
        "\n\n#include <stdio.h>\n\nstatic FILE *file;\n\nstatic double *take(size_t n)\n{\n    double *x = malloc(sizeof(double) * n);\n\
         for (size_t i = 0; i < n; i++) if (fscanf(file, \"%lf\", x + i) != 1) exit(2);\n    return x;\n}\n\n\
         static void put(size_t n, const double *x)\n{\n    for (size_t i = 0; i < n; i++) printf(\"%.17g\\n\", x[i]);\n}\n\n",
    );
    let mut main =
        "int main(int count, char **names)\n{\n    if (count != 2) return 3;\n    file = fopen(names[1], \"r\");\n"
            .to_owned();
    for (number, (case, program)) in cases.iter().zip(&programs).enumerate() {
        let mut call = "    {\n".to_owned();
        let mut args = Vec::new();
        for (place, given) in case.given(program).iter().enumerate() {
            match given {
                Given::Extent(n) => args.push(n.to_string()),
                Given::Value(tensor, is_number) => {
                    writeln!(call, "        double *a{place} = take({});", tensor.values.len()).expect("memory");
                    args.push(format!("{}a{place}", if *is_number { "*" } else { "" }));
                }
            }
        }
        for (place, expected) in case.expected.iter().enumerate().skip(1) {
            writeln!(call, "        double *g{place} = malloc(sizeof(double) * {});", expected.values.len())
                .expect("memory");
            args.push(format!("g{place}"));
        }
        writeln!(call, "        double v = case_{number}({});\n        put(1, &v);", args.join(", ")).expect("memory");
        for (place, expected) in case.expected.iter().enumerate().skip(1) {
            writeln!(call, "        put({}, g{place});", expected.values.len()).expect("memory");
        }
        main.push_str(&call);
        main.push_str("    }\n");
    }
    text.push_str(&main);
    text.push_str("    return 0;\n}\n");
    std::fs::write(folder.join("all.c"), text).expect("written");
    std::fs::write(folder.join("data.txt"), data(&cases, &programs)).expect("written");
    let flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic"];
    output(Command::new(compiler).args(flags).args(["all.c", "-o", "all", "-lm"]).current_dir(&folder));
    let printed = output(Command::new(folder.join("all")).arg("data.txt").current_dir(&folder));
    compare("C", &cases, &printed);
}

#[test]
fn rust_programs_give_the_reference_values() {
    let cases = all();
    let programs: Vec<Emitted> = cases.iter().map(|case| case.emit(Target::Rust)).collect();
    let folder = folder("rust");
    let (shared, own) = shared_parts(&programs);
    let mut text = format!("{shared}\n");
    let mut main = String::new();
    for (number, ((case, program), own)) in cases.iter().zip(&programs).zip(&own).enumerate() {
        writeln!(text, "mod case_{number} {{\n#[allow(unused_imports)]\nuse super::*;\n{own}\n}}\n").expect("memory");
        let mut args = Vec::new();
        main.push_str("    {\n");
        for (place, given) in case.given(program).iter().enumerate() {
            match given {
                Given::Extent(n) => args.push(n.to_string()),
                Given::Value(tensor, is_number) => {
                    writeln!(main, "        let a{place} = take({});", tensor.values.len()).expect("memory");
                    args.push(if *is_number { format!("a{place}[0]") } else { format!("&a{place}") });
                }
            }
        }
        writeln!(main, "        let r = case_{number}::case_{number}({});", args.join(", ")).expect("memory");
        for (name, shape) in case.outputs().zip(&case.expected) {
            // A gradient that is a number is one, all other results are arrays.
            let number = program.text.contains(&format!("pub {name}: f64,"));
            let slice = if number { format!("&[r.{name}]") } else { format!("&r.{name}") };
            writeln!(main, "        put({}, {slice});", shape.values.len()).expect("memory");
        }
        main.push_str("    }\n");
    }
    write!(
        text,
        "fn main() {{\n    let data = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();\n    \
         let mut data = data.split_whitespace().map(|word| word.parse::<f64>().unwrap());\n    \
         let mut take = |n: usize| -> Vec<f64> {{ data.by_ref().take(n).collect() }};\n    \
         let put = |n: usize, x: &[f64]| {{ assert_eq!(x.len(), n); x.iter().for_each(|v| println!(\"{{v:e}}\")) }};\n{main}}}\n"
    )
    .expect("memory");
    std::fs::write(folder.join("all.rs"), text).expect("written");
    std::fs::write(folder.join("data.txt"), data(&cases, &programs)).expect("written");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let flags = ["--edition", "2021", "-C", "opt-level=0", "-C", "debuginfo=0", "-D", "warnings"];
    output(Command::new(rustc).args(flags).args(["all.rs", "-o", "all"]).current_dir(&folder));
    let printed = output(Command::new(folder.join("all")).arg("data.txt").current_dir(&folder));
    compare("Rust", &cases, &printed);
}

/// Runs all programs of a file of cases with one library; prints shapes and numbers.
const RUNNER: &str = r#"
import json, sys, warnings
warnings.filterwarnings("ignore")
library, path = sys.argv[1:3]
import numpy as np
if library == "torch":
    import torch
if library == "jax":
    import jax, jax.numpy as jnp
    jax.config.update("jax_enable_x64", True)

def make(given):
    if "extent" in given:
        return given["extent"]
    if given["number"]:
        value = given["values"][0]
        return torch.tensor(value, dtype=torch.float64) if library == "torch" else value
    array = np.array(given["values"]).reshape(given["sizes"])
    return torch.tensor(array) if library == "torch" else jnp.asarray(array) if library == "jax" else array

def plain(x):
    if library == "torch" and isinstance(x, torch.Tensor):
        assert x.dtype == torch.float64, x.dtype
        x = x.detach().numpy()
    return np.asarray(x, dtype=float)

results = []
for case in json.load(open(path)):
    try:
        names = {}
        exec(case["text"], names)
        function = names[case["function"]]
        args = [make(given) for given in case["given"]]
        if library == "torch":
            for at in case["wrt"]:
                if at is not None:
                    args[at].requires_grad_(True)
        out = function(*args)
        out = out if isinstance(out, tuple) else (out,)
        result = {"shapes": [list(np.shape(plain(x))) for x in out], "values": [plain(x).ravel().tolist() for x in out]}
        if library == "torch" and isinstance(out[0], torch.Tensor) and out[0].requires_grad:
            wrt = [args[at] for at in case["wrt"] if at is not None]
            found = torch.autograd.grad(out[0], wrt, allow_unused=True)
            result["auto"] = [plain(torch.zeros_like(x) if g is None else g).ravel().tolist() for g, x in zip(found, wrt)]
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    results.append(result)
print(json.dumps(results).replace("NaN", "null"))
"#;

/// An interpreter that has the package: the system's, or that of an environment of our own, made when it can be.
fn python(package: &str) -> Option<PathBuf> {
    let has = |python: &Path| {
        let run = Command::new(python).args(["-c", &format!("import {package}")]).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    let system = ["python3", "python"]
        .into_iter()
        .map(PathBuf::from)
        .find(|python| is_here(&python.display().to_string(), "--version"))?;
    if has(&system) {
        return Some(system);
    }
    // Tests run side by side, and there is one environment.
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let home = folder("python");
    let own = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if has(&own) {
        return Some(own);
    }
    // The large packages are installed on demand only.
    let wanted = package == "numpy" || package == "torch" && std::env::var_os("CHAINRULE_TEST_TORCH").is_some();
    let quiet = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let made = wanted
        && quiet(Command::new(&system).args(["-m", "venv"]).arg(&home))
        && quiet(Command::new(&own).args(["-m", "pip", "install", "--quiet", "numpy", package]));
    (made && has(&own)).then_some(own)
}

/// Runs all cases with a library of Python, and compares values and shapes.
fn run_python(library: &str, target: Target) {
    let Some(python) = python(library) else {
        eprintln!("skipped: no Python with {library} is here");
        return;
    };
    let cases = all();
    let list: Vec<Value> = cases.iter().map(|case| python_case(case, target)).collect();
    let folder = folder(library);
    std::fs::write(folder.join("cases.json"), Value::from(list).to_string()).expect("written");
    std::fs::write(folder.join("run.py"), RUNNER).expect("written");
    let printed = output(Command::new(python).args(["run.py", library, "cases.json"]).current_dir(&folder));
    let results: Vec<Value> = serde_json::from_str(printed.lines().last().expect("a line")).expect("JSON");
    let mut faults = String::new();
    let (mut worst, mut automatic) = (0.0f64, 0);
    for (case, result) in cases.iter().zip(&results) {
        for fault in python_faults(case, result, &mut worst, &mut automatic) {
            writeln!(faults, "{} ({}): {fault}", case.name, case.function).expect("memory");
        }
    }
    assert!(faults.is_empty(), "{library}:\n{faults}");
    eprintln!("{library}: {} programs, largest difference {worst:.1e}", cases.len());
    if automatic > 0 {
        eprintln!("{library}: gradients of {automatic} programs equal those of automatic differentiation");
    }
}

fn python_case(case: &Case, target: Target) -> Value {
    let program = case.emit(target);
    let given: Vec<Value> = case
        .given(&program)
        .into_iter()
        .map(|given| match given {
            Given::Extent(n) => json!({"extent": n}),
            Given::Value(t, number) => json!({"sizes": t.sizes, "values": t.values, "number": number}),
        })
        .collect();
    json!({"text": program.text, "function": case.function, "given": given, "wrt": case.wrt(&program)})
}

fn python_faults(case: &Case, result: &Value, worst: &mut f64, automatic: &mut usize) -> Vec<String> {
    if let Some(error) = result["error"].as_str() {
        return vec![error.to_owned()];
    }
    let mut faults = Vec::new();
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().into_iter().flatten().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
    };
    for (place, (name, expected)) in case.outputs().zip(&case.expected).enumerate() {
        let found = difference(&numbers(&result["values"][place]), &expected.values);
        *worst = worst.max(found);
        if found > TOLERANCE {
            faults.push(format!("{name} differs by {found:e}"));
        }
        let shape: Vec<usize> = result["shapes"][place]
            .as_array()
            .into_iter()
            .flatten()
            .map(|n| n.as_u64().unwrap_or(0) as usize)
            .collect();
        if shape != expected.sizes && !(expected.values.len() == 1 && shape.is_empty()) {
            faults.push(format!("{name} has shape {shape:?}, not {:?}", expected.sizes));
        }
    }
    let Some(auto) = result["auto"].as_array().filter(|_| case.is_finite()) else { return faults };
    *automatic += 1;
    let gradients = case.outputs().zip(&case.expected).skip(1);
    for ((name, expected), found) in gradients.zip(auto) {
        let found = difference(&numbers(found), &expected.values);
        if found > TOLERANCE {
            faults.push(format!("{name} differs from automatic differentiation by {found:e}"));
        }
    }
    faults
}

#[test]
fn numpy_programs_give_the_reference_values() {
    run_python("numpy", Target::Numpy);
}

#[test]
fn torch_programs_give_the_reference_values_and_those_of_autograd() {
    run_python("torch", Target::Torch);
}

#[test]
fn jax_programs_give_the_reference_values() {
    run_python("jax", Target::Jax);
}

/// The calls of all functions, for languages in which arrays are read column by column.
fn script(cases: &[Case], programs: &[Emitted], literal: impl Fn(&Given) -> String) -> Vec<String> {
    let call = |(case, program): (&Case, &Emitted)| {
        let args: Vec<String> = case.given(program).iter().map(&literal).collect();
        format!("{}({})", case.function, args.join(", "))
    };
    cases.iter().zip(programs).map(call).collect()
}

/// The elements in brackets, rows divided by semicolons.
fn rows(given: &Given) -> Option<(Vec<usize>, String)> {
    let Given::Value(tensor, _) = given else { return None };
    Some((tensor.sizes.clone(), tensor.values.iter().map(|v| format!("{v:e}")).collect::<Vec<_>>().join(",")))
}

#[test]
fn octave_programs_give_the_reference_values() {
    let Some(octave) = ["octave-cli", "octave"].into_iter().find(|name| is_here(name, "--version")) else {
        eprintln!("skipped: no Octave is here");
        return;
    };
    let cases: Vec<Case> = all().into_iter().filter(|case| case.expected.len() > 1).collect();
    let programs: Vec<Emitted> = cases.iter().map(|case| case.emit(Target::Matlab)).collect();
    let folder = folder("octave");
    for (case, program) in cases.iter().zip(&programs) {
        std::fs::write(folder.join(format!("{}.m", case.function)), &program.text).expect("written");
    }
    let calls = script(&cases, &programs, |given| match (given, rows(given)) {
        (Given::Extent(n), _) => n.to_string(),
        (Given::Value(_, true), Some((_, values))) => values,
        (_, Some((sizes, _))) => {
            let back: Vec<String> = sizes.iter().rev().map(ToString::to_string).collect();
            let order: Vec<String> = (1..=sizes.len()).rev().map(|axis| axis.to_string()).collect();
            let count: usize = sizes.iter().product();
            format!("permute(reshape(take({count}), [{}]), [{}])", back.join(" "), order.join(" "))
        }
        _ => String::new(),
    });
    let mut main = String::from(
        "1;\nglobal data at\ndata = dlmread('data.txt'); at = 0;\nfunction x = take(n)\n  global data at\n  x = data(at + 1:at + n); at = at + n;\nend\n\
         function put(x)\n  printf('%.17g\\n', permute(x, ndims(x):-1:1));\nend\n",
    );
    for (case, call) in cases.iter().zip(&calls) {
        let names: Vec<String> = (0..case.expected.len()).map(|place| format!("r{place}")).collect();
        writeln!(main, "[{}] = {call};", names.join(", ")).expect("memory");
        names.iter().for_each(|name| writeln!(main, "put({name});").expect("memory"));
    }
    std::fs::write(folder.join("main.m"), main).expect("written");
    // Numbers stand in the calls, arrays in the file.
    let mut text = String::new();
    for (case, program) in cases.iter().zip(&programs) {
        for given in case.given(program) {
            if let Given::Value(tensor, false) = given {
                tensor.values.iter().for_each(|value| writeln!(text, "{value:e}").expect("memory"));
            }
        }
    }
    std::fs::write(folder.join("data.txt"), text).expect("written");
    let printed = output(Command::new(octave).args(["--no-gui", "--quiet", "main.m"]).current_dir(&folder));
    compare("Octave", &cases, &printed);
}
