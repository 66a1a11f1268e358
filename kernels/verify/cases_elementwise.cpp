#include <algorithm>
#include <array>

#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

struct UnaryCase {
    Unary op;
    const char* name;
    double (*plain)(double);
};
const UnaryCase unaries[] = {
    {Unary::Copy, "copy", [](double x) { return x; }},
    {Unary::Silu, "silu", [](double x) { return activated(Activation::Silu, x); }},
    {Unary::GeluErf, "gelu erf", [](double x) { return activated(Activation::GeluErf, x); }},
    {Unary::GeluTanh, "gelu tanh", [](double x) { return activated(Activation::GeluTanh, x); }},
    {Unary::QuickGelu, "quick gelu", [](double x) { return activated(Activation::QuickGelu, x); }},
    {Unary::Relu, "relu", [](double x) { return activated(Activation::Relu, x); }},
    {Unary::Exp, "exp", [](double x) { return std::exp(x); }},
    {Unary::Sqrt, "sqrt", [](double x) { return std::sqrt(x); }},
    {Unary::Tanh, "tanh", [](double x) { return std::tanh(x); }},
    {Unary::Sin, "sin", [](double x) { return std::sin(x); }},
    {Unary::Cos, "cos", [](double x) { return std::cos(x); }},
    {Unary::Abs, "abs", [](double x) { return std::abs(x); }},
    {Unary::Clamp1, "clamp", [](double x) { return std::clamp(x, -1.0, 1.0); }},
};

double unaryError(Backend& backend, const UnaryCase& c, std::int64_t n, DType type, bool inPlace) {
    Fixture t(backend);
    Host x = random({n}, type, 1, 6), want({n});
    for (std::int64_t i = 0; i < n; ++i) {
        if (c.op == Unary::Sqrt) x[i] = std::abs(x[i]);
        want[i] = c.plain(x[i]);
    }
    const View vx = t.put(x, type), y = inPlace ? vx : t.room({n}, type);
    backend.unary(c.op, vx, y);
    return difference(t.get(y), want);
}

double binaryValue(Binary op, double a, double b) {
    switch (op) {
    case Binary::Add: return a + b;
    case Binary::Sub: return a - b;
    case Binary::Mul: return a * b;
    case Binary::Div: return a / b;
    case Binary::Min: return std::min(a, b);
    case Binary::Max: return std::max(a, b);
    }
    return 0;
}

double binaryError(Backend& backend, Binary op, Shape shapeA, Shape shapeB, DType type, bool inPlace) {
    Fixture t(backend);
    const Host a = random(shapeA, type, 1);
    Host b = random(shapeB, type, 2), want(shapeA);
    for (double& v : b.v)
        if (op == Binary::Div) v = roundedTo(type, v < 0 ? v - 0.5 : v + 0.5);
    for (std::int64_t i = 0; i < shapeA.count(); ++i) want[i] = binaryValue(op, a[i], b[i % shapeB.count()]);
    const View va = t.put(a, type), y = inPlace ? va : t.room(shapeA, type);
    backend.binary(op, va, t.put(b, type), y);
    return difference(t.get(y), want);
}

double convertError(Backend& backend, DType from, DType to, std::int64_t n) {
    Fixture t(backend);
    const Host x = random({n}, from, 1, 3);
    Host want({n});
    for (std::int64_t i = 0; i < n; ++i) want[i] = roundedTo(to, x[i]);
    const View y = t.room({n}, to);
    backend.convert(t.put(x, from), y);
    return differing(t.get(y), want);
}

double combineError(Backend& backend, int terms, std::int64_t n, DType type, bool inPlace) {
    Fixture t(backend);
    std::vector<Term> list;
    Host want({n});
    for (int k = 0; k < terms; ++k) {
        const Host x = random({n}, type, std::uint32_t(k + 1));
        const double factor = 0.7 * k - 1.3;
        for (std::int64_t i = 0; i < n; ++i) want[i] += factor * x[i];
        list.push_back({factor, t.put(x, type)});
    }
    const View y = inPlace ? list.back().value : t.room({n}, type);
    backend.combine(list, y);
    return difference(t.get(y), want);
}

double combineRowsError(Backend& backend, int terms, Shape shape, DType type) {
    Fixture t(backend);
    std::vector<View> values;
    std::vector<std::vector<double>> factors;
    Host want(shape);
    for (int k = 0; k < terms; ++k) {
        const Host x = random(shape, type, std::uint32_t(k + 1));
        values.push_back(t.put(x, type));
        std::vector<double> rowFactors;
        for (std::int64_t r = 0; r < shape[0]; ++r) rowFactors.push_back(0.3 * k - 0.2 * double(r) + 0.1);
        for (std::int64_t i = 0; i < shape.count(); ++i)
            want[i] += rowFactors[std::size_t(i / shape.rowCount())] * x[i];
        factors.push_back(rowFactors);
    }
    const View y = t.room(shape, type);
    backend.combineRows(values, factors, y);
    return difference(t.get(y), want);
}

}  // namespace

void addUnaryCases(Cases& cases) {
    for (DType type : activationTypes)
        for (const UnaryCase& c : unaries)
            for (std::int64_t n : {1, 37, 20000})
                cases.push_back({std::string("unary/") + kernels::nameOf(type) + " " + c.name + " " + std::to_string(n),
                                 type, tolerance(type),
                                 [=](Backend& b) { return unaryError(b, c, n, type, n == 37); }});
}

SampleCall sampleUnary(DType type) {
    return sample({input("x", {3, 4, 21}, type), output("y", {3, 4, 21}, type)},
                  [](Backend& b, std::span<const View> v) { b.unary(Unary::Silu, v[0], v[1]); });
}

void addBinaryCases(Cases& cases) {
    const char* names[] = {"add", "sub", "mul", "div", "min", "max"};
    for (DType type : activationTypes)
        for (int op = 0; op < 6; ++op)
            for (auto [a, b] : {std::array<Shape, 2>{Shape{3, 17}, Shape{3, 17}},
                                {Shape{5, 33}, Shape{33}},
                                {Shape{2, 3, 7}, Shape{1}}})
                cases.push_back(
                    {std::string("binary/") + kernels::nameOf(type) + " " + names[op] + " " + a.text() + " " + b.text(),
                     type, tolerance(type), [=, a = a, b = b](Backend& backend) {
                         return binaryError(backend, Binary(op), a, b, type, a[0] == 3);
                     }});
}

SampleCall sampleBinary(DType type) {
    return sample({input("a", {3, 4, 21}, type), input("b", {4, 21}, type), output("y", {3, 4, 21}, type)},
                  [](Backend& b, std::span<const View> v) { b.binary(Binary::Mul, v[0], v[1], v[2]); });
}

void addConvertCases(Cases& cases) {
    for (DType from : {DType::F32, DType::F64, DType::F16, DType::BF16})
        for (DType to : {DType::F32, DType::F64, DType::F16, DType::BF16})
            cases.push_back({std::string("convert/") + kernels::nameOf(from) + " to " + kernels::nameOf(to), DType::F32,
                             0, [=](Backend& b) { return convertError(b, from, to, 1003); }});
}

SampleCall sampleConvert(DType type) {
    return sample({input("x", {4, 11}, type), output("y", {4, 11}, DType::F64)},
                  [](Backend& b, std::span<const View> v) { b.convert(v[0], v[1]); });
}

void addCombineCases(Cases& cases) {
    for (DType type : {DType::F32, DType::F64, DType::BF16})
        for (int terms : {1, 2, 5, 12})
            cases.push_back({std::string("combine/") + kernels::nameOf(type) + " " + std::to_string(terms) + " terms",
                             type, tolerance(type),
                             [=](Backend& b) { return combineError(b, terms, 1001, type, terms == 2); }});
}

SampleCall sampleCombine(DType type) {
    return sample({input("value", {4, 11}, type), input("value", {4, 11}, type), output("y", {4, 11}, type)},
                  [](Backend& b, std::span<const View> v) {
                      b.combine(std::vector<Term>{{0.3, v[0]}, {-2, v[1]}}, v[2]);
                  });
}

void addCombineRowsCases(Cases& cases) {
    for (DType type : {DType::F32, DType::F64})
        for (int terms : {1, 2, 5, 12})
            cases.push_back(
                {std::string("combineRows/") + kernels::nameOf(type) + " " + std::to_string(terms) + " terms", type,
                 tolerance(type), [=](Backend& b) {
                     return combineRowsError(b, terms, {3, 7, 5}, type);
                 }});
}

SampleCall sampleCombineRows(DType type) {
    return sample({input("value", {2, 11}, type), input("value", {2, 11}, type), output("y", {2, 11}, type)},
                  [](Backend& b, std::span<const View> v) {
                      const std::vector<double> factors[] = {{0.3, 1}, {-2, 0.5}};
                      b.combineRows(v.first(2), factors, v[2]);
                  });
}

void addFillCases(Cases& cases) {
    for (DType type : {DType::F32, DType::F64, DType::F16, DType::BF16, DType::I32})
        cases.push_back({std::string("fill/") + kernels::nameOf(type), DType::F32, 0, [=](Backend& b) {
                             Fixture t(b);
                             const View y = t.room({101}, type);
                             b.fill(y, -3);
                             return differing(t.get(y), Host({101}, -3));
                         }});
}

SampleCall sampleFill(DType type) {
    return sample({output("y", {4, 11}, type)}, [](Backend& b, std::span<const View> v) { b.fill(v[0], -3); });
}

}  // namespace meander::kernels::verify
