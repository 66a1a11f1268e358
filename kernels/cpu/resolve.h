// From the epilogue a caller gives to the one the loops use.
#pragma once
#include "kernels/api/contract.h"
#include "kernels/cpu/product.h"

namespace meander::kernels {

// rowBias and gate: the same vectors as in `e`, already F32.
inline ResolvedEpilogue resolve(const Epilogue& e, const float* bias, const float* rowBias, const float* gate,
                                const View& y) {
    ResolvedEpilogue r;
    r.y = y;
    r.bias = bias;
    r.rowBias = rowBias;
    r.gate = gate;
    if (e.rowBias) r.rowsPerRowBias = leadingCount(y) / leadingCount(e.rowBias);
    if (e.gate) r.rowsPerGate = leadingCount(y) / leadingCount(e.gate);
    r.activation = e.activation;
    r.scale = e.residualScale;
    r.multiply = e.multiply;
    r.residual = e.residual;
    return r;
}

}  // namespace meander::kernels
