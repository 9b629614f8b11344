//! Claims that are right in any form are confirmed; wrong ones are refused, and the slip behind them is named.

use chainrule::model::answer::{Declaration, Extent, Question, Subject};
use chainrule::model::verify::{Claim, Slip, SlipKind, Unverified, Verdict, slip_of_claim};

/// An expression, its variables, and the variable to derive by; none: claims are about the expression itself.
struct Case {
    expression: &'static str,
    variables: &'static str,
    wrt: &'static str,
    /// Claims that are right.
    right: &'static [&'static str],
    /// Claims that are wrong, with the slip and a part of its message.
    wrong: &'static [(&'static str, SlipKind, &'static str)],
}

fn declarations(text: &str) -> Vec<Declaration> {
    let extent = |text: &str| text.parse().map_or_else(|_| Extent::Name(text.to_owned()), Extent::Number);
    let one = |word: &str| {
        let (name, shape) = word.split_once('=').unwrap_or((word, "1x1"));
        let (rows, cols) = shape.split_once('x').expect("a shape");
        Declaration {
            name: name.to_owned(),
            extents: vec![extent(rows), extent(cols)],
            domain: None,
            facts: Vec::new(),
        }
    };
    text.split_whitespace().map(one).collect()
}

fn verdict(case: &Case, claim: &str) -> Result<Verdict, Unverified> {
    let subject = Subject::of_expression(case.expression, &declarations(case.variables), &[case.wrt]);
    let mut subject = subject.unwrap_or_else(|error| panic!("{}: {error:?}", case.expression));
    let wrt = subject.variable(case.wrt).map(Question::first);
    assert_eq!(wrt.is_none(), case.wrt.is_empty(), "{}", case.expression);
    Ok(subject.verify(&Claim { text: claim, question: wrt, program: None })?.verdict)
}

#[track_caller]
fn slip(case: &Case, claim: &str) -> Option<Slip> {
    match verdict(case, claim).unwrap_or_else(|error| panic!("{claim}: {error:?}")) {
        Verdict::Wrong { slip, .. } | Verdict::Shape { slip, .. } | Verdict::Broken { slip, .. } => slip,
        other => panic!("{}: {claim} was called right: {other:?}", case.expression),
    }
}

#[track_caller]
fn confirmed(case: &Case, claim: &str) {
    let found = verdict(case, claim).unwrap_or_else(|error| panic!("{claim}: {error:?}"));
    assert!(matches!(found, Verdict::Right { .. }), "{}: {claim} was called wrong: {found:?}", case.expression);
}

use SlipKind::{
    ExtraFactor, ExtraTerm, Factor, FactorTransposed, Function, MissingFactor, MissingTerm, Name, NotSummed, Operator,
    Order, Power, Sign, TermFactor, TermSign, Transposed,
};

const CASES: &[Case] = &[
    Case {
        expression: "sum((X*W - Y).^2)",
        variables: "X=5x3 W=3x2 Y=5x2",
        wrt: "W",
        right: &["2*X'*(X*W - Y)", "2*X'*X*W - 2*X'*Y", "(2*(W'*X' - Y')*X)'"],
        wrong: &[
            ("X'*(X*W - Y)", Factor, "half"),
            ("2*X*(X*W - Y)", FactorTransposed, "`X` should be `X'`"),
            ("2*(X*W - Y)*X'", Order, "wrong order"),
            ("2*X'*(X*W + Y)", TermSign, "a sign is wrong"),
            ("2*X'*X*W", MissingTerm, "Y"),
            ("2*X'*(X*W - Y) + W", ExtraTerm, "`W` of the claim is too much"),
            ("2*X'*(X*W - Y).^2", Power, ""),
        ],
    },
    Case {
        expression: "sum((X*w - y).^2)/N",
        variables: "X=NxD w=Dx1 y=Nx1",
        wrt: "w",
        right: &["2/N*X'*(X*w - y)", "(X'*X*w - X'*y)*2/rows(X)"],
        wrong: &[
            ("2*X'*(X*w - y)", Factor, "N times the gradient"),
            ("X'*(X*w - y)/N", Factor, "half"),
            ("2*X'*(X*w - y)/D", Name, "`D` should be `N`"),
            ("2*(X*w - y)'*X/N", Transposed, "numerator layout"),
            ("2*X*(X*w - y)/N", FactorTransposed, "`X` should be `X'`"),
        ],
    },
    Case {
        expression: "sum(tanh(X*W).*G)",
        variables: "X=4x3 W=3x2 G=4x2",
        wrt: "W",
        right: &["X'*((1 - tanh(X*W).^2).*G)", "X'*(G - G.*tanh(X*W).*tanh(X*W))"],
        wrong: &[
            ("X'*G", MissingFactor, "1 - "),
            ("X'*((1 - tanh(X*W)).*G)", Power, "tanh(X*W).^2"),
            ("X'*((1 + tanh(X*W).^2).*G)", TermSign, "1 - tanh(X*W).^2"),
            ("X'*((1 - tanh(X*W).^2)*G)", Operator, ".*G"),
            ("X'*((1 - sigmoid(X*W).^2).*G)", Function, "tanh"),
        ],
    },
    Case {
        expression: "sum(relu(X*W1)*W2)/N",
        variables: "X=NxD W1=DxH W2=Hx1",
        wrt: "W1",
        right: &["X'*(step(X*W1).*(ones(N, 1)*W2'))/N", "X'*(step(relu(X*W1)).*(ones(N, 1)*W2'))/N"],
        wrong: &[
            ("X'*(ones(N, 1)*W2')/N", MissingFactor, "step(X*W1)"),
            ("X'*(relu(X*W1).*(ones(N, 1)*W2'))/N", Function, "step(X*W1)"),
            ("X'*(step(X*W1).*(ones(N, 1)*W2'))", Factor, "a sum in the place of a mean"),
            ("-X'*(step(X*W1).*(ones(N, 1)*W2'))/N", Sign, "minus the gradient"),
        ],
    },
    Case {
        expression: "sum((X*W - Y).^2)/2 + reg/2*sum(W.^2)",
        variables: "X=5x3 W=3x2 Y=5x2 reg",
        wrt: "W",
        right: &["X'*(X*W - Y) + reg*W", "(X'*X + reg*eye(3))*W - X'*Y"],
        wrong: &[
            ("X'*(X*W - Y)", MissingTerm, "`reg*W`"),
            ("X'*(X*W - Y) - reg*W", TermSign, "a sign is wrong"),
            ("X'*(X*W - Y) + reg/2*W", ExtraFactor, "`1/2`"),
            ("X'*(X*W - Y) + W", TermFactor, "`W` of the claim lacks the factor `reg`"),
            ("X'*(Y - X*W) + reg*W", TermSign, "a sign is wrong"),
            ("2*X'*(X*W - Y) + reg*W", ExtraFactor, "the factor `2` of the claim"),
            ("X'*(X*W - Y)/2 + reg*W", ExtraFactor, "`1/2`"),
            ("X'*(X*W - Y) + 3*reg*W", ExtraFactor, "`3`"),
        ],
    },
    Case {
        expression: "x'*A*x",
        variables: "A=3x3 x=3x1",
        wrt: "x",
        right: &["(A + A')*x", "A*x + A'*x", "(x'*(A + A'))'"],
        wrong: &[
            ("2*A*x", FactorTransposed, ""),
            ("A*x", MissingTerm, "`A'`"),
            ("A*x - A'*x", TermSign, ""),
            ("x'*(A + A')", Transposed, "numerator layout"),
            ("(A + A)*x", FactorTransposed, "A'"),
        ],
    },
    Case {
        expression: "a'*X*b",
        variables: "a=3x1 X=3x4 b=4x1",
        wrt: "X",
        right: &["a*b'", "(b*a')'", "kron(a, b')"],
        wrong: &[
            ("b*a'", Transposed, "numerator"),
            ("2*a*b'", Factor, "twice"),
            ("a'*b", FactorTransposed, "two slips"),
        ],
    },
    Case {
        expression: "logdet(A)",
        variables: "A=3x3",
        wrt: "A",
        right: &["inv(A)'", "inv(A')"],
        wrong: &[
            ("inv(A)", Transposed, "transpose"),
            ("-inv(A)'", Sign, "minus"),
            ("det(A)*inv(A)'", ExtraFactor, "det(A)"),
        ],
    },
    Case {
        expression: "det(A)",
        variables: "A=3x3",
        wrt: "A",
        right: &["det(A)*inv(A)'", "det(A')*inv(A')"],
        wrong: &[("inv(A)'", MissingFactor, "det(A)"), ("det(A)*inv(A)", Transposed, ""), ("det(A)*A'", Power, "inv(")],
    },
    Case {
        expression: "tr(A*X*B)",
        variables: "A=2x3 X=3x4 B=4x2",
        wrt: "X",
        right: &["A'*B'", "(B*A)'"],
        wrong: &[("B*A", Transposed, ""), ("A*B", FactorTransposed, "two slips"), ("B'*A'", Order, "wrong order")],
    },
    Case {
        expression: "norm2(A*x - b)^2",
        variables: "A=5x3 x=3x1 b=5x1",
        wrt: "x",
        right: &["2*A'*(A*x - b)"],
        wrong: &[
            ("2*A'*A*x", MissingTerm, "b"),
            ("2*A'*(A*x - b)/3", Factor, "1/3"),
            ("2*A'*(b - A*x)", Sign, "minus"),
        ],
    },
    Case {
        expression: "x^2*exp(x)",
        variables: "x",
        wrt: "x",
        right: &["2*x*exp(x) + x^2*exp(x)", "x*(x + 2)*exp(x)"],
        wrong: &[("2*x*exp(x)", MissingTerm, ""), ("2*x + x^2*exp(x)", MissingFactor, "exp(x)")],
    },
    Case {
        expression: "sum(sin(X).^2)",
        variables: "X=3x2",
        wrt: "X",
        right: &["2*sin(X).*cos(X)", "sin(2*X)"],
        wrong: &[
            ("2*sin(X)", MissingFactor, "cos(X)"),
            ("2*cos(X)", MissingFactor, "sin(X)"),
            ("2*sin(X).*sin(X)", Function, "cos(X)"),
            ("2*sin(X)*cos(X)", Operator, ".*cos(X)"),
            ("-2*sin(X).*cos(X)", Sign, "minus"),
        ],
    },
    Case {
        expression: "sum(log(1 + exp(X)))",
        variables: "X=3x2",
        wrt: "X",
        right: &["sigmoid(X)", "exp(X)./(1 + exp(X))", "1./(1 + exp(-X))"],
        wrong: &[("1./(1 + exp(X))", TermSign, "-X"), ("tanh(X)", Function, "sigmoid(X)")],
    },
    Case {
        expression: "-sum(Y.*log(P))",
        variables: "Y=4x3 P=4x3",
        wrt: "P",
        right: &["-Y./P", "-(Y./P)"],
        wrong: &[("Y./P", Sign, "minus"), ("-Y.*P", Operator, "./"), ("-Y", MissingFactor, "P"), ("-P./Y", Order, "")],
    },
    Case {
        expression: "sum(sigmoid(X*w).*y)",
        variables: "X=NxD w=Dx1 y=Nx1",
        wrt: "w",
        right: &["X'*(sigmoid(X*w).*(1 - sigmoid(X*w)).*y)"],
        wrong: &[
            ("X'*(sigmoid(X*w).*y)", MissingFactor, "1 - "),
            ("X'*(sigmoid(X*w).*(1 - sigmoid(X*w))*y)", Operator, ".*y"),
            ("X'*(sigmoid(X*w).*(1 + sigmoid(X*w)).*y)", TermSign, "a sign is wrong"),
        ],
    },
    Case {
        expression: "mean((X - Y).^2)",
        variables: "X=4x3 Y=4x3",
        wrt: "X",
        right: &["2*(X - Y)/12", "(X - Y)/6"],
        wrong: &[
            ("2*(X - Y)", Factor, "12 times"),
            ("2*(X - Y)/4", Factor, "3"),
            ("2*X/12", MissingTerm, "Y"),
            ("(X + Y)/6", TermSign, "a sign is wrong"),
        ],
    },
    Case {
        expression: "sum((X + ones(N, 1)*b).^2)",
        variables: "X=NxD b=1xD",
        wrt: "b",
        right: &["2*colsum(X + ones(N, 1)*b)", "2*colsum(X) + 2*N*b"],
        wrong: &[
            ("2*(X + ones(N, 1)*b)", NotSummed, "colsum"),
            ("2*rowsum(X + ones(N, 1)*b)", Function, "colsum"),
            ("2*colmean(X + ones(N, 1)*b)", Function, "colsum"),
            ("2*colsum(X) + 2*b", TermFactor, "`N`"),
        ],
    },
    Case {
        expression: "1 - beta1^t",
        variables: "beta1 t",
        wrt: "",
        right: &["1 - beta1*beta1^(t - 1)", "1 - exp(t*log(beta1))"],
        wrong: &[("1 - beta1^2", Power, "`beta1^t`"), ("1 + beta1^t", TermSign, ""), ("1 - t^beta1", Order, "beta1^t")],
    },
    Case {
        expression: "inv(A + U*C*V)",
        variables: "A=4x4 U=4x2 C=2x2 V=2x4",
        wrt: "",
        right: &["inv(A) - inv(A)*U*inv(inv(C) + V*inv(A)*U)*V*inv(A)"],
        wrong: &[
            ("inv(A)*U*inv(inv(C) + V*inv(A)*U)*V*inv(A)", MissingTerm, "`inv(A)`"),
            ("inv(A) - inv(A)*U*inv(C + V*inv(A)*U)*V*inv(A)", Power, "inv(C)"),
            ("inv(A) - inv(A)*U*inv(inv(C) + V*inv(A)*U)*V", MissingFactor, ""),
            ("inv(A) - inv(A)*U*inv(inv(C) - V*inv(A)*U)*V*inv(A)", TermSign, "a sign is wrong"),
        ],
    },
    Case {
        expression: "inv(A*B)",
        variables: "A=3x3 B=3x3",
        wrt: "",
        right: &["inv(B)*inv(A)", "inv(inv(inv(A*B)))"],
        wrong: &[("inv(A)*inv(B)", Order, "inv(B)*inv(A)"), ("inv(B*A)", Order, "A*B")],
    },
    Case {
        expression: "(A*B)'",
        variables: "A=2x3 B=3x4",
        wrt: "",
        right: &["B'*A'"],
        wrong: &[("A'*B'", Order, "B'*A'"), ("A*B", Transposed, ""), ("A'*B", FactorTransposed, "two slips")],
    },
    Case {
        expression: "(X - Y)./sigma",
        variables: "X=4x3 Y=4x3 sigma=1x3",
        wrt: "",
        right: &["X./sigma - Y./sigma"],
        wrong: &[
            ("(X - Y)./sigma.^2", Power, "`sigma`"),
            ("(X - Y).*sigma", Operator, "./"),
            ("(X - Y)", MissingFactor, "sigma"),
        ],
    },
    Case {
        expression: "sum(X.^3)/3",
        variables: "X=3x4",
        wrt: "X",
        right: &["X.^2", "X.*X"],
        wrong: &[
            ("X", Power, "X.^2"),
            ("3*X.^2", Factor, "3"),
            ("X.^3", Power, "X.^2"),
            ("X.^2 + 1", ExtraTerm, "`1`"),
            ("X.^2.5", Power, ""),
        ],
    },
    Case {
        expression: "tr(X'*A*X)",
        variables: "X=3x2 A=3x3",
        wrt: "X",
        right: &["(A + A')*X", "A*X + (X'*A)'"],
        wrong: &[
            ("X*(A + A')", Order, "(A + A')*X"),
            ("(A + A)*X", FactorTransposed, ""),
            ("A*X", MissingTerm, "`A'`"),
        ],
    },
    Case {
        expression: "sum(A.*(B*X))",
        variables: "A=4x2 B=4x3 X=3x2",
        wrt: "X",
        right: &["B'*A"],
        wrong: &[
            ("B*A", FactorTransposed, "B'"),
            ("A'*B", Transposed, ""),
            ("A*B'", Order, ""),
            ("B.*A", FactorTransposed, "two slips"),
        ],
    },
];

#[test]
fn right_claims_are_confirmed_in_any_form() {
    for case in CASES {
        for claim in case.right {
            confirmed(case, claim);
        }
    }
}

#[test]
fn slips_are_recognised() {
    let mut faults = Vec::new();
    for case in CASES {
        for (claim, kind, words) in case.wrong {
            match slip(case, claim) {
                Some(slip) if slip.kind == *kind && slip.message.contains(words) => {}
                other => {
                    faults.push(format!("{}, {claim}: wanted {kind:?} `{words}`, found {other:?}", case.expression))
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} slips:\n{}", faults.len(), faults.join("\n"));
}

/// Every right claim, broken as a whole.
#[test]
fn signs_factors_and_transposes_of_the_whole_are_recognised() {
    for case in CASES {
        let claim = case.right[0];
        assert_eq!(slip(case, &format!("-({claim})")).map(|slip| slip.kind), Some(Sign), "{claim}");
        for (factor, text) in [("2", "2"), ("0.5", "1/2"), ("(1/3)", "1/3"), ("(-2)", "-2"), ("0.7", "7/10")] {
            let found = slip(case, &format!("{factor}*({claim})")).unwrap_or_else(|| panic!("{factor}*({claim})"));
            assert_eq!((found.kind, found.factor.as_deref()), (Factor, Some(text)), "{claim}: {found:?}");
        }
        let scalar = declarations(case.variables).iter().all(|d| d.extents == vec![Extent::Number(1); 2]);
        if !scalar {
            assert_eq!(slip(case, &format!("({claim})'")).map(|slip| slip.kind), Some(Transposed), "{claim}");
        }
    }
}

#[test]
fn a_mended_claim_is_right() {
    for case in CASES {
        for (claim, ..) in case.wrong {
            if let Some(fixed) = slip(case, claim).and_then(|slip| slip.fixed) {
                confirmed(case, &fixed);
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_a_fault_of_the_claim() {
    let case = &CASES[0];
    for (claim, code) in [("2*X'*(X*W - Q)", "E201"), ("2*X'*(X*W - ", "E109"), ("2*X'*foo(X)", "E202")] {
        match verdict(case, claim) {
            Err(Unverified::Claim(fault)) => assert_eq!(fault.code, code, "{claim}"),
            other => panic!("{claim}: {other:?}"),
        }
    }
}

#[test]
fn differences_far_below_the_largest_element_are_seen() {
    let case = Case { expression: "sum(X.^2)", variables: "X=3x3", wrt: "X", right: &[], wrong: &[] };
    for claim in ["2*X + 1e-7", "2.0000001*X", "2*X + 1e-6*step(X)", "2*abs(X)", "2*relu(X)"] {
        let _ = slip(&case, claim);
    }
}

#[test]
fn rounding_near_a_singularity_is_no_slip() {
    let case = Case { expression: "logdet(A*A')", variables: "A=6x6", wrt: "A", right: &[], wrong: &[] };
    confirmed(&case, "2*inv(A)'");
    confirmed(&case, "2*inv(A*A')*A");
    confirmed(&case, "2*A*inv(A'*A)*A'*inv(A*A')*A");
}

#[test]
fn false_claims_of_programs_are_explained() {
    let source = "input X : [N, 3]\ntarget Y : [N, 2]\nparam W : [3, 2]\nP = softmax(X*W)\n\
                  loss cross_entropy(X*W, Y)\nclaim grad(loss, W) == X'*(P - Y)\nclaim 1 - softmax(X) == 1 + softmax(X)\n";
    let found = slip_of_claim(source, 0).expect("it is a known slip");
    assert_eq!((found.kind, found.factor.as_deref()), (Factor, Some("N")));
    assert_eq!(slip_of_claim(source, 1).map(|slip| slip.kind), Some(TermSign));
}
