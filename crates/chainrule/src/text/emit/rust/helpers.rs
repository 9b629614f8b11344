//! The routines that programs in Rust bring along, callers behind what they call.

use crate::text::emit::pieces::Helper;

pub(super) const HELPERS: &[Helper] = &[
    Helper {
        name: "sigmoid",
        text: "\
/// 1 / (1 + exp(-x)) without overflow.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        x.exp() / (1.0 + x.exp())
    }
}
",
    },
    Helper {
        name: "softplus",
        text: "\
/// log(1 + exp(x)) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
",
    },
    Helper {
        name: "relu",
        text: "\
/// The larger of x and 0.
fn relu(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}
",
    },
    Helper {
        name: "step",
        text: "\
/// 1 where x is positive, else 0.
fn step(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}
",
    },
    Helper {
        name: "sign",
        text: "\
/// -1, 0 or 1.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}
",
    },
    Helper {
        name: "erf",
        text: "\
/// The error function by its series of positive terms; beyond 6 it is 1 to the last bit.
fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-17 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}
",
    },
    Helper {
        name: "larger",
        text: "\
/// The larger number; what is not a number stays.
fn larger(x: f64, y: f64) -> f64 {
    if y > x || y.is_nan() { y } else { x }
}
",
    },
    Helper {
        name: "dot",
        text: "\
/// The inner product of two vectors of n elements.
fn dot(n: usize, a: &[f64], b: &[f64]) -> f64 {
    a[..n].iter().zip(&b[..n]).map(|(x, y)| x * y).sum()
}
",
    },
    Helper {
        name: "matmul",
        text: "\
/// out = a b; a is m x k, b is k x n.
fn matmul(m: usize, k: usize, n: usize, a: &[f64], b: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for i in 0..m {
        for l in 0..k {
            for j in 0..n {
                out[i * n + j] += a[i * k + l] * b[l * n + j];
            }
        }
    }
}
",
    },
    Helper {
        name: "matmul_tn",
        text: "\
/// out = a' b; a is k x m, b is k x n.
fn matmul_tn(m: usize, k: usize, n: usize, a: &[f64], b: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for l in 0..k {
        for i in 0..m {
            for j in 0..n {
                out[i * n + j] += a[l * m + i] * b[l * n + j];
            }
        }
    }
}
",
    },
    Helper {
        name: "matmul_nt",
        text: "\
/// out = a b'; a is m x k, b is n x k.
fn matmul_nt(m: usize, k: usize, n: usize, a: &[f64], b: &[f64], out: &mut [f64]) {
    for i in 0..m {
        for j in 0..n {
            out[i * n + j] = (0..k).map(|l| a[i * k + l] * b[j * k + l]).sum();
        }
    }
}
",
    },
    Helper {
        name: "matmul_tt",
        text: "\
/// out = a' b'; a is k x m, b is n x k.
fn matmul_tt(m: usize, k: usize, n: usize, a: &[f64], b: &[f64], out: &mut [f64]) {
    for i in 0..m {
        for j in 0..n {
            out[i * n + j] = (0..k).map(|l| a[l * m + i] * b[j * k + l]).sum();
        }
    }
}
",
    },
    Helper {
        name: "kron",
        text: "\
/// The Kronecker product of a (m x n) and b (p x q).
fn kron(m: usize, n: usize, p: usize, q: usize, a: &[f64], b: &[f64], out: &mut [f64]) {
    for i in 0..m {
        for k in 0..p {
            for j in 0..n {
                for l in 0..q {
                    out[((i * p + k) * n + j) * q + l] = a[i * n + j] * b[k * q + l];
                }
            }
        }
    }
}
",
    },
    Helper {
        name: "softmax",
        text: "\
/// Probabilities of each row; no exponential is larger than 1.
fn softmax(rows: usize, cols: usize, z: &[f64], out: &mut [f64]) {
    for i in 0..rows {
        let (z, out) = (&z[i * cols..(i + 1) * cols], &mut out[i * cols..(i + 1) * cols]);
        let largest = z.iter().fold(f64::NEG_INFINITY, |largest, &x| largest.max(x));
        for j in 0..cols {
            out[j] = (z[j] - largest).exp();
        }
        let sum: f64 = out.iter().sum();
        out.iter_mut().for_each(|x| *x /= sum);
    }
}
",
    },
    Helper {
        name: "logsumexp",
        text: "\
/// log(sum(exp(z))) of each row without overflow.
fn logsumexp(rows: usize, cols: usize, z: &[f64], out: &mut [f64]) {
    for i in 0..rows {
        let z = &z[i * cols..(i + 1) * cols];
        let largest = z.iter().fold(f64::NEG_INFINITY, |largest, &x| largest.max(x));
        out[i] = largest + z.iter().map(|x| (x - largest).exp()).sum::<f64>().ln();
    }
}
",
    },
    Helper {
        name: "lu",
        text: "\
/// Factors a (n x n) with partial pivoting: L below the diagonal of f, U on and above it, the swapped rows behind.
fn lu(n: usize, a: &[f64], f: &mut [f64]) {
    f[..n * n].copy_from_slice(&a[..n * n]);
    for col in 0..n {
        let mut pivot = col;
        for row in col + 1..n {
            if f[row * n + col].abs() > f[pivot * n + col].abs() {
                pivot = row;
            }
        }
        f[n * n + col] = pivot as f64;
        for k in 0..n {
            f.swap(col * n + k, pivot * n + k);
        }
        for row in col + 1..n {
            f[row * n + col] /= f[col * n + col];
            for k in col + 1..n {
                f[row * n + k] -= f[row * n + col] * f[col * n + k];
            }
        }
    }
}
",
    },
    Helper {
        name: "lu_apply",
        text: "\
/// Turns x (n x m) into inv(a) x, where f is the factorisation of a.
fn lu_apply(n: usize, m: usize, f: &[f64], x: &mut [f64]) {
    for row in 0..n {
        let pivot = f[n * n + row] as usize;
        for j in 0..m {
            x.swap(row * m + j, pivot * m + j);
        }
    }
    for row in 0..n {
        for k in 0..row {
            for j in 0..m {
                x[row * m + j] -= f[row * n + k] * x[k * m + j];
            }
        }
    }
    for row in (0..n).rev() {
        for j in 0..m {
            for k in row + 1..n {
                x[row * m + j] -= f[row * n + k] * x[k * m + j];
            }
            x[row * m + j] /= f[row * n + row];
        }
    }
}
",
    },
    Helper {
        name: "lu_solve",
        text: "\
/// out = inv(a) b, where f is the factorisation of a (n x n); b is n x m.
fn lu_solve(n: usize, m: usize, f: &[f64], b: &[f64], out: &mut [f64]) {
    out.copy_from_slice(b);
    lu_apply(n, m, f, out);
}
",
    },
    Helper {
        name: "lu_solve_right",
        text: "\
/// out = b inv(a), where f is the factorisation of a (n x n); b is m x n.
fn lu_solve_right(m: usize, n: usize, f: &[f64], b: &[f64], out: &mut [f64]) {
    out.copy_from_slice(b);
    for i in 0..m {
        let x = &mut out[i * n..(i + 1) * n];
        for j in 0..n {
            for k in 0..j {
                x[j] -= x[k] * f[k * n + j];
            }
            x[j] /= f[j * n + j];
        }
        for j in (0..n).rev() {
            for k in j + 1..n {
                x[j] -= x[k] * f[k * n + j];
            }
        }
        for j in (0..n).rev() {
            x.swap(j, f[n * n + j] as usize);
        }
    }
}
",
    },
    Helper {
        name: "lu_inverse",
        text: "\
/// out = inv(a), where f is the factorisation of a (n x n).
fn lu_inverse(n: usize, f: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for i in 0..n {
        out[i * n + i] = 1.0;
    }
    lu_apply(n, n, f, out);
}
",
    },
    Helper {
        name: "lu_det",
        text: "\
/// The determinant of a, where f is its factorisation.
fn lu_det(n: usize, f: &[f64]) -> f64 {
    let swap = |i: usize| if f[n * n + i] == i as f64 { 1.0 } else { -1.0 };
    (0..n).map(|i| swap(i) * f[i * n + i]).product()
}
",
    },
    Helper {
        name: "lu_logabsdet",
        text: "\
/// log(abs(det(a))), where f is the factorisation of a.
fn lu_logabsdet(n: usize, f: &[f64]) -> f64 {
    (0..n).map(|i| f[i * n + i].abs().ln()).sum()
}
",
    },
];
