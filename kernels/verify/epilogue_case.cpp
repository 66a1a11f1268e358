#include "kernels/verify/epilogue_case.h"

namespace meander::kernels::verify {

std::string EpilogueCase::text() const {
    std::string s;
    const std::pair<Part, const char*> names[] = {{Bias, "bias"},  {RowBias, "rowBias"},   {Multiply, "multiply"},
                                                  {Gate, "gate"},  {Residual, "residual"}, {InPlace, "in place"},
                                                  {Scale, "scale"}};
    for (auto [part, name] : names)
        if (parts & part) s += std::string(" ") + name;
    if (activation != Activation::None) s += std::string(" ") + nameOf(activation);
    return s.empty() ? " plain" : s;
}

HostEpilogue::HostEpilogue(const EpilogueCase& c, std::int64_t rows, std::int64_t out, std::int64_t groups, DType type)
    : activation(c.activation) {
    if (c.parts & Bias) bias = random({out}, type, 11);
    if (c.parts & RowBias) rowBias = random({groups, out}, type, 12);
    if (c.parts & Multiply) multiply = random({rows, out}, type, 13);
    if (c.parts & Gate) gate = random({groups, out}, type, 14);
    if (c.parts & Residual) residual = random({rows, out}, type, 15);
    if (c.parts & Scale) scale = 0.75;
}

Epilogue HostEpilogue::on(Fixture& t, const EpilogueCase& c, View y) const {
    Epilogue e;
    e.activation = activation;
    e.residualScale = float(scale);
    if (multiply) e.multiply = t.put(multiply, y.type).reshaped(y.shape);
    if (gate) e.gate = t.put(gate, DType::F32);  // vectors may be F32 whatever y is
    if (rowBias) e.rowBias = t.put(rowBias, y.type);
    if (residual) {
        const View r = t.put(residual, y.type).reshaped(y.shape);
        if (c.parts & InPlace) t.backend.copy(r, y);
        e.residual = c.parts & InPlace ? y : r;
    }
    return e;
}

double HostEpilogue::finished(double sum, std::int64_t r, std::int64_t o, std::int64_t rows, std::int64_t out) const {
    const auto group = [&](const Host& h) { return r / (rows / h.shape[0]); };
    if (bias) sum += bias[o];
    if (rowBias) sum += rowBias[group(rowBias) * out + o];
    double y = activated(activation, sum);
    if (multiply) y *= multiply[r * out + o];
    if (gate) y *= gate[group(gate) * out + o];
    if (residual) y += residual[r * out + o];
    return y * scale;
}

}  // namespace meander::kernels::verify
