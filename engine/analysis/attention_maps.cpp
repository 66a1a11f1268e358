// Scales of maps, words, and the question which words made a place.
#include "engine/analysis/attention_maps.h"

#include <algorithm>
#include <cmath>

namespace meander {
namespace {

std::vector<double> meanOf(const TokenMaps& maps, const std::vector<int>& tokens) {
    const std::size_t places = std::size_t(maps.width) * std::size_t(maps.height);
    std::vector<double> mean(places, 0);
    int n = 0;
    for (int k : tokens) {
        if (k < 0 || k >= maps.tokens) continue;
        for (std::size_t p = 0; p < places; ++p) mean[p] += maps.values[std::size_t(k) * places + p];
        ++n;
    }
    for (double& v : mean) v /= std::max(1, n);
    return mean;
}

void toRange(HeatMap& m, double low, double high) {
    for (double& v : m.values) v = high > low ? (v - low) / (high - low) : 0;
    m.low = 0;
    m.high = 1;
}

std::pair<double, double> rangeOf(const std::vector<double>& v) {
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    return v.empty() ? std::pair{0.0, 1.0} : std::pair{*low, *high};
}

void sharePrompt(std::vector<HeatMap>& list, const TokenMaps& maps, const std::vector<Token>& tokens) {
    const std::size_t places = std::size_t(maps.width) * std::size_t(maps.height);
    std::vector<double> total(places, 0);
    for (int k = 0; k < maps.tokens; ++k)
        if (std::size_t(k) < tokens.size() && !tokens[std::size_t(k)].special)
            for (std::size_t p = 0; p < places; ++p) total[p] += maps.values[std::size_t(k) * places + p];
    for (auto& m : list)
        for (std::size_t p = 0; p < places; ++p) m.values[p] = total[p] > 0 ? m.values[p] / total[p] : 0;
}

void zScore(HeatMap& m) {
    double mean = 0, square = 0;
    for (double v : m.values) mean += v / double(m.values.size());
    for (double v : m.values) square += (v - mean) * (v - mean) / double(m.values.size());
    for (double& v : m.values) v = square > 0 ? (v - mean) / std::sqrt(square) : 0;
    m.low = -3;
    m.high = 3;
}

}  // namespace

const char* nameOf(MapScale s) {
    switch (s) {
    case MapScale::Raw: return "raw probability";
    case MapScale::SharePrompt: return "÷ prompt tokens";
    case MapScale::SharedRange: return "shared range of the chosen words";
    case MapScale::OwnRange: return "own range of each map (not comparable)";
    case MapScale::ZScore: return "z-score";
    case MapScale::Uniform: return "× places (1 = uniform)";
    }
    return "";
}

std::vector<Word> wordsOf(const std::vector<Token>& tokens, bool withSpecial) {
    std::vector<Word> words, special;
    std::vector<int> ids;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const Token& t = tokens[i];
        if (t.special || t.word < 0) {
            special.push_back({t.text, {int(i)}, true});
            continue;
        }
        const auto known = std::find(ids.begin(), ids.end(), t.word);
        if (known == ids.end()) {
            ids.push_back(t.word);
            words.push_back({t.text, {int(i)}, false});
        } else {
            Word& w = words[std::size_t(known - ids.begin())];
            w.text += t.text;
            w.tokens.push_back(int(i));
        }
    }
    if (withSpecial) words.insert(words.end(), special.begin(), special.end());
    return words;
}

std::vector<HeatMap> mapsOf(const TokenMaps& maps, const std::vector<Word>& words, MapScale scale,
                            const std::vector<Token>& tokens) {
    std::vector<HeatMap> list;
    if (maps.empty()) return list;
    for (const auto& w : words)
        list.push_back({maps.width, maps.height, meanOf(maps, w.tokens), 0, 1, maps.caption + " · " + nameOf(scale)});
    if (scale == MapScale::SharePrompt) sharePrompt(list, maps, tokens);
    if (scale == MapScale::ZScore)
        for (auto& m : list) zScore(m);
    if (scale == MapScale::OwnRange)
        for (auto& m : list) {
            const auto [low, high] = rangeOf(m.values);
            toRange(m, low, high);
        }
    if (scale == MapScale::Uniform)
        // Probabilities of a place add up to 1 over the tokens; a token looked at alike everywhere by all has its mean
        // there. Dividing by the mean over places makes 1 mean "as much as on average".
        for (auto& m : list) {
            double total = 0;
            for (double v : m.values) total += v;
            for (double& v : m.values) v = total > 0 ? v / total * double(m.values.size()) : 0;
        }
    if (scale == MapScale::SharedRange || scale == MapScale::Raw || scale == MapScale::SharePrompt
        || scale == MapScale::Uniform) {
        double low = scale == MapScale::SharedRange ? 1e300 : 0, high = 0;
        for (const auto& m : list) {
            const auto [l, h] = rangeOf(m.values);
            low = std::min(low, l);
            high = std::max(high, h);
        }
        for (auto& m : list) {
            if (scale == MapScale::SharedRange) toRange(m, low, high);
            else m.low = 0, m.high = high > 0 ? high : 1;
        }
    }
    return list;
}

std::vector<WordShare> wordsAt(const TokenMaps& maps, const std::vector<Word>& words, const Region& region) {
    std::vector<WordShare> list;
    if (maps.empty()) return list;
    // Places are weighted by how much of them lies in the region, so that a click between two places is fair.
    std::vector<double> weight(std::size_t(maps.width) * std::size_t(maps.height), 0);
    double area = 0;
    for (int y = 0; y < maps.height; ++y)
        for (int x = 0; x < maps.width; ++x) {
            const double w = std::max(0.0, std::min(region.right, double(x + 1) / maps.width)
                                               - std::max(region.left, double(x) / maps.width))
                             * maps.width;
            const double h = std::max(0.0, std::min(region.bottom, double(y + 1) / maps.height)
                                               - std::max(region.top, double(y) / maps.height))
                             * maps.height;
            area += weight[std::size_t(y * maps.width + x)] = w * h;
        }
    if (!(area > 0)) return list;
    for (const auto& word : words) {
        const std::vector<double> mean = meanOf(maps, word.tokens);
        double inside = 0, total = 0;
        for (std::size_t p = 0; p < mean.size(); ++p) {
            inside += weight[p] * mean[p];
            total += mean[p];
        }
        const double share = area / double(mean.size());
        list.push_back({word.text, word.tokens, total > 0 ? inside / total / share : 0, inside / area});
    }
    std::stable_sort(list.begin(), list.end(),
                     [](const WordShare& a, const WordShare& b) { return a.concentration > b.concentration; });
    return list;
}

}  // namespace meander
