#include "engine/guidance/rewards.h"

#include <algorithm>
#include <cmath>

#include "engine/guidance/grid.h"
#include "engine/guidance/rule_common.h"
#include "engine/sprites/fidelity.h"

namespace meander {
namespace {

// Judges images in 0 … 1.
class ImageReward final : public Reward {
public:
    explicit ImageReward(double (*judge)(const Planes&, std::int64_t row)) : m_judge(judge) {}
    std::vector<double> of(const GuidanceMoment& m, const Tensor& estimate) const override {
        const Planes p = Planes::of(m.model->decode(download(estimate)));
        std::vector<double> r;
        for (std::int64_t i = 0; i < p.rows; ++i) r.push_back(m_judge(p, i));
        return r;
    }

private:
    double (*m_judge)(const Planes&, std::int64_t);
};

double channelMean(const Planes& p, std::int64_t row, std::int64_t c) {
    double sum = 0;
    for (std::int64_t y = 0; y < p.height; ++y)
        for (std::int64_t x = 0; x < p.width; ++x) sum += p.at(row, y, x, c);
    return sum / double(p.height * p.width);
}
double brightness(const Planes& p, std::int64_t row) {
    return (channelMean(p, row, 0) + channelMean(p, row, 1) + channelMean(p, row, 2)) / 3;
}
// Of one colour over the mean of the two others.
template <int C> double dominance(const Planes& p, std::int64_t row) {
    return channelMean(p, row, C) - (channelMean(p, row, (C + 1) % 3) + channelMean(p, row, (C + 2) % 3)) / 2;
}
double contrast(const Planes& p, std::int64_t row) {
    const double mean = brightness(p, row);
    double square = 0;
    for (std::int64_t y = 0; y < p.height; ++y)
        for (std::int64_t x = 0; x < p.width; ++x) {
            const double grey = (p.at(row, y, x, 0) + p.at(row, y, x, 1) + p.at(row, y, x, 2)) / 3 - mean;
            square += grey * grey;
        }
    return std::sqrt(square / double(p.height * p.width));
}

// 1 where the sprite shows what the prompt asks for.
class Fidelity final : public Reward {
public:
    explicit Fidelity(std::string prompt) : m_prompt(std::move(prompt)) {}
    std::vector<double> of(const GuidanceMoment& m, const Tensor& estimate) const override {
        const HostTensor images = m.model->decode(download(estimate));
        std::vector<double> r;
        for (std::int64_t i = 0; i < images.shape()[0]; ++i) {
            const auto verdict = judgeSprite(imageOf(images, i), m_prompt);
            if (!verdict) throw Failure(verdict.error().text);
            r.push_back(verdict->isFaithful ? 1 : 0);
        }
        return r;
    }

private:
    std::string m_prompt;
};

class PointReward final : public Reward {
public:
    PointReward(std::string kind, std::vector<double> point, std::int64_t coordinate)
        : m_kind(std::move(kind)), m_point(std::move(point)), m_coordinate(coordinate) {}
    std::vector<double> of(const GuidanceMoment&, const Tensor& estimate) const override {
        const auto v = download(estimate).toDoubles();
        const auto d = std::size_t(estimate.shape().rowCount());
        std::vector<double> r;
        for (std::size_t at = 0; at < v.size(); at += d) {
            const double x = v[at + std::size_t(m_coordinate)];
            double square = 0;
            for (std::size_t i = 0; i < d && i < m_point.size(); ++i)
                square += (v[at + i] - m_point[i]) * (v[at + i] - m_point[i]);
            r.push_back(m_kind == "distance" ? -std::sqrt(square) : m_kind == "level" ? std::round(x) : x);
        }
        return r;
    }

private:
    std::string m_kind;
    std::vector<double> m_point;
    std::int64_t m_coordinate;
};

struct ImageKind {
    const char* id;
    double (*judge)(const Planes&, std::int64_t);
};
constexpr ImageKind imageKinds[] = {{"brightness", brightness},
                                    {"contrast", contrast},
                                    {"red", dominance<0>},
                                    {"green", dominance<1>},
                                    {"blue", dominance<2>}};

}  // namespace

std::vector<ParamSpec> rewardParams() {
    return {choiceParam("reward", "Reward",
                        {{"brightness", "Brightness"},
                         {"contrast", "Contrast"},
                         {"red", "Red over the other colours"},
                         {"green", "Green over the other colours"},
                         {"blue", "Blue over the other colours"},
                         {"fidelity", "The sprite shows what the prompt asks for"},
                         {"distance", "Nearness to a point"},
                         {"coordinate", "A coordinate"},
                         {"level", "A coordinate, rounded to whole numbers"}},
                        "What is preferred; the first six judge images, the others points."),
            listParam("point", "Point", -1e6, 1e6, "The point that 'nearness' means."),
            advanced(integerParam("coordinate", "Coordinate", 0, 0, 65535, "Which one, from 0."))};
}

std::unique_ptr<Reward> makeReward(const Params& p, const ModelInfo& model, const Recipe& recipe) {
    const std::string kind = text(p, "reward");
    const bool isImage = model.state.kind == StateKind::Image;
    const auto judge =
        std::find_if(std::begin(imageKinds), std::end(imageKinds), [&](const ImageKind& k) { return kind == k.id; });
    const bool judgesImages = judge != std::end(imageKinds) || kind == "fidelity";
    if (judgesImages && !isImage)
        throw Failure("The reward '" + kind + "' judges images, but '" + model.name
                      + "' draws points. Choose nearness or a coordinate.");
    if (!judgesImages && isImage)
        throw Failure("The reward '" + kind + "' judges points, but '" + model.name
                      + "' draws images. Choose brightness, contrast or a colour.");
    if (judge != std::end(imageKinds)) return std::make_unique<ImageReward>(judge->judge);
    if (kind == "fidelity") {
        if (!parseSpritePrompt(recipe.prompt))
            throw Failure("The reward 'fidelity' knows prompts of the sprites only, such as \"a red circle above a "
                          "blue square on a white background\".");
        return std::make_unique<Fidelity>(recipe.prompt);
    }
    const auto& point = std::get<std::vector<double>>(p.at("point"));
    const std::int64_t d = model.state.shape.count();
    if (kind == "distance" && std::int64_t(point.size()) != d)
        throw Failure("Nearness needs a point of " + std::to_string(d) + " numbers.");
    if (integer(p, "coordinate") >= d)
        throw Failure("The states of '" + model.name + "' have the coordinates 0 to " + std::to_string(d - 1) + ".");
    return std::make_unique<PointReward>(kind, point, integer(p, "coordinate"));
}

}  // namespace meander
