#include "engine/models/files/safetensors.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/core/json.h"

namespace meander {
namespace {

constexpr std::uint64_t longestHeader = 100'000'000;  // the limit of the reference implementation
constexpr std::size_t highestRank = 8;

// Bytes of one element, 0 for a type nobody knows.
std::uint64_t elementSize(const std::string& type) {
    static const std::map<std::string, std::uint64_t> sizes = {
        {"F64", 8}, {"I64", 8}, {"U64", 8}, {"F32", 4}, {"I32", 4},  {"U32", 4},     {"F16", 2},    {"BF16", 2},
        {"I16", 2}, {"U16", 2}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
    const auto it = sizes.find(type);
    return it == sizes.end() ? 0 : it->second;
}

[[noreturn]] void damaged(const std::string& file, const std::string& why) {
    throw Failure("The file '" + file + "' is damaged: " + why + " Download or copy it again.");
}

bool wouldOverflow(std::uint64_t a, std::uint64_t b) { return b != 0 && a > std::uint64_t(INT64_MAX) / b; }
bool isSize(const nlohmann::json& j) {
    return j.is_number_unsigned() && j.get<std::uint64_t>() <= std::uint64_t(INT64_MAX);
}

SafetensorsEntry entryOf(const std::string& file, const std::string& tensor, const nlohmann::json& j,
                         std::uint64_t dataSize) {
    const std::string of = "tensor '" + tensor + "' ";
    if (!j.is_object() || !j.contains("dtype") || !j.contains("shape") || !j.contains("data_offsets"))
        damaged(file, of + "has no type, shape or place.");
    const auto &type = j["dtype"], &shape = j["shape"], &offsets = j["data_offsets"];
    SafetensorsEntry e;
    if (!type.is_string() || elementSize(type.get<std::string>()) == 0) damaged(file, of + "has an unknown type.");
    e.type = type.get<std::string>();
    if (!shape.is_array() || shape.size() > highestRank) damaged(file, of + "has no proper shape.");
    std::uint64_t bytes = elementSize(e.type);
    for (const auto& extent : shape) {
        if (!isSize(extent)) damaged(file, of + "has an extent that is not a size.");
        e.extents.push_back(extent.get<std::int64_t>());
        if (wouldOverflow(bytes, std::uint64_t(e.extents.back()))) damaged(file, of + "claims an impossible size.");
        bytes *= std::uint64_t(e.extents.back());
    }
    e.count = std::int64_t(bytes / elementSize(e.type));
    if (!offsets.is_array() || offsets.size() != 2 || !isSize(offsets[0]) || !isSize(offsets[1]))
        damaged(file, of + "has no proper place.");
    e.begin = offsets[0].get<std::uint64_t>();
    e.end = offsets[1].get<std::uint64_t>();
    if (e.end < e.begin || e.end - e.begin != bytes) damaged(file, of + "has a place that does not fit its shape.");
    if (e.end > dataSize) damaged(file, of + "lies beyond the end; the file is cut off.");
    return e;
}

// The parser keeps the last of two entries of one name; which of them was meant nobody knows.
void checkNames(const std::string& file, const std::string& header) {
    std::set<std::string> seen;
    const auto ignored = nlohmann::json::parse(header, [&](int depth, nlohmann::json::parse_event_t event,
                                                           nlohmann::json& key) {
        if (depth == 1 && event == nlohmann::json::parse_event_t::key && !seen.insert(key.get<std::string>()).second)
            damaged(file, "it has two entries '" + key.get<std::string>() + "'.");
        return true;
    });
}

void checkOverlaps(const std::string& file, const std::map<std::string, SafetensorsEntry>& entries) {
    std::vector<std::pair<const SafetensorsEntry*, const std::string*>> order;
    for (const auto& [name, e] : entries)
        if (e.end > e.begin) order.emplace_back(&e, &name);
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first->begin < b.first->begin; });
    for (std::size_t i = 1; i < order.size(); ++i)
        if (order[i].first->begin < order[i - 1].first->end)
            damaged(file, "tensors '" + *order[i - 1].second + "' and '" + *order[i].second + "' overlap.");
}

template <class T> std::vector<std::byte> widened(const std::vector<std::byte>& bytes, const std::string& tensor) {
    const std::size_t n = bytes.size() / sizeof(T);
    std::vector<std::byte> wide(n * 4);
    for (std::size_t i = 0; i < n; ++i) {
        T v;
        std::memcpy(&v, bytes.data() + i * sizeof(T), sizeof(T));
        if (std::int64_t(v) > INT32_MAX || std::int64_t(v) < INT32_MIN)
            throw Failure("Tensor '" + tensor + "' holds the number " + std::to_string(v)
                          + ", which is larger than Meander can use there.");
        const std::int32_t w = std::int32_t(v);
        std::memcpy(wide.data() + 4 * i, &w, 4);
    }
    return wide;
}

}  // namespace

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
        return Error{"Cannot open '" + path + "'. Check that the file exists and may be read."};
    auto stream = std::make_shared<std::ifstream>(path, std::ios::binary);
    if (!*stream) return Error{"Cannot open '" + path + "'. Check that the file may be read."};
    return fromStream(std::move(stream), path);
}

Result<SafetensorsFile> SafetensorsFile::fromBytes(std::string bytes, const std::string& name) {
    return fromStream(std::make_shared<std::istringstream>(std::move(bytes), std::ios::binary), name);
}

Result<SafetensorsFile> SafetensorsFile::fromStream(std::shared_ptr<std::istream> stream, const std::string& name) {
    try {
        SafetensorsFile file;
        file.m_name = name;
        stream->seekg(0, std::ios::end);
        const std::int64_t size = stream->tellg();
        stream->seekg(0);
        unsigned char raw[8];
        if (size < 10 || !stream->read(reinterpret_cast<char*>(raw), 8))
            damaged(name, "it is too short for a safetensors file.");
        std::uint64_t length = 0;
        for (int i = 7; i >= 0; --i) length = length << 8 | raw[i];
        if (length < 2 || length > longestHeader || length > std::uint64_t(size) - 8)
            damaged(name, "its header does not fit; it is cut off or not a safetensors file.");
        std::string header(std::size_t(length), '\0');
        if (!stream->read(header.data(), std::streamsize(length))) damaged(name, "its header cannot be read.");
        const auto json = parseSortedJson(header, "the header of '" + name + "'", {std::size_t(longestHeader), 8});
        if (!json) return json.error();
        if (!json->is_object()) damaged(name, "its header is not a list of tensors.");
        checkNames(name, header);
        file.m_dataStart = 8 + length;
        for (const auto& [tensor, entry] : json->items()) {
            if (tensor != "__metadata__") {
                file.m_entries.emplace(tensor, entryOf(name, tensor, entry, std::uint64_t(size) - file.m_dataStart));
                continue;
            }
            if (!entry.is_object()) damaged(name, "its metadata is not a list of texts.");
            for (const auto& [key, value] : entry.items())
                if (value.is_string()) file.m_metadata.emplace(key, value.get<std::string>());
        }
        checkOverlaps(name, file.m_entries);
        file.m_stream = std::move(stream);
        return file;
    } catch (const Failure& f) {
        return Error{f.what()};
    }
}

std::int64_t SafetensorsFile::parameters() const {
    std::int64_t n = 0;
    for (const auto& [name, e] : m_entries) n += e.count;
    return n;
}

HostWeight SafetensorsFile::read(const std::string& tensor) const {
    const auto it = m_entries.find(tensor);
    if (it == m_entries.end())
        throw Failure("The file '" + m_name + "' has no tensor '" + tensor + "'. It belongs to another kind of model.");
    const SafetensorsEntry& e = it->second;
    if (e.extents.size() > std::size_t(kernels::Shape::maxRank))
        throw Failure("Tensor '" + tensor + "' of '" + m_name + "' has more dimensions than Meander can use.");
    HostWeight w{kernels::Shape(e.extents), kernels::DType::F32, std::vector<std::byte>(std::size_t(e.end - e.begin))};
    m_stream->clear();
    m_stream->seekg(std::streamoff(m_dataStart + e.begin));
    if (!w.bytes.empty() && !m_stream->read(reinterpret_cast<char*>(w.bytes.data()), std::streamsize(w.bytes.size())))
        throw Failure("Cannot read tensor '" + tensor + "' from '" + m_name
                      + "'. The file may have changed since it was opened; try again.");
    using kernels::DType;
    static const std::map<std::string, DType> direct = {
        {"F32", DType::F32}, {"F64", DType::F64}, {"F16", DType::F16}, {"BF16", DType::BF16}, {"I32", DType::I32}};
    const auto known = direct.find(e.type);
    w.type = known == direct.end() ? DType::I32 : known->second;
    if (known != direct.end()) return w;
    if (e.type == "I64") w.bytes = widened<std::int64_t>(w.bytes, tensor);
    else if (e.type == "I16") w.bytes = widened<std::int16_t>(w.bytes, tensor);
    else if (e.type == "I8") w.bytes = widened<std::int8_t>(w.bytes, tensor);
    else if (e.type == "U8" || e.type == "BOOL") w.bytes = widened<std::uint8_t>(w.bytes, tensor);
    else
        throw Failure("Tensor '" + tensor + "' of '" + m_name + "' is stored as " + e.type
                      + ", which Meander cannot compute with. Use a file in F32, F16 or BF16.");
    return w;
}

FileWeights::FileWeights(std::vector<SafetensorsFile> files) : m_files(std::move(files)) {
    for (std::size_t f = 0; f < m_files.size(); ++f)
        for (const auto& [name, entry] : m_files[f].entries()) m_where.emplace(name, f);
}

Result<std::unique_ptr<FileWeights>> FileWeights::open(const std::string& folder, const std::string& stem) {
    namespace fs = std::filesystem;
    std::vector<std::string> names;
    std::error_code error;
    const fs::path index = fs::path(folder) / (stem + ".safetensors.index.json");
    if (fs::exists(index, error) && !fs::exists(fs::path(folder) / (stem + ".safetensors"), error)) {
        const auto json = readJsonFile(index.string());
        if (!json) return json.error();
        if (!json->is_object() || !json->contains("weight_map") || !(*json)["weight_map"].is_object())
            return Error{"The file '" + index.string() + "' does not list any weights. Download it again."};
        for (const auto& [tensor, shard] : (*json)["weight_map"].items()) {
            // A shard lies beside its index; a name with folders in it could point anywhere.
            if (!shard.is_string() || fs::path(shard.get<std::string>()).has_parent_path())
                return Error{"The file '" + index.string() + "' names a shard outside its folder. Download it again."};
            names.push_back(shard.get<std::string>());
        }
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
    } else {
        names = {stem + ".safetensors"};
    }
    std::vector<SafetensorsFile> files;
    for (const auto& name : names) {
        auto file = SafetensorsFile::open((fs::path(folder) / name).string());
        if (!file) return file.error();
        files.push_back(std::move(*file));
    }
    return std::make_unique<FileWeights>(std::move(files));
}

std::int64_t FileWeights::parameters() const {
    std::int64_t n = 0;
    for (const auto& f : m_files) n += f.parameters();
    return n;
}

HostWeight FileWeights::read(const std::string& name, const kernels::Shape& shape) {
    const auto it = m_where.find(name);
    const std::string file =
        m_files.empty() ? "the model" : "'" + m_files[it == m_where.end() ? 0 : it->second].name() + "'";
    if (it == m_where.end())
        throw Failure("The weights in " + file + " have no tensor '" + name
                      + "', which its configuration asks for. The files do not belong together or are incomplete.");
    const auto& entry = m_files[it->second].entries().at(name);
    if (!std::equal(entry.extents.begin(), entry.extents.end(), shape.extents().begin(), shape.extents().end())) {
        std::string found;
        for (auto e : entry.extents) found.append(found.empty() ? "" : ", ").append(std::to_string(e));
        throw Failure("Tensor '" + name + "' in " + file + " has the shape (" + found
                      + "), but the configuration asks for " + shape.text() + ". The files do not belong together.");
    }
    return m_files[it->second].read(name);
}

}  // namespace meander
