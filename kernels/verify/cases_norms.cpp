#include "kernels/verify/sample_call.h"

namespace meander::kernels::verify {
namespace {

double groupNormError(Backend& backend, Shape shape, int groups, Activation activation, bool hasParameters, DType type,
                      double offset) {
    Fixture t(backend);
    const std::int64_t n = shape[0], c = shape[-1], pixels = shape.rowCount() / c, width = c / groups;
    Host x = random(shape, type, 1), gamma, beta;
    for (double& v : x.v) v = roundedTo(type, v + offset);
    if (hasParameters) gamma = random({c}, DType::F32, 2), beta = random({c}, DType::F32, 3);
    const double eps = float(1e-5);
    Host want(shape);
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t g = 0; g < groups; ++g) {
            const auto at = [&](std::int64_t p, std::int64_t j) { return (i * pixels + p) * c + g * width + j; };
            double mean = 0, variance = 0;
            for (std::int64_t p = 0; p < pixels; ++p)
                for (std::int64_t j = 0; j < width; ++j) mean += x[at(p, j)] / double(pixels * width);
            for (std::int64_t p = 0; p < pixels; ++p)
                for (std::int64_t j = 0; j < width; ++j)
                    variance += std::pow(x[at(p, j)] - mean, 2) / double(pixels * width);
            for (std::int64_t p = 0; p < pixels; ++p)
                for (std::int64_t j = 0; j < width; ++j) {
                    double y = (x[at(p, j)] - mean) / std::sqrt(variance + eps);
                    if (hasParameters) y = y * gamma[g * width + j] + beta[g * width + j];
                    want[at(p, j)] = activated(activation, y);
                }
        }
    const View y = t.room(shape, type);
    backend.groupNorm(t.put(x, type), t.put(gamma, DType::F32), t.put(beta, DType::F32), groups, float(eps), activation,
                      y);
    return difference(t.get(y), want);
}

struct RowNorm {
    Shape shape;
    bool isRms = false, hasGamma = false, hasBeta = false;
    std::int64_t scaleGroups = 0, shiftGroups = 0;  // 0: no modulation
    DType parameterType = DType::F32;
};

double rowNormError(Backend& backend, const RowNorm& s, DType type) {
    Fixture t(backend);
    const std::int64_t c = s.shape[-1], rows = s.shape.count() / c;
    const Host x = random(s.shape, type, 1, 3);
    Host gamma, beta, scale, shift, want(s.shape);
    if (s.hasGamma) gamma = random({c}, s.parameterType, 2);
    if (s.hasBeta) beta = random({c}, s.parameterType, 3);
    if (s.scaleGroups) scale = random({s.scaleGroups, c}, s.parameterType, 4);
    if (s.shiftGroups) shift = random({s.shiftGroups, c}, s.parameterType, 5);
    const double eps = float(1e-6);
    for (std::int64_t r = 0; r < rows; ++r) {
        double mean = 0, square = 0;
        if (!s.isRms)
            for (std::int64_t i = 0; i < c; ++i) mean += x[r * c + i] / double(c);
        for (std::int64_t i = 0; i < c; ++i) square += std::pow(x[r * c + i] - mean, 2) / double(c);
        for (std::int64_t i = 0; i < c; ++i) {
            double y = (x[r * c + i] - mean) / std::sqrt(square + eps);
            if (gamma) y *= gamma[i];
            if (beta) y += beta[i];
            if (scale) y *= 1 + scale[r / (rows / s.scaleGroups) * c + i];
            if (shift) y += shift[r / (rows / s.shiftGroups) * c + i];
            want[r * c + i] = y;
        }
    }
    const View y = t.room(s.shape, type), vx = t.put(x, type), g = t.put(gamma, s.parameterType);
    if (s.isRms) backend.rmsNorm(vx, g, float(eps), y);
    else
        backend.layerNorm(vx, g, t.put(beta, s.parameterType), float(eps), t.put(scale, s.parameterType),
                          t.put(shift, s.parameterType), y);
    return difference(t.get(y), want);
}

// One case for a type.
void addRowNorm(Cases& cases, const RowNorm& s, DType type, const char* what) {
    cases.push_back(
        {std::string(s.isRms ? "rmsNorm/" : "layerNorm/") + kernels::nameOf(type) + " " + s.shape.text() + " " + what,
         type, tolerance(type), [=](Backend& b) { return rowNormError(b, s, type); }});
}

}  // namespace

void addGroupNormCases(Cases& cases) {
    for (DType type : activationTypes) {
        const auto group = [&](Shape shape, int groups, Activation a, bool hasParameters, double offset = 0) {
            std::string name = std::string("groupNorm/") + kernels::nameOf(type) + " " + shape.text() + " groups "
                               + std::to_string(groups) + " " + nameOf(a);
            if (!hasParameters) name += " bare";
            if (offset != 0) name += " far from zero";
            cases.push_back({name, type, offset != 0 && type == DType::F32 ? 1e-3 : tolerance(type), [=](Backend& b) {
                                 return groupNormError(b, shape, groups, a, hasParameters, type, offset);
                             }});
        };
        group({1, 4, 4, 32}, 32, Activation::None, true);
        group({2, 9, 7, 48}, 8, Activation::Silu, true);
        group({1, 16, 16, 320}, 32, Activation::Silu, true);
        group({3, 5, 5, 17}, 1, Activation::None, false);
        group({2, 20, 6}, 3, Activation::None, true);
        group({1, 1, 1, 12}, 2, Activation::Silu, true);
        group({1, 20, 20, 16}, 4, Activation::None, true, 100);
    }
}

SampleCall sampleGroupNorm(DType type) {
    return sample(
        {input("x", {2, 3, 5, 12}, type), input("gamma", {12}, DType::F32), input("beta", {12}, DType::F32),
         output("y", {2, 3, 5, 12}, type)},
        [](Backend& b, std::span<const View> v) { b.groupNorm(v[0], v[1], v[2], 4, 1e-5f, Activation::Silu, v[3]); });
}

void addLayerNormCases(Cases& cases) {
    for (DType type : activationTypes) {
        addRowNorm(cases, {.shape = {1, 3}}, type, "bare");
        addRowNorm(cases, {.shape = {7, 17}, .hasGamma = true, .hasBeta = true}, type, "gamma beta");
        addRowNorm(cases, {.shape = {2, 30, 320}, .hasGamma = true, .hasBeta = true}, type, "gamma beta");
        addRowNorm(cases, {.shape = {4, 16, 72}, .scaleGroups = 4, .shiftGroups = 4}, type, "modulated");
        addRowNorm(cases,
                   {.shape = {4, 16, 72}, .hasGamma = true, .scaleGroups = 1, .shiftGroups = 1, .parameterType = type},
                   type, "gamma, one modulation");
        addRowNorm(cases, {.shape = {6, 1152}, .shiftGroups = 3}, type, "shift only");
    }
}

SampleCall sampleLayerNorm(DType type) {
    return sample({input("x", {2, 6, 19}, type), input("gamma", {19}, DType::F32), input("beta", {19}, DType::F32),
                   input("scale", {4, 19}, DType::F32), input("shift", {4, 19}, DType::F32),
                   output("y", {2, 6, 19}, type)},
                  [](Backend& b, std::span<const View> v) { b.layerNorm(v[0], v[1], v[2], 1e-5f, v[3], v[4], v[5]); });
}

void addRmsNormCases(Cases& cases) {
    for (DType type : activationTypes) {
        addRowNorm(cases, {.shape = {5, 33}, .isRms = true}, type, "bare");
        addRowNorm(cases, {.shape = {2, 9, 640}, .isRms = true, .hasGamma = true}, type, "gamma");
    }
}

SampleCall sampleRmsNorm(DType type) {
    return sample({input("x", {2, 6, 19}, type), input("gamma", {19}, DType::F32), output("y", {2, 6, 19}, type)},
                  [](Backend& b, std::span<const View> v) { b.rmsNorm(v[0], v[1], 1e-5f, v[2]); });
}

}  // namespace meander::kernels::verify
