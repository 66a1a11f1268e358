#include "engine/weights/file_identity.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace meander {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t headSize = 512;

// Bytes at a place that only one kind of file has there.
struct Mark {
    std::size_t offset;
    std::string_view bytes;
    FileIdentity identity;
};
constexpr Mark marks[] = {
    {0, "GGUF"sv, FileIdentity::Gguf},
    {0, "PK\x03\x04"sv, FileIdentity::Zip},
    {0, "PK\x05\x06"sv, FileIdentity::Zip},
    {0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv, FileIdentity::LegacyPickle},
    {0, "\x80\x02"sv, FileIdentity::Pickle},
    {0, "\x80\x03"sv, FileIdentity::Pickle},
    {0, "\x80\x04"sv, FileIdentity::Pickle},
    {0, "\x80\x05"sv, FileIdentity::Pickle},
    {0, "version https://git-lfs"sv, FileIdentity::LfsPointer},
    {0, "version https://hawser"sv, FileIdentity::LfsPointer},
    {0, "lmgg"sv, FileIdentity::OldGgml},
    {0, "fmgg"sv, FileIdentity::OldGgml},
    {0, "tjgg"sv, FileIdentity::OldGgml},
    {4, "TFL3"sv, FileIdentity::TfLite},
    {0, "\x89HDF\r\n\x1a\n"sv, FileIdentity::Hdf5},
    {0, "\x93NUMPY"sv, FileIdentity::Numpy},
    {257, "ustar"sv, FileIdentity::Tar},
    {0, "\x1f\x8b"sv, FileIdentity::Gzip},
    {0, "\x28\xb5\x2f\xfd"sv, FileIdentity::Zstandard},
    {0, "7z\xbc\xaf\x27\x1c"sv, FileIdentity::SevenZip},
    {0, "Rar!\x1a\x07"sv, FileIdentity::Rar},
    {0, "%PDF"sv, FileIdentity::Pdf},
    {0, "\x89PNG\r\n\x1a\n"sv, FileIdentity::Png},
    {0, "\xff\xd8\xff"sv, FileIdentity::Jpeg},
    {8, "WEBP"sv, FileIdentity::Webp},
    {0, "GIF8"sv, FileIdentity::Gif},
    {0, "SQLite format 3\0"sv, FileIdentity::Database},
    {0, "\x7f\x45LF"sv, FileIdentity::Program},
    {0, "MZ"sv, FileIdentity::Program},
    {0, "BM"sv, FileIdentity::Bmp},
};

struct Description {
    FileIdentity identity;
    const char *name, *remedy;
};
constexpr Description descriptions[] = {
    {FileIdentity::Unknown, "of a kind that Meander does not know", "Choose a file of weights."},
    {FileIdentity::Empty, "empty", "Download or copy it again."},
    {FileIdentity::Safetensors, "a safetensors file", ""},
    {FileIdentity::Gguf, "a GGUF file", ""},
    {FileIdentity::Zip, "a zip archive", "Unpack it, and choose a file of weights inside."},
    {FileIdentity::LegacyPickle, "a PyTorch file", ""},
    {FileIdentity::Pickle, "a Python pickle of another program", "Convert it to safetensors where it was made."},
    {FileIdentity::LfsPointer, "a Git LFS pointer, a note of where the real file lies",
     "Fetch the file itself: git lfs pull, or the download button of the site."},
    {FileIdentity::WebPage, "a web page (HTML)",
     "Download the file itself; the link led to a page, which may ask for a login."},
    {FileIdentity::Xml, "an XML document", "Choose a file of weights."},
    {FileIdentity::Json, "a JSON document", "Choose the file of weights beside it."},
    {FileIdentity::OldGgml, "a GGML file, the format before GGUF", "Download the model as GGUF or safetensors."},
    {FileIdentity::Onnx, "an ONNX graph", "Download the model as safetensors or GGUF."},
    {FileIdentity::TfLite, "a TensorFlow Lite graph", "Download the model as safetensors or GGUF."},
    {FileIdentity::Hdf5, "an HDF5 file", "Download the model as safetensors."},
    {FileIdentity::Numpy, "a NumPy array", "Choose a file of weights."},
    {FileIdentity::Tar, "a tar archive", "Unpack it, and choose a file of weights inside."},
    {FileIdentity::Gzip, "a gzip archive", "Unpack it first."},
    {FileIdentity::Zstandard, "a zstd archive", "Unpack it first."},
    {FileIdentity::SevenZip, "a 7z archive", "Unpack it first."},
    {FileIdentity::Rar, "a RAR archive", "Unpack it first."},
    {FileIdentity::Pdf, "a PDF document", "Choose a file of weights."},
    {FileIdentity::Png, "a PNG image", "Open it as an image."},
    {FileIdentity::Jpeg, "a JPEG image", "Open it as an image."},
    {FileIdentity::Webp, "a WebP image", "Open it as an image."},
    {FileIdentity::Gif, "a GIF image", "Open it as an image."},
    {FileIdentity::Bmp, "a BMP image", "Open it as an image."},
    {FileIdentity::Database, "a database (SQLite), perhaps a Meander project", "Open it as a project."},
    {FileIdentity::Program, "a program", "Choose a file of weights."},
};

const Description& descriptionOf(FileIdentity identity) {
    return *std::find_if(std::begin(descriptions), std::end(descriptions),
                         [&](const Description& d) { return d.identity == identity; });
}

// safetensors: a length below the reference's limit, then an object; the length may lie, the brace may not.
bool looksLikeSafetensors(std::string_view head) {
    if (head.size() < 9 || head[8] != '{') return false;
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(head[std::size_t(i)]);
    return length >= 2 && length <= 100'000'000;
}

// A protocol buffer whose first field is the version of ONNX's representation and whose second is the producer's name,
// its version, its domain, or the graph.
bool looksLikeOnnx(std::string_view head) {
    return head.size() > 4 && head[0] == 8 && head[1] >= 1 && head[1] <= 32
           && (head[2] == 0x12 || head[2] == 0x1a || head[2] == 0x22 || head[2] == 0x3a);
}

FileIdentity identityOfText(std::string_view head) {
    if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
    while (!head.empty() && std::isspace(static_cast<unsigned char>(head.front()))) head.remove_prefix(1);
    std::string lower(head.substr(0, 32));
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    for (const char* tag : {"<!doctype html", "<html", "<head", "<body", "<script", "<!--"})
        if (lower.starts_with(tag)) return FileIdentity::WebPage;
    if (lower.starts_with("<?xml") || lower.starts_with("<svg")) return FileIdentity::Xml;
    return lower.starts_with("{") || lower.starts_with("[") ? FileIdentity::Json : FileIdentity::Unknown;
}

}  // namespace

FileIdentity identityOf(std::span<const std::byte> bytes) {
    if (bytes.empty()) return FileIdentity::Empty;
    const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), headSize));
    if (looksLikeSafetensors(head)) return FileIdentity::Safetensors;
    for (const auto& m : marks)
        if (head.size() > m.offset && head.substr(m.offset).starts_with(m.bytes)) return m.identity;
    return looksLikeOnnx(head) ? FileIdentity::Onnx : identityOfText(head);
}

FileIdentity identityOf(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return FileIdentity::Unknown;
    std::string head(headSize, '\0');
    std::ifstream in(path, std::ios::binary);
    if (!in) return FileIdentity::Unknown;
    in.read(head.data(), std::streamsize(head.size()));
    head.resize(std::size_t(in.gcount()));
    return identityOf(std::as_bytes(std::span(head)));
}

const char* nameOf(FileIdentity identity) { return descriptionOf(identity).name; }

std::string notWeights(FileIdentity identity, const std::string& path) {
    const Description& d = descriptionOf(identity);
    return "The file '" + path + "' is " + d.name + ", not weights. " + d.remedy;
}

}  // namespace meander
