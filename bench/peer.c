/* Gradient descent under cross-entropy in C, and the arithmetic peak; all of one dtype, REAL.
 * Compiled with gcc -Ofast -march=native -DREAL=double (or float) -lmvec, which vectorises exp.
 * The number of starts must be a multiple of LANES. */
#include <tgmath.h>

#define LANES 64

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif

/* one register */
typedef REAL vector __attribute__((vector_size(BYTES)));
#define LENGTH (BYTES / (int)sizeof(REAL))

/* The inverter: blocks of neurons, time outside, lanes inside. */
void descend_inverter(REAL *restrict weight, REAL *restrict bias, long points, long steps,
                      double learning_rate) {
    REAL half = (REAL)(learning_rate / 2);
    for (long at = 0; at < points; at += LANES) {
        REAL w[LANES], b[LANES];
        for (int l = 0; l < LANES; l++) {
            w[l] = weight[at + l];
            b[l] = bias[at + l];
        }
        for (long t = 0; t < steps; t++)
            for (int l = 0; l < LANES; l++) {
                REAL a0 = 1 / (1 + exp(-b[l]));
                REAL a1 = 1 / (1 + exp(-(w[l] + b[l])));
                w[l] -= half * a1;
                b[l] -= half * ((a0 - 1) + a1);
            }
        for (int l = 0; l < LANES; l++) {
            weight[at + l] = w[l];
            bias[at + l] = b[l];
        }
    }
}

/* Any task: blocks of PAIR registers, 4 samples at a time, so that what is read is used again. */
#define PAIR 2
#define ROWS 4

/* Adds to the gradients what `rows` samples give; `rows` is a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void add_samples(int rows, const vector *w, vector *g,
                                                              const REAL *x, const REAL *y,
                                                              long inputs) {
    vector sum[ROWS][PAIR], error[ROWS][PAIR];
    for (int s = 0; s < rows; s++)
        for (int v = 0; v < PAIR; v++)
            sum[s][v] = w[inputs * PAIR + v];
    for (long j = 0; j < inputs; j++) {
        /* volatile: gcc would load them anew for every sample */
        const volatile vector *both = w + j * PAIR;
        vector one = both[0], other = both[1];
        for (int s = 0; s < rows; s++) {
            sum[s][0] += one * x[s * inputs + j];
            sum[s][1] += other * x[s * inputs + j];
        }
    }
    REAL a[ROWS * PAIR * LENGTH] __attribute__((aligned(BYTES)));
    for (int s = 0; s < rows; s++)
        for (int v = 0; v < PAIR; v++)
            *(vector *)(a + (s * PAIR + v) * LENGTH) = sum[s][v];
    for (int k = 0; k < rows * PAIR * LENGTH; k++)
        a[k] = 1 / (1 + exp(-a[k]));
    for (int s = 0; s < rows; s++)
        for (int v = 0; v < PAIR; v++)
            error[s][v] = *(vector *)(a + (s * PAIR + v) * LENGTH) - y[s];
    for (long j = 0; j < inputs; j++)
        for (int v = 0; v < PAIR; v++) {
            vector slope = g[j * PAIR + v];
            for (int s = 0; s < rows; s++)
                slope += error[s][v] * x[s * inputs + j];
            g[j * PAIR + v] = slope;
        }
    for (int s = 0; s < rows; s++)
        for (int v = 0; v < PAIR; v++)
            g[inputs * PAIR + v] += error[s][v];
}

/* parameters: rows of `points` numbers, the weights, then the bias; x: rows of `inputs` numbers. */
void descend_task(REAL *restrict parameters, const REAL *restrict x, const REAL *restrict y,
                  long points, long inputs, long samples, long steps, double learning_rate) {
    vector w[(inputs + 1) * PAIR], g[(inputs + 1) * PAIR];
    REAL rate = (REAL)(learning_rate / samples);
    for (long at = 0; at < points; at += PAIR * LENGTH) {
        for (long j = 0; j <= inputs; j++)
            __builtin_memcpy(w + j * PAIR, parameters + j * points + at, PAIR * BYTES);
        for (long t = 0; t < steps; t++) {
            for (long k = 0; k < (inputs + 1) * PAIR; k++)
                g[k] = (vector){0};
            long i = 0;
            for (; i + ROWS <= samples; i += ROWS)
                add_samples(ROWS, w, g, x + i * inputs, y + i, inputs);
            for (; i < samples; i++)
                add_samples(1, w, g, x + i * inputs, y + i, inputs);
            for (long k = 0; k < (inputs + 1) * PAIR; k++)
                w[k] -= rate * g[k];
        }
        for (long j = 0; j <= inputs; j++)
            __builtin_memcpy(parameters + j * points + at, w + j * PAIR, PAIR * BYTES);
    }
}

/* The peak: CHAINS registers, each a chain of its own, enough to hide the latency and few enough to stay in
 * registers; divisions are divisions, no approximate reciprocals. `numbers`, CHAINS * BYTES bytes, keep the
 * results. Returned is how many operations were done. */
#define CHAINS 10

#define PEAK(NAME, RESULT)                                                                 \
    __attribute__((optimize("no-fast-math"))) long NAME(REAL *numbers, long rounds) {      \
        vector chain[CHAINS];                                                              \
        REAL c = numbers[0];                                                               \
        __builtin_memcpy(chain, numbers, sizeof chain);                                    \
        for (long t = 0; t < rounds; t++)                                                  \
            for (int k = 0; k < CHAINS; k++)                                               \
                chain[k] = RESULT;                                                         \
        __builtin_memcpy(numbers, chain, sizeof chain);                                    \
        return rounds * CHAINS * LENGTH;                                                   \
    }

PEAK(multiply_adds, chain[k] * c + c)
PEAK(divisions, c / chain[k])
