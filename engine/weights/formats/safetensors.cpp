// safetensors: 8 bytes little-endian header length, a JSON object {name: {dtype, shape, data_offsets: [begin, end]},
// "__metadata__": {text: text}}, then the data; offsets count from the first byte after the header.
#include <algorithm>
#include <set>

#include "engine/core/json.h"
#include "engine/core/printable.h"
#include "engine/weights/formats/byte_reader.h"

namespace meander {

void damaged(const std::string& file, const std::string& why) {
    throw Failure("The file '" + file + "' is damaged: " + printable(why) + " Download or copy it again.");
}

std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
    if (b != 0 && a > std::uint64_t(INT64_MAX) / b) return {};
    return a * b;
}

std::optional<std::uint64_t> countOf(std::span<const std::int64_t> extents) {
    std::optional<std::uint64_t> n = 1;
    for (const auto e : extents)
        if (e < 0 || !(n = product(*n, std::uint64_t(e)))) return {};
    return n;
}

void checkOverlaps(const std::string& file, const std::map<std::string, TensorEntry>& tensors) {
    std::vector<std::pair<const TensorEntry*, const std::string*>> order;
    for (const auto& [name, e] : tensors)
        if (e.bytes > 0) order.emplace_back(&e, &name);
    std::sort(order.begin(), order.end(),
              [](const auto& a, const auto& b) { return a.first->offset < b.first->offset; });
    for (std::size_t i = 1; i < order.size(); ++i)
        if (order[i].first->offset < order[i - 1].first->offset + order[i - 1].first->bytes)
            damaged(file, "tensors '" + *order[i - 1].second + "' and '" + *order[i].second + "' overlap.");
}

namespace {

constexpr std::uint64_t longestHeader = 100'000'000;  // the limit of the reference implementation
constexpr std::size_t highestRank = 8;

bool isSize(const nlohmann::json& j) {
    return j.is_number_unsigned() && j.get<std::uint64_t>() <= std::uint64_t(INT64_MAX);
}

TensorEntry entryOf(const std::string& file, const std::string& tensor, const nlohmann::json& j,
                    std::uint64_t dataStart, std::uint64_t dataSize) {
    const std::string of = "tensor '" + tensor + "' ";
    if (!j.is_object() || !j.contains("dtype") || !j.contains("shape") || !j.contains("data_offsets"))
        damaged(file, of + "has no type, shape or place.");
    const auto &type = j["dtype"], &shape = j["shape"], &offsets = j["data_offsets"];
    TensorEntry e;
    e.type = type.is_string() ? elementType(type.get<std::string>()) : nullptr;
    if (!e.type) damaged(file, of + "has an unknown type.");
    if (!shape.is_array() || shape.size() > highestRank) damaged(file, of + "has no proper shape.");
    for (const auto& extent : shape) {
        if (!isSize(extent)) damaged(file, of + "has an extent that is not a size.");
        e.extents.push_back(extent.get<std::int64_t>());
    }
    const auto count = countOf(e.extents);
    const auto bytes = count ? bytesOf(*e.type, *count) : std::nullopt;
    if (!bytes) damaged(file, of + "claims an impossible size.");
    e.count = std::int64_t(*count);
    if (!offsets.is_array() || offsets.size() != 2 || !isSize(offsets[0]) || !isSize(offsets[1]))
        damaged(file, of + "has no proper place.");
    const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
    if (end < begin || end - begin != *bytes) damaged(file, of + "has a place that does not fit its shape.");
    if (end > dataSize) damaged(file, of + "lies beyond the end; the file is cut off.");
    e.offset = dataStart + begin;
    e.bytes = *bytes;
    return e;
}

// The parser keeps the last of two entries of one name; which of them was meant nobody knows.
void checkNames(const std::string& file, std::string_view header) {
    std::set<std::string> seen;
    const auto ignored = nlohmann::json::parse(header, [&](int depth, nlohmann::json::parse_event_t event,
                                                           nlohmann::json& key) {
        if (depth == 1 && event == nlohmann::json::parse_event_t::key && !seen.insert(key.get<std::string>()).second)
            damaged(file, "it has two entries '" + key.get<std::string>() + "'.");
        return true;
    });
}

void readMetadata(const std::string& file, const nlohmann::json& entry, WeightTable& table) {
    if (!entry.is_object()) damaged(file, "its metadata is not a list of texts.");
    for (const auto& [key, value] : entry.items())
        table.metadata.emplace(key, value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

WeightTable readSafetensors(const MappedBytes& mapped) {
    const std::string& file = mapped.name();
    ByteReader reader(mapped.all(), file);
    const auto length = reader.number<std::uint64_t>();
    if (length < 2 || length > longestHeader || length > reader.remaining())
        damaged(file, "its header does not fit; it is cut off.");
    const std::string_view header = reader.text(length);
    const auto json = parseSortedJson(header, "the header of '" + file + "'", {std::size_t(longestHeader), 8});
    if (!json) throw Failure(json.error().text);
    if (!json->is_object()) damaged(file, "its header is not a list of tensors.");
    checkNames(file, header);
    WeightTable table;
    const std::uint64_t dataStart = reader.position(), dataSize = reader.remaining();
    std::uint64_t used = 0;
    for (const auto& [tensor, entry] : json->items()) {
        if (tensor == "__metadata__") readMetadata(file, entry, table);
        else
            used +=
                table.tensors.emplace(tensor, entryOf(file, tensor, entry, dataStart, dataSize)).first->second.bytes;
    }
    checkOverlaps(file, table.tensors);
    if (used < dataSize)
        table.notes.push_back(std::to_string(dataSize - used) + " bytes of the file belong to no tensor.");
    return table;
}

}  // namespace meander
