#include "engine/exchange/run_export.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "engine/analysis/attention_maps.h"
#include "engine/analysis/diagnostics.h"
#include "engine/analysis/guidance_measures.h"
#include "engine/core/durable_file.h"
#include "engine/core/json.h"
#include "engine/exchange/recipe_exchange.h"
#include "engine/exchange/table.h"
#include "engine/imaging/colour_maps.h"
#include "engine/imaging/npy.h"
#include "meander_version.h"

namespace meander {
namespace {

namespace fs = std::filesystem;

bool isImage(const HostTensor& t) { return t && t.shape().rank() == 4 && t.shape()[3] == 3; }

void throwIfError(const Status& s) {
    if (!s) throw Failure(s.error().text);
}

class Exporter {
public:
    Exporter(const Run& run, const std::string& folder, const ExportOptions& options)
        : m_run(run), m_folder(folder), m_options(options) {}

    std::vector<std::string> write() {
        throwIfError(writeRecipeFile(file("recipe.json"), m_run.recipe));
        throwIfError(
            writeWholeFile(file("run.json"), toJson(m_run).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
        about();
        if (m_options.images) writeImages();
        if (!m_run.trajectory) return std::move(m_files);
        const Trajectory& t = *m_run.trajectory;
        if (m_options.strip) strips();
        if (m_options.tables) {
            throwIfError(writeWholeFile(file("trajectory.csv"), trajectoryCsv(t)));
            diagnostics(t);
        }
        if (!isImage(m_run.images) && t.last())
            throwIfError(writeNpy(file(m_run.model.state.isImage() ? "states.npy" : "points.npy"), t.last()));
        if (m_options.attention) attention(t);
        return std::move(m_files);
    }

private:
    std::string file(const std::string& name) {
        const fs::path path = fs::path(m_folder) / name;
        std::error_code error;
        fs::create_directories(path.parent_path(), error);
        if (error)
            throw Failure("Cannot make the folder '" + path.parent_path().string() + "': " + error.message() + ".");
        m_files.push_back(name);
        return path.string();
    }

    // In which coordinates the numbers of the other files are.
    void about() {
        Json j = {
            {"program", "Meander " MEANDER_VERSION},
            {"model", m_run.model.name},
            {"process", m_run.model.process.name()},
            {"coordinates",
             {{"states",
               "y = a(tau) * x0 + tau * noise, the coordinates that the samplers integrate in; the state that the "
               "network was trained on is x = native_scale(tau) * y"},
              {"tau", "the clock: sigma for variance exploding and preserving processes, t for flows"},
              {"sigma", "noise over signal of the state, n/s"},
              {"denoised", "estimates of x0, in the coordinates of the data (for latent models: of the latents)"}}},
            {"columns",
             {{"state_rms", "of y, in front of the evaluation"},
              {"denoised_rms", "of the estimate of x0, after guidance"},
              {"change_rms", "of the difference to the estimate before"},
              {"log_snr", "log of signal over noise, squared"},
              {"network_time", "what the network is conditioned on"}}}};
        Json scales = Json::array();
        if (m_run.trajectory)
            for (const double tau : m_run.trajectory->levels)
                scales.push_back({{"tau", tau},
                                  {"signal", m_run.model.process.signal(tau)},
                                  {"native_scale", m_run.model.process.nativeScale(tau)}});
        j["levels"] = std::move(scales);
        throwIfError(writeWholeFile(file("about.json"), j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
    }

    int imageCount() const { return isImage(m_run.images) ? int(m_run.images.shape()[0]) : 0; }

    void writeImages() {
        for (int i = 0; i < imageCount(); ++i)
            throwIfError(
                writePng(file("image-" + std::to_string(i + 1) + ".png"), imageOf(m_run.images, i), textsOf(m_run, i)));
    }

    void strips() {
        for (int i = 0; i < std::min(imageCount(), 16); ++i)
            if (const Image p = filmStrip(m_run, i, 96, m_options.decode); !p.empty())
                throwIfError(writePng(file("strip-" + std::to_string(i + 1) + ".png"), p));
    }

    void diagnostics(const Trajectory& t) {
        const auto all = diagnose(t, {.manifold = m_run.model.process.manifold().kind()});
        if (all.empty()) return;
        std::vector<std::string> head{"step"};
        std::size_t rows = 0;
        for (const auto& d : all) {
            head.push_back(d.id + " " + d.label + (d.unit.empty() ? "" : " [" + d.unit + "]"));
            rows = std::max(rows, d.values.size());
        }
        Table table(std::move(head));
        for (std::size_t k = 0; k < rows; ++k) {
            std::vector<std::string> row{std::to_string(k)};
            for (const auto& d : all) row.push_back(k < d.values.size() ? numberText(d.values[k]) : "");
            table.add(std::move(row));
        }
        throwIfError(table.write(file("diagnostics.csv")));
    }

    // Viridis over the grey image: places keep their shape, strength decides how much of the image shows.
    Image overlay(const HeatMap& map, const Image& image) const {
        const int side = m_options.attentionSide, height = std::max(1, side * image.height / std::max(1, image.width));
        Image out(side, height);
        const ColourMap& colours = colourMaps().front();
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < side; ++x) {
                const double v = (sample(map, (x + 0.5) / side, (y + 0.5) / height) - map.low) / (map.high - map.low);
                const auto* p = image.at(x * image.width / side, y * image.height / height);
                const double grey = 0.3 * p[0] + 0.6 * p[1] + 0.1 * p[2], cover = 0.45 + 0.4 * std::clamp(v, 0.0, 1.0);
                const Rgb c = colours.at(v);
                for (std::size_t i = 0; i < 3; ++i)
                    out.at(x, y)[i] = std::uint8_t(std::lround(cover * c[i] + (1 - cover) * grey));
            }
        return out;
    }

    static double sample(const HeatMap& m, double u, double v) {
        const double x = std::clamp(u * m.width - 0.5, 0.0, double(m.width - 1)),
                     y = std::clamp(v * m.height - 0.5, 0.0, double(m.height - 1));
        const int x0 = int(x), y0 = int(y), x1 = std::min(x0 + 1, m.width - 1), y1 = std::min(y0 + 1, m.height - 1);
        const double a = x - x0, b = y - y0;
        return (1 - b) * ((1 - a) * m.at(x0, y0) + a * m.at(x1, y0)) + b * ((1 - a) * m.at(x0, y1) + a * m.at(x1, y1));
    }

    static std::string safe(const std::string& word) {
        std::string s;
        for (const char c : word) s += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
        return s.substr(0, 40);
    }

    void attention(const Trajectory& t) {
        const auto words = wordsOf(t.tokens);
        for (int i = 0; i < std::min(imageCount(), 4); ++i) {
            const TokenMaps raw = reduceAttention(t, {i, {}, {}, 0, {}});
            if (raw.empty() || words.empty()) continue;
            const std::string folder = "attention/image-" + std::to_string(i + 1) + "/";
            const Image image = imageOf(m_run.images, i);
            const auto maps = mapsOf(raw, words, MapScale::SharePrompt, t.tokens);
            Json list = Json::array();
            for (std::size_t k = 0; k < maps.size(); ++k) {
                const std::string name = std::to_string(k + 1) + "-" + safe(words[k].text) + ".png";
                throwIfError(writePng(file(folder + name), overlay(maps[k], image),
                                      {{"Description", words[k].text + ": " + maps[k].caption}}));
                list.push_back({{"file", name}, {"word", words[k].text}, {"tokens", words[k].tokens}});
            }
            const Json about = {
                {"caption", maps.front().caption},
                {"reduction", "mean over heads, then layers (bilinear to the largest grid), then evaluations"},
                {"normalisation", nameOf(MapScale::SharePrompt)},
                {"grid", {raw.height, raw.width}},
                {"range", {maps.front().low, maps.front().high}},
                {"colour_map", "viridis"},
                {"maps", list},
                {"raw", "raw.npy"}};
            throwIfError(writeWholeFile(file(folder + "about.json"),
                                        about.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
            throwIfError(writeNpy(file(folder + "raw.npy"),
                                  HostTensor::fromFloats({raw.tokens, raw.height, raw.width},
                                                         std::vector<float>(raw.values.begin(), raw.values.end()))));
        }
    }

    const Run& m_run;
    const std::string m_folder;
    const ExportOptions& m_options;
    std::vector<std::string> m_files;
};

}  // namespace

Image filmStrip(const Run& run, int image, int height, const Decode& decode) {
    std::vector<Image> frames;
    if (!run.trajectory || !isImage(run.images)) return {};
    const int factor = std::max(1, height / int(run.images.shape()[1]));
    const auto pixels = run.model.pixels;
    const auto add = [&](const HostTensor& state, bool isDecoded) {
        const HostTensor row = state.rows(image, 1);
        const HostTensor p = isDecoded ? row
                             : decode  ? decode(row)
                             : pixels  ? applyPixelMap(*pixels, row)
                                       : HostTensor();
        if (isImage(p)) frames.push_back(enlarged(imageOf(p), factor));
    };
    int last = -1;
    for (const auto& e : run.trajectory->evaluations)
        if (e->step != last && e->denoised) {
            last = e->step;
            add(e->denoised, false);
        }
    add(run.images, true);
    // A very long strip would pass what a PNG may hold.
    const std::size_t most = std::size_t(maximumImageSide / (frames.back().width + 4));
    if (frames.size() > most) frames.resize(most);
    return beside(frames, 4);
}

std::string trajectoryCsv(const Trajectory& t) {
    std::vector<std::string> head{
        "evaluation", "step",         "tau",        "sigma",        "log_snr",      "network_time", "guidance_weight",
        "state_rms",  "denoised_rms", "change_rms", "network_rows", "milliseconds", "replayed"};
    const std::vector<std::string> measured = measuredNames(t);
    for (const auto& name : measured) {
        const std::string unit = measureOf(name).unit;
        head.push_back(name + (unit.empty() ? "" : " [" + unit + "]"));
    }
    Table table(std::move(head));
    State before;
    for (const auto& e : t.evaluations) {
        const State denoised = e->denoised ? e->denoised.toDoubles() : State{};
        const State state = e->state ? e->state.toDoubles() : State{};
        std::vector<std::string> row{std::to_string(e->index),
                                     std::to_string(e->step),
                                     numberText(e->tau),
                                     numberText(e->sigma),
                                     numberText(e->logSnr),
                                     numberText(e->networkTime),
                                     numberText(e->guidanceWeight),
                                     numberText(rms(state)),
                                     numberText(rms(denoised)),
                                     numberText(rmsDifference(denoised, before)),
                                     std::to_string(e->networkRows),
                                     numberText(e->milliseconds),
                                     e->replayed ? "1" : "0"};
        const auto metrics = namedMetrics(*e);
        for (const auto& name : measured) {
            const auto it =
                std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.first == name; });
            row.push_back(it == metrics.end() ? "" : numberText(measuredValue(*it->second, {})));
        }
        table.add(std::move(row));
        before = denoised;
    }
    return table.csv();
}

Result<std::vector<std::string>> exportRun(const Run& run, const std::string& folder, const ExportOptions& options) {
    try {
        return Exporter(run, folder, options).write();
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

}  // namespace meander
