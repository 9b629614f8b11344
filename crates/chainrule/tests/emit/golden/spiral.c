#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* The larger of x and 0. */
static double relu(double x)
{
    return x < 0.0 ? 0.0 : x;
}

/* The larger number; what is not a number stays. */
static double larger(double x, double y)
{
    return y > x || isnan(y) ? y : x;
}

/* out = a b; a is m x k, b is k x n. */
static void matmul(size_t m, size_t k, size_t n, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < m * n; i++) out[i] = 0.0;
    for (size_t i = 0; i < m; i++)
        for (size_t l = 0; l < k; l++)
            for (size_t j = 0; j < n; j++)
                out[i * n + j] += a[i * k + l] * b[l * n + j];
}

/* out = a' b; a is k x m, b is k x n. */
static void matmul_tn(size_t m, size_t k, size_t n, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < m * n; i++) out[i] = 0.0;
    for (size_t l = 0; l < k; l++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                out[i * n + j] += a[l * m + i] * b[l * n + j];
}

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

/* Returns loss and writes its gradients, each of the shape of its array. Without memory the result is NAN.
   Row-major arrays: X [N, 2], Y [N, 3], W1 [2, 100], b1 [1, 100], W2 [100, 3], b2 [1, 3]. */
double value_and_gradients(size_t N, const double *X, const double *Y, const double *W1,
    const double *b1, const double *W2, const double *b2, double *grad_W1, double *grad_b1,
    double *grad_W2, double *grad_b2)
{
    double *const work = calloc(N * 100 + N * 100 + N * 100 + N * 3 + N * 3 + N + N * 3 + N +
        N + N * 3 + 300 + 3 + N * 100 + N * 100 + 200 + 100, sizeof(double));
    if (work == NULL) return NAN;
    double *const Z1 = work; /* [N, 100] */
    double *const Z2 = Z1 + N * 100; /* [N, 100] */
    double *const H = Z2 + N * 100; /* [N, 100] */
    double *const Z3 = H + N * 100; /* [N, 3] */
    double *const scores = Z3 + N * 3; /* [N, 3] */
    double *const M1 = scores + N * 3; /* [N, 1] */
    double *const E1 = M1 + N; /* [N, 3] */
    double *const S1 = E1 + N * 3; /* [N, 1] */
    double *const S2 = S1 + N; /* [N, 1] */
    double *const D1 = S2 + N; /* [N, 3] */
    double *const Z4 = D1 + N * 3; /* [100, 3] */
    double *const S3 = Z4 + 300; /* [1, 3] */
    double *const Z5 = S3 + 3; /* [N, 100] */
    double *const G1 = Z5 + N * 100; /* [N, 100] */
    double *const Z6 = G1 + N * 100; /* [2, 100] */
    double *const S4 = Z6 + 200; /* [1, 100] */
    const double reg = 0.001;
    matmul(N, 2, 100, X, W1, Z1);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 100; j++) {
            Z2[i * 100 + j] = Z1[i * 100 + j] + b1[j];
        }
    }
    for (size_t i = 0; i < N * 100; i++) {
        H[i] = relu(Z2[i]);
    }
    matmul(N, 100, 3, H, W2, Z3);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 3; j++) {
            scores[i * 3 + j] = Z3[i * 3 + j] + b2[j];
        }
    }
    for (size_t i = 0; i < N; i++) M1[i] = -INFINITY;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 3; j++) {
            M1[i] = larger(M1[i], scores[i * 3 + j]);
        }
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 3; j++) {
            E1[i * 3 + j] = exp(scores[i * 3 + j] - M1[i]);
        }
    }
    for (size_t i = 0; i < N; i++) S1[i] = 0.0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 3; j++) {
            S1[i] += E1[i * 3 + j];
        }
    }
    for (size_t i = 0; i < N; i++) S2[i] = 0.0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 3; j++) {
            S2[i] += Y[i * 3 + j] * scores[i * 3 + j];
        }
    }
    double s1 = 0.0;
    for (size_t i = 0; i < N; i++) {
        s1 += M1[i] + log(S1[i]) - S2[i];
    }
    double s2 = 0.0;
    for (size_t i = 0; i < 200; i++) {
        s2 += W1[i] * W1[i];
    }
    double s3 = 0.0;
    for (size_t i = 0; i < 300; i++) {
        s3 += W2[i] * W2[i];
    }
    const double loss = s1 / (double)N + 0.5 * reg * (s2 + s3);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 3; j++) {
            D1[i * 3 + j] = E1[i * 3 + j] / S1[i] - Y[i * 3 + j];
        }
    }
    matmul_tn(100, N, 3, H, D1, Z4);
    for (size_t i = 0; i < 300; i++) {
        grad_W2[i] = Z4[i] / (double)N + reg * W2[i];
    }
    for (size_t i = 0; i < 3; i++) S3[i] = 0.0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 3; j++) {
            S3[j] += D1[i * 3 + j];
        }
    }
    for (size_t i = 0; i < 3; i++) {
        grad_b2[i] = S3[i] / (double)N;
    }
    matmul_nt(N, 3, 100, D1, W2, Z5);
    for (size_t i = 0; i < N * 100; i++) {
        G1[i] = Z5[i] * (Z2[i] > 0.0 ? 1.0 : 0.0);
    }
    matmul_tn(2, N, 100, X, G1, Z6);
    for (size_t i = 0; i < 200; i++) {
        grad_W1[i] = Z6[i] / (double)N + reg * W1[i];
    }
    for (size_t i = 0; i < 100; i++) S4[i] = 0.0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 100; j++) {
            S4[j] += G1[i * 100 + j];
        }
    }
    for (size_t i = 0; i < 100; i++) {
        grad_b1[i] = S4[i] / (double)N;
    }
    free(work);
    return loss;
}
