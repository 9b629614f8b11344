//! The rules that lines of a derivation name: one list, numbered, printed by the manual.

use crate::lang::op::Written;
use crate::lang::ops::contract::Contract;
use crate::lang::{Graph, Id, Op};

/// A rule of a derivation.
#[derive(Debug, PartialEq, Eq)]
pub struct StepRule {
    /// Its number in the manual.
    pub number: usize,
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub statement: &'static str,
    /// Why it holds, or where it comes from.
    pub reason: &'static str,
}

macro_rules! rules {
    ($($constant:ident $number:literal $name:literal $statement:literal $reason:literal;)*) => {
        $(
            #[doc = $statement]
            pub static $constant: StepRule =
                StepRule { number: $number, name: $name, statement: $statement, reason: $reason };
        )*
        /// All rules, in the order of their numbers.
        pub static STEP_RULES: &[&StepRule] = &[$(&$constant),*];
    };
}

rules! {
    SUM 1 "sum rule" "d(a + b) = da + db, d(c*a) = c*da, d(sum(a)) = sum(da), d(a') = da'"
        "A linear function is its own differential.";
    PRODUCT 2 "product rule" "d(a*b) = da*b + a*db"
        "A product of matrices is linear in each factor; the order stays.";
    HADAMARD_PRODUCT 3 "element-wise product rule" "d(a.*b) = da.*b + a.*db"
        "The product rule, element by element.";
    POWER 4 "power rule" "d(a.^p) = p*a.^(p - 1).*da"
        "Element by element; quotients and roots are powers, a root of a sum of squares is a norm.";
    FUNCTION 5 "differential of a function" "d(f(a)) = f'(a).*da"
        "Element by element; softmax and logsumexp row by row.";
    DETERMINANT 6 "differential of a determinant" "d(det(a)) = det(a)*tr(inv(a)*da), d(logdet(a)) = tr(inv(a)*da)"
        "Jacobi's formula (Magnus & Neudecker, chapter 8).";
    INVERSE 7 "differential of an inverse" "d(inv(a)) = -inv(a)*da*inv(a)"
        "From d(a*inv(a)) = 0.";
    DISTRIBUTION 8 "distribution" "tr(g'*(a + b)) = tr(g'*a) + tr(g'*b)"
        "The trace is linear.";
    CYCLIC 9 "cyclic rule" "tr(g'*a*dx*b) = tr((a'*g*b')'*dx)"
        "tr(a*b) = tr(b*a): factors move from one end to the other until dx stands last.";
    TRANSPOSE 10 "transpose rule" "tr(g'*dx') = tr(g*dx)"
        "A matrix and its transpose have the same trace.";
    HADAMARD 11 "Hadamard rule" "tr(g'*(a.*dx)) = tr((a.*g)'*dx), sum(a.*dx) = tr(a'*dx)"
        "Both are the sum of all products g[i,j]*a[i,j]*dx[i,j].";
    STRETCH 12 "sums and broadcasts" "sum(dx) = tr(ones'*dx), tr(g'*(ones*dx)) = (colsum(g))*dx'"
        "To stretch and to sum are the transposes of each other.";
    DIAGONAL 13 "diagonals" "tr(g'*diag(dx)) = diag(g)'*dx"
        "To take a diagonal and to make one are the transposes of each other.";
    ARRANGEMENT 14 "rearrangement" "<g, L(dx)> = <L'(g), dx>"
        "A linear map of elements to places has the transposed map as its adjoint.";
    COLLECTION 15 "collection" "tr(g'*dx) + tr(h'*dx) = tr((g + h)'*dx)"
        "The trace is linear.";
    SUBSTITUTION 16 "substitution" "dy = L(dx)"
        "A differential is replaced by the line that gave it.";
    READING 17 "reading off" "df = tr(g'*dx) means df/dx = g"
        "The first identification theorem (Magnus & Neudecker, chapter 5).";
    VECTORISING 18 "vec rule" "vec(a*dx*b) = kron(b', a)*vec(dx), vec(dx') = commutation*vec(dx)"
        "Magnus & Neudecker, chapters 2 and 3.";
}

/// The rule by which the differential of a node is taken.
#[must_use]
pub fn of_differential(graph: &Graph, id: Id) -> &'static StepRule {
    match graph.op(id) {
        Op::Mul(_) => {
            let variable = graph.args(id).iter().filter(|&&a| graph.constant_value(a).is_none());
            if variable.count() > 1 { &HADAMARD_PRODUCT } else { &SUM }
        }
        Op::Power(_) => &POWER,
        Op::Contract(_) => &PRODUCT,
        Op::Inverse(_) => &INVERSE,
        Op::Det(_) | Op::LogDet(_) => &DETERMINANT,
        Op::Diagonal(_) | Op::DiagonalMatrix(_) => &SUM,
        op => match op.def().written() {
            Written::Function { .. } => &FUNCTION,
            Written::Operator => &SUM,
        },
    }
}

/// The rule by which a differential leaves a node.
#[must_use]
pub fn of_move(op: Op) -> &'static StepRule {
    match op {
        Op::Mul(_) => &HADAMARD,
        Op::Contract(Contract::MATMUL) => &CYCLIC,
        Op::Permute(_) => &TRANSPOSE,
        Op::Sum(_) | Op::Broadcast(_) => &STRETCH,
        Op::Diagonal(_) | Op::DiagonalMatrix(_) => &DIAGONAL,
        Op::Add(_) => &DISTRIBUTION,
        _ => &ARRANGEMENT,
    }
}
