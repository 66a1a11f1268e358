// From the epilogue a caller gives to the one the loops use, with its checks.
#pragma once
#include "kernels/cpu/checks.h"
#include "kernels/cpu/product.h"

namespace meander::kernels {

// rowBias and gate: the same vectors as in `e`, already F32.
inline ResolvedEpilogue resolve(const char* operation, const Epilogue& e, const float* bias, const float* rowBias,
                                const float* gate, const View& y) {
    const std::int64_t columns = y.shape[-1], rows = columns ? y.count() / columns : 0;
    ResolvedEpilogue r;
    r.y = y;
    r.bias = bias;
    r.activation = e.activation;
    r.scale = e.residualScale;
    requireVectors(operation, e.rowBias, columns, y);
    requireVectors(operation, e.gate, columns, y);
    for (const View& v : {e.multiply, e.residual})
        require(!v || (v.type == y.type && v.count() == y.count() && v.shape.rank() >= 1 && v.shape[-1] == columns),
                operation, "a factor or residual must have y's type and shape", {v, y});
    if (e.rowBias) {
        r.rowBias = rowBias;
        r.rowsPerRowBias = rowsPerGroup(operation, e.rowBias, columns, rows);
    }
    if (e.gate) {
        r.gate = gate;
        r.rowsPerGate = rowsPerGroup(operation, e.gate, columns, rows);
    }
    if (rows == 0) r.rowsPerRowBias = r.rowsPerGate = 1;
    r.multiply = e.multiply;
    r.residual = e.residual;
    return r;
}

}  // namespace meander::kernels
