#include "engine/analysis/word_effects.h"

#include <algorithm>
#include <cmath>

namespace meander {

double shareInside(const HeatMap& map, std::span<const std::uint8_t> mask, int width, int height) {
    double inside = 0, all = 0;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const double value = std::max(0.0, map.at(x * map.width / width, y * map.height / height));
            all += value;
            if (mask[std::size_t(y) * std::size_t(width) + std::size_t(x)]) inside += value;
        }
    return all > 0 ? inside / all : 0;
}

double shareOfMask(const HeatMap& map, std::span<const std::uint8_t> mask, int width, int height) {
    HeatMap ideal{map.width, map.height, std::vector<double>(map.values.size()), 0, 1, {}};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            ideal.values[std::size_t(y * map.height / height) * std::size_t(map.width)
                         + std::size_t(x * map.width / width)] +=
                mask[std::size_t(y) * std::size_t(width) + std::size_t(x)];
    return shareInside(ideal, mask, width, height);
}

std::vector<HeadMass> headsByMass(const Trajectory& t, int image, const Word& word) {
    std::vector<HeadMass> all;
    for (std::size_t s = 0; s < t.sites.size(); ++s)
        for (int h = 0; h < t.sites[s].heads; ++h) {
            const WordMass m = massOverTime(t, image, word, {int(s)}, {h});
            double sum = 0;
            int n = 0;
            for (const double v : m.mean)
                if (!std::isnan(v)) sum += v, ++n;
            if (n > 0) all.push_back({int(s), h, sum / n});
        }
    std::stable_sort(all.begin(), all.end(), [](const HeadMass& a, const HeadMass& b) { return a.mass > b.mass; });
    return all;
}

}  // namespace meander
