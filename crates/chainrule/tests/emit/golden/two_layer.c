#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* The larger of x and 0. */
static double relu(double x)
{
    return x < 0.0 ? 0.0 : x;
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
   Row-major arrays: X [N, 1000], Y [N, 10], W1 [1000, 100], W2 [100, 10]. */
double value_and_gradients(size_t N, const double *X, const double *Y, const double *W1,
    const double *W2, double *grad_W1, double *grad_W2)
{
    double *const work = calloc(N * 100 + N * 100 + N * 10 + N * 10 + 1000 + N * 100 +
        N * 100 + 100000, sizeof(double));
    if (work == NULL) return NAN;
    double *const Z1 = work; /* [N, 100] */
    double *const H = Z1 + N * 100; /* [N, 100] */
    double *const Y_pred = H + N * 100; /* [N, 10] */
    double *const D1 = Y_pred + N * 10; /* [N, 10] */
    double *const Z2 = D1 + N * 10; /* [100, 10] */
    double *const Z3 = Z2 + 1000; /* [N, 100] */
    double *const G1 = Z3 + N * 100; /* [N, 100] */
    double *const Z4 = G1 + N * 100; /* [1000, 100] */
    matmul(N, 1000, 100, X, W1, Z1);
    for (size_t i = 0; i < N * 100; i++) {
        H[i] = relu(Z1[i]);
    }
    matmul(N, 100, 10, H, W2, Y_pred);
    for (size_t i = 0; i < N * 10; i++) {
        D1[i] = Y_pred[i] - Y[i];
    }
    double loss = 0.0;
    for (size_t i = 0; i < N * 10; i++) {
        loss += D1[i] * D1[i];
    }
    matmul_tn(100, N, 10, H, D1, Z2);
    for (size_t i = 0; i < 1000; i++) {
        grad_W2[i] = 2.0 * Z2[i];
    }
    matmul_nt(N, 10, 100, D1, W2, Z3);
    for (size_t i = 0; i < N * 100; i++) {
        G1[i] = Z3[i] * (Z1[i] > 0.0 ? 1.0 : 0.0);
    }
    matmul_tn(1000, N, 100, X, G1, Z4);
    for (size_t i = 0; i < 100000; i++) {
        grad_W1[i] = 2.0 * Z4[i];
    }
    free(work);
    return loss;
}
