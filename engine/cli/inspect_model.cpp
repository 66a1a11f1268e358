#include "engine/cli/inspect_model.h"

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <optional>

#include "engine/cli/command.h"
#include "engine/core/printable.h"
#include "engine/models/model_files.h"
#include "engine/project/model_json.h"

namespace meander::cli {
namespace {

namespace fs = std::filesystem;

void line(const std::string& label, const std::string& value) {
    constexpr std::size_t width = 18;
    std::cout << "  " << label << std::string(label.size() < width ? width - label.size() : 1, ' ') << printable(value)
              << '\n';
}

std::string countText(double n) {
    char text[32];
    if (n >= 1e9) std::snprintf(text, sizeof text, "%.2f billion", n / 1e9);
    else if (n >= 1e6) std::snprintf(text, sizeof text, "%.1f million", n / 1e6);
    else std::snprintf(text, sizeof text, "%.0f", n);
    return text;
}

std::string partText(const PartFiles& part) {
    std::string text = countText(double(part.parameters)) + " weights, " + bytesText(double(part.bytes));
    if (!part.format.empty()) text += ", " + part.format;
    return text;
}

Json partJson(const PartFiles& part) {
    return {{"file", part.file},
            {"parameters", part.parameters},
            {"bytes", part.bytes},
            {"format", part.format},
            {"config", part.config}};
}

const char* sourceText(Finding::Source source) {
    return source == Finding::Read ? "read" : source == Finding::Assumed ? "assumed" : "declared";
}

// The files of a model by its path; none for built-in and exact models, and for files of points.
std::optional<ModelFiles> filesOf(const std::string& source) {
    std::error_code error;
    if (!fs::exists(source, error)) return {};
    if (isDiffusersFolder(source)) return openDiffusersFolder(source);
    return fs::is_regular_file(source, error) ? std::optional(openModelFile(source)) : std::nullopt;
}

void printFiles(const ModelFiles& f) {
    line("Layout", f.layout);
    line("Network", f.network.config.value("_class_name", std::string()) + ", " + partText(f.network));
    for (const TextFiles& t : f.text) {
        const Json classes = t.encoder.config.value("architectures", Json::array());
        line("Text encoder",
             (classes.empty() ? "CLIPTextModel" : classes[0].get<std::string>()) + ", " + partText(t.encoder));
        if (!t.tokenizer.empty()) line("Tokenizer", t.tokenizer);
    }
    if (f.codec) line("Codec", f.codec->config.value("_class_name", std::string()) + ", " + partText(*f.codec));
}

void printFindings(const std::vector<Finding>& findings, const std::vector<std::string>& missing) {
    if (!findings.empty()) std::cout << "\nWhy\n";
    for (const Finding& f : findings) line(f.key, f.value + " (" + sourceText(f.source) + "). " + f.reason);
    if (!missing.empty()) std::cout << "\nMissing\n";
    for (const auto& m : missing) std::cout << "  " << printable(m) << '\n';
}

void printInfo(const ModelInfo& m) {
    if (!m.summary.empty()) std::cout << printable(m.summary) << '\n';
    std::cout << '\n';
    line("Family", m.family);
    line("Parametrization", nameOf(m.parametrization));
    line("Process", m.process.name());
    line("State", m.state.shape.text() + " " + kernels::nameOf(m.state.type));
    if (m.state.image.rank() == 3)
        line("Image", std::to_string(m.state.image[1]) + " × " + std::to_string(m.state.image[0]) + " pixels");
    if (m.parameters > 0) line("Weights", std::to_string(m.parameters) + " (" + bytesText(double(m.weightBytes)) + ")");
    if (m.textTokens > 0) line("Text", std::to_string(m.textTokens) + " tokens");
    if (!m.attention.empty()) line("Attention layers", std::to_string(m.attention.size()));
    if (!m.recommended.is_null())
        line("Recommended", m.recommended.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// A model that cannot be run may still be described by its files.
void printCard(const Result<ModelInfo>& info, const std::optional<ModelFiles>& files) {
    std::cout << printable(info.ok() ? info->name : files->name) << '\n';
    if (info) printInfo(*info);
    else line("Family", files->family);
    if (files) printFiles(*files);
    printFindings(info ? info->findings : files->findings, info ? info->missing : files->missing);
    if (!info) std::cout << '\n' << printable(info.error().text) << '\n';
}

Json cardJson(const Result<ModelInfo>& info, const std::optional<ModelFiles>& files) {
    Json j = info ? modelToJson(*info) : Json{{"name", files->name}, {"problem", info.error().text}};
    if (!files) return j;
    Json text = Json::array();
    for (const TextFiles& t : files->text) {
        Json part = partJson(t.encoder);
        part["tokenizer"] = t.tokenizer;
        text.push_back(std::move(part));
    }
    j["files"] = {
        {"layout", files->layout}, {"family", files->family}, {"network", partJson(files->network)}, {"text", text}};
    if (files->codec) j["files"]["codec"] = partJson(*files->codec);
    Json findings = Json::array();
    for (const Finding& f : files->findings)
        findings.push_back(
            {{"key", f.key}, {"value", f.value}, {"reason", f.reason}, {"source", sourceText(f.source)}});
    j["files"]["findings"] = findings;
    j["files"]["missing"] = files->missing;
    return j;
}

bool isLike(std::string_view name, std::string_view pattern) {
    if (pattern.empty()) return name.empty();
    if (pattern.front() == '*') {
        for (std::size_t skip = 0; skip <= name.size(); ++skip)
            if (isLike(name.substr(skip), pattern.substr(1))) return true;
        return false;
    }
    return !name.empty() && name.front() == pattern.front() && isLike(name.substr(1), pattern.substr(1));
}

// A pattern without a star may stand anywhere in a name.
bool fits(const std::string& name, const std::string& pattern) {
    if (pattern.empty()) return true;
    return pattern.find('*') == std::string::npos ? name.find(pattern) != std::string::npos : isLike(name, pattern);
}

std::string shapeText(const std::vector<std::int64_t>& extents) {
    std::string text;
    for (const auto e : extents) text += (text.empty() ? "" : " × ") + std::to_string(e);
    return text.empty() ? "a number" : text;
}

void printTensors(const ModelQuestion& q) {
    const WeightFile file = valueOrThrow(WeightFile::open(q.source));
    std::size_t shown = 0, width = 0;
    double bytes = 0;
    for (const auto& [name, e] : file.entries())
        if (fits(name, q.pattern)) width = std::min<std::size_t>(72, std::max(width, printable(name).size()));
    for (const auto& [name, e] : file.entries()) {
        if (!fits(name, q.pattern)) continue;
        ++shown;
        bytes += double(e.bytes);
        if (q.isJson) printLine({{"name", name}, {"type", e.type->name}, {"shape", e.extents}, {"bytes", e.bytes}});
        else {
            const std::string safe = printable(name);
            std::cout << safe << std::string(safe.size() < width ? width - safe.size() : 0, ' ') << "  " << std::left
                      << std::setw(7) << e.type->name << ' ' << shapeText(e.extents) << "  " << e.bytes << '\n';
        }
    }
    if (!q.isJson) std::cout << shown << " of " << file.entries().size() << " tensors, " << bytesText(bytes) << '\n';
}

}  // namespace

void inspectTheModel(const ModelQuestion& q) {
    if (q.wantsTensors) {
        printTensors(q);
        return;
    }
    const auto info = inspectModel(q.source);
    std::optional<ModelFiles> files;
    try {
        files = filesOf(q.source);
    } catch (const Failure&) {  // a file of points, or no model; what is wrong with it stands in `info`
    }
    if (!info && !files) throw Failure(info.error().text);
    if (q.isJson) printLine(cardJson(info, files));
    else printCard(info, files);
}

}  // namespace meander::cli
