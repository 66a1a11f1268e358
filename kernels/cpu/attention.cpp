// Attention: keys and values packed once per head, then tiles of queries whose scores stay in the second cache; the
// softmax is ours.
#include <algorithm>

#include "kernels/api/contract.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/product.h"

namespace meander::kernels {
namespace {

struct Geometry {
    std::int64_t batch, queries, keys, heads, d, dv;
    // Elements from image to image and from token to token.
    struct Steps {
        std::int64_t image, token;
    } q, k, v, y;
};

Geometry geometryOf(const AttentionArgs& a, const View& y) {
    const auto steps = [](const View& x) { return Geometry::Steps{x.stride(0), x.stride(1)}; };
    return {a.q.shape[0],           a.q.shape[1], a.k.shape[1], a.heads,    a.q.shape[2] / a.heads,
            a.v.shape[2] / a.heads, steps(a.q),   steps(a.k),   steps(a.v), steps(y)};
}

// Rows of queries in a tile: scores of about 256 KB, at most 96.
int tileRows(const Loops& loops, const Geometry& g) {
    const std::int64_t fitting =
        (std::int64_t(256) << 10) / (std::int64_t(sizeof(float)) * g.keys) / loops.mr * loops.mr;
    return int(std::clamp<std::int64_t>(fitting, 2 * loops.mr, 96));
}

template <class T> void packKeys(const Loops& loops, const Geometry& g, const T* k, float* to) {
    packPanels(loops, g.d, g.keys, to,
               [&](std::int64_t i, std::int64_t key) { return elementAsFloat(k[key * g.k.token + i]); });
}
template <class T> void packValues(const Loops& loops, const Geometry& g, const T* v, float* to) {
    packPanels(loops, g.keys, g.dv, to,
               [&](std::int64_t key, std::int64_t i) { return elementAsFloat(v[key * g.v.token + i]); });
}

// What one tile works in.
struct Tile {
    float *scores, *out, *queries;
    const float** pointers;
};

struct Pass {
    const Loops& loops;
    const AttentionArgs& a;
    const Geometry& g;
    View y;
    const float *keys, *values;       // packed, per (batch, head)
    std::int64_t keySize, valueSize;  // floats of each
    std::int64_t scoreStride, outStride;
    int rows;
};

void product(const Loops& loops, const float* const* pointers, int rows, int rowStride, std::int64_t depth,
             const float* panels, std::int64_t panelStride, std::int64_t columns, float* acc, std::int64_t accStride) {
    GemmBlock b;
    b.rows = pointers;
    b.rowStride = rowStride;
    b.rowCount = rows;
    b.panels = panels;
    b.panelStride = panelStride;
    b.columns = columns;
    b.acc = acc;
    b.accStride = accStride;
    for (std::int64_t offset = 0; offset < depth; offset += loops.depthBlock) {
        b.offset = b.panelDepth = offset;
        b.depth = std::min<std::int64_t>(loops.depthBlock, depth - offset);
        loops.gemm(b);
        b.accumulate = true;
    }
}

void softmaxTile(const Pass& p, std::int64_t batch, std::int64_t head, std::int64_t first, int rows, const Tile& t,
                 float* sums) {
    const Geometry& g = p.g;
    const float* bias = p.a.keyBias ? p.a.keyBias.as<float>() + batch * g.keys : nullptr;
    for (int r = 0; r < rows; ++r) {
        float* s = t.scores + r * p.scoreStride;
        const std::int64_t seen = p.a.causal ? std::min(g.keys, first + r + 1) : g.keys;  // query i sees keys 0..i
        sums[r] = p.loops.softmaxRow(s, seen, p.a.scale, bias);
        if (seen < g.keys) std::fill(s + seen, s + g.keys, 0.0f);
        if (p.a.probabilities) {
            float* to = p.a.probabilities.as<float>() + ((batch * g.heads + head) * g.queries + first + r) * g.keys;
            p.loops.scaleRow[0](s, g.keys, sums[r] > 0 ? 1.0f / sums[r] : 0.0f, to);
        }
    }
}

void attendTile(const Pass& p, std::int64_t head, std::int64_t batch, std::int64_t first, int rows, const Tile& t) {
    const Geometry& g = p.g;
    const std::int64_t which = batch * g.heads + head;
    for (int r = 0; r < rows; ++r) {
        const std::int64_t element = batch * g.q.image + (first + r) * g.q.token + head * g.d;
        if (p.a.q.type == DType::F32) {
            t.pointers[r] = p.a.q.as<float>() + element;
        } else {
            p.loops.toFloat[1](p.a.q.as<std::uint16_t>() + element, g.d, t.queries + r * g.d);
            t.pointers[r] = t.queries + r * g.d;
        }
    }
    const std::int64_t seen = p.a.causal ? std::min(g.keys, first + rows) : g.keys;
    product(p.loops, t.pointers, rows, p.rows, g.d, p.keys + which * p.keySize, g.d * p.loops.nr, seen, t.scores,
            p.scoreStride);
    float sums[128];
    softmaxTile(p, batch, head, first, rows, t, sums);
    for (int r = 0; r < rows; ++r) t.pointers[r] = t.scores + r * p.scoreStride;
    product(p.loops, t.pointers, rows, p.rows, seen, p.values + which * p.valueSize, g.keys * p.loops.nr, g.dv, t.out,
            p.outStride);
    for (int r = 0; r < rows; ++r) {
        const std::int64_t element = batch * g.y.image + (first + r) * g.y.token + head * g.dv;
        const float factor = sums[r] != 0 ? 1.0f / sums[r] : 0.0f;
        p.loops.scaleRow[typeIndex(p.y.type)](t.out + r * p.outStride, g.dv, factor,
                                              p.y.as<char>() + std::size_t(element) * sizeOf(p.y.type));
    }
}

}  // namespace

void CpuBackend::doAttention(const AttentionArgs& a, View y) {
    const Geometry g = geometryOf(a, y);
    const std::int64_t keySize = packedCount(m_loops, g.d, g.keys), valueSize = packedCount(m_loops, g.keys, g.dv),
                       pairs = g.batch * g.heads;
    const Scratch<float> keys(m_pool, std::size_t(pairs * keySize)), values(m_pool, std::size_t(pairs * valueSize));
    parallelFor(m_threads, pairs, [&](std::int64_t i, int) {
        const std::int64_t k = i / g.heads * g.k.image + i % g.heads * g.d,
                           v = i / g.heads * g.v.image + i % g.heads * g.dv;
        if (a.k.type == DType::F32) {
            packKeys(m_loops, g, a.k.as<float>() + k, keys.data() + i * keySize);
            packValues(m_loops, g, a.v.as<float>() + v, values.data() + i * valueSize);
        } else {
            packKeys(m_loops, g, a.k.as<std::uint16_t>() + k, keys.data() + i * keySize);
            packValues(m_loops, g, a.v.as<std::uint16_t>() + v, values.data() + i * valueSize);
        }
    });

    const int rows = tileRows(m_loops, g);
    const auto roundUp = [&](std::int64_t n) { return (n + m_loops.width - 1) / m_loops.width * m_loops.width; };
    const Pass pass{m_loops,       a,   g, y, keys.data(), values.data(), keySize, valueSize, roundUp(g.keys),
                    roundUp(g.dv), rows};
    const std::size_t threads = std::size_t(m_threads), tile = std::size_t(rows);
    const Scratch<float> scores(m_pool, threads * tile * std::size_t(pass.scoreStride)),
        out(m_pool, threads * tile * std::size_t(pass.outStride));
    const Scratch<float> queries(m_pool, a.q.type == DType::F32 ? 0 : threads * tile * std::size_t(g.d));
    const Scratch<const float*> pointers(m_pool, threads * tile);
    const std::int64_t tiles = (g.queries + rows - 1) / rows;
    parallelFor(m_threads, pairs * tiles, [&](std::int64_t task, int thread) {
        const std::int64_t which = task / tiles, first = task % tiles * rows, n = std::int64_t(thread) * rows;
        const Tile t{scores.data() + n * pass.scoreStride, out.data() + n * pass.outStride,
                     queries.data() ? queries.data() + n * g.d : nullptr, pointers.data() + n};
        attendTile(pass, which % g.heads, which / g.heads, first, int(std::min<std::int64_t>(rows, g.queries - first)),
                   t);
    });
}

void CpuBackend::doSoftmax(View x, View y) {
    const std::int64_t n = lastExtent(x);
    const int type = typeIndex(x.type);
    const std::size_t size = sizeOf(x.type);
    const std::int64_t padded = (n + m_loops.width - 1) / m_loops.width * m_loops.width;
    const Scratch<float> room(m_pool, std::size_t(m_threads) * std::size_t(padded));
    parallelFor(m_threads, x.count() / n, [&](std::int64_t row, int thread) {
        float* s = room.data() + thread * padded;
        m_loops.toFloat[type](x.as<char>() + std::size_t(row * n) * size, n, s);
        const float sum = m_loops.softmaxRow(s, n, 1.0f, nullptr);
        m_loops.scaleRow[type](s, n, sum != 0 ? 1.0f / sum : 0.0f, y.as<char>() + std::size_t(row * n) * size);
    });
}

}  // namespace meander::kernels
