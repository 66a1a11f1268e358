#include "engine/sprites/fidelity.h"

#ifndef MEANDER_HAVE_OPENCV

namespace meander {
Result<FidelityVerdict> judgeSprite(const Image&, const std::string&) {
    return Error{"Prompt fidelity cannot be measured: this Meander was built without OpenCV. Build it with "
                 "-DMEANDER_OPENCV=ON."};
}
}  // namespace meander

#else

#    include <algorithm>
#    include <cmath>
#    include <opencv2/core.hpp>
#    include <opencv2/imgproc.hpp>

#    include "engine/sprites/palette.h"

namespace meander {
namespace {

constexpr int up = 4;

struct Fault {
    std::string text;
};

struct Found {
    std::string colour, shape;
    double x = 0, y = 0;
};

double squaredDistance(const cv::Vec3f& p, const cv::Vec3f& q) {
    const cv::Vec3f d = p - q;
    return double(d.dot(d));
}

cv::Vec3f paletteColour(int i) {
    return {float(spritePalette[i].r), float(spritePalette[i].g), float(spritePalette[i].b)};
}

int nearest(const cv::Vec3f& p) {
    int best = 0;
    for (int i = 1; i < spritePaletteSize; ++i)
        if (squaredDistance(p, paletteColour(i)) < squaredDistance(p, paletteColour(best))) best = i;
    return best;
}

cv::Vec3f median(const std::vector<cv::Vec3f>& pixels) {
    cv::Vec3f m;
    for (int c = 0; c < 3; ++c) {
        std::vector<float> v;
        for (const auto& p : pixels) v.push_back(p[c]);
        std::sort(v.begin(), v.end());
        const std::size_t n = v.size();
        m[c] = n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
    }
    return m;
}

struct Ground {
    int name;
    cv::Vec3f colour;
};

Ground groundOf(const cv::Mat& rgb) {
    std::vector<cv::Vec3f> border;
    std::array<int, spritePaletteSize> votes{};
    for (int y = 0; y < rgb.rows; ++y)
        for (int x = 0; x < rgb.cols; ++x)
            if (y == 0 || x == 0 || y == rgb.rows - 1 || x == rgb.cols - 1) {
                border.emplace_back(rgb.at<cv::Vec3b>(y, x));
                ++votes[std::size_t(nearest(border.back()))];
            }
    const int best = int(std::max_element(votes.begin(), votes.end()) - votes.begin());
    if (votes[std::size_t(best)] < 0.9 * double(border.size())) throw Fault{"border is not of one colour"};
    return {best, median(border)};
}

std::string shapeOf(const cv::Mat& mask) {
    std::vector<std::vector<cv::Point>> contours;
    cv::findContours(mask.clone(), contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
    if (contours.empty()) return {};
    const auto& contour = *std::max_element(contours.begin(), contours.end(), [](const auto& a, const auto& b) {
        return cv::contourArea(a) < cv::contourArea(b);
    });
    std::vector<cv::Point> hull;
    cv::convexHull(contour, hull);
    const double area = cv::contourArea(contour), hullArea = cv::contourArea(hull);
    if (hullArea <= 0 || area / hullArea < 0.88) return {};
    const cv::Rect bounds = cv::boundingRect(hull);
    const double ratio = double(bounds.width) / bounds.height;
    if (!(ratio >= 0.72 && ratio <= 1.39)) return {};
    cv::Point2f centre;
    float radius = 0;
    cv::minEnclosingCircle(hull, centre, radius);
    const double box = hullArea / (double(bounds.width - 1) * (bounds.height - 1)),
                 disc = hullArea / (CV_PI * double(radius) * radius);
    if (box < 0.64 && disc < 0.56) return "triangle";
    if (box > 0.87 && disc < 0.82) return "square";
    if (box >= 0.70 && box <= 0.90 && disc >= 0.80) return "circle";
    return {};
}

// The colour of a component's core; throws a fault when it is none of the four.
std::pair<int, cv::Vec3f> colourOf(const cv::Mat& big, const cv::Mat& part, int ground) {
    cv::Mat core;
    cv::erode(part, core, cv::Mat::ones(2 * up + 1, 2 * up + 1, CV_8U));
    std::vector<cv::Vec3f> pixels;
    for (int y = 0; y < core.rows; ++y)
        for (int x = 0; x < core.cols; ++x)
            if (core.at<std::uint8_t>(y, x)) pixels.push_back(big.at<cv::Vec3f>(y, x));
    if (pixels.empty()) throw Fault{"thin component"};
    const cv::Vec3f colour = median(pixels);
    const int name = nearest(colour);
    if (name >= spriteObjectColours || name == ground)
        throw Fault{std::string("object of colour ") + spritePalette[name].name};
    if (squaredDistance(colour, paletteColour(name)) > 70.0 * 70.0) throw Fault{"washed-out colour"};
    const auto same =
        std::count_if(pixels.begin(), pixels.end(), [&](const cv::Vec3f& p) { return nearest(p) == name; });
    if (double(same) < 0.9 * double(pixels.size())) throw Fault{"object of mixed colour"};
    return {name, colour};
}

Found objectOf(const cv::Mat& big, const cv::Mat& part, const Ground& ground) {
    const auto [name, colour] = colourOf(big, part, ground.name);
    const cv::Vec3f axis = colour - ground.colour;
    cv::Mat mask = cv::Mat::zeros(big.size(), CV_8U);
    for (int y = 0; y < big.rows; ++y)
        for (int x = 0; x < big.cols; ++x)
            if (part.at<std::uint8_t>(y, x)
                && (big.at<cv::Vec3f>(y, x) - ground.colour).dot(axis) / axis.dot(axis) > 0.5)
                mask.at<std::uint8_t>(y, x) = 1;
    cv::Mat labels, stats, centres;
    const int n = cv::connectedComponentsWithStats(mask, labels, stats, centres, 4);
    if (n < 2) throw Fault{"unclear shape"};
    int largest = 1;
    for (int i = 2; i < n; ++i)
        if (stats.at<int>(i, cv::CC_STAT_AREA) > stats.at<int>(largest, cv::CC_STAT_AREA)) largest = i;
    const std::string shape = shapeOf(labels == largest);
    if (shape.empty()) throw Fault{"unclear shape"};
    return {spritePalette[name].name, shape, (centres.at<double>(largest, 0) + 0.5) / up,
            (centres.at<double>(largest, 1) + 0.5) / up};
}

std::vector<Found> objectsOf(const cv::Mat& rgb, const Ground& ground) {
    cv::Mat big;
    cv::resize(rgb, big, {}, up, up, cv::INTER_LINEAR);
    big.convertTo(big, CV_32FC3);
    cv::Mat foreground(big.size(), CV_8U);
    for (int y = 0; y < big.rows; ++y)
        for (int x = 0; x < big.cols; ++x)
            foreground.at<std::uint8_t>(y, x) = squaredDistance(big.at<cv::Vec3f>(y, x), ground.colour) > 60.0 * 60.0;
    cv::Mat labels, stats, centres;
    const int n = cv::connectedComponentsWithStats(foreground, labels, stats, centres, 4);
    std::vector<Found> objects;
    for (int i = 1; i < n; ++i) {
        const double area = double(stats.at<int>(i, cv::CC_STAT_AREA)) / (up * up);
        if (area < 8) continue;
        if (area < 20) throw Fault{"speck"};
        objects.push_back(objectOf(big, (labels == i) / 255, ground));
    }
    return objects;
}

bool holds(const std::string& relation, const Found& a, const Found& b) {
    const double dx = a.x - b.x, dy = a.y - b.y;
    const bool isVertical = relation == "above" || relation == "below";
    const double along = relation == "above" ? -dy : relation == "below" ? dy : relation == "left of" ? -dx : dx;
    return along >= 6 && std::abs(isVertical ? dx : dy) <= 0.5 * along;
}

std::string compare(const SpriteScene& wanted, const Ground& ground, const std::vector<Found>& seen) {
    if (spritePalette[ground.name].name != wanted.background)
        return std::string("background ") + spritePalette[ground.name].name;
    if (seen.size() != wanted.objects.size()) return std::to_string(seen.size()) + " objects";
    const auto isIt = [](const Found& f, const auto& o) { return f.colour == o.first && f.shape == o.second; };
    if (seen.size() == 1) {
        if (!isIt(seen[0], wanted.objects[0])) return "a " + seen[0].colour + " " + seen[0].shape;
        return std::abs(seen[0].x - 16) <= 5 && std::abs(seen[0].y - 16) <= 5 ? "ok" : "not centred";
    }
    bool isSame = false;
    for (int k = 0; k < 2; ++k) {
        const Found &a = seen[std::size_t(k)], &b = seen[std::size_t(1 - k)];
        if (!isIt(a, wanted.objects[0]) || !isIt(b, wanted.objects[1])) continue;
        if (holds(wanted.relation, a, b)) return "ok";
        isSame = true;
    }
    return isSame ? "relation"
                  : "objects " + seen[0].colour + " " + seen[0].shape + ", " + seen[1].colour + " " + seen[1].shape;
}

}  // namespace

Result<FidelityVerdict> judgeSprite(const Image& image, const std::string& prompt) {
    const auto scene = parseSpritePrompt(prompt);
    if (!scene)
        return Error{"The prompt \"" + prompt
                     + "\" is not of the sprites' grammar, so fidelity cannot be measured. Example: \"a red circle "
                       "above a blue square on a white background\"."};
    if (image.width != 32 || image.height != 32) return Error{"Fidelity is measured on images of 32 × 32 pixels."};
    try {
        const cv::Mat rgb(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb.data()));
        const Ground ground = groundOf(rgb);
        const std::string reason = compare(*scene, ground, objectsOf(rgb, ground));
        return FidelityVerdict{reason == "ok", reason};
    } catch (const Fault& f) {
        return FidelityVerdict{false, f.text};
    } catch (const cv::Exception& e) {
        return Error{"The image could not be judged: OpenCV reported a problem.", e.what()};
    }
}

}  // namespace meander

#endif
