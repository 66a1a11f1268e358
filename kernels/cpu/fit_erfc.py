"""Coefficients of erfcOf in simd.h: erfc(z) = t exp(q(t) - z^2) with t = 1/(1 + c z), q a polynomial of degree 9 whose largest relative error on
z = 0 ... 9 is made small by reweighted least squares in 40 digits.

    python fit_erfc.py [c]
"""
import sys

from mpmath import mp, mpf, erfc, log, matrix, lu_solve, cos, pi

mp.dps = 40
C, DEGREE, POINTS = mpf(sys.argv[1]) if len(sys.argv) > 1 else mpf("0.5"), 9, 240

low = 1 / (1 + C * 9)
ts = [low + (1 - low) * (1 - cos(pi * k / (POINTS - 1))) / 2 for k in range(POINTS)]
zs = [(1 / t - 1) / C for t in ts]
wanted = [log(erfc(z) / t) + z * z for z, t in zip(zs, ts)]
weights = [mpf(1)] * POINTS
best = None
for _ in range(60):
    a = matrix(DEGREE + 1, DEGREE + 1)
    b = matrix(DEGREE + 1, 1)
    for t, y, w in zip(ts, wanted, weights):
        powers = [t ** i for i in range(DEGREE + 1)]
        for i in range(DEGREE + 1):
            b[i] += w * powers[i] * y
            for j in range(DEGREE + 1):
                a[i, j] += w * powers[i] * powers[j]
    q = list(lu_solve(a, b))
    errors = [abs(sum(q[i] * t ** i for i in range(DEGREE + 1)) - y) for t, y in zip(ts, wanted)]
    if best is None or max(errors) < best[0]:
        best = (max(errors), q)
    weights = [w * (e / max(errors)) + mpf(10) ** -12 for w, e in zip(weights, errors)]   # Lawson's iteration
    total = sum(weights)
    weights = [w / total for w in weights]
print("c", C, "largest relative error", mp.nstr(best[0], 3))
print(", ".join(mp.nstr(v, 10) for v in reversed(best[1])))
