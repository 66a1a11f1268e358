// Convolutions: a product whose rows are the pixels under each filter position.
#include <algorithm>

#include "kernels/cpu/conv_weights.h"
#include "kernels/cpu/dnnl_device.h"
#include "kernels/cpu/host_weights.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/resolve.h"

namespace meander::kernels {
namespace {

struct Image {
    std::int64_t height, width, channels;
};

// Output pixel `index` of all images → top left input pixel under the filter.
struct Place {
    std::int64_t image, y, x;
};
Place placeOf(std::int64_t index, std::int64_t outHeight, std::int64_t outWidth, const ConvWeights& w) {
    const std::int64_t x = index % outWidth, rest = index / outWidth;
    return {rest / outHeight, rest % outHeight * w.stride - w.padding, x * w.stride - w.padding};
}

// Images with few channels: the pixels under the filter are gathered into dense rows first, so that depth is long
// enough for the kernel.
void im2col(const float* x, const Image& in, std::int64_t outHeight, std::int64_t outWidth, const ConvWeights& w,
            std::int64_t first, std::int64_t last, float* to) {
    const std::int64_t c = in.channels, rowLength = std::int64_t(w.kernel) * w.kernel * c;
    for (std::int64_t i = first; i < last; ++i) {
        const Place at = placeOf(i, outHeight, outWidth, w);
        float* row = to + i * rowLength;
        // The part of each filter row that lies inside of the image.
        const std::int64_t left = std::clamp<std::int64_t>(-at.x, 0, w.kernel),
                           right = std::clamp<std::int64_t>(in.width - at.x, left, w.kernel);
        for (int ky = 0; ky < w.kernel; ++ky, row += w.kernel * c) {
            const std::int64_t py = at.y + ky;
            if (py < 0 || py >= in.height) {
                std::fill(row, row + w.kernel * c, 0.0f);
                continue;
            }
            const float* from = x + ((at.image * in.height + py) * in.width + at.x) * c;
            std::fill(row, row + left * c, 0.0f);
            std::copy(from + left * c, from + right * c, row + left * c);
            std::fill(row + right * c, row + w.kernel * c, 0.0f);
        }
    }
}

}  // namespace

std::unique_ptr<ConvWeights> CpuBackend::doPackConv(View weight, View bias, ConvGeometry g, DType compute, int height,
                                                    int width) {
    std::vector<float> b = bias ? hostFloats(bias) : std::vector<float>();
    if (prefersDnnlConv(compute, weight.shape, g, height, width)) {
        if (auto packed = m_dnnl->packConv(m_pool, m_threads, weight, b, g, compute, height, width)) return packed;
    }
    return std::make_unique<CpuConv>(m_loops, m_pool, m_threads, weight, g, std::move(b), compute);
}

void CpuBackend::doConv2d(View x, const ConvWeights& weights, View y, const Epilogue& e) {
    const auto* own = dynamic_cast<const CpuConv*>(&weights);
    const auto* dnnl = dynamic_cast<const DnnlConv*>(&weights);
    const ConvWeights* w = &weights;
    const Image in{x.shape[1], x.shape[2], x.shape[3]};
    const std::int64_t outHeight = y.shape[1], outWidth = y.shape[2];
    const FloatVector rowBias = floats(e.rowBias), gate = floats(e.gate);
    const ResolvedEpilogue epilogue = resolve(e, own ? own->bias() : dnnl->bias(), rowBias.data(), gate.data(), y);
    const std::int64_t rows = y.count() / w->out;
    if (dnnl) return convByDnnl(x, *dnnl, epilogue);

    const Scratch<float> converted(m_pool, x.type == DType::F32 ? 0 : std::size_t(x.count()));
    const float* data = asFloats(x, converted.data());
    Product p{
        .rows = rows, .columns = w->out, .taps = w->kernel * w->kernel, .depth = w->in, .b = own->panels, .locate = {}};
    const bool isGathered = w->kernel > 1 && w->in < 16;
    const Scratch<float> columnsBuffer(m_pool, isGathered ? std::size_t(rows * p.taps * p.depth) : 0);
    const Scratch<float> zeros(m_pool, std::size_t(w->in));
    std::fill_n(zeros.data(), w->in, 0.0f);
    if (isGathered) {
        parallelRanges(m_threads, rows, 256, [&](std::int64_t first, std::int64_t last) {
            im2col(data, in, outHeight, outWidth, *w, first, last, columnsBuffer.data());
        });
        p.depth *= p.taps;
        p.taps = 1;
        p.locate = [from = columnsBuffer.data(), depth = p.depth](std::int64_t first, int count, const float** pointers,
                                                                  int) {
            for (int i = 0; i < count; ++i) pointers[i] = from + (first + i) * depth;
        };
    } else {
        p.locate = [=, zero = zeros.data()](std::int64_t first, int count, const float** pointers, int stride) {
            for (int i = 0; i < count; ++i) {
                const Place at = placeOf(first + i, outHeight, outWidth, *w);
                for (int ky = 0; ky < w->kernel; ++ky)
                    for (int kx = 0; kx < w->kernel; ++kx) {
                        const std::int64_t py = at.y + ky, px = at.x + kx;
                        const bool isInside = py >= 0 && py < in.height && px >= 0 && px < in.width;
                        pointers[(ky * w->kernel + kx) * stride + i] =
                            isInside ? data + ((at.image * in.height + py) * in.width + px) * in.channels : zero;
                    }
            }
        };
    }
    multiply(m_loops, m_pool, m_threads, p, epilogue);
}

}  // namespace meander::kernels
