#include "gui/images/state_image.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "engine/run/record_access.h"
#include "gui/images/run_thumbnail.h"
#include "gui/plots/color_map.h"

namespace meander::gui {
namespace {

// Of one image, (height, width, channels): colours where the model's pixel map has them.
Pixels pixelsOf(const HostTensor& t, int image, const ModelInfo& model) {
    const auto& s = t.shape();
    if (!t || s.rank() != 4 || s.count() == 0 || image < 0 || image >= s[0]) return {};
    const HostTensor row = t.rows(image, 1);
    if (const auto map = model.pixels)
        if (const HostTensor pixels = projectPixels(*map, row))
            return {int(pixels.shape()[2]), int(pixels.shape()[1]), 3, pixels.toFloats()};
    return {int(s[2]), int(s[1]), int(s[3]), row.toFloats()};
}

// a·x + b·y
Pixels combined(const Pixels& x, float a, const Pixels& y, float b) {
    if (x.values.size() != y.values.size()) return {};
    Pixels r = x;
    for (std::size_t i = 0; i < r.values.size(); ++i) r.values[i] = a * x.values[i] + b * y.values[i];
    return r;
}

uchar byteOf(float v) { return uchar(std::clamp(v, 0.f, 1.f) * 255.f + 0.5f); }

QImage colorImage(const Pixels& p, float scale, float offset, const std::array<double, 3>& bias = {}) {
    QImage image(p.width, p.height, QImage::Format_RGB32);
    for (int y = 0; y < p.height; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        for (int x = 0; x < p.width; ++x) {
            const float* v = &p.values[(std::size_t(y) * p.width + x) * p.channels];
            uchar c[3];
            for (int k = 0; k < 3; ++k)
                c[k] = byteOf(v[std::min(k, p.channels - 1)] * scale + offset + float(bias[std::size_t(k)]));
            line[x] = qRgb(c[0], c[1], c[2]);
        }
    }
    return image;
}

std::vector<float> channelMeans(const Pixels& p) {
    std::vector<float> mean(std::size_t(p.width) * p.height);
    for (std::size_t i = 0; i < mean.size(); ++i) {
        for (int k = 0; k < p.channels; ++k) mean[i] += p.values[i * p.channels + k] / float(p.channels);
    }
    return mean;
}

QImage changeImage(const Pixels& p, bool dark) {
    QImage image(p.width, p.height, QImage::Format_RGB32);
    const std::vector<float> mean = channelMeans(p);
    const float limit = signedLimit(p);
    for (int y = 0; y < p.height; ++y)
        for (int x = 0; x < p.width; ++x)
            image.setPixel(x, y, divergingColor(mean[std::size_t(y) * p.width + x], limit, dark));
    return image;
}

}  // namespace

QString quantityName(Quantity q) {
    switch (q) {
    case Quantity::Denoised: return QStringLiteral("x̂0");
    case Quantity::State: return QStringLiteral("xₜ");
    case Quantity::Noise: return QStringLiteral("ε̂");
    case Quantity::Change: return QStringLiteral("Δ");
    }
    return {};
}

bool isLatent(const ModelInfo& m) { return m.state.isImage() && !m.pixels; }
bool isApproximate(const ModelInfo& m) { return m.pixels && !m.pixels->isExact(); }

int imageCount(const Run& run) {
    const HostTensor& rows = run.images ? run.images : run.trajectory ? run.trajectory->initial : run.images;
    return rows && rows.shape().rank() > 0 ? std::max(1, int(rows.shape()[0])) : 1;
}

int shownEvaluation(const Run& run, int evaluation) {
    const bool isBrokenOff =
        run.status == RunStatus::Interrupted || run.status == RunStatus::Cancelled || run.status == RunStatus::Failed;
    return evaluation < 0 && isBrokenOff && !run.images && run.trajectory ? int(run.trajectory->evaluations.size()) - 1
                                                                          : evaluation;
}

float signedLimit(const Pixels& p) {
    float limit = 1e-6f;
    for (float v : channelMeans(p)) limit = std::max(limit, std::abs(v));
    return limit;
}

Pixels statePixels(const Run& run, int image, int evaluation, Quantity quantity) {
    evaluation = shownEvaluation(run, evaluation);
    if (evaluation < 0) {
        if (!run.trajectory || run.trajectory->empty()) return pixelsOf(run.images, image, run.model);
        return pixelsOf(run.trajectory->last(), image, run.model);
    }
    const Evaluation* e = run.trajectory ? evaluationAt(*run.trajectory, evaluation) : nullptr;
    if (!e) return {};
    Pixels denoised = pixelsOf(e->denoised, image, run.model);
    switch (quantity) {
    case Quantity::Denoised: return denoised;
    case Quantity::State: return pixelsOf(e->state, image, run.model);
    case Quantity::Noise: {
        double a = run.model.process.signal(e->tau);
        return e->tau > 0
                   ? combined(pixelsOf(e->state, image, run.model), float(1 / e->tau), denoised, float(-a / e->tau))
                   : Pixels{};
    }
    case Quantity::Change: {
        const Evaluation* before = nullptr;
        for (int i = evaluation - 1; i >= 0 && !before; --i)
            if (const Evaluation* b = evaluationAt(*run.trajectory, i); b && b->step != e->step)
                before = run.trajectory->evaluationOf(b->step);
        return before ? combined(denoised, 1, pixelsOf(before->denoised, image, run.model), -1) : Pixels{};
    }
    }
    return {};
}

QImage stateImage(const Run& run, int image, int evaluation, Quantity quantity, bool dark) {
    evaluation = shownEvaluation(run, evaluation);
    if (evaluation < 0 && run.images) return imageOf(run.images, image);
    Pixels p = statePixels(run, image, evaluation, quantity);
    if (p.isEmpty()) return {};
    if (quantity == Quantity::Change && evaluation >= 0) return changeImage(p, dark);
    if (quantity == Quantity::Noise && evaluation >= 0) return colorImage(p, 1 / 6.f, 0.5f);
    if (isLatent(run.model)) {
        ValueRange r = robustRange(p.values, 0.01, 0.99);
        float span = std::max(1e-6f, r.hi - r.lo);
        return colorImage(p, 1 / span, -r.lo / span);
    }
    // Integration coordinates grow with the noise (σ up to 80): a noisy state is shown at unit spread.
    float scale = 1;
    if (quantity == Quantity::State && evaluation >= 0) {
        if (const Evaluation* e = evaluationAt(*run.trajectory, evaluation))
            scale = float(1 / std::max(1.0, std::hypot(run.model.process.signal(e->tau), e->tau)));
    }
    const PixelMap map = run.model.pixels.value_or(PixelMap());
    return colorImage(p, float(map.scale) * scale, float(map.offset), map.bias);
}

}  // namespace meander::gui
