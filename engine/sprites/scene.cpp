// The world of the sprites: grammar, random prompts and ideal images (resources/training/scene.py).
#include <algorithm>
#include <array>
#include <cmath>
#include <regex>

#include "engine/sprites/fidelity.h"
#include "engine/sprites/palette.h"
#include "kernels/api/philox.h"

namespace meander {
namespace {

constexpr int side = 32;

template <class List> bool contains(const List& list, const std::string& word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

std::string lowered(const std::string& prompt) {
    std::string s;
    for (const char c : prompt) {
        if (std::isspace(static_cast<unsigned char>(c))) {
            if (!s.empty() && s.back() != ' ') s += ' ';
        } else {
            s += char(std::tolower(static_cast<unsigned char>(c)));
        }
    }
    while (!s.empty() && s.back() == ' ') s.pop_back();
    return s;
}

// Whole numbers and reals from a counter: the same everywhere.
class Draw {
public:
    explicit Draw(std::uint64_t seed) : m_seed(seed) {}
    std::uint32_t bits() {
        return kernels::philox4x32(m_count++, 0, 0, 0x5917u, std::uint32_t(m_seed), std::uint32_t(m_seed >> 32)).v[0];
    }
    std::size_t below(std::size_t n) { return std::size_t((std::uint64_t(bits()) * n) >> 32); }
    double real() { return (double(bits()) + 0.5) / 4294967296.0; }

private:
    std::uint64_t m_seed;
    std::uint32_t m_count = 0;
};

double distanceTo(const std::string& shape, double x, double y, double r) {
    if (shape == "circle") return std::hypot(x, y) - r;
    if (shape == "square") return std::max(std::abs(x), std::abs(y)) - 0.92 * r;
    const double b = 1.17 * r, h = 0.95 * b, length = std::hypot(2 * h, b);
    return std::max((2 * h * std::abs(x) - b * (y + h)) / length, y - h);
}

const SpriteColour& colourNamed(const std::string& name) {
    for (const auto& c : spritePalette)
        if (name == c.name) return c;
    return spritePalette[0];
}

}  // namespace

std::optional<SpriteScene> parseSpritePrompt(const std::string& prompt) {
    static const std::regex form(
        "^a (\\w+) (\\w+)(?: (above|below|left of|right of) a (\\w+) (\\w+))? on a (\\w+) background$");
    const std::string text = lowered(prompt);
    std::smatch m;
    if (text.size() > 200 || !std::regex_match(text, m, form)) return {};
    SpriteScene s;
    s.background = m[6];
    s.relation = m[3];
    s.objects.emplace_back(m[1], m[2]);
    if (!s.relation.empty()) s.objects.emplace_back(m[4], m[5]);
    if (!contains(spriteBackgrounds, s.background)) return {};
    for (const auto& [colour, shape] : s.objects)
        if (!contains(spriteColours, colour) || colour == s.background || !contains(spriteShapes, shape)) return {};
    return s;
}

std::string promptOf(const SpriteScene& s) {
    const auto object = [](const auto& o) { return "a " + o.first + " " + o.second; };
    std::string text = object(s.objects.front());
    if (s.objects.size() > 1) text += " " + s.relation + " " + object(s.objects[1]);
    return text + " on a " + s.background + " background";
}

std::vector<std::string> randomSpritePrompts(int n, std::uint64_t seed) {
    Draw draw(seed);
    std::vector<std::string> prompts;
    for (int i = 0; i < n; ++i) {
        SpriteScene s;
        s.background = spriteBackgrounds[draw.below(4)];
        std::vector<std::string> allowed;
        for (const char* c : spriteColours)
            if (s.background != c) allowed.emplace_back(c);
        for (int k = 0; k < 2; ++k) {
            const std::string colour = allowed[draw.below(allowed.size())];
            s.objects.emplace_back(colour, spriteShapes[draw.below(3)]);
        }
        const bool isSingle = draw.real() < 0.2;
        const std::string relation = spriteRelations[draw.below(4)];
        if (isSingle) s.objects.pop_back();
        else s.relation = relation;
        prompts.push_back(promptOf(s));
    }
    return prompts;
}

Image drawSprite(const SpriteScene& s) {
    const auto& ground = colourNamed(s.background);
    Image p(side, side, {ground.r, ground.g, ground.b});
    std::array<double, 2> first{16, 16}, second{16, 16};
    if (s.objects.size() > 1) {
        const bool isVertical = s.relation == "above" || s.relation == "below";
        const double near = s.relation == "above" || s.relation == "left of" ? 8.75 : 23.25;
        first = isVertical ? std::array{16.0, near} : std::array{near, 16.0};
        second = isVertical ? std::array{16.0, 32 - near} : std::array{32 - near, 16.0};
    }
    for (std::size_t k = 0; k < s.objects.size(); ++k) {
        const auto& c = colourNamed(s.objects[k].first);
        const auto& at = k == 0 ? first : second;
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                const double cover = std::clamp(0.5
                                                    - distanceTo(s.objects[k].second, x + 0.5 - at[0], y + 0.5 - at[1],
                                                                 s.objects.size() > 1 ? 5.6 : 8.0),
                                                0.0, 1.0);
                const std::uint8_t colour[3] = {c.r, c.g, c.b};
                for (int i = 0; i < 3; ++i)
                    p.at(x, y)[i] = std::uint8_t(std::lround(p.at(x, y)[i] + cover * (colour[i] - p.at(x, y)[i])));
            }
    }
    return p;
}

}  // namespace meander
