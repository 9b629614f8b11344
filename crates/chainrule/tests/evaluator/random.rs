//! Random programs: a grammar over all native functions, with shapes that fit by construction.

use kernels::random::{Purpose, Stream};

/// Names of dimensions; the first is 1.
pub(crate) const DIMS: [&str; 4] = ["1", "N", "D", "K"];
/// A shape as two places in [`DIMS`].
pub(crate) type Form = (usize, usize);

/// A program: lines `name = text`, and the text of its result.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) result: String,
}

/// Draws programs.
pub(crate) struct Grammar {
    stream: Stream,
    at: u32,
    /// Texts that were made before, to be used again.
    pool: Vec<(Form, String)>,
}

/// The variables of a form.
pub(crate) fn variables(form: Form) -> [String; 2] {
    let (i, j) = form;
    [format!("X{i}{j}"), format!("Y{i}{j}")]
}

impl Grammar {
    pub(crate) fn new(seed: u64, number: u32) -> Grammar {
        Grammar { stream: Stream::new(seed, Purpose::Check, number, 99), at: 0, pool: Vec::new() }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.at += 1;
        self.stream.below(self.at, bound as u32) as usize
    }

    fn one_of(&mut self, list: &[&str]) -> String {
        let at = self.below(list.len());
        list[at].to_owned()
    }

    fn dim(&mut self) -> usize {
        self.below(DIMS.len())
    }

    /// A program of at most about `nodes` operations.
    pub(crate) fn program(&mut self, nodes: usize) -> Program {
        let mut lines = Vec::new();
        for number in 0..self.below(3) {
            let form = (self.dim(), self.dim());
            let text = self.expression(form, nodes / 3);
            let name = format!("v{number}");
            self.pool.push((form, name.clone()));
            lines.push((name, text));
        }
        let form = (self.dim(), self.dim());
        let result = self.expression(form, nodes);
        Program { lines, result }
    }

    fn leaf(&mut self, form: Form) -> String {
        let known: Vec<String> = self.pool.iter().filter(|(f, _)| *f == form).map(|(_, text)| text.clone()).collect();
        if !known.is_empty() && self.below(4) == 0 {
            return known[self.below(known.len())].clone();
        }
        let (r, c) = (DIMS[form.0], DIMS[form.1]);
        match self.below(10) {
            0 if form == (0, 0) => {
                self.one_of(&["0", "1", "2", "(-1)", "0.5", "3", "(-2.5)", "cols(X12)", "rows(X12)"])
            }
            0 | 1 => match self.below(3) {
                0 if form.0 == form.1 => format!("eye({r})"),
                1 => format!("zeros({r}, {c})"),
                _ => format!("ones({r}, {c})"),
            },
            _ => variables(form)[self.below(2)].clone(),
        }
    }

    /// A form that broadcasts to this one.
    fn smaller(&mut self, form: Form) -> Form {
        match self.below(6) {
            0 => (0, form.1),
            1 => (form.0, 0),
            2 => (0, 0),
            _ => form,
        }
    }

    pub(crate) fn expression(&mut self, form: Form, nodes: usize) -> String {
        if nodes <= 1 {
            return self.leaf(form);
        }
        let text = self.production(form, nodes - 1);
        if self.below(3) == 0 && text.len() < 60 {
            self.pool.push((form, text.clone()));
        }
        text
    }

    fn positive(&mut self, form: Form, nodes: usize) -> String {
        let x = self.expression(form, nodes);
        match self.below(4) {
            0 => format!("exp({x})"),
            1 => format!("(1 + {x}.^2)"),
            2 => format!("(abs({x}) + 0.5)"),
            _ => format!("softplus({x})"),
        }
    }

    fn production(&mut self, form: Form, nodes: usize) -> String {
        let half = nodes / 2;
        match self.below(16) {
            0 | 1 => self.function(form, nodes),
            2 | 3 => self.sum(form, nodes),
            4 | 5 => {
                let (a, b) = (self.expression(form, half), self.smaller(form));
                let b = self.expression(b, half);
                if self.below(2) == 0 { format!("({a}.*{b})") } else { format!("({b}.*{a})") }
            }
            6 => {
                let small = self.smaller(form);
                let (a, b) = (self.expression(form, half), self.positive(small, half));
                if small == (0, 0) { format!("({a}/{b})") } else { format!("({a}./{b})") }
            }
            7 => {
                let x = self.expression(form, nodes);
                let p = self.one_of(&["2", "3", "1", "0", "4"]);
                format!("({x}.^{p})")
            }
            8 => {
                let x = self.positive(form, nodes);
                match self.below(5) {
                    0 => format!("sqrt({x})"),
                    1 => format!("({x}.^(-1))"),
                    2 => format!("({x}.^(-0.5))"),
                    3 => format!("(sqrt({x}).^2)"),
                    _ => {
                        let exponent = self.leaf(form);
                        format!("({x}.^{exponent})")
                    }
                }
            }
            9 | 10 => {
                let inner = self.dim();
                let (a, b) = (self.expression((form.0, inner), half), self.expression((inner, form.1), half));
                format!("({a}*{b})")
            }
            11 => {
                let x = self.expression((form.1, form.0), nodes);
                format!("{x}'")
            }
            12 => {
                let s = self.expression((0, 0), half);
                let x = self.expression(form, half);
                format!("({s}*{x})")
            }
            13 => self.spelled(form, nodes),
            _ => self.special(form, nodes),
        }
    }

    fn sum(&mut self, form: Form, nodes: usize) -> String {
        let count = 2 + self.below(3);
        let mut text = format!("({}", self.expression(form, nodes / count));
        for _ in 1..count {
            let small = self.smaller(form);
            let sign = self.one_of(&[" + ", " - "]);
            text += &sign;
            text += &self.expression(small, nodes / count);
        }
        text + ")"
    }

    fn function(&mut self, form: Form, nodes: usize) -> String {
        let smooth = ["exp", "tanh", "sigmoid", "softplus", "sin", "cos", "erf", "expm1", "relu", "abs"];
        let name = match self.below(12) {
            0 => self.one_of(&["step", "sign", "floor"]),
            1 => {
                let x = self.positive(form, nodes);
                return if self.below(2) == 0 { format!("log({x})") } else { format!("log1p({x})") };
            }
            _ => self.one_of(&smooth),
        };
        format!("{name}({})", self.expression(form, nodes))
    }

    /// The spellings that have a stable form, and other identities.
    fn spelled(&mut self, form: Form, nodes: usize) -> String {
        let x = self.expression(form, nodes);
        let (r, c) = (DIMS[form.0], DIMS[form.1]);
        match self.below(13) {
            0 => format!("(exp({x})./rowsum(exp({x})))"),
            1 => format!("(exp({x})./colsum(exp({x})))"),
            2 => format!("log(softmax({x}))"),
            3 => format!("log(1 + exp({x}))"),
            4 => format!("(1./(1 + exp(-{x})))"),
            5 => format!("log(sigmoid({x}))"),
            6 => format!("log(1 - sigmoid({x}))"),
            7 => format!("(exp({x})./(1 + exp({x})))"),
            8 => format!("log(exp({x}))"),
            9 => format!("softmax({x})"),
            12 => format!("({x} - log(rowsum(exp({x}))))"),
            10 => {
                let row = self.expression((0, form.1), nodes / 2);
                format!("(ones({r}, 1)*{row})")
            }
            _ => {
                let column = self.expression((form.0, 0), nodes / 2);
                format!("({column}*ones(1, {c}))")
            }
        }
    }

    /// Productions that only some forms have.
    fn special(&mut self, form: Form, nodes: usize) -> String {
        let (other, half) = (self.dim(), nodes / 2);
        match form {
            (0, 0) => self.scalar(nodes),
            (_, 0) => {
                let name = self.one_of(&["rowsum", "rowmax", "logsumexp", "diag"]);
                let inner = if name == "diag" { (form.0, form.0) } else { (form.0, other) };
                format!("{name}({})", self.expression(inner, nodes))
            }
            (0, _) => {
                let name = self.one_of(&["colsum", "colmax"]);
                format!("{name}({})", self.expression((other, form.1), nodes))
            }
            (r, c) if r == c && self.below(2) == 0 => match self.below(3) {
                0 => format!("diag({})", self.expression((r, 0), nodes)),
                1 => format!("diag({})", self.expression((0, r), nodes)),
                _ => format!("inv(tanh({}) + 5*eye({}))", self.expression((r, r), nodes), DIMS[r]),
            },
            _ => {
                let (name, small) = (self.one_of(&["max", "min"]), self.smaller(form));
                format!("{name}({}, {})", self.expression(form, half), self.expression(small, half))
            }
        }
    }

    fn scalar(&mut self, nodes: usize) -> String {
        let (r, c, half) = (self.dim(), self.dim(), nodes / 2);
        match self.below(10) {
            0 | 1 => format!("sum({})", self.expression((r, c), nodes)),
            2 => format!("tr({})", self.expression((r, r), nodes)),
            3 => format!("det(tanh({}) + 3*eye({}))", self.expression((r, r), nodes), DIMS[r]),
            4 => {
                let a = self.expression((r, c), nodes);
                let name = self.one_of(&["logdet", "log(det"]);
                let close = if name == "logdet" { ")" } else { "))" };
                format!("{name}({a}*{a}' + eye({}){close}", DIMS[r])
            }
            5 => format!("max({})", self.expression((r, c), nodes)),
            6 => format!("sqrt(sum((1 + {}).^2) + 0.1)", self.expression((r, c), nodes)),
            7 => {
                let (a, b) = (self.expression((r, r), half), self.expression((c, c), half));
                let name = self.one_of(&["sum", "tr"]);
                format!("{name}(kron({a}, {b}))")
            }
            8 => {
                let (a, b) = (self.expression((r, c), half), self.expression((r, c), half));
                format!("(vec({a})'*vec({b}))")
            }
            _ => {
                let (a, b) = (self.expression((r, c), half), self.expression((c, r), half));
                format!("sum(kron({a}, {b}).*kron({a}, {}))", self.leaf((c, r)))
            }
        }
    }
}
