// A file of weights of any format: a table of its tensors over the mapped bytes.
//
// Opening reads the header only: names, types, shapes, places. Nothing in a file is believed: lengths, counts, products
// of extents, offsets and overlaps are checked before anything is allocated or looked at. A tensor's data are a view of
// the mapping, paged in when they are used.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "engine/core/file_identity.h"
#include "engine/weights/element_type.h"
#include "engine/weights/mapped_bytes.h"
#include "engine/weights/weight_source.h"

namespace meander {

struct TensorEntry {
    const ElementType* type = nullptr;
    std::vector<std::int64_t> extents;  // outermost first
    std::vector<std::int64_t> strides;  // in elements; empty: dense
    std::int64_t count = 0;
    std::uint64_t offset = 0, bytes = 0;  // in the file; of the whole storage where there are strides
};

// What a reader of a format finds.
struct WeightTable {
    std::map<std::string, TensorEntry> tensors;
    std::map<std::string, std::string> metadata;  // numbers as text; long lists as their length
    std::vector<std::string> notes;               // sentences about what is unusual and harmless
};

class WeightFile {
public:
    // Any format, by its first bytes.
    static Result<WeightFile> open(const std::string& path);
    // The same for bytes in memory; `name` stands in messages.
    static Result<WeightFile> fromBytes(std::string bytes, const std::string& name);

    const std::string& name() const { return m_bytes->name(); }
    FileFormat format() const { return m_format; }
    const std::map<std::string, TensorEntry>& entries() const { return m_table.tensors; }
    const std::map<std::string, std::string>& metadata() const { return m_table.metadata; }
    const std::vector<std::string>& notes() const { return m_table.notes; }
    std::int64_t parameters() const;

    // Weights in their format, without a copy; F64 and integers as F32 (an integer that F32 does not hold is a
    // Failure). Throws Failure.
    HostWeight read(const std::string& tensor) const;

private:
    static Result<WeightFile> over(std::shared_ptr<const MappedBytes> bytes);
    std::shared_ptr<const MappedBytes> m_bytes;
    FileFormat m_format = FileFormat::Unknown;
    WeightTable m_table;
};

// One file or the shards of one model.
class FileWeights final : public WeightSource {
public:
    explicit FileWeights(std::vector<WeightFile> files);
    // "folder/stem" with one of the endings .safetensors, .gguf, .bin, .pth, .pt, .ckpt, or the shards that
    // "folder/stem.safetensors.index.json" lists.
    static Result<std::unique_ptr<FileWeights>> open(const std::string& folder, const std::string& stem);
    static Result<std::unique_ptr<FileWeights>> open(const std::string& path);

    bool has(const std::string& name) const override { return m_where.contains(name); }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override;
    std::optional<kernels::Shape> shapeOf(const std::string& name) const override;

    const std::vector<WeightFile>& files() const { return m_files; }
    std::int64_t parameters() const;

private:
    std::vector<WeightFile> m_files;
    std::map<std::string, std::size_t> m_where;
};

}  // namespace meander
