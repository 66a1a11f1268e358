// safetensors files. The format: 8 bytes little-endian header length, a JSON object {name: {dtype, shape, data_offsets:
// [begin, end]}, "__metadata__": {text: text}}, then the data; offsets count from the first byte after the header.
// Nothing in a file is believed: lengths, products of extents, offsets and overlaps are checked before anything is
// allocated or read, and tensors are read from the file when asked for.
#pragma once
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/models/files/weights.h"
#include "engine/tensor/tensor.h"

namespace meander {

struct SafetensorsEntry {
    std::string type;  // as written: "F16"
    std::vector<std::int64_t> extents;
    std::int64_t count = 0;
    std::uint64_t begin = 0, end = 0;  // bytes, from the start of the data
};

class SafetensorsFile {
public:
    static Result<SafetensorsFile> open(const std::string& path);
    // The same for bytes in memory; `name` stands in messages.
    static Result<SafetensorsFile> fromBytes(std::string bytes, const std::string& name);

    const std::string& name() const { return m_name; }
    const std::map<std::string, SafetensorsEntry>& entries() const { return m_entries; }
    const std::map<std::string, std::string>& metadata() const { return m_metadata; }
    std::int64_t parameters() const;

    // F32, F64, F16, BF16 as they are; I64, I32, I16, I8, U8, BOOL as I32 (a larger number is a Failure). Throws
    // Failure.
    HostWeight read(const std::string& tensor) const;

private:
    static Result<SafetensorsFile> fromStream(std::shared_ptr<std::istream> stream, const std::string& name);
    std::string m_name;
    std::shared_ptr<std::istream> m_stream;
    std::uint64_t m_dataStart = 0;
    std::map<std::string, SafetensorsEntry> m_entries;
    std::map<std::string, std::string> m_metadata;
};

// One file or the shards of one model.
class FileWeights final : public WeightSource {
public:
    explicit FileWeights(std::vector<SafetensorsFile> files);
    // "folder/stem.safetensors", or the shards that "folder/stem.safetensors.index.json" lists.
    static Result<std::unique_ptr<FileWeights>> open(const std::string& folder, const std::string& stem);
    bool has(const std::string& name) const override { return m_where.contains(name); }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override;
    std::int64_t parameters() const;

private:
    std::vector<SafetensorsFile> m_files;
    std::map<std::string, std::size_t> m_where;
};

// Writes F32, F64, F16 and I32 tensors; through a temporary name, so that a half-written file never stands under
// `path`.
Status writeSafetensors(const std::string& path, const std::map<std::string, HostTensor>& tensors,
                        const std::map<std::string, std::string>& metadata = {});
std::string safetensorsBytes(const std::map<std::string, HostTensor>& tensors,
                             const std::map<std::string, std::string>& metadata = {});

}  // namespace meander
