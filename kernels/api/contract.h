// The rules that arguments of operations obey, worded once for all devices.
#pragma once
#include <initializer_list>
#include <string>

#include "kernels/api/backend.h"

namespace meander::kernels {

struct Argument {
    const char* name;
    const View& view;
};
using Arguments = std::initializer_list<Argument>;

// "x f32 (2, 3)", with its strides where they are not dense; "no x".
std::string describe(const Argument& a);

class Contract {
public:
    Contract(const Backend& backend, Operation operation) : m_backend(backend), m_operation(operation) {}

    // Throws std::invalid_argument("linear: RULE; got x f32 (2, 3) and y f32 (2, 4)") unless `holds`.
    void require(bool holds, const std::string& rule, Arguments arguments) const {
        if (!holds) reject(rule, arguments);
    }
    void require(bool holds, const char* rule, Arguments arguments) const {
        if (!holds) reject(rule, arguments);
    }
    [[noreturn]] void reject(const std::string& rule, Arguments arguments) const;

    void given(Arguments arguments) const;
    void dense(Arguments arguments) const;      // given, without gaps
    void denseRows(Arguments arguments) const;  // given, rows may be strided
    // One type, in which the device computes.
    void activations(Arguments arguments) const;
    void floats(Arguments arguments) const;  // one of F32, F64, F16, BF16 each
    void sameType(const Argument& a, const Argument& b) const;
    void sameShape(const Argument& a, const Argument& b) const;
    void sameCount(const Argument& a, const Argument& b) const;
    // Parameters of the channels of x, (c) where a single one is allowed, else also (groups, c) with rows split evenly
    // among the groups; F32 or x's type; may be missing.
    void channelVector(const Argument& v, const Argument& x) const;
    void groupedVectors(const Argument& v, const Argument& x) const;
    // Weights in host memory; the bias one value per output, or missing.
    void hostWeights(const View& weight, const View& bias, DType compute) const;
    void hostBias(const View& bias, std::int64_t outputs) const;
    void computable(DType compute) const;
    void packedHere(const Backend* owner, DType compute, const Argument& x) const;
    void epilogue(const Epilogue& e, const View& y) const;

private:
    const Backend& m_backend;
    Operation m_operation;
};

}  // namespace meander::kernels
