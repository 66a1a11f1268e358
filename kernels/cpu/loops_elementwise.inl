// Elementwise loops and what follows a product.
namespace {

using meander::kernels::Activation;
using meander::kernels::Binary;
using meander::kernels::EpilogueRow;
using meander::kernels::Unary;

inline Vec geluTanh(Vec x) {
    const Vec inner = set1(0.7978845608028654f) * fma(set1(0.044715f) * x * x, x, x);
    return x * sigmoidOf(inner + inner);  // 0.5 (1 + tanh u) = sigmoid(2u)
}
// x Φ(x), Φ(x) = erfc(|x| / √2) / 2 below zero and one minus that above.
inline Vec geluErf(Vec x) {
    const Vec tail = set1(0.5f) * absOf(x) * erfcOf(absOf(x) * set1(0.70710678118654752f));
    return max(set1(0.0f), x) - tail;
}

template <Activation A> inline Vec activate(Vec x) {
    if constexpr (A == Activation::Silu) return x * sigmoidOf(x);
    else if constexpr (A == Activation::GeluErf) return geluErf(x);
    else if constexpr (A == Activation::GeluTanh) return geluTanh(x);
    else if constexpr (A == Activation::QuickGelu) return x * sigmoidOf(set1(1.702f) * x);
    else if constexpr (A == Activation::Relu) return max(set1(0.0f), x);  // this order keeps NaN
    else return x;
}

// Calls f with the activation as a compile-time constant.
template <class F> inline void withActivation(Activation a, F f) {
    switch (a) {
    case Activation::None: return f.template operator()<Activation::None>();
    case Activation::Silu: return f.template operator()<Activation::Silu>();
    case Activation::GeluErf: return f.template operator()<Activation::GeluErf>();
    case Activation::GeluTanh: return f.template operator()<Activation::GeluTanh>();
    case Activation::QuickGelu: return f.template operator()<Activation::QuickGelu>();
    case Activation::Relu: return f.template operator()<Activation::Relu>();
    }
}

template <class T> void epilogue(const float* acc, std::int64_t n, const EpilogueRow& e, void* yRaw) {
    T* y = static_cast<T*>(yRaw);
    const T *multiply = static_cast<const T*>(e.multiply), *residual = static_cast<const T*>(e.residual);
    withActivation(e.activation, [&]<Activation A>() {
        eachVec(n, [&](std::int64_t i, int count) {
            Vec v = load(acc + i, count);
            if (e.bias) v = v + load(e.bias + i, count);
            if (e.rowBias) v = v + load(e.rowBias + i, count);
            v = activate<A>(v);
            if (multiply) v = v * load(multiply + i, count);
            if (e.gate) v = v * load(e.gate + i, count);
            if (residual) v = v + load(residual + i, count);
            if (e.scale != 1.0f) v = v * set1(e.scale);
            store(y + i, v, count);
        });
    });
}

template <class T> void unary(Unary op, const void* xRaw, std::int64_t n, void* yRaw) {
    const T* x = static_cast<const T*>(xRaw);
    T* y = static_cast<T*>(yRaw);
    const auto apply = [&](auto f) {
        eachVec(n, [&](std::int64_t i, int count) { store(y + i, f(load(x + i, count)), count); });
    };
    const auto perLane = [&](float (*f)(float)) {
        apply([f](Vec v) {
            float lanes[vecWidth];
            store(lanes, v);
            for (float& lane : lanes) lane = f(lane);
            return load(lanes);
        });
    };
    switch (op) {
    case Unary::Copy: return apply([](Vec v) { return v; });
    case Unary::Silu: return apply(activate<Activation::Silu>);
    case Unary::GeluErf: return apply(activate<Activation::GeluErf>);
    case Unary::GeluTanh: return apply(activate<Activation::GeluTanh>);
    case Unary::QuickGelu: return apply(activate<Activation::QuickGelu>);
    case Unary::Relu: return apply(activate<Activation::Relu>);
    case Unary::Sqrt: return apply(sqrtOf);
    case Unary::Tanh: return apply(tanhOf);
    case Unary::Abs: return apply(absOf);
    case Unary::Clamp1: return apply([](Vec v) { return max(set1(-1.0f), min(set1(1.0f), v)); });
    case Unary::Exp: return perLane(::expf);
    case Unary::Sin: return perLane(::sinf);
    case Unary::Cos: return perLane(::cosf);
    }
}

template <class T> void binary(Binary op, const void* aRaw, const void* bRaw, std::int64_t n, void* yRaw) {
    const T *a = static_cast<const T*>(aRaw), *b = static_cast<const T*>(bRaw);
    T* y = static_cast<T*>(yRaw);
    const auto apply = [&](auto f) {
        eachVec(n, [&](std::int64_t i, int count) { store(y + i, f(load(a + i, count), load(b + i, count)), count); });
    };
    switch (op) {
    case Binary::Add: return apply([](Vec p, Vec q) { return p + q; });
    case Binary::Sub: return apply([](Vec p, Vec q) { return p - q; });
    case Binary::Mul: return apply([](Vec p, Vec q) { return p * q; });
    case Binary::Div: return apply([](Vec p, Vec q) { return p / q; });
    case Binary::Min: return apply([](Vec p, Vec q) { return min(p, q); });
    case Binary::Max: return apply([](Vec p, Vec q) { return max(p, q); });
    }
}

template <class T> void scaleRow(const float* x, std::int64_t n, float factor, void* yRaw) {
    T* y = static_cast<T*>(yRaw);
    eachVec(n, [&](std::int64_t i, int count) { store(y + i, load(x + i, count) * set1(factor), count); });
}
template <class T> void toFloat(const void* xRaw, std::int64_t n, float* y) {
    const T* x = static_cast<const T*>(xRaw);
    eachVec(n, [&](std::int64_t i, int count) { store(y + i, load(x + i, count), count); });
}
template <class T> void fromFloat(const float* x, std::int64_t n, void* yRaw) {
    T* y = static_cast<T*>(yRaw);
    eachVec(n, [&](std::int64_t i, int count) { store(y + i, load(x + i, count), count); });
}

}  // namespace
