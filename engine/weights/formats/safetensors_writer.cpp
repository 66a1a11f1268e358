#include "engine/weights/formats/safetensors_writer.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace meander {
namespace {

const char* typeName(kernels::DType t) {
    switch (t) {
    case kernels::DType::F64: return "F64";
    case kernels::DType::F16: return "F16";
    case kernels::DType::BF16: return "BF16";
    case kernels::DType::I32: return "I32";
    case kernels::DType::F32: break;
    }
    return "F32";
}

}  // namespace

std::string safetensorsBytes(const std::map<std::string, HostTensor>& tensors,
                             const std::map<std::string, std::string>& metadata) {
    nlohmann::json header = nlohmann::json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    // Wide types first, so that every tensor stays aligned to its own size.
    std::vector<const std::pair<const std::string, HostTensor>*> order;
    for (std::size_t size : {8, 4, 2})
        for (const auto& entry : tensors)
            if (sizeOf(entry.second.type()) == size) order.push_back(&entry);
    std::size_t at = 0;
    for (const auto* entry : order) {
        const auto& [name, tensor] = *entry;
        std::vector<std::int64_t> extents(tensor.shape().extents().begin(), tensor.shape().extents().end());
        header[name] = {
            {"dtype", typeName(tensor.type())}, {"shape", extents}, {"data_offsets", {at, at + tensor.bytes().size()}}};
        at += tensor.bytes().size();
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::string file;
    file.reserve(8 + text.size() + at);
    for (int i = 0; i < 8; ++i) file += char(std::uint64_t(text.size()) >> (8 * i) & 0xff);
    file += text;
    for (const auto* entry : order)
        file.append(reinterpret_cast<const char*>(entry->second.bytes().data()), entry->second.bytes().size());
    return file;
}

Status writeSafetensors(const std::string& path, const std::map<std::string, HostTensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
    const std::string file = safetensorsBytes(tensors, metadata), temporary = path + ".new";
    std::error_code error;
    {
        std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
        out.write(file.data(), std::streamsize(file.size()));
        out.close();
        if (!out) {
            std::filesystem::remove(temporary, error);
            return Error{"Cannot write '" + path
                         + "'. Check that the folder exists, may be written and has space left."};
        }
    }
    std::filesystem::rename(temporary, path, error);
    if (error) return Error{"Cannot write '" + path + "': " + error.message() + "."};
    return Done{};
}

}  // namespace meander
