#include "engine/weights/convert.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/core/durable_file.h"
#include "engine/core/json.h"
#include "engine/weights/quantised.h"
#include "engine/weights/scaled_weights.h"

namespace meander {
namespace {

constexpr std::uint64_t ggufAlignment = 32;
constexpr std::int64_t mostGgufExtents = 4;
constexpr const char* rowScaled = R"({"format": "int8_tensorwise", "per_row": true})";

// A tensor of the new file; its bytes are made when it is written.
struct Planned {
    std::string name, source;
    kernels::Shape shape;
    enum Part : std::uint8_t { Values, RowScales, Description } part = Values;
    WeightFormat format = WeightFormat::F32;
    std::uint64_t offset = 0, bytes = 0;
};

bool isMatrix(const kernels::Shape& s) { return s.rank() == 2 && s[0] > 1 && s[1] > 1; }

// Of safetensors: the names of quantised matrices end so.
bool isCompanion(const std::string& name) {
    static const char* const endings[] = {".weight_scale", ".scale_weight", ".comfy_quant", ".input_scale",
                                          "scaled_fp8"};
    return std::any_of(std::begin(endings), std::end(endings), [&](const char* e) { return name.ends_with(e); });
}

WeightFormat formatFor(const kernels::Shape& s, const std::string& name, const ConvertOptions& o) {
    if (kernels::isPlainFloat(o.format)) return o.format;
    const bool isWhole = s.rank() > 0 && s[s.rank() - 1] % kernels::infoOf(o.format).blockElements == 0;
    if (isMatrix(s) && isWhole && name.ends_with("weight")) return o.format;
    return s.rank() >= 2 ? WeightFormat::F16 : WeightFormat::F32;
}

std::uint64_t aligned(std::uint64_t at, std::uint64_t to) { return (at + to - 1) / to * to; }

void put(std::string& s, const auto& value) { s.append(reinterpret_cast<const char*>(&value), sizeof value); }
void putText(std::string& s, const std::string& text) {
    put(s, std::uint64_t(text.size()));
    s += text;
}

std::vector<std::int64_t> extentsOf(const kernels::Shape& s) { return {s.extents().begin(), s.extents().end()}; }

std::string safetensorsHead(const std::vector<Planned>& tensors) {
    Json head = Json::object();
    head["__metadata__"] = {{"format", "pt"}};
    for (const Planned& t : tensors) {
        const char* type = t.part == Planned::Description ? "U8" : kernels::infoOf(t.format).name;
        head[t.name] = {
            {"dtype", type}, {"shape", extentsOf(t.shape)}, {"data_offsets", {t.offset, t.offset + t.bytes}}};
    }
    std::string text = head.dump();
    text.resize(aligned(text.size(), 8), ' ');
    std::string file;
    put(file, std::uint64_t(text.size()));
    return file + text;
}

std::uint32_t ggufType(WeightFormat f) {
    switch (f) {
    case WeightFormat::F16: return 1;
    case WeightFormat::Q4_0: return 2;
    case WeightFormat::Q8_0: return 8;
    case WeightFormat::Q4_K: return 12;
    case WeightFormat::BF16: return 30;
    default: return 0;
    }
}

std::string ggufHead(const std::vector<Planned>& tensors, const std::string& architecture) {
    enum : std::uint32_t { Int32 = 5, Text = 8, List = 9 };
    std::string values, table;
    std::uint64_t count = 1;
    putText(values, "general.architecture");
    put(values, std::uint32_t(Text));
    putText(values, architecture);
    for (const Planned& t : tensors) {
        std::vector<std::int64_t> extents = extentsOf(t.shape);
        if (std::int64_t(extents.size()) > mostGgufExtents) {
            putText(values, "comfy.gguf.orig_shape." + t.name);
            put(values, std::uint32_t(List));
            put(values, std::uint32_t(Int32));
            put(values, std::uint64_t(extents.size()));
            for (const auto e : extents) put(values, std::int32_t(e));
            ++count;
            extents = {extents[0], t.shape.count() / extents[0]};
        }
        if (extents.empty()) extents = {1};
        putText(table, t.name);
        put(table, std::uint32_t(extents.size()));
        for (auto it = extents.rbegin(); it != extents.rend(); ++it) put(table, std::uint64_t(*it));
        put(table, ggufType(t.format));
        put(table, t.offset);
    }
    std::string file = "GGUF";
    put(file, std::uint32_t(3));
    put(file, std::uint64_t(tensors.size()));
    put(file, count);
    file += values + table;
    file.resize(aligned(file.size(), ggufAlignment), '\0');
    return file;
}

class Converter {
public:
    Converter(const std::string& from, const ConvertOptions& o) : m_options(o) {
        auto weights = FileWeights::open(from);
        if (!weights) throw Failure(weights.error().text);
        const std::shared_ptr<FileWeights> files = std::move(*weights);
        Json layers = nullptr;
        for (const auto& file : files->files())
            if (layers.is_null()) layers = ScaledWeights::layersOfMetadata(file, "");
        m_source = std::make_shared<ScaledWeights>(files, std::move(layers));
        for (const auto& file : files->files())
            for (const auto& [name, entry] : file.entries())
                if (!isCompanion(name)) plan(name, *files->shapeOf(name), entry);
        if (m_tensors.empty()) throw Failure("The file '" + from + "' holds no weights that could be converted.");
        place();
    }

    ConvertedFile write(const std::string& to) {
        const std::string temporary = to + ".new", head = m_options.container == WeightContainer::Gguf
                                                              ? ggufHead(m_tensors, m_options.architecture)
                                                              : safetensorsHead(m_tensors);
        ConvertedFile made{m_tensors.size(), head.size() + m_size, false};
        try {
            std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
            out << head;
            std::uint64_t at = 0;
            for (const Planned& t : m_tensors) {
                if (m_options.progress && !m_options.progress(double(at) / double(m_size))) {
                    out.close();
                    removeFile(temporary);
                    return {0, 0, true};
                }
                out << std::string(t.offset - at, '\0') << bytesOf(t);
                at = t.offset + t.bytes;
                if (!out) break;
            }
            if (at < m_size) out << std::string(m_size - at, '\0');
            out.close();
            if (!out)
                throw Failure("Cannot write '" + to
                              + "'. Check that the folder exists, may be written and has space left.");
            syncFile(temporary);
            replaceFile(temporary, to);
        } catch (...) {
            removeFile(temporary);
            throw;
        }
        if (m_options.progress) m_options.progress(1);
        return made;
    }

private:
    void plan(const std::string& name, const kernels::Shape& shape, const TensorEntry& entry) {
        if (entry.type->kind == ElementType::Integer || entry.type->kind == ElementType::Unsigned) return;
        const WeightFormat format = formatFor(shape, name, m_options);
        m_tensors.push_back({name, name, shape, Planned::Values, format, 0, kernels::bytesOf(format, shape.count())});
        if (format != WeightFormat::I8) return;
        const std::string module = name.substr(0, name.rfind('.'));
        m_tensors.push_back({module + ".weight_scale",
                             name,
                             {shape[0], 1},
                             Planned::RowScales,
                             WeightFormat::F32,
                             0,
                             std::uint64_t(shape[0]) * sizeof(float)});
        const std::string text = rowScaled;
        m_tensors.push_back({module + ".comfy_quant",
                             name,
                             {std::int64_t(text.size())},
                             Planned::Description,
                             WeightFormat::F32,
                             0,
                             text.size()});
    }

    // Safetensors: wide types first, so that every tensor is aligned to its own size. GGUF: at multiples of 32.
    void place() {
        const bool isGguf = m_options.container == WeightContainer::Gguf;
        const auto width = [](const Planned& t) {
            return t.part == Planned::Description ? 1 : kernels::infoOf(t.format).blockBytes;
        };
        if (!isGguf)
            std::stable_sort(m_tensors.begin(), m_tensors.end(),
                             [&](const Planned& a, const Planned& b) { return width(a) > width(b); });
        for (Planned& t : m_tensors) {
            t.offset = isGguf ? aligned(m_size, ggufAlignment) : m_size;
            m_size = t.offset + t.bytes;
        }
        if (isGguf) m_size = aligned(m_size, ggufAlignment);
    }

    std::string bytesOf(const Planned& t) {
        if (t.part == Planned::Description) return rowScaled;
        if (t.part == Planned::Values || m_quantised.first != t.source)
            m_quantised = {t.source,
                           quantised(m_source->read(t.source, t.part == Planned::Values ? t.shape : shapeOf(t)),
                                     t.part == Planned::Values ? t.format : WeightFormat::I8)};
        const HostWeight& w = m_quantised.second;
        const auto bytes = t.part == Planned::RowScales ? std::as_bytes(std::span(w.rowScales)) : w.bytes;
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    kernels::Shape shapeOf(const Planned& t) const { return *m_source->shapeOf(t.source); }

    const ConvertOptions& m_options;
    std::shared_ptr<WeightSource> m_source;
    std::vector<Planned> m_tensors;
    std::uint64_t m_size = 0;
    std::pair<std::string, HostWeight> m_quantised;  // the last one, whose scales follow later
};

}  // namespace

bool canHold(WeightContainer container, WeightFormat f) {
    if (!canQuantise(f)) return false;
    const bool isBlocks = kernels::infoOf(f).blockElements > 1;
    if (container == WeightContainer::Safetensors) return !isBlocks;
    return isBlocks || kernels::isPlainFloat(f);
}

ConvertedFile convertWeights(const std::string& from, const std::string& to, const ConvertOptions& options) {
    if (!canHold(options.container, options.format))
        throw Failure(std::string(options.container == WeightContainer::Gguf ? "GGUF" : "safetensors")
                      + " files cannot be written as " + kernels::infoOf(options.format).name
                      + ". Safetensors take F32, F16, BF16, F8_E4M3, F8_E5M2 and I8, GGUF files F32, F16, BF16, Q8_0, "
                        "Q4_0 and Q4_K.");
    std::error_code error;
    if (std::filesystem::equivalent(from, to, error))
        throw Failure("'" + to + "' is the file that is converted. Choose another name.");
    return Converter(from, options).write(to);
}

}  // namespace meander
