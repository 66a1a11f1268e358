#include "engine/weights/weight_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "engine/core/json.h"
#include "engine/core/printable.h"
#include "engine/weights/formats/readers.h"

namespace meander {

namespace fs = std::filesystem;
using kernels::Shape;

namespace {

FileFormat formatOf(const MappedBytes& file) {
    const auto head = file.all().first(std::min(file.all().size(), identityBytes));
    return meander::formatOf({reinterpret_cast<const char*>(head.data()), head.size()}, file.all().size());
}

WeightTable tableOf(const MappedBytes& file, FileFormat format) {
    switch (format) {
    case FileFormat::Safetensors: return readSafetensors(file);
    case FileFormat::Gguf: return readGguf(file);
    case FileFormat::TorchZip: return readTorchZip(file);
    case FileFormat::TorchPickle: return readTorchLegacy(file);
    default: break;
    }
    // Bytes of no known kind under the ending of one: cut off or overwritten at the start.
    const std::string ending = fs::path(file.name()).extension().string();
    if (format == FileFormat::Unknown && (ending == ".safetensors" || ending == ".gguf"))
        damaged(file.name(), "it does not begin as a " + ending.substr(1) + " file does.");
    if (const auto other = otherThan(FileFormat::Safetensors, file.name())) throw Failure(other->text);
    throw Failure("'" + file.name() + "' is " + nameOf(format)
                  + ", not weights. Choose a safetensors, GGUF or PyTorch file.");
}

Shape shapeOfEntry(const TensorEntry& e, const std::string& tensor, const std::string& file) {
    if (e.extents.size() > std::size_t(Shape::maxRank))
        throw Failure("Tensor '" + printable(tensor) + "' of '" + file + "' has more dimensions than Meander can use.");
    return Shape(e.extents);
}

// Elements in row-major order out of a storage with strides.
std::vector<std::byte> gathered(const TensorEntry& e, const std::byte* from) {
    const std::size_t size = std::size_t(e.type->blockBytes), rank = e.extents.size();
    std::vector<std::byte> to(std::size_t(e.count) * size);
    std::vector<std::int64_t> index(rank, 0);
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < e.count; ++i) {
        std::memcpy(to.data() + std::size_t(i) * size, from + std::size_t(at) * size, size);
        for (std::size_t d = rank; d-- > 0;) {
            at += e.strides[d];
            if (++index[d] < e.extents[d]) break;
            at -= index[d] * e.strides[d];
            index[d] = 0;
        }
    }
    return to;
}

// An integer or a double as the nearest float; an integer beyond 2^24 is not one of the weights' numbers.
template <class T> void narrow(std::span<const std::byte> bytes, std::vector<float>& to, const std::string& tensor) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        T v;
        std::memcpy(&v, bytes.data() + i * sizeof(T), sizeof(T));
        to[i] = float(v);
        if constexpr (std::is_integral_v<T>)
            if (T(std::clamp<double>(double(to[i]), -16777216.0, 16777216.0)) != v)
                throw Failure("Tensor '" + printable(tensor) + "' holds the number " + std::to_string(v)
                              + ", which is larger than Meander can use there.");
    }
}

std::vector<float> narrowed(const ElementType& type, std::span<const std::byte> bytes, std::int64_t count,
                            const std::string& tensor) {
    std::vector<float> to(std::size_t(count), 0.0f);
    const bool isSigned = type.kind == ElementType::Integer;
    if (type.kind == ElementType::Double) narrow<double>(bytes, to, tensor);
    else if (type.blockBytes == 8)
        isSigned ? narrow<std::int64_t>(bytes, to, tensor) : narrow<std::uint64_t>(bytes, to, tensor);
    else if (type.blockBytes == 4)
        isSigned ? narrow<std::int32_t>(bytes, to, tensor) : narrow<std::uint32_t>(bytes, to, tensor);
    else if (type.blockBytes == 2)
        isSigned ? narrow<std::int16_t>(bytes, to, tensor) : narrow<std::uint16_t>(bytes, to, tensor);
    else isSigned ? narrow<std::int8_t>(bytes, to, tensor) : narrow<std::uint8_t>(bytes, to, tensor);
    return to;
}

}  // namespace

Result<WeightFile> WeightFile::over(std::shared_ptr<const MappedBytes> bytes) {
    try {
        WeightFile file;
        file.m_format = formatOf(*bytes);
        file.m_table = tableOf(*bytes, file.m_format);
        file.m_bytes = std::move(bytes);
        return file;
    } catch (const Failure& f) {
        return Error{f.what()};
    }
}

Result<WeightFile> WeightFile::open(const std::string& path) {
    auto bytes = MappedBytes::open(path);
    if (!bytes) return bytes.error();
    return over(std::move(*bytes));
}

Result<WeightFile> WeightFile::fromBytes(std::string bytes, const std::string& name) {
    return over(MappedBytes::ofMemory(std::move(bytes), name));
}

std::int64_t WeightFile::parameters() const {
    std::int64_t n = 0;
    for (const auto& [name, e] : entries()) n += e.count;
    return n;
}

HostWeight WeightFile::read(const std::string& tensor) const {
    const auto it = entries().find(tensor);
    if (it == entries().end())
        throw Failure("The file '" + name() + "' has no tensor '" + printable(tensor)
                      + "'. It belongs to another kind of model.");
    const TensorEntry& e = it->second;
    if (e.type->kind == ElementType::NotComputable)
        throw Failure("Tensor '" + printable(tensor) + "' of '" + name() + "' is stored as " + e.type->name
                      + ", which Meander cannot compute with. Use a file in another format, such as F16 or BF16.");
    m_bytes->requireIntact();
    HostWeight w;
    w.shape = shapeOfEntry(e, tensor, name());
    w.bytes = m_bytes->all().subspan(std::size_t(e.offset), std::size_t(e.bytes));
    w.owner = m_bytes;
    w.isMapped = m_bytes->isFile();
    if (!e.strides.empty()) {
        auto dense = std::make_shared<const std::vector<std::byte>>(gathered(e, w.bytes.data()));
        w.bytes = *dense;
        w.owner = std::move(dense);
        w.isMapped = false;
    }
    if (e.type->kind == ElementType::Weight) {
        w.format = *e.type->format;
        return w;
    }
    return HostWeight::fromFloats(w.shape, narrowed(*e.type, w.bytes, e.count, tensor));
}

FileWeights::FileWeights(std::vector<WeightFile> files) : m_files(std::move(files)) {
    for (std::size_t f = 0; f < m_files.size(); ++f)
        for (const auto& [name, entry] : m_files[f].entries()) m_where.emplace(name, f);
}

namespace {

// The files that an index of shards names; each lies beside the index.
Result<std::vector<std::string>> shardsOf(const fs::path& index) {
    const auto json = readJsonFile(index.string());
    if (!json) return json.error();
    if (!json->is_object() || !json->contains("weight_map") || !(*json)["weight_map"].is_object())
        return Error{"The file '" + index.string() + "' does not list any weights. Download it again."};
    std::vector<std::string> names;
    for (const auto& [tensor, shard] : (*json)["weight_map"].items()) {
        // A name with folders in it could point anywhere.
        if (!shard.is_string() || fs::path(shard.get<std::string>()).has_parent_path()
            || shard.get<std::string>().find_first_of("/\\:") != std::string::npos)
            return Error{"The file '" + index.string() + "' names a shard outside its folder. Download it again."};
        names.push_back(shard.get<std::string>());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

}  // namespace

Result<std::unique_ptr<FileWeights>> FileWeights::open(const std::string& path) {
    auto file = WeightFile::open(path);
    if (!file) return file.error();
    std::vector<WeightFile> files;
    files.push_back(std::move(*file));
    return std::make_unique<FileWeights>(std::move(files));
}

Result<std::unique_ptr<FileWeights>> FileWeights::open(const std::string& folder, const std::string& stem) {
    std::error_code error;
    const fs::path base = fs::path(folder) / stem;
    for (const char* ending : {".safetensors", ".gguf", ".bin", ".pth", ".pt", ".ckpt"}) {
        if (fs::exists(base.string() + ending, error)) return open(base.string() + ending);
        const fs::path index = base.string() + ending + ".index.json";
        if (!fs::exists(index, error)) continue;
        const auto names = shardsOf(index);
        if (!names) return names.error();
        std::vector<WeightFile> files;
        for (const auto& name : *names) {
            auto file = WeightFile::open((fs::path(folder) / name).string());
            if (!file) return file.error();
            files.push_back(std::move(*file));
        }
        return std::make_unique<FileWeights>(std::move(files));
    }
    return open(base.string() + ".safetensors");  // whose absence is told
}

std::int64_t FileWeights::parameters() const {
    std::int64_t n = 0;
    for (const auto& f : m_files) n += f.parameters();
    return n;
}

std::optional<Shape> FileWeights::shapeOf(const std::string& name) const {
    const auto it = m_where.find(name);
    if (it == m_where.end()) return {};
    const WeightFile& file = m_files[it->second];
    return shapeOfEntry(file.entries().at(name), name, file.name());
}

HostWeight FileWeights::read(const std::string& name, const Shape& shape) {
    const auto it = m_where.find(name);
    const std::string file =
        m_files.empty() ? "the model" : "'" + m_files[it == m_where.end() ? 0 : it->second].name() + "'";
    if (it == m_where.end())
        throw Failure("The weights in " + file + " have no tensor '" + name
                      + "', which its configuration asks for. The files do not belong together or are incomplete.");
    const Shape stored = *shapeOf(name);
    if (!isSameShape(stored, shape))
        throw Failure("Tensor '" + name + "' in " + file + " has the shape " + stored.text()
                      + ", but the configuration asks for " + shape.text() + ". The files do not belong together.");
    return reshaped(m_files[it->second].read(name), shape);
}

}  // namespace meander
