#include "kernels/verify/dnnl_baseline.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "kernels/cpu/dnnl_shim.h"
#include "kernels/cpu/parallel.h"

namespace meander::kernels {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;
using Arguments = std::unordered_map<int, memory>;

Type dnnlType(DType t) { return t == DType::BF16 ? Type::bf16 : Type::f32; }

// Memory with finite, non-zero, non-denormal contents.
memory filled(const memory::desc& d, const dnnl::engine& engine) {
    memory m(d, engine);
    const std::size_t bytes = d.get_size();
    auto* p = static_cast<unsigned char*>(m.get_data_handle());
    for (std::size_t i = 0; i < bytes; ++i)
        p[i] = i % 2 ? 0x3c : std::uint8_t(i * 37);  // every float and every bf16 is near 0.01
    return m;
}

}  // namespace

struct DnnlBaseline::State {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};

    std::optional<BaselineCandidate> linear(const TracedOp& op, DType type) const;
    std::optional<BaselineCandidate> pointwise(const TracedOp& op, DType type) const;
    std::optional<BaselineCandidate> conv(const TracedOp& op, DType type, dnnl::algorithm algorithm) const;
    std::optional<BaselineCandidate> fullAttention(const TracedOp& op, DType type) const;
    std::optional<BaselineCandidate> tiledAttention(const TracedOp& op, DType type, std::int64_t tile) const;
    BaselineCandidate candidate(const std::string& name, const dnnl::primitive& primitive,
                                const Arguments& args) const {
        return {name, [primitive, args, s = stream]() mutable {
                    primitive.execute(s, args);
                    s.wait();
                }};
    }
};

DnnlBaseline::DnnlBaseline() : m(std::make_unique<State>()) {}
DnnlBaseline::~DnnlBaseline() = default;

int DnnlBaseline::threads() const {
#ifdef MEANDER_SERIAL_LOOPS
    return 1;
#else
    return omp_get_max_threads();
#endif
}

std::optional<BaselineCandidate> DnnlBaseline::State::linear(const TracedOp& op, DType type) const try {
    const auto* e = op.extents;
    const Type t = dnnlType(type);
    const memory::desc x({e[0], e[1]}, t, Tag::ab), w({e[1], e[2]}, t, Tag::any), b({1, e[2]}, Type::f32, Tag::ab),
        y({e[0], e[2]}, t, Tag::ab);
    const auto d = describeMatmul(engine, x, w, &b, y, {});
    return candidate(std::string("matmul ") + d.impl_info_str(), dnnl::matmul(d),
                     {{DNNL_ARG_SRC, filled(x, engine)},
                      {DNNL_ARG_WEIGHTS, filled(d.weights_desc(), engine)},
                      {DNNL_ARG_BIAS, filled(b, engine)},
                      {DNNL_ARG_DST, filled(y, engine)}});
} catch (const dnnl::error&) {
    return std::nullopt;
}

// A linear layer is a 1x1 convolution too, and below AVX-512 oneDNN is better at those.
std::optional<BaselineCandidate> DnnlBaseline::State::pointwise(const TracedOp& op, DType type) const {
    TracedOp conv{Operation::Conv2d, type, {1, 1, op.extents[0], op.extents[1], op.extents[2], 1, 1, 0}};
    auto c = this->conv(conv, type, dnnl::algorithm::convolution_direct);
    if (c) c->implementation = "1x1 " + c->implementation;
    return c;
}

std::optional<BaselineCandidate> DnnlBaseline::State::conv(const TracedOp& op, DType type,
                                                           dnnl::algorithm algorithm) const try {
    const auto* e = op.extents;
    const Type t = dnnlType(type);
    const std::int64_t h = (e[1] + 2 * e[7] - e[5]) / e[6] + 1, w = (e[2] + 2 * e[7] - e[5]) / e[6] + 1;
    // Channels last, as an engine has them; Winograd knows channels in blocks only and is timed without the way there
    // and back.
    const Tag order = algorithm == dnnl::algorithm::convolution_winograd ? Tag::any : Tag::nhwc;
    const memory::desc x({e[0], e[3], e[1], e[2]}, t, order), weights({e[4], e[3], e[5], e[5]}, t, Tag::any),
        b({e[4]}, Type::f32, Tag::a), y({e[0], e[4], h, w}, t, order);
    const auto d = describeConvolution(engine, algorithm, x, weights, b, y, int(e[6]), int(e[7]), {});
    return candidate(std::string("conv ") + d.impl_info_str(), dnnl::convolution_forward(d),
                     {{DNNL_ARG_SRC, filled(d.src_desc(), engine)},
                      {DNNL_ARG_WEIGHTS, filled(d.weights_desc(), engine)},
                      {DNNL_ARG_BIAS, filled(b, engine)},
                      {DNNL_ARG_DST, filled(d.dst_desc(), engine)}});
} catch (const dnnl::error&) {
    return std::nullopt;
}

// Scores of all heads at once: matmul, softmax, matmul.
std::optional<BaselineCandidate> DnnlBaseline::State::fullAttention(const TracedOp& op, DType type) const try {
    const auto* e = op.extents;
    const std::int64_t pairs = e[0] * e[3], tq = e[1], tk = e[2], d = e[4], dv = e[5];
    if (pairs * tq * tk > (std::int64_t(1) << 28)) return std::nullopt;
    const Type t = dnnlType(type);
    const memory::desc q({pairs, tq, d}, t, Tag::abc), k({pairs, d, tk}, t, Tag::acb), s({pairs, tq, tk}, t, Tag::abc),
        v({pairs, tk, dv}, t, Tag::abc), y({pairs, tq, dv}, t, Tag::abc);
    const auto qk = describeMatmul(engine, q, k, nullptr, s, {}), pv = describeMatmul(engine, s, v, nullptr, y, {});
    const auto soft = describeSoftmax(engine, s, 2, {});
    const memory scores = filled(s, engine);
    return BaselineCandidate{
        std::string("full ") + qk.impl_info_str(),
        [first = dnnl::matmul(qk), second = dnnl::matmul(pv), softmax = dnnl::softmax_forward(soft), scores,
         mq = filled(q, engine), mk = filled(k, engine), mv = filled(v, engine), my = filled(y, engine),
         stream = stream]() mutable {
            first.execute(stream, {{DNNL_ARG_SRC, mq}, {DNNL_ARG_WEIGHTS, mk}, {DNNL_ARG_DST, scores}});
            softmax.execute(stream, {{DNNL_ARG_SRC, scores}, {DNNL_ARG_DST, scores}});
            second.execute(stream, {{DNNL_ARG_SRC, scores}, {DNNL_ARG_WEIGHTS, mv}, {DNNL_ARG_DST, my}});
            stream.wait();
        }};
} catch (const dnnl::error&) {
    return std::nullopt;
}

// Threads over heads, single-threaded primitives, the scores of a tile of queries in the second cache.
std::optional<BaselineCandidate> DnnlBaseline::State::tiledAttention(const TracedOp& op, DType type,
                                                                     std::int64_t tile) const try {
    const auto* e = op.extents;
    const std::int64_t pairs = e[0] * e[3], tq = e[1], tk = e[2], d = e[4], dv = e[5];
    if (tq % tile != 0) return std::nullopt;
    const Type t = dnnlType(type);
    const memory::desc q({tile, d}, t, Tag::ab), k({d, tk}, t, Tag::any), s({tile, tk}, t, Tag::ab),
        v({tk, dv}, t, Tag::any), y({tile, dv}, t, Tag::ab);
    const int threads = pairs > 1 ? DnnlBaseline().threads() : 1;
#ifndef MEANDER_SERIAL_LOOPS
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
#endif
    struct Shared {
        dnnl::matmul first, second;
        dnnl::softmax_forward softmax;
        std::vector<memory> q, k, v, s, y;
        std::vector<dnnl::stream> streams;
    };
    auto shared = std::make_shared<Shared>();
    const auto qk = describeMatmul(engine, q, k, nullptr, s, {}), pv = describeMatmul(engine, s, v, nullptr, y, {});
    shared->first = dnnl::matmul(qk);
    shared->second = dnnl::matmul(pv);
    shared->softmax = dnnl::softmax_forward(describeSoftmax(engine, s, 1, {}));
#ifndef MEANDER_SERIAL_LOOPS
    omp_set_num_threads(before);
#endif
    for (int i = 0; i < threads; ++i) {
        shared->q.push_back(filled(q, engine)), shared->s.push_back(filled(s, engine)),
            shared->y.push_back(filled(y, engine));
        shared->k.push_back(filled(qk.weights_desc(), engine)), shared->v.push_back(filled(pv.weights_desc(), engine));
        shared->streams.emplace_back(engine);
    }
    return BaselineCandidate{
        std::string("tiled ") + std::to_string(tile) + " " + qk.impl_info_str(), [=] {
            parallelFor(threads, pairs, [&](std::int64_t, int thread) {
                const auto i = std::size_t(thread);
                Shared& m = *shared;
                for (std::int64_t row = 0; row < tq; row += tile) {
                    m.first.execute(m.streams[i],
                                    {{DNNL_ARG_SRC, m.q[i]}, {DNNL_ARG_WEIGHTS, m.k[i]}, {DNNL_ARG_DST, m.s[i]}});
                    m.softmax.execute(m.streams[i], {{DNNL_ARG_SRC, m.s[i]}, {DNNL_ARG_DST, m.s[i]}});
                    m.second.execute(m.streams[i],
                                     {{DNNL_ARG_SRC, m.s[i]}, {DNNL_ARG_WEIGHTS, m.v[i]}, {DNNL_ARG_DST, m.y[i]}});
                }
            });
        }};
} catch (const dnnl::error&) {
    return std::nullopt;
}

std::vector<BaselineCandidate> DnnlBaseline::candidates(const TracedOp& op, DType type) const {
    std::vector<BaselineCandidate> found;
    const auto add = [&](std::optional<BaselineCandidate> c) {
        if (c) found.push_back(std::move(*c));
    };
    switch (op.kind) {
    case Operation::Linear:
        add(m->linear(op, type));
        add(m->pointwise(op, type));
        break;
    case Operation::Conv2d:
        add(m->conv(op, type, dnnl::algorithm::convolution_direct));
        if (type == DType::F32 && op.extents[5] == 3 && op.extents[6] == 1)
            add(m->conv(op, type, dnnl::algorithm::convolution_winograd));
        break;
    case Operation::Attention:
        add(m->fullAttention(op, type));
        for (std::int64_t tile : {32, 64, 128}) add(m->tiledAttention(op, type, tile));
        break;
    default: break;
    }
    if (found.empty() && type == DType::BF16) {
        found = candidates(op, DType::F32);
        for (BaselineCandidate& c : found) c.implementation += " (f32)";
    }
    return found;
}

}  // namespace meander::kernels
