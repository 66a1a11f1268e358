#include "engine/sweep/sweep_results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/recipe/recipe_fields.h"
#include "engine/sprites/fidelity.h"

namespace meander {
namespace {

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\n\r;") == std::string::npos) return text;
    std::string q = "\"";
    for (const char c : text) q += c == '"' ? std::string("\"\"") : std::string(1, c);
    return q + '"';
}

std::string text(double v) { return display(ParamValue(v)); }
std::string text(const std::optional<double>& v) { return v ? text(*v) : std::string(); }

std::string headings(const Sweep& sweep, const std::string& without) {
    std::string line;
    for (const auto& a : sweep.axes)
        for (const auto& key : a.keys)
            if (key != without) line += quoted(key) + ",";
    return line;
}

std::string valuesOf(const Sweep& sweep, std::size_t cell, const std::string& without) {
    const auto place = sweep.place(cell);
    std::string line;
    for (std::size_t i = 0; i < place.size(); ++i)
        for (std::size_t k = 0; k < sweep.axes[i].keys.size(); ++k)
            if (sweep.axes[i].keys[k] != without) line += quoted(sweep.axes[i].values[std::size_t(place[i])][k]) + ",";
    return line;
}

bool hasImage(const std::optional<CellResult>& r) { return r && r->status == RunStatus::Finished; }

}  // namespace

std::optional<double> fidelityOf(const HostTensor& images, const std::string& prompt) {
    if (!images || images.shape().rank() != 4 || images.shape()[1] != 32 || images.shape()[2] != 32
        || !parseSpritePrompt(prompt))
        return {};
    int faithful = 0;
    for (std::int64_t i = 0; i < images.shape()[0]; ++i) {
        const auto verdict = judgeSprite(imageOf(images, i), prompt);
        if (!verdict) return {};  // without OpenCV
        faithful += verdict->isFaithful ? 1 : 0;
    }
    return double(faithful) / double(images.shape()[0]);
}

CellResult resultOf(const Run& run) {
    CellResult r{run.status, run.number, run.evaluations, run.sharedEvaluations, run.seconds, {}, {}};
    if (run.status == RunStatus::Finished) r.fidelity = fidelityOf(run.images, run.recipe.prompt);
    return r;
}

std::vector<std::optional<std::size_t>> referencesOf(const Sweep& sweep,
                                                     const std::vector<std::optional<CellResult>>& results) {
    std::vector<std::string> subjects(results.size());
    std::map<std::string, std::size_t> best;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (!hasImage(results[i])) continue;
        const Recipe r = sweep.recipe(i);
        for (const auto& f : recipeFields())
            if (f.isSubject || f.key == "images") subjects[i] += display(f, r) + '\n';
        const auto known = best.emplace(subjects[i], i).first;
        if (results[i]->evaluations > results[known->second]->evaluations) known->second = i;
    }
    std::vector<std::optional<std::size_t>> references(results.size());
    for (std::size_t i = 0; i < results.size(); ++i)
        if (hasImage(results[i]) && best[subjects[i]] != i) references[i] = best[subjects[i]];
    return references;
}

std::optional<double> imageDistance(const HostTensor& a, const HostTensor& b) {
    if (!a || !b || !(a.shape() == b.shape()) || a.count() == 0) return {};
    double sum = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) sum += (a.at(i) - b.at(i)) * (a.at(i) - b.at(i));
    return std::sqrt(sum / double(a.count()));
}

std::string csvOf(const Sweep& sweep, const std::vector<std::optional<CellResult>>& results) {
    std::string csv =
        headings(sweep, {}) + "run,status,evaluations,shared_evaluations,seconds,fidelity,distance,problem\n";
    for (std::size_t i = 0; i < results.size(); ++i) {
        csv += valuesOf(sweep, i, {});
        if (const auto& r = results[i])
            csv += std::to_string(r->number) + "," + nameOf(r->status) + "," + std::to_string(r->evaluations) + ","
                   + std::to_string(r->shared) + "," + text(r->seconds) + "," + text(r->fidelity) + ","
                   + text(r->distance) + ",\n";
        else csv += ",refused,,,,,," + quoted(sweep.cells[i].problem) + "\n";
    }
    return csv;
}

std::string seedMeansCsv(const Sweep& sweep, const std::vector<std::optional<CellResult>>& results) {
    struct Means {
        int runs = 0, judged = 0, compared = 0;
        double evaluations = 0, seconds = 0, fidelity = 0, distance = 0;
    };
    std::vector<std::string> order;
    std::map<std::string, Means> means;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto& r = results[i];
        if (!hasImage(r)) continue;
        const std::string values = valuesOf(sweep, i, "seed");
        if (!means.contains(values)) order.push_back(values);
        Means& m = means[values];
        ++m.runs;
        m.evaluations += r->evaluations;
        m.seconds += r->seconds;
        if (r->fidelity) ++m.judged, m.fidelity += *r->fidelity;
        if (r->distance) ++m.compared, m.distance += *r->distance;
    }
    std::string csv = headings(sweep, "seed") + "runs,evaluations,seconds,fidelity,distance\n";
    const auto mean = [](double sum, int n) { return n > 0 ? text(sum / n) : std::string(); };
    for (const auto& values : order) {
        const Means& m = means[values];
        csv += values + std::to_string(m.runs) + "," + mean(m.evaluations, m.runs) + "," + mean(m.seconds, m.runs) + ","
               + mean(m.fidelity, m.judged) + "," + mean(m.distance, m.compared) + "\n";
    }
    return csv;
}

std::vector<std::size_t> paretoLine(const std::vector<CostQuality>& points) {
    std::vector<std::size_t> order(points.size()), line;
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return points[a].cost != points[b].cost ? points[a].cost < points[b].cost
                                                : points[a].quality > points[b].quality;
    });
    for (const std::size_t i : order)
        if (line.empty() || points[i].quality > points[line.back()].quality) line.push_back(i);
    return line;
}

std::optional<std::size_t> kneeOf(const std::vector<CostQuality>& points, const std::vector<std::size_t>& line) {
    if (line.size() < 3) return {};
    const CostQuality &a = points[line.front()], &b = points[line.back()];
    std::optional<std::size_t> knee;
    double farthest = 0;
    for (const std::size_t i : line) {
        const double above =
            (points[i].quality - a.quality) / (b.quality - a.quality) - (points[i].cost - a.cost) / (b.cost - a.cost);
        if (above > farthest) farthest = above, knee = i;
    }
    return knee;
}

Image contactSheet(const Sweep& sweep, const std::vector<std::optional<Image>>& images, int gap) {
    int width = 1, height = 1;
    for (const auto& p : images)
        if (p) width = std::max(width, p->width), height = std::max(height, p->height);
    const std::size_t n = sweep.axes.size(), columns = sweep.axes.back().values.size();
    const std::size_t rows = images.size() / columns, block = n > 1 ? sweep.axes[n - 2].values.size() : 1;
    const auto top = [&](std::size_t row) {
        return gap + int(row) * (height + gap) + int(row / block) * 3 * gap;  // a wider gap between blocks
    };
    Image sheet(gap + int(columns) * (width + gap), top(rows - 1) + height + gap, {22, 24, 29});
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (!images[i]) continue;
        const Image& p = *images[i];
        const Image whole = p.width == width && p.height == height ? p : fitted(p, width, height);
        const int left = gap + int(i % columns) * (width + gap);
        for (int y = 0; y < height; ++y)
            std::copy_n(whole.at(0, y), std::size_t(width) * 3, sheet.at(left, top(i / columns) + y));
    }
    return sheet;
}

}  // namespace meander
