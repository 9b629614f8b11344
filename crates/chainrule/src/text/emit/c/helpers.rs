//! The routines that programs in C bring along, callers behind what they call.

use crate::text::emit::pieces::Helper;

pub(super) const HELPERS: &[Helper] = &[
    Helper {
        name: "sigmoid",
        text: "\
/* 1 / (1 + exp(-x)) without overflow. */
static double sigmoid(double x)
{
    if (x >= 0.0) return 1.0 / (1.0 + exp(-x));
    const double e = exp(x);
    return e / (1.0 + e);
}
",
    },
    Helper {
        name: "softplus",
        text: "\
/* log(1 + exp(x)) without overflow. */
static double softplus(double x)
{
    return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}
",
    },
    Helper {
        name: "relu",
        text: "\
/* The larger of x and 0. */
static double relu(double x)
{
    return x < 0.0 ? 0.0 : x;
}
",
    },
    Helper {
        name: "sign",
        text: "\
/* -1, 0 or 1. */
static double sign(double x)
{
    return (double)((x > 0.0) - (x < 0.0));
}
",
    },
    Helper {
        name: "larger",
        text: "\
/* The larger number; what is not a number stays. */
static double larger(double x, double y)
{
    return y > x || isnan(y) ? y : x;
}
",
    },
    Helper {
        name: "dot",
        text: "\
/* The inner product of two vectors of n elements. */
static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}
",
    },
    Helper {
        name: "matmul",
        text: "\
/* out = a b; a is m x k, b is k x n. */
static void matmul(size_t m, size_t k, size_t n, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < m * n; i++) out[i] = 0.0;
    for (size_t i = 0; i < m; i++)
        for (size_t l = 0; l < k; l++)
            for (size_t j = 0; j < n; j++)
                out[i * n + j] += a[i * k + l] * b[l * n + j];
}
",
    },
    Helper {
        name: "matmul_tn",
        text: "\
/* out = a' b; a is k x m, b is k x n. */
static void matmul_tn(size_t m, size_t k, size_t n, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < m * n; i++) out[i] = 0.0;
    for (size_t l = 0; l < k; l++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                out[i * n + j] += a[l * m + i] * b[l * n + j];
}
",
    },
    Helper {
        name: "matmul_nt",
        text: "\
/* out = a b'; a is m x k, b is n x k. */
static void matmul_nt(size_t m, size_t k, size_t n, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t l = 0; l < k; l++) sum += a[i * k + l] * b[j * k + l];
            out[i * n + j] = sum;
        }
}
",
    },
    Helper {
        name: "matmul_tt",
        text: "\
/* out = a' b'; a is k x m, b is n x k. */
static void matmul_tt(size_t m, size_t k, size_t n, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t l = 0; l < k; l++) sum += a[l * m + i] * b[j * k + l];
            out[i * n + j] = sum;
        }
}
",
    },
    Helper {
        name: "kron",
        text: "\
/* The Kronecker product of a (m x n) and b (p x q). */
static void kron(size_t m, size_t n, size_t p, size_t q, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < p; k++)
            for (size_t j = 0; j < n; j++)
                for (size_t l = 0; l < q; l++)
                    out[((i * p + k) * n + j) * q + l] = a[i * n + j] * b[k * q + l];
}
",
    },
    Helper {
        name: "softmax",
        text: "\
/* Probabilities of each row; no exponential is larger than 1. */
static void softmax(size_t rows, size_t cols, const double *z, double *out)
{
    for (size_t i = 0; i < rows; i++, z += cols, out += cols) {
        double largest = -INFINITY, sum = 0.0;
        for (size_t j = 0; j < cols; j++) largest = z[j] > largest ? z[j] : largest;
        for (size_t j = 0; j < cols; j++) sum += out[j] = exp(z[j] - largest);
        for (size_t j = 0; j < cols; j++) out[j] /= sum;
    }
}
",
    },
    Helper {
        name: "logsumexp",
        text: "\
/* log(sum(exp(z))) of each row without overflow. */
static void logsumexp(size_t rows, size_t cols, const double *z, double *out)
{
    for (size_t i = 0; i < rows; i++, z += cols) {
        double largest = -INFINITY, sum = 0.0;
        for (size_t j = 0; j < cols; j++) largest = z[j] > largest ? z[j] : largest;
        for (size_t j = 0; j < cols; j++) sum += exp(z[j] - largest);
        out[i] = largest + log(sum);
    }
}
",
    },
    Helper {
        name: "lu",
        text: "\
/* Factors a (n x n) with partial pivoting: L below the diagonal of f, U on and above it, the swapped rows behind. */
static void lu(size_t n, const double *a, double *f)
{
    for (size_t i = 0; i < n * n; i++) f[i] = a[i];
    for (size_t col = 0; col < n; col++) {
        size_t pivot = col;
        for (size_t row = col + 1; row < n; row++)
            if (fabs(f[row * n + col]) > fabs(f[pivot * n + col])) pivot = row;
        f[n * n + col] = (double)pivot;
        for (size_t k = 0; k < n; k++) {
            const double swapped = f[col * n + k];
            f[col * n + k] = f[pivot * n + k];
            f[pivot * n + k] = swapped;
        }
        for (size_t row = col + 1; row < n; row++) {
            f[row * n + col] /= f[col * n + col];
            for (size_t k = col + 1; k < n; k++) f[row * n + k] -= f[row * n + col] * f[col * n + k];
        }
    }
}
",
    },
    Helper {
        name: "lu_apply",
        text: "\
/* Turns x (n x m) into inv(a) x, where f is the factorisation of a. */
static void lu_apply(size_t n, size_t m, const double *f, double *x)
{
    for (size_t row = 0; row < n; row++) {
        const size_t pivot = (size_t)f[n * n + row];
        for (size_t j = 0; j < m; j++) {
            const double swapped = x[row * m + j];
            x[row * m + j] = x[pivot * m + j];
            x[pivot * m + j] = swapped;
        }
    }
    for (size_t row = 0; row < n; row++)
        for (size_t k = 0; k < row; k++)
            for (size_t j = 0; j < m; j++) x[row * m + j] -= f[row * n + k] * x[k * m + j];
    for (size_t row = n; row-- > 0;)
        for (size_t j = 0; j < m; j++) {
            for (size_t k = row + 1; k < n; k++) x[row * m + j] -= f[row * n + k] * x[k * m + j];
            x[row * m + j] /= f[row * n + row];
        }
}
",
    },
    Helper {
        name: "lu_solve",
        text: "\
/* out = inv(a) b, where f is the factorisation of a (n x n); b is n x m. */
static void lu_solve(size_t n, size_t m, const double *f, const double *b, double *out)
{
    for (size_t i = 0; i < n * m; i++) out[i] = b[i];
    lu_apply(n, m, f, out);
}
",
    },
    Helper {
        name: "lu_solve_right",
        text: "\
/* out = b inv(a), where f is the factorisation of a (n x n); b is m x n. */
static void lu_solve_right(size_t m, size_t n, const double *f, const double *b, double *out)
{
    for (size_t i = 0; i < m; i++) {
        double *x = out + i * n;
        for (size_t j = 0; j < n; j++) {
            x[j] = b[i * n + j];
            for (size_t k = 0; k < j; k++) x[j] -= x[k] * f[k * n + j];
            x[j] /= f[j * n + j];
        }
        for (size_t j = n; j-- > 0;)
            for (size_t k = j + 1; k < n; k++) x[j] -= x[k] * f[k * n + j];
        for (size_t j = n; j-- > 0;) {
            const size_t pivot = (size_t)f[n * n + j];
            const double swapped = x[j];
            x[j] = x[pivot];
            x[pivot] = swapped;
        }
    }
}
",
    },
    Helper {
        name: "lu_inverse",
        text: "\
/* out = inv(a), where f is the factorisation of a (n x n). */
static void lu_inverse(size_t n, const double *f, double *out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) out[i * n + j] = i == j ? 1.0 : 0.0;
    lu_apply(n, n, f, out);
}
",
    },
    Helper {
        name: "lu_det",
        text: "\
/* The determinant of a, where f is its factorisation. */
static double lu_det(size_t n, const double *f)
{
    double det = 1.0;
    for (size_t i = 0; i < n; i++) det *= f[n * n + i] == (double)i ? f[i * n + i] : -f[i * n + i];
    return det;
}
",
    },
    Helper {
        name: "lu_logabsdet",
        text: "\
/* log(abs(det(a))), where f is the factorisation of a. */
static double lu_logabsdet(size_t n, const double *f)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += log(fabs(f[i * n + i]));
    return sum;
}
",
    },
];
