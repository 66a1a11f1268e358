#include "kernels/api/contract.h"

#include <stdexcept>

namespace meander::kernels {
namespace {

bool isFloat(DType t) { return t != DType::I32; }
bool isWeight(DType t) { return t == DType::F32 || t == DType::F16 || t == DType::BF16; }

// "x", "x and y", "q, k and v"
std::string namesOf(Arguments arguments) {
    std::string names;
    std::size_t i = 0;
    for (const Argument& a : arguments) {
        if (i > 0) names += i + 1 == arguments.size() ? " and " : ", ";
        names += a.name;
        ++i;
    }
    return names;
}

}  // namespace

const char* nameOf(Operation o) {
    static constexpr const char* names[] = {
#define OPERATION(Name, name, Result, ...) #name,
#include "kernels/api/operations.inl"
#undef OPERATION
    };
    return names[std::size_t(o)];
}

std::string describe(const Argument& a) {
    if (!a.view) return std::string("no ") + a.name;
    std::string text = std::string(a.name) + " " + nameOf(a.view.type) + " " + a.view.shape.text();
    if (!a.view.isDense())
        text += " with strides " + Shape(std::span(a.view.strides).first(std::size_t(a.view.shape.rank()))).text();
    return text;
}

void Contract::reject(const std::string& rule, Arguments arguments) const {
    std::string text = std::string(nameOf(m_operation)) + ": " + rule;
    const char* separator = "; got ";
    for (const Argument& a : arguments) {
        text += separator + describe(a);
        separator = " and ";
    }
    throw std::invalid_argument(text);
}

void Contract::given(Arguments arguments) const {
    for (const Argument& a : arguments)
        if (!a.view) reject(std::string(a.name) + " is missing", {});
}

void Contract::dense(Arguments arguments) const {
    given(arguments);
    for (const Argument& a : arguments)
        if (!a.view.isDense()) reject(std::string(a.name) + " must be dense (copy it first)", {a});
}

void Contract::denseRows(Arguments arguments) const {
    given(arguments);
    for (const Argument& a : arguments)
        if (!a.view.hasDenseRows())
            reject("the elements of " + std::string(a.name) + "'s last dimension must be neighbours (copy it first)",
                   {a});
}

void Contract::activations(Arguments arguments) const {
    const DType type = arguments.begin()->view.type;
    for (const Argument& a : arguments)
        if (a.view.type != type) reject(namesOf(arguments) + " must have one type", arguments);
    if (type != DType::F32 && type != DType::BF16 && type != DType::F16)
        reject("activations must be f32, bf16 or f16", {*arguments.begin()});
    if (!m_backend.computesIn(type))
        reject("the device " + m_backend.id() + " does not compute in " + nameOf(type), {*arguments.begin()});
}

void Contract::floats(Arguments arguments) const {
    for (const Argument& a : arguments)
        if (!isFloat(a.view.type)) reject(std::string(a.name) + " must be of a floating-point type", {a});
}

void Contract::sameType(const Argument& a, const Argument& b) const {
    require(a.view.type == b.view.type, namesOf({a, b}) + " must have one type", {a, b});
}

void Contract::sameShape(const Argument& a, const Argument& b) const {
    if (!(a.view.shape == b.view.shape)) reject(namesOf({a, b}) + " must have the same shape", {a, b});
}

void Contract::sameCount(const Argument& a, const Argument& b) const {
    if (a.view.count() != b.view.count()) reject(namesOf({a, b}) + " must have as many elements", {a, b});
}

void Contract::channelVector(const Argument& v, const Argument& x) const {
    if (!v.view) return;
    groupedVectors(v, x);
    if (v.view.count() != lastExtent(x.view)) reject(std::string(v.name) + " must be (c)", {v, x});
}

void Contract::groupedVectors(const Argument& v, const Argument& x) const {
    if (!v.view) return;
    dense({v});
    const std::int64_t c = lastExtent(x.view), groups = v.view.count() / (c > 0 ? c : 1);
    if (v.view.type != DType::F32 && v.view.type != x.view.type)
        reject(std::string(v.name) + " must be f32 or of " + x.name + "'s type", {v, x});
    if (v.view.shape.rank() < 1 || lastExtent(v.view) != c || groups < 1 || leadingCount(x.view) % groups != 0)
        reject(std::string(v.name) + " must be (c) or (groups, c), with " + x.name + "'s rows split evenly", {v, x});
}

void Contract::hostWeights(const View& weight, const View& bias, DType compute) const {
    dense({{"weight", weight}});
    require(isWeight(weight.type), "weight must be f32, f16 or bf16", {{"weight", weight}});
    hostBias(bias, weight.shape[0]);
    computable(compute);
}

void Contract::hostBias(const View& bias, std::int64_t outputs) const {
    if (!bias) return;
    dense({{"bias", bias}});
    require(isWeight(bias.type), "bias must be f32, f16 or bf16", {{"bias", bias}});
    if (bias.count() != outputs)
        reject("bias must have one value per output, " + std::to_string(outputs), {{"bias", bias}});
}

void Contract::computable(DType compute) const {
    if (!m_backend.computesIn(compute))
        reject("the device " + m_backend.id() + " does not compute in " + nameOf(compute), {});
}

void Contract::packedHere(const Backend* owner, DType compute, const Argument& x) const {
    if (owner != &m_backend) reject("the weights were packed by another backend", {});
    if (x.view.type != compute) reject(std::string("the weights were packed for ") + nameOf(compute), {x});
}

void Contract::epilogue(const Epilogue& e, const View& y) const {
    const Argument to{"y", y};
    for (const Argument& a : {Argument{"multiply", e.multiply}, Argument{"residual", e.residual}}) {
        if (!a.view) continue;
        dense({a});
        sameType(a, to);
        require(a.view.count() == y.count() && lastExtent(a.view) == lastExtent(y),
                std::string(a.name) + " must have y's shape", {a, to});
    }
    groupedVectors({"gate", e.gate}, to);
    groupedVectors({"rowBias", e.rowBias}, to);
}

}  // namespace meander::kernels
