#include "engine/imaging/png.h"

#include <png.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "engine/core/durable_file.h"
#include "engine/core/json.h"

// libpng leaves a failed call by longjmp. Every function that sets a jump below keeps its objects with destructors
// outside (in the caller or in a struct that outlives the jump), so nothing is skipped and no local value is used after
// it.

namespace meander {
namespace {

constexpr std::size_t maximumFile = std::size_t(512) << 20, headSize = 33;
constexpr std::size_t compressFrom = 1024;

struct Source {
    std::span<const std::byte> bytes;
    std::size_t at = 0;
};

struct Problem {
    std::array<char, 160> text{};
};

void onError(png_structp png, png_const_charp message) {
    auto* p = static_cast<Problem*>(png_get_error_ptr(png));
    std::strncpy(p->text.data(), message, p->text.size() - 1);
    png_longjmp(png, 1);
}
void onWarning(png_structp, png_const_charp) {}

void readBytes(png_structp png, png_bytep to, png_size_t n) {
    auto* s = static_cast<Source*>(png_get_io_ptr(png));
    if (n > s->bytes.size() - s->at) png_error(png, "the file ends early");
    std::memcpy(to, s->bytes.data() + s->at, n);
    s->at += n;
}

struct Reader {
    png_structp png = nullptr;
    png_infop info = nullptr;
    bool keepsAlpha = false;
    Problem problem;
    Source source;
    png_uint_32 width = 0, height = 0;
    std::size_t packedRowBytes = 0, rowBytes = 0;  // in the file, of the decoded pixels
    bool hasAlpha = false;
    std::vector<png_bytep> rows;

    explicit Reader(std::span<const std::byte> bytes) : source{bytes} {
        png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &problem, onError, onWarning);
        info = png ? png_create_info_struct(png) : nullptr;
    }
    ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
};

void limit(Reader& r) {
    png_set_user_limits(r.png, maximumImageSide, maximumImageSide);
    png_set_chunk_malloc_max(r.png, maximumPngText);
    png_set_chunk_cache_max(r.png, 128);
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
    // Chunks without use for pixels are skipped, so that their parsers never run; texts are read by png_texts.h.
    static const png_byte skipped[] = "iCCP\0sPLT\0hIST\0pCAL\0sCAL\0eXIf\0tEXt\0zTXt\0iTXt\0";
    png_set_keep_unknown_chunks(r.png, PNG_HANDLE_CHUNK_NEVER, skipped, 9);
#endif
}

bool readHead(Reader& r) {
    if (setjmp(png_jmpbuf(r.png))) return false;
    limit(r);
    png_set_read_fn(r.png, &r.source, readBytes);
    png_read_info(r.png, r.info);
    r.packedRowBytes = png_get_rowbytes(r.png, r.info);
    r.hasAlpha = png_get_color_type(r.png, r.info) & PNG_COLOR_MASK_ALPHA;
    png_set_expand(r.png);
    png_set_scale_16(r.png);
    png_set_gray_to_rgb(r.png);
    const png_color_16 white{0, 255, 255, 255, 255};
    if (r.keepsAlpha) png_set_add_alpha(r.png, 0xff, PNG_FILLER_AFTER);
    else if (png_get_color_type(r.png, r.info) & PNG_COLOR_MASK_ALPHA || png_get_valid(r.png, r.info, PNG_INFO_tRNS))
        png_set_background(r.png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
    png_set_interlace_handling(r.png);
    png_read_update_info(r.png, r.info);
    r.width = png_get_image_width(r.png, r.info);
    r.height = png_get_image_height(r.png, r.info);
    r.rowBytes = png_get_rowbytes(r.png, r.info);
    return true;
}

bool readPixels(Reader& r) {
    if (setjmp(png_jmpbuf(r.png))) return false;
    png_read_image(r.png, r.rows.data());
    png_read_end(r.png, nullptr);
    return true;
}

Error damaged(const std::string& what, const Reader& r) {
    return {"Cannot read " + what + ": the PNG is damaged or too large (" + std::string(r.problem.text.data())
            + "). Try to get the file again."};
}

// libpng takes the memory that a chunk claims before it reads it. Pixels (IDAT) it reads in pieces, so that an image
// that is cut off there still gives its texts.
bool chunksFit(std::span<const std::byte> bytes) {
    for (std::size_t at = 8; bytes.size() - at >= 8;) {
        const std::size_t length = png_get_uint_32(reinterpret_cast<png_const_bytep>(bytes.data() + at)),
                          left = bytes.size() - at - 8;
        const bool isPixels = std::memcmp(bytes.data() + at + 4, "IDAT", 4) == 0,
                   isEnd = std::memcmp(bytes.data() + at + 4, "IEND", 4) == 0;
        if (length + 4 > left) return isPixels || isEnd;
        if (isEnd) return true;
        at += length + 12;
    }
    return true;
}

bool isPng(std::span<const std::byte> bytes) {
    return bytes.size() >= 8 && png_sig_cmp(reinterpret_cast<png_const_bytep>(bytes.data()), 0, 8) == 0;
}

// The size that the head declares, before anything is allocated for it.
Status checkSize(std::span<const std::byte> bytes, const std::string& what) {
    if (bytes.size() < headSize) return Done{};  // libpng reports it
    const auto number = [&](std::size_t at) {
        return std::uint64_t(png_get_uint_32(reinterpret_cast<png_const_bytep>(bytes.data() + at)));
    };
    const std::uint64_t width = number(16), height = number(20);
    if (width <= maximumImageSide && height <= maximumImageSide && width * height <= maximumImagePixels) return Done{};
    return Error{"Cannot read " + what + ": it declares " + std::to_string(width) + " × " + std::to_string(height)
                 + " pixels, which would take " + std::to_string((width * height * 3) >> 20)
                 + " MiB. Meander reads images of up to " + std::to_string(maximumImagePixels >> 20)
                 + " megapixels; scale it down."};
}

Status checkForm(std::span<const std::byte> bytes, const std::string& what) {
    if (!isPng(bytes)) return Error{"Cannot read " + what + ": it is not a PNG image."};
    if (!chunksFit(bytes))
        return Error{"Cannot read " + what
                     + ": a part of it claims to be longer than the file. The PNG is damaged or cut off; try to get "
                       "the file again."};
    return checkSize(bytes, what);
}

// Deflate packs at most 1032 : 1. A head that promises more pixels than the file can hold is refused before memory is
// taken.
Status checkContents(const Reader& r, std::size_t fileSize, const std::string& what) {
    if (r.rowBytes == std::size_t(r.width) * (r.keepsAlpha ? 4 : 3) && r.packedRowBytes * r.height / 1100 <= fileSize)
        return Done{};
    return Error{"Cannot read " + what + ": its size does not fit its contents. The PNG is damaged."};
}

// All rows into `pixels`, whose channels are those of the reader.
Status decodeInto(Reader& r, std::vector<std::uint8_t>& pixels, const std::string& what) {
    if (!r.png || !r.info) return Error{"Cannot read " + what + ": there is not enough memory."};
    if (!readHead(r)) return damaged(what, r);
    if (const Status s = checkContents(r, r.source.bytes.size(), what); !s) return s;
    pixels.resize(r.rowBytes * r.height);
    for (std::size_t y = 0; y < r.height; ++y) r.rows.push_back(pixels.data() + y * r.rowBytes);
    if (!readPixels(r)) return damaged(what, r);
    return Done{};
}

// The whole file, refused by the size in its head before the rest is read.
Result<std::string> readFile(const std::string& path) {
    std::array<char, headSize> head{};
    std::ifstream in(path, std::ios::binary);
    if (in.read(head.data(), headSize) && isPng(std::as_bytes(std::span(head))))
        if (const Status s = checkSize(std::as_bytes(std::span(head)), "'" + path + "'"); !s) return s.error();
    return readTextFile(path, maximumFile);
}

struct Writer {
    png_structp png = nullptr;
    png_infop info = nullptr;
    Problem problem;
    std::vector<std::byte> bytes;
    std::vector<png_bytep> rows;
    std::vector<png_text> texts;

    Writer() {
        png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &problem, onError, onWarning);
        info = png ? png_create_info_struct(png) : nullptr;
    }
    ~Writer() { png_destroy_write_struct(&png, &info); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
};

void writeBytes(png_structp png, png_bytep from, png_size_t n) {
    auto* w = static_cast<Writer*>(png_get_io_ptr(png));
    const auto* b = reinterpret_cast<const std::byte*>(from);
    w->bytes.insert(w->bytes.end(), b, b + n);
}

bool writeAll(Writer& w, int width, int height) {
    if (setjmp(png_jmpbuf(w.png))) return false;
    png_set_user_limits(w.png, maximumImageSide, maximumImageSide);
    png_set_write_fn(w.png, &w, writeBytes, nullptr);
    png_set_IHDR(w.png, w.info, png_uint_32(width), png_uint_32(height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    if (!w.texts.empty()) png_set_text(w.png, w.info, w.texts.data(), int(w.texts.size()));
    png_write_info(w.png, w.info);
    png_write_image(w.png, w.rows.data());
    png_write_end(w.png, w.info);
    return true;
}

bool isAscii(const std::string& s) {
    for (const char c : s)
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    return true;
}

}  // namespace

Result<PngFile> decodePng(std::span<const std::byte> bytes, const std::string& what) {
    if (const Status s = checkForm(bytes, what); !s) return s.error();
    Reader r(bytes);
    PngFile file;
    if (const Status s = decodeInto(r, file.image.rgb, what); !s) return s.error();
    file.image.width = int(r.width);
    file.image.height = int(r.height);
    file.texts = pngTextsOf(bytes).texts;
    return file;
}

Result<PngFile> readPng(const std::string& path) {
    auto bytes = readFile(path);
    if (!bytes) return bytes.error();
    return decodePng(std::as_bytes(std::span(*bytes)), "'" + path + "'");
}

Result<RgbaPixels> decodePngRgba(std::span<const std::byte> bytes, const std::string& what) {
    if (const Status s = checkForm(bytes, what); !s) return s.error();
    Reader r(bytes);
    r.keepsAlpha = true;
    RgbaPixels pixels;
    if (const Status s = decodeInto(r, pixels.rgba, what); !s) return s.error();
    pixels.width = int(r.width);
    pixels.height = int(r.height);
    pixels.hasAlpha = r.hasAlpha;
    return pixels;
}

Result<PngTexts> readPngTexts(const std::string& path) {
    auto bytes = readTextFile(path, maximumFile);
    if (!bytes) return bytes.error();
    if (!isPng(std::as_bytes(std::span(*bytes)))) return Error{"Cannot read '" + path + "': it is not a PNG image."};
    return pngTextsOf(std::as_bytes(std::span(*bytes))).texts;
}

Result<std::vector<std::byte>> encodePng(const Image& image, const PngTexts& texts) {
    if (image.width < 1 || image.height < 1 || image.width > maximumImageSide || image.height > maximumImageSide
        || image.rgb.size() != std::size_t(image.width) * std::size_t(image.height) * 3)
        return Error{"An image of " + std::to_string(image.width) + " × " + std::to_string(image.height)
                     + " pixels cannot be written as PNG; up to " + std::to_string(maximumImageSide)
                     + " each way is possible."};
    Writer w;
    if (!w.png || !w.info) return Error{"An image could not be written: there is not enough memory."};
    for (int y = 0; y < image.height; ++y) w.rows.push_back(const_cast<png_bytep>(image.at(0, y)));
    for (const auto& [key, value] : texts) {
        png_text t{};
        const bool isLong = value.size() > compressFrom;
        t.key = const_cast<char*>(key.c_str());
        t.text = const_cast<char*>(value.c_str());
        if (isAscii(value)) {
            t.compression = isLong ? PNG_TEXT_COMPRESSION_zTXt : PNG_TEXT_COMPRESSION_NONE;
            t.text_length = value.size();
        } else {
            t.compression = isLong ? PNG_ITXT_COMPRESSION_zTXt : PNG_ITXT_COMPRESSION_NONE;
            t.itxt_length = value.size();
        }
        w.texts.push_back(t);
    }
    if (!writeAll(w, image.width, image.height))
        return Error{"An image could not be written as PNG: " + std::string(w.problem.text.data()) + "."};
    return std::move(w.bytes);
}

Status writePng(const std::string& path, const Image& image, const PngTexts& texts) {
    auto bytes = encodePng(image, texts);
    if (!bytes) return bytes.error();
    return writeWholeFile(path, *bytes);
}

}  // namespace meander
