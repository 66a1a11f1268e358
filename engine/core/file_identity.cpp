#include "engine/core/file_identity.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace meander {
namespace {

using namespace std::string_view_literals;

struct Magic {
    std::string_view bytes;
    FileFormat format;
};
constexpr Magic magics[] = {
    {"SQLite format 3\0"sv, FileFormat::Sqlite},
    {"\x89PNG\r\n\x1a\n"sv, FileFormat::Png},
    {"\xff\xd8\xff"sv, FileFormat::Jpeg},
    {"GIF8"sv, FileFormat::Gif},
    {"GGUF"sv, FileFormat::Gguf},
    {"\x93NUMPY"sv, FileFormat::Npy},
    {"\x89HDF\r\n\x1a\n"sv, FileFormat::Hdf5},
    {"version https://git-lfs.github.com/spec/"sv, FileFormat::LfsPointer},
    {"\x1f\x8b"sv, FileFormat::Archive},
    {"7z\xbc\xaf\x27\x1c"sv, FileFormat::Archive},
    {"Rar!\x1a\x07"sv, FileFormat::Archive},
    {"\xfd\x37zXZ\0"sv, FileFormat::Archive},
    {"\x28\xb5\x2f\xfd"sv, FileFormat::Archive},
};

struct Row {
    FileFormat format;
    const char* name;
    const char* remedy = "";  // empty: choose a file of the expected kind
};
constexpr Row rows[] = {
    {FileFormat::Unknown, "a file of unknown kind", "Check that it is the file you mean."},
    {FileFormat::Empty, "an empty file", "The download or copy did not finish; get the file again."},
    {FileFormat::Sqlite, "a database (Meander's projects are such)"},
    {FileFormat::Safetensors, "a safetensors file (weights)"},
    {FileFormat::Gguf, "a GGUF file (quantised weights)"},
    {FileFormat::TorchZip, "a PyTorch checkpoint (.ckpt, .pt, .pth, .bin)"},
    {FileFormat::TorchPickle, "a Python pickle (a PyTorch checkpoint of the old kind)"},
    {FileFormat::Onnx, "an ONNX model", "Get the model's weights as safetensors."},
    {FileFormat::Npy, "a NumPy array (.npy)"},
    {FileFormat::Npz, "a NumPy archive (.npz)", "Unpack the array that you need as .npy."},
    {FileFormat::Png, "a PNG image"},
    {FileFormat::Jpeg, "a JPEG image"},
    {FileFormat::WebP, "a WebP image"},
    {FileFormat::Gif, "a GIF image", "Save it as PNG."},
    {FileFormat::Json, "JSON text"},
    {FileFormat::LfsPointer, "a Git LFS pointer, which only names the real file",
     "Fetch the file itself, with \"git lfs pull\" or from the download link of its page."},
    {FileFormat::Html, "an HTML page",
     "The download ended at a web page, often one that reports an error or asks to sign in. Open the link in a "
     "browser, "
     "accept what it asks for, and download the file again."},
    {FileFormat::Archive, "a compressed archive", "Unpack it first."},
    {FileFormat::Hdf5, "an HDF5 file (Keras weights)", "Get the model's weights as safetensors."},
    {FileFormat::Text, "plain text", "Check that it is the file you mean."},
};

const Row& rowOf(FileFormat format) {
    return *std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return r.format == format; });
}

std::uint64_t littleEndian(std::string_view bytes, int count) {
    std::uint64_t value = 0;
    for (int i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[std::size_t(i)]);
    return value;
}

// 8 bytes of length, then a JSON object. A length beyond the file is a cut file, still of this kind.
bool isSafetensors(std::string_view head) {
    return head.size() >= 9 && littleEndian(head, 8) < (std::uint64_t(1) << 32) && head[8] == '{';
}

// The local header of the first entry: its name is at byte 30, as long as bytes 26 and 27 say.
FileFormat formatOfZip(std::string_view head) {
    if (head.size() < 30) return FileFormat::Archive;
    const std::string_view name = head.substr(30, std::size_t(littleEndian(head.substr(26), 2)));
    if (name.ends_with("data.pkl") || name.ends_with(".format_version") || name.ends_with("/version"))
        return FileFormat::TorchZip;
    return name.ends_with(".npy") ? FileFormat::Npz : FileFormat::Archive;
}

// Protocol 2 to 5, or a pickle of protocol 0 as torch never wrote one. The first opcode after the protocol must exist.
bool isPickle(std::string_view head) {
    constexpr auto first = "}]({)]c\x8a\x95Kq\x8bM.XNJG\x88\x89U"sv;
    return head.size() >= 3 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5 && first.find(head[2]) != first.npos;
}

// A protobuf message whose first field is ir_version (1 … 32), followed by another field of ModelProto.
bool isOnnx(std::string_view head) {
    constexpr auto next = "\x12\x1a\x22\x28\x32\x3a\x42"sv;
    return head.size() >= 3 && head[0] == '\x08' && head[1] >= 1 && head[1] <= 32 && next.find(head[2]) != next.npos;
}

std::string_view withoutSpace(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    const auto at = text.find_first_not_of(" \t\r\n");
    return at == text.npos ? std::string_view() : text.substr(at);
}

bool isHtml(std::string_view text) {
    for (const std::string_view tag : {"<!doctype html"sv, "<html"sv, "<head"sv, "<!--"sv, "<body"sv, "<?xml"sv}) {
        const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; };
        if (text.size() >= tag.size()
            && std::equal(tag.begin(), tag.end(), text.begin(), [&](char a, char b) { return a == lower(b); }))
            return true;
    }
    return false;
}

bool isText(std::string_view head) {
    return std::none_of(head.begin(), head.end(), [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u == 0x7f || (u < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\x1b');
    });
}

}  // namespace

FileFormat formatOf(std::string_view head, std::uint64_t size) {
    if (size == 0 || head.empty()) return FileFormat::Empty;
    for (const Magic& m : magics)
        if (head.starts_with(m.bytes)) return m.format;
    if (head.size() >= 12 && head.starts_with("RIFF") && head.substr(8, 4) == "WEBP") return FileFormat::WebP;
    if (head.starts_with("PK\x03\x04"sv) || head.starts_with("PK\x05\x06"sv)) return formatOfZip(head);
    if (isSafetensors(head)) return FileFormat::Safetensors;
    if (isPickle(head)) return FileFormat::TorchPickle;
    if (isOnnx(head)) return FileFormat::Onnx;
    const std::string_view text = withoutSpace(head);
    if (isHtml(text)) return FileFormat::Html;
    if (!isText(head)) return FileFormat::Unknown;
    return text.starts_with('{') || text.starts_with('[') ? FileFormat::Json : FileFormat::Text;
}

FileFormat formatOfFile(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return FileFormat::Unknown;
    std::ifstream in(path, std::ios::binary);
    if (!in) return FileFormat::Unknown;
    std::array<char, identityBytes> head{};
    in.read(head.data(), std::streamsize(head.size()));
    const auto count = std::size_t(in.gcount());
    return formatOf({head.data(), count}, count);
}

const char* nameOf(FileFormat format) { return rowOf(format).name; }

std::optional<Error> otherThan(FileFormat expected, const std::string& path) {
    const FileFormat found = formatOfFile(path);
    if (found == expected || found == FileFormat::Unknown) return std::nullopt;
    return Error{"'" + path + "' is " + nameOf(found) + ", not " + nameOf(expected) + ". "
                 + (*rowOf(found).remedy ? rowOf(found).remedy : std::string("Choose ") + nameOf(expected) + ".")};
}

}  // namespace meander
