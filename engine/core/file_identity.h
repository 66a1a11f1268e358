// What a file is, by its first bytes. Names may have any ending, so every reader checks this before it calls a file
// damaged: an error page saved as .safetensors is an HTML page, not broken weights.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/result.h"

namespace meander {

enum class FileFormat : std::uint8_t {
    Unknown,
    Empty,
    Sqlite,
    Safetensors,
    Gguf,
    TorchZip,     // .ckpt, .pt, .pth, .bin of PyTorch 1.6 and later: a zip with data.pkl
    TorchPickle,  // the same of earlier versions, or any other pickle
    Onnx,
    Npy,
    Npz,
    Png,
    Jpeg,
    WebP,
    Gif,
    Json,
    LfsPointer,
    Html,
    Archive,  // zip, gzip, 7z, rar, xz, zstd
    Hdf5,
    Text,
};

// Bytes of a file that `formatOf` needs at most.
constexpr std::size_t identityBytes = 512;

// `head`: the first bytes, up to identityBytes; `size`: of the whole file.
FileFormat formatOf(std::string_view head, std::uint64_t size);
// Unknown when there is no such file or it cannot be read.
FileFormat formatOfFile(const std::string& path);

// With its article: "a GGUF file (quantised weights)".
const char* nameOf(FileFormat format);
// "'a.safetensors' is an HTML page, not a safetensors file: … Download it again …" when the file is recognised as
// something else than `expected`; nothing when it is that, or not recognised.
std::optional<Error> otherThan(FileFormat expected, const std::string& path);

}  // namespace meander
