// From the record to raw token maps, matrices and masses.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/analysis/attention_maps.h"

namespace meander {
namespace {

struct Grid {
    int width = 0, height = 0, tokens = 0;
    bool operator==(const Grid&) const = default;
};

Grid gridOf(const HostTensor& p) { return {int(p.shape()[2]), int(p.shape()[1]), int(p.shape()[3])}; }

// Mean over the selected heads of one map: (tokens, h, w). Empty when no head fits.
std::vector<double> headMean(const AttentionMap& map, const std::vector<int>& heads, int& counted) {
    const Grid g = gridOf(map.probabilities);
    const auto n = std::size_t(map.probabilities.shape()[0]);
    const std::vector<float> raw = map.probabilities.toFloats();
    const std::size_t places = std::size_t(g.width) * std::size_t(g.height), tokens = std::size_t(g.tokens);
    std::vector<double> mean(tokens * places, 0);
    counted = 0;
    for (std::size_t h = 0; h < n; ++h) {
        // A record of head means (n = 1 of several) stands for every head.
        if (!heads.empty() && n > 1 && std::find(heads.begin(), heads.end(), int(h)) == heads.end()) continue;
        ++counted;
        for (std::size_t p = 0; p < places; ++p)
            for (std::size_t k = 0; k < tokens; ++k) mean[k * places + p] += raw[(h * places + p) * tokens + k];
    }
    if (counted == 0) return {};
    for (double& v : mean) v /= counted;
    if (n == 1) counted = std::max(1, map.heads);
    return mean;
}

// Adds `from` (tokens, h, w) enlarged to the grid; centres of places are aligned, edges repeat.
void addEnlarged(std::vector<double>& into, const Grid& to, const std::vector<double>& from, const Grid& g) {
    const auto weights = [](int n, int m) {
        std::vector<std::pair<int, double>> w(static_cast<std::size_t>(n));
        for (int i = 0; i < n; ++i) {
            const double x = std::clamp((i + 0.5) * m / n - 0.5, 0.0, double(m - 1));
            const int low = std::min(int(x), std::max(0, m - 2));
            w[std::size_t(i)] = {low, m == 1 ? 0 : x - low};
        }
        return w;
    };
    const auto xs = weights(to.width, g.width), ys = weights(to.height, g.height);
    for (int k = 0; k < std::min(to.tokens, g.tokens); ++k) {
        const double* source = from.data() + std::size_t(k) * std::size_t(g.width) * std::size_t(g.height);
        double* target = into.data() + std::size_t(k) * std::size_t(to.width) * std::size_t(to.height);
        for (int y = 0; y < to.height; ++y) {
            const auto [y0, v] = ys[std::size_t(y)];
            const double* upper = source + std::size_t(y0) * std::size_t(g.width);
            const double* lower = g.height > 1 ? upper + g.width : upper;
            for (int x = 0; x < to.width; ++x) {
                const auto [x0, u] = xs[std::size_t(x)];
                const int x1 = g.width > 1 ? x0 + 1 : x0;
                *target++ +=
                    (1 - v) * ((1 - u) * upper[x0] + u * upper[x1]) + v * ((1 - u) * lower[x0] + u * lower[x1]);
            }
        }
    }
}

bool isSelected(const Evaluation& e, const AttentionSelection& s) {
    return e.step >= s.firstStep && (!s.lastStep || e.step <= *s.lastStep) && std::size_t(s.image) < e.attention.size();
}
bool isSelected(const AttentionMap& m, const AttentionSelection& s) {
    return bool(m.probabilities) && m.probabilities.shape().rank() == 4
           && (s.sites.empty() || std::find(s.sites.begin(), s.sites.end(), m.site) != s.sites.end());
}

std::string counted(int n, const char* one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

std::string captionFor(int layers, int heads, int firstStep, int lastStep) {
    std::string s = "cross-attention · mean of " + counted(layers, "layer") + ", " + counted(heads, "head") + ", ";
    return s
           + (firstStep == lastStep ? "step " + std::to_string(firstStep)
                                    : "steps " + std::to_string(firstStep) + "–" + std::to_string(lastStep));
}

}  // namespace

TokenMaps reduceAttention(const Trajectory& t, const AttentionSelection& selection) {
    TokenMaps out;
    if (selection.image < 0) return out;
    Grid grid;
    int firstStep = std::numeric_limits<int>::max(), lastStep = 0;
    for (const auto& e : t.evaluations)
        if (isSelected(*e, selection))
            for (const auto& m : e->attention[std::size_t(selection.image)])
                if (isSelected(m, selection)) {
                    const Grid g = gridOf(m.probabilities);
                    if (g.width * g.height > grid.width * grid.height) grid.width = g.width, grid.height = g.height;
                    grid.tokens = std::max(grid.tokens, g.tokens);
                    firstStep = std::min(firstStep, e->step);
                    lastStep = std::max(lastStep, e->step);
                }
    if (grid.width == 0 || grid.tokens == 0) {
        out.caption = "No attention was recorded for this choice of layers, heads and steps.";
        return out;
    }
    std::vector<double> sum(std::size_t(grid.tokens) * std::size_t(grid.width) * std::size_t(grid.height), 0);
    int evaluations = 0, mostLayers = 0, mostHeads = 0;
    for (const auto& e : t.evaluations) {
        if (!isSelected(*e, selection)) continue;
        std::vector<double> layerSum(sum.size(), 0);
        int layers = 0;
        for (const auto& m : e->attention[std::size_t(selection.image)]) {
            if (!isSelected(m, selection)) continue;
            int heads = 0;
            const auto mean = headMean(m, selection.heads, heads);
            if (mean.empty()) continue;
            addEnlarged(layerSum, grid, mean, gridOf(m.probabilities));
            if (m.site < 0) {  // a summary's map is a mean over all layers and heads already
                for (const auto& site : t.sites) heads = std::max(heads, site.heads);
                mostLayers = int(t.sites.size());
            }
            mostHeads = std::max(mostHeads, heads);
            ++layers;
        }
        if (layers == 0) continue;
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += layerSum[i] / layers;
        mostLayers = std::max(mostLayers, layers);
        ++evaluations;
    }
    if (evaluations == 0) {
        out.caption = "No recorded layer has the chosen heads.";
        return out;
    }
    for (double& v : sum) v /= evaluations;
    out.width = grid.width;
    out.height = grid.height;
    out.tokens = grid.tokens;
    out.values = std::move(sum);
    out.caption = captionFor(mostLayers, mostHeads, firstStep, lastStep);
    return out;
}

HeadMatrix entropyMatrix(const Trajectory& t, int image) {
    HeadMatrix matrix;
    std::vector<std::size_t> firstRow(t.sites.size());
    for (std::size_t s = 0; s < t.sites.size(); ++s) {
        firstRow[s] = matrix.rows.size();
        for (int h = 0; h < t.sites[s].heads; ++h) matrix.rows.push_back({int(s), h});
    }
    for (std::size_t i = 0; i < t.evaluations.size(); ++i)
        if (image >= 0 && std::size_t(image) < t.evaluations[i]->attention.size()) matrix.evaluations.push_back(int(i));
    const std::size_t columns = matrix.evaluations.size();
    matrix.values.assign(matrix.rows.size() * columns, std::numeric_limits<double>::quiet_NaN());
    for (std::size_t c = 0; c < columns; ++c)
        for (const auto& m : t.evaluations[std::size_t(matrix.evaluations[c])]->attention[std::size_t(image)]) {
            if (m.site < 0 || std::size_t(m.site) >= t.sites.size()) continue;
            const auto heads = std::min(m.entropy.size(), std::size_t(t.sites[std::size_t(m.site)].heads));
            for (std::size_t h = 0; h < heads; ++h)
                matrix.values[(firstRow[std::size_t(m.site)] + h) * columns + c] = m.entropy[h];
        }
    return matrix;
}

WordMass massOverTime(const Trajectory& t, int image, const Word& word, const std::vector<int>& sites,
                      const std::vector<int>& heads) {
    WordMass mass;
    for (const auto& e : t.evaluations) {
        const TokenMaps maps =
            reduceAttention(Trajectory{t.levels, t.initial, {e}, {}, t.sites, t.tokens}, {image, sites, heads, 0, {}});
        if (maps.empty()) continue;
        double mean = 0, peak = 0;
        const int places = maps.width * maps.height;
        for (int p = 0; p < places; ++p) {
            double here = 0;
            for (int k : word.tokens)
                if (k >= 0 && k < maps.tokens)
                    here += maps.values[std::size_t(k) * std::size_t(places) + std::size_t(p)];
            mean += here / places;
            peak = std::max(peak, here);
        }
        mass.evaluations.push_back(e->index);
        mass.mean.push_back(mean);
        mass.peak.push_back(peak);
    }
    return mass;
}

}  // namespace meander
