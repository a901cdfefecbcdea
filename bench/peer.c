/* The inverter under cross-entropy, gradient descent: blocks of 64 neurons, time outside, lanes inside.
 * Compiled with gcc -Ofast -march=native -lmvec, which vectorises exp. */
#include <math.h>

#define LANES 64

#define DESCEND(NAME, REAL, EXP)                                              \
    void NAME(REAL *restrict weight, REAL *restrict bias, long points,       \
              long steps, double learning_rate) {                             \
        REAL half = (REAL)(learning_rate / 2);                                \
        for (long at = 0; at < points; at += LANES) {                         \
            REAL w[LANES], b[LANES];                                          \
            for (int l = 0; l < LANES; l++) {                                 \
                w[l] = weight[at + l];                                        \
                b[l] = bias[at + l];                                          \
            }                                                                 \
            for (long t = 0; t < steps; t++)                                  \
                for (int l = 0; l < LANES; l++) {                             \
                    REAL a0 = 1 / (1 + EXP(-b[l]));                           \
                    REAL a1 = 1 / (1 + EXP(-(w[l] + b[l])));                  \
                    w[l] -= half * a1;                                        \
                    b[l] -= half * ((a0 - 1) + a1);                           \
                }                                                             \
            for (int l = 0; l < LANES; l++) {                                 \
                weight[at + l] = w[l];                                        \
                bias[at + l] = b[l];                                          \
            }                                                                 \
        }                                                                     \
    }

DESCEND(descend_float64, double, exp)
DESCEND(descend_float32, float, expf)
