#include "engine/run/initial_state.h"

#include <algorithm>
#include <cmath>

#include "engine/core/param_specs.h"
#include "engine/imaging/png.h"
#include "engine/models/analytic/point_file.h"

namespace meander {

namespace {

ParamSpec strengthParam() {
    return percentParam("strength", "Strength", 0.6, 0.01, 1, "steps",
                        "Share of the steps that is done, those next to the data: low keeps it, 1 starts from nearly "
                        "pure noise. Inversion stops at this share.");
}

// Images or points of a file, as states or to be encoded.
void readData(const std::string& path, const ModelInfo& model, StartPoint& start) {
    if (model.state.kind == StateKind::Image) {
        const auto file = readPng(path);
        if (!file) throw Failure(file.error().text);
        const Image& p = file->image;
        const Shape& s = model.state.image;
        if (s.rank() != 3) throw Failure("'" + model.name + "' encodes no images, so it cannot start from one.");
        if (p.height != s[0] || p.width != s[1])
            start.note = "The image to start from has " + std::to_string(p.width) + " × " + std::to_string(p.height)
                         + " pixels; its middle is scaled to " + std::to_string(s[1]) + " × " + std::to_string(s[0])
                         + ".";
        start.images = tensorOf(fitted(p, int(s[1]), int(s[0])));
        return;
    }
    const auto points = readPoints(path);
    if (!points) throw Failure(points.error().text);
    if (Shape(points->shape) != model.state.shape)
        throw Failure("The points in '" + path + "' are of shape " + Shape(points->shape).text() + ", but " + model.name
                      + " has states of shape " + model.state.shape.text() + ".");
    std::vector<std::int64_t> extents{points->points()};
    extents.insert(extents.end(), points->shape.begin(), points->shape.end());
    start.state = HostTensor::fromDoubles(Shape(extents), points->values);
}

void checkRows(std::int64_t rows, int images, const std::string& what) {
    if (rows != images && rows != 1)
        throw Failure(what + (rows > 1 ? " holds " + std::to_string(rows) + " states" : " holds nothing")
                      + ", but the recipe asks for " + std::to_string(images) + " images. Set images to "
                      + std::to_string(rows) + ".");
}

}  // namespace

const std::vector<StartInfo>& starts() {
    static const std::vector<StartInfo> table = {
        {"noise", "Noise", "From pure noise, as a new image", {}},
        {"data",
         "Data",
         "From an image or from points, noised to the first level",
         {fileParam("file", "File",
                    "A PNG image, which is cut and scaled to the size of the run, or a file of points (.csv, .json, .npy); empty: exact draws of a "
                    "model that knows its data."),
          strengthParam()}},
        {"run",
         "Another run",
         "From where another run of the project ended",
         {runParam("run", "Run", "Id of the run, as the list of runs shows it."), strengthParam()}},
    };
    return table;
}

const StartInfo* findStart(const std::string& id) {
    for (const auto& s : starts())
        if (s.id == id) return &s;
    return nullptr;
}

std::string startRunOf(const Recipe& r) {
    if (r.start.id != "run" || !r.start.params.contains("run")) return {};
    const auto* id = std::get_if<std::string>(&r.start.params.at("run"));
    return id ? *id : std::string();
}

StartPoint resolveStart(const Recipe& r, const ModelInfo& model, const Run* run) {
    StartPoint start;
    if (r.start.id == "data") {
        const std::string& path = text(r.start.params, "file");
        start.isDrawn = path.empty();
        if (start.isDrawn && !model.drawsData)
            throw Failure(
                model.name
                + " does not know its data by heart. Choose an image or a file of points to start from (start.file).");
        if (!start.isDrawn) readData(path, model, start);
    } else if (r.start.id == "run") {
        if (startRunOf(r).empty())
            throw Failure("The recipe starts from another run, but names none. Choose one (start.run).");
        if (!run)
            throw Failure(
                "The run to start from is not in this project any more. Choose another, or start from noise.");
        if (!run->trajectory || run->trajectory->empty())
            throw Failure(
                "The run to start from has no recorded states. Show it once so that they are loaded, or run it again.");
        const Trajectory& record = *run->trajectory;
        start.state = record.last();
        start.tau = record.steps.empty() ? record.levels.front() : record.steps.back()->to;
        const Shape wanted = model.state.shape;
        if (start.state.shape().rowCount() != wanted.count())
            throw Failure("The run to start from has states of another size (" + run->model.name + ") than "
                          + model.name + ".");
        if (start.tau > 0 && run->recipe.model != r.model)
            throw Failure("The run to start from ended between data and noise (level " + display(start.tau)
                          + ") with another model; only its own model can go on there. Choose that model, or a run "
                            "that ended at the data.");
    }
    if (start.state) checkRows(start.state.shape()[0], r.images, "What the run starts from");
    return start;
}

std::vector<double> startLevels(std::vector<double> levels, const StartPoint& start, double strength, bool inverts) {
    const bool rises = levels.back() > levels.front();
    if (inverts && !rises) std::reverse(levels.begin(), levels.end());
    if (start.tau > 0) {
        std::vector<double> own{start.tau};
        for (const double tau : levels)
            if (inverts ? tau > start.tau * (1 + 1e-6) : tau < start.tau * (1 - 1e-6)) own.push_back(tau);
        if (own.size() < 2)
            throw Failure("The run to start from ended at level " + display(start.tau) + ", and the schedule has none "
                          + (inverts ? "above" : "below") + " it.");
        return own;
    }
    const std::size_t intervals = levels.size() - 1,
                      done = std::clamp<std::size_t>(std::size_t(double(intervals) * strength + 1e-9), 1, intervals);
    if (inverts) levels.resize(done + 1);
    else levels.erase(levels.begin(), levels.end() - std::ptrdiff_t(done + 1));
    return levels;
}

std::vector<double> roundTripLevels(const std::vector<double>& levels) {
    std::vector<double> trip(levels.rbegin(), levels.rend());
    if (trip.front() > 0) trip.insert(trip.begin(), 0.0);
    trip.insert(trip.end(), levels.begin() + 1, levels.end());
    return trip;
}

}  // namespace meander
