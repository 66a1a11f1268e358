// What a file is, by its first bytes: said before anything is called damaged.
#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace meander {

enum class FileIdentity : std::uint8_t {
    Unknown,
    Empty,
    Safetensors,
    Gguf,
    Zip,           // of PyTorch, or another archive: its directory tells
    LegacyPickle,  // PyTorch before 1.6
    Pickle,        // of another program
    LfsPointer,
    WebPage,
    Xml,
    Json,
    OldGgml,
    Onnx,
    TfLite,
    Hdf5,
    Numpy,
    Tar,
    Gzip,
    Zstandard,
    SevenZip,
    Rar,
    Pdf,
    Png,
    Jpeg,
    Webp,
    Gif,
    Bmp,
    Database,
    Program
};

// From the first 512 bytes or fewer.
FileIdentity identityOf(std::span<const std::byte> head);
// Of a file; Unknown when it cannot be read.
FileIdentity identityOf(const std::string& path);

// "a web page (HTML)"
const char* nameOf(FileIdentity identity);
// "The file 'x' is a web page (HTML), not weights. Download the file itself: …". For what is no file of weights.
std::string notWeights(FileIdentity identity, const std::string& path);

}  // namespace meander
