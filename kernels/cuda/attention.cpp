// Attention, two ways.
//  - flash.cu: one kernel that never stores the scores. For half types when nobody asks for the probabilities: the way
//    of every sampling step.
//  - here: scores by cuBLASLt, softmax, product by cuBLASLt. For F32, for very wide heads, and when the probabilities
//    are looked at: then they are what lies between the two products anyway. One image at a time, all heads at once,
//    and as many queries at once as the scratch allows.
//
// Queries, keys and values are read where they lie: a head is a matrix whose rows are a token's stride apart, the next
// head starts d further on.
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/operations.h"

#include <algorithm>

namespace meander::kernels::cuda {
namespace {

constexpr std::size_t mostScores = std::size_t(256) << 20;

const char* tokenAt(const View& v, std::int64_t image, std::int64_t token) {
    return v.as<const char>() + (image * v.stride(0) + token * v.stride(1)) * std::int64_t(sizeOf(v.type));
}

// One image, queries first .. first + count - 1. `scores` (heads, count, keys) F32 become probabilities in place, and
// in `typed` where the activations are of another type.
void attendQueries(Device& device, const AttentionArgs& a, View y, std::int64_t image, std::int64_t first,
                   std::int64_t count, float* scores, void* typed) {
    const DType type = a.q.type;
    const std::int64_t keys = a.k.shape[1], d = a.q.shape[2] / a.heads, dv = a.v.shape[2] / a.heads;
    Product qk;
    qk.m = count;
    qk.n = keys;
    qk.k = d;
    qk.batch = a.heads;
    qk.a = {tokenAt(a.q, image, first), a.q.stride(1), d};
    qk.b = {tokenAt(a.k, image, 0), a.k.stride(1), d};
    qk.d = {scores, keys, count * keys};
    qk.transposeB = true;
    qk.input = type;
    qk.output = DType::F32;
    qk.alpha = a.scale;
    multiply(device, qk);

    SoftmaxMask mask;
    mask.keyBias = a.keyBias ? a.keyBias.as<const float>() + image * keys : nullptr;
    mask.causal = a.causal;
    mask.firstQuery = first;
    mask.queries = count;
    softmaxScores(device, scores, a.heads * count, keys, mask, typed, type,
                  a.probabilities && typed != scores ? scores : nullptr);

    Product pv;
    pv.m = count;
    pv.n = dv;
    pv.k = keys;
    pv.batch = a.heads;
    pv.a = {typed, keys, count * keys};
    pv.b = {tokenAt(a.v, image, 0), a.v.stride(1), dv};
    pv.d = {tokenAt(y, image, first), y.stride(1), dv};
    pv.input = pv.output = type;
    multiply(device, pv);
}

}  // namespace

void CudaBackend::doAttention(const AttentionArgs& a, View y) {
    Device& device = this->device();
    if (!a.probabilities && flashAttention(device, a, y)) return;

    const std::int64_t queries = a.q.shape[1], keys = a.k.shape[1], perQuery = a.heads * keys;
    // Probabilities that are asked for are their own scratch, for all queries of an image at once.
    const std::int64_t tile =
        a.probabilities ? queries : std::clamp<std::int64_t>(std::int64_t(mostScores / 4) / perQuery, 1, queries);
    const bool needsTyped = a.q.type != DType::F32;
    const Buffer scratch(device, a.probabilities ? 0 : std::size_t(tile * perQuery) * sizeof(float));
    const Buffer typedScratch(device, needsTyped ? std::size_t(tile * perQuery) * sizeOf(a.q.type) : 0);
    for (std::int64_t image = 0; image < a.q.shape[0]; ++image) {
        float* scores =
            a.probabilities ? a.probabilities.as<float>() + image * queries * perQuery : scratch.as<float>();
        void* typed = needsTyped ? typedScratch.data() : scores;
        for (std::int64_t first = 0; first < queries; first += tile)
            attendQueries(device, a, y, image, first, std::min(tile, queries - first), scores, typed);
    }
}

}  // namespace meander::kernels::cuda
