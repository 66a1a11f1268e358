#include "kernels/cpu/dnnl_device.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "kernels/api/error.h"
#include "kernels/cpu/host_weights.h"

namespace meander::kernels {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

constexpr std::size_t maxPrepared =
    512;  // one model uses some dozens; sweeps over image sizes must not grow without end

Type typeOf(DType t) { return t == DType::BF16 ? Type::bf16 : Type::f32; }

dnnl::primitive_attr attributes() {
    dnnl::primitive_attr a;
    a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return a;
}

memory::desc rowsDesc(std::int64_t rows, std::int64_t columns, Type t) { return {{rows, columns}, t, Tag::ab}; }

std::int64_t outExtent(std::int64_t extent, const ConvWeights& w) {
    return (extent + 2 * w.padding - w.kernel) / w.stride + 1;
}

dnnl::matmul::primitive_desc describeLinear(const dnnl::engine& engine, std::int64_t rows, std::int64_t in,
                                            std::int64_t out, Type t, const memory::desc& weights) {
    return describeMatmul(engine, rowsDesc(rows, in, t), weights, nullptr, rowsDesc(rows, out, Type::f32),
                          attributes());
}

// One image as the engine has it, channels last, or in the order that oneDNN likes.
memory::desc imageIn(const ConvWeights& w, std::int64_t height, std::int64_t width, Type t, Tag order = Tag::nhwc) {
    return {{1, w.in, height, width}, t, order};
}
memory::desc imageOut(const ConvWeights& w, std::int64_t height, std::int64_t width, Tag order = Tag::nhwc) {
    return {{1, w.out, outExtent(height, w), outExtent(width, w)}, Type::f32, order};
}

// Winograd is there for channels in blocks only: the image is brought into that order and back, which costs far less
// than it saves.
dnnl::convolution_forward::primitive_desc describeConv(const dnnl::engine& engine, const ConvWeights& w,
                                                       dnnl::algorithm algorithm, std::int64_t height,
                                                       std::int64_t width, Type t, const memory::desc& weights) {
    const Tag order = algorithm == dnnl::algorithm::convolution_winograd ? Tag::any : Tag::nhwc;
    return describeConvolution(engine, algorithm, imageIn(w, height, width, t, order), weights, {},
                               imageOut(w, height, width, order), w.stride, w.padding, attributes());
}

}  // namespace

DnnlDevice::DnnlDevice() {
    // Asked of oneDNN, not of the processor: its own cap (ONEDNN_MAX_CPU_ISA) counts too. The values of the enumeration
    // are bit sets.
    const auto isa = unsigned(dnnl::get_effective_cpu_isa());
    const auto has = [isa](dnnl::cpu_isa wanted) { return (isa & unsigned(wanted)) == unsigned(wanted); };
    m_hasAvx512 = has(dnnl::cpu_isa::avx512_core);
    m_hasBf16 = has(dnnl::cpu_isa::avx512_core_bf16);
    const char* wish = std::getenv("MEANDER_CPU_DNNL");
    m_isForced = wish && *wish == '1';
    if (wish && *wish == '0') m_hasAvx512 = m_hasBf16 = false;
}

// The shortest of a few runs of one product of the size that networks have.
double DnnlDevice::productSeconds(Type type) {
    constexpr std::int64_t n = 768;
    const memory::desc plain = rowsDesc(n, n, type), any({n, n}, type, Tag::any);
    const auto d = describeMatmul(m_engine, plain, any, nullptr, plain, {});
    memory a(plain, m_engine), b(d.weights_desc(), m_engine), c(plain, m_engine);
    for (const memory& m : {a, b}) std::memset(m.get_data_handle(), 0, m.get_desc().get_size());
    const dnnl::matmul product(d);
    double best = INFINITY;
    for (int i = 0; i < 4; ++i) {
        const auto start = std::chrono::steady_clock::now();
        product.execute(m_stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
        m_stream.wait();
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
}

bool DnnlDevice::isBf16Faster() try {
    if (!m_isBf16Faster) m_isBf16Faster = m_hasBf16 && 1.25 * productSeconds(Type::bf16) < productSeconds(Type::f32);
    return *m_isBf16Faster;
} catch (const dnnl::error&) {
    return false;
}

// F32 and what already has the type of the computation is read where it is, in a mapped file maybe.
DnnlWeight DnnlDevice::reordered(MemoryPool& pool, int threads, const View& w, const memory::dims& extents, Tag order,
                                 const memory::desc& chosen, DType compute) {
    DnnlWeight weight{chosen, Scratch<char>(pool, chosen.get_size())};
    const bool isTaken = w.type == DType::F32 || w.type == compute;
    std::optional<Scratch<float>> converted;
    if (!isTaken) converted.emplace(pooledFloats(pool, threads, w));
    void* data = isTaken ? w.data : converted->data();
    memory from({extents, isTaken ? typeOf(w.type) : Type::f32, order}, m_engine, data),
        to(chosen, m_engine, weight.data.data());
    dnnl::reorder(from, to).execute(m_stream, from, to);
    m_stream.wait();
    return weight;
}

std::unique_ptr<DnnlLinear> DnnlDevice::packLinear(MemoryPool& pool, int threads, const View& w,
                                                   const std::vector<float>& bias, DType compute) try {
    const std::int64_t out = w.shape[0], in = w.shape[1];
    const memory::desc any({in, out}, typeOf(compute), Tag::any);
    const memory::desc chosen = describeLinear(m_engine, 256, in, out, typeOf(compute), any)
                                    .weights_desc();  // the order does not depend much on the rows
    auto packed =
        std::make_unique<DnnlLinear>(reordered(pool, threads, w, {in, out}, Tag::ba, chosen, compute), bias, compute);
    packed->in = in;
    packed->out = out;
    packed->bytes = chosen.get_size() + bias.size() * sizeof(float);
    return packed;
} catch (const dnnl::error&) {
    return nullptr;
}

std::unique_ptr<DnnlConv> DnnlDevice::packConv(MemoryPool& pool, int threads, const View& w,
                                               const std::vector<float>& bias, ConvGeometry g, DType compute,
                                               int height, int width) {
    const Shape& shape = w.shape;
    const bool isWinograd = compute == DType::F32 && shape[2] == 3 && g.stride == 1 && g.padding == 1 && m_hasAvx512;
    ConvWeights geometry;
    geometry.out = shape[0], geometry.in = shape[1], geometry.kernel = int(shape[2]), geometry.stride = g.stride,
    geometry.padding = g.padding;
    for (const auto algorithm : {dnnl::algorithm::convolution_winograd, dnnl::algorithm::convolution_direct}) {
        if (algorithm == dnnl::algorithm::convolution_winograd && !isWinograd) continue;
        if (algorithm == dnnl::algorithm::convolution_direct && isWinograd && !m_isForced)
            continue;  // our own direct one then
        try {
            const memory::dims extents{shape[0], shape[1], shape[2], shape[3]};
            const memory::desc any(extents, typeOf(compute), Tag::any);
            const memory::desc chosen =
                describeConv(m_engine, geometry, algorithm, height, width, typeOf(compute), any).weights_desc();
            auto packed = std::make_unique<DnnlConv>(reordered(pool, threads, w, extents, Tag::oihw, chosen, compute),
                                                     bias, compute, algorithm);
            static_cast<ConvWeights&>(*packed) = geometry;
            packed->bytes = chosen.get_size();
            packed->height = height, packed->width = width;
            return packed;
        } catch (const dnnl::error&) {  // not on this processor: the next one, or our own
        }
    }
    return nullptr;
}

const DnnlDevice::Prepared& DnnlDevice::remember(const Key& key, Prepared p) {
    if (m_prepared.size() >= maxPrepared) m_prepared.clear();
    return m_prepared.insert_or_assign(key, std::move(p)).first->second;
}

// A found primitive is used only for a weight of the very order it was made for: that was chosen for other extents,
// maybe.
const DnnlDevice::Prepared& DnnlDevice::preparedLinear(std::int64_t rows, const DnnlLinear& w) {
    const Key key{0, rows, w.in, w.out, int(w.compute())};
    if (const auto it = m_prepared.find(key); it != m_prepared.end() && it->second.weights == w.weight.desc)
        return it->second;
    const auto d = describeLinear(m_engine, rows, w.in, w.out, typeOf(w.compute()), w.weight.desc);
    return remember(key, {dnnl::matmul(d), d.src_desc(), d.weights_desc(), d.dst_desc(), d.scratchpad_desc()});
}

const DnnlDevice::Prepared& DnnlDevice::preparedConv(std::int64_t height, std::int64_t width, const DnnlConv& w) {
    const Key key{1, height, width, w.in, w.out, w.kernel, w.stride, w.padding, int(w.compute()), int(w.algorithm)};
    if (const auto it = m_prepared.find(key); it != m_prepared.end() && it->second.weights == w.weight.desc)
        return it->second;
    const auto d = describeConv(m_engine, w, w.algorithm, height, width, typeOf(w.compute()), w.weight.desc);
    return remember(key,
                    {dnnl::convolution_forward(d), d.src_desc(), d.weights_desc(), d.dst_desc(), d.scratchpad_desc()});
}

void DnnlDevice::execute(MemoryPool& pool, const Prepared& p, const DnnlWeight& weight, const void* x, float* sums) {
    const Scratch<char> scratchpad(pool, p.scratchpad.get_size());
    p.primitive.execute(m_stream, {{DNNL_ARG_SRC, memory(p.src, m_engine, const_cast<void*>(x))},
                                   {DNNL_ARG_WEIGHTS, memory(p.weights, m_engine, weight.data.data())},
                                   {DNNL_ARG_DST, memory(p.dst, m_engine, sums)},
                                   {DNNL_ARG_SCRATCHPAD, memory(p.scratchpad, m_engine, scratchpad.data())}});
    m_stream.wait();
}

void DnnlDevice::linear(MemoryPool& pool, const void* x, std::int64_t rows, const DnnlLinear& w, float* sums) try {
    execute(pool, preparedLinear(rows, w), w.weight, x, sums);
} catch (const dnnl::error& e) {
    throw DeviceError(std::string("oneDNN could not compute a linear layer (") + e.what()
                      + "). Set MEANDER_CPU_DNNL=0 to do without it.");
}

// The order of Winograd's weights depends on the extents of the image they are packed for, and oneDNN refuses that
// order for some other extents, smaller and larger.
bool DnnlDevice::accepts(std::int64_t height, std::int64_t width, const DnnlConv& w) {
    const Key key{height, width, w.height, w.width, w.in, w.out};
    if (m_refused.count(key)) return false;
    try {
        preparedConv(height, width, w);
        return true;
    } catch (const dnnl::error&) {
        const bool hasTiles = w.algorithm == dnnl::algorithm::convolution_winograd && w.height > 2 && w.width > 2;
        if (!hasTiles) throw;
        if (m_refused.size() >= maxPrepared) m_refused.clear();
        m_refused.insert(key);
        return false;
    }
}

void DnnlDevice::conv(MemoryPool& pool, const void* x, std::int64_t height, std::int64_t width, const DnnlConv& w,
                      float* sums) try {
    if (accepts(height, width, w)) convWhole(pool, x, height, width, w, sums);
    else convInTiles(pool, static_cast<const float*>(x), height, width, w, sums);
} catch (const dnnl::error& e) {
    throw DeviceError(std::string("oneDNN could not compute a convolution (") + e.what()
                      + "). Set MEANDER_CPU_DNNL=0 to do without it.");
}

// Tiles of the extents that the weights were packed for, with the border of one pixel that a 3 × 3 filter needs
// (Winograd is used for no other, with stride and padding 1). Beyond the image are zeros, as the padding has them.
void DnnlDevice::convInTiles(MemoryPool& pool, const float* x, std::int64_t height, std::int64_t width,
                             const DnnlConv& w, float* sums) {
    const std::int64_t pixels = w.height * w.width, tall = w.height - 2, wide = w.width - 2;
    const Scratch<float> in(pool, std::size_t(pixels * w.in)), out(pool, std::size_t(pixels * w.out));
    for (std::int64_t top = 0; top < height; top += tall)
        for (std::int64_t left = 0; left < width; left += wide) {
            std::fill_n(in.data(), pixels * w.in, 0.0f);
            const std::int64_t first = std::max<std::int64_t>(0, left - 1), last = std::min(width, left + wide + 1);
            for (std::int64_t row = std::max<std::int64_t>(0, top - 1); row < std::min(height, top + tall + 1); ++row)
                std::copy(x + (row * width + first) * w.in, x + (row * width + last) * w.in,
                          in.data() + ((row - top + 1) * w.width + first - left + 1) * w.in);
            convWhole(pool, in.data(), w.height, w.width, w, out.data());
            const std::int64_t columns = std::min(wide, width - left);
            for (std::int64_t row = top; row < std::min(height, top + tall); ++row)
                std::copy_n(out.data() + ((row - top + 1) * w.width + 1) * w.out, columns * w.out,
                            sums + (row * width + left) * w.out);
        }
}

void DnnlDevice::convWhole(MemoryPool& pool, const void* x, std::int64_t height, std::int64_t width, const DnnlConv& w,
                           float* sums) {
    const Prepared& p = preparedConv(height, width, w);
    memory in(imageIn(w, height, width, typeOf(w.compute())), m_engine, const_cast<void*>(x)),
        out(imageOut(w, height, width), m_engine, sums);
    if (p.src == in.get_desc() && p.dst == out.get_desc()) return execute(pool, p, w.weight, x, sums);
    const Scratch<char> source(pool, p.src.get_size()), target(pool, p.dst.get_size());
    memory blockedIn(p.src, m_engine, source.data()), blockedOut(p.dst, m_engine, target.data());
    dnnl::reorder(in, blockedIn).execute(m_stream, in, blockedIn);
    m_stream.wait();
    execute(pool, p, w.weight, source.data(), reinterpret_cast<float*>(target.data()));
    dnnl::reorder(blockedOut, out).execute(m_stream, blockedOut, out);
    m_stream.wait();
}

}  // namespace meander::kernels
