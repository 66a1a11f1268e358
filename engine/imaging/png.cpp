#include "engine/imaging/png.h"

#include <png.h>

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

constexpr std::size_t maximumFile = std::size_t(1) << 30;
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
    png_infop end = nullptr;
    Problem problem;
    Source source;
    png_uint_32 width = 0, height = 0;
    std::size_t rowBytes = 0;
    std::vector<png_bytep> rows;

    explicit Reader(std::span<const std::byte> bytes) : source{bytes} {
        png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &problem, onError, onWarning);
        info = png ? png_create_info_struct(png) : nullptr;
        end = png ? png_create_info_struct(png) : nullptr;
    }
    ~Reader() { png_destroy_read_struct(&png, &info, &end); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
};

void limit(Reader& r) {
    png_set_user_limits(r.png, maximumImageSide, maximumImageSide);
    png_set_chunk_malloc_max(r.png, maximumPngText);
    png_set_chunk_cache_max(r.png, 128);
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
    // Chunks that we have no use for are skipped, so that their parsers never run.
    static const png_byte skipped[] = "iCCP\0sPLT\0hIST\0pCAL\0sCAL\0eXIf\0";
    png_set_keep_unknown_chunks(r.png, PNG_HANDLE_CHUNK_NEVER, skipped, 6);
#endif
}

bool readHead(Reader& r) {
    if (setjmp(png_jmpbuf(r.png))) return false;
    limit(r);
    png_set_read_fn(r.png, &r.source, readBytes);
    png_read_info(r.png, r.info);
    png_set_expand(r.png);
    png_set_scale_16(r.png);
    png_set_gray_to_rgb(r.png);
    const png_color_16 white{0, 255, 255, 255, 255};
    if (png_get_color_type(r.png, r.info) & PNG_COLOR_MASK_ALPHA || png_get_valid(r.png, r.info, PNG_INFO_tRNS))
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
    png_read_end(r.png, r.end);
    return true;
}

void takeTexts(png_structp png, png_infop info, PngTexts& into, std::size_t& total) {
    png_textp texts = nullptr;
    int n = 0;
    png_get_text(png, info, &texts, &n);
    for (int i = 0; i < n; ++i) {
        const auto& t = texts[i];
        if (!t.key || !t.text) continue;
        const bool international =
            t.compression == PNG_ITXT_COMPRESSION_NONE || t.compression == PNG_ITXT_COMPRESSION_zTXt;
        const std::size_t length = international ? t.itxt_length : t.text_length;
        total += length;
        if (total > maximumPngText) return;
        std::string value;
        if (international) {
            value.assign(t.text, length);
        } else {  // Latin-1; many programs write UTF-8 here, which is kept when it is valid
            const std::string raw(t.text, length);
            value =
                nlohmann::json(raw).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).find("\xEF\xBF\xBD")
                        == std::string::npos
                    ? raw
                    : std::string();
            if (value.empty() && !raw.empty())
                for (const char c : raw) {
                    const auto u = static_cast<unsigned char>(c);
                    if (u < 0x80) value += c;
                    else {
                        value += char(0xC0 | (u >> 6));
                        value += char(0x80 | (u & 0x3F));
                    }
                }
        }
        into.emplace(t.key, std::move(value));
    }
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

Status checkForm(std::span<const std::byte> bytes, const std::string& what) {
    if (!isPng(bytes)) return Error{"Cannot read " + what + ": it is not a PNG image."};
    if (!chunksFit(bytes))
        return Error{"Cannot read " + what
                     + ": a part of it claims to be longer than the file. The PNG is damaged or cut off; try to get "
                       "the file again."};
    return Done{};
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
    if (!r.png || !r.info || !r.end) return Error{"Cannot read " + what + ": there is not enough memory."};
    if (!readHead(r)) return damaged(what, r);
    // Packed pixels never need less than a thousandth of their size: a head that promises more than the file can hold
    // is refused before memory is taken.
    if (r.rowBytes != std::size_t(r.width) * 3 || r.rowBytes * r.height / 1100 > bytes.size())
        return Error{"Cannot read " + what + ": its size does not fit its contents. The PNG is damaged."};
    PngFile file;
    file.image.width = int(r.width);
    file.image.height = int(r.height);
    file.image.rgb.resize(r.rowBytes * r.height);
    for (std::size_t y = 0; y < r.height; ++y) r.rows.push_back(file.image.rgb.data() + y * r.rowBytes);
    if (!readPixels(r)) return damaged(what, r);
    std::size_t total = 0;
    takeTexts(r.png, r.info, file.texts, total);
    takeTexts(r.png, r.end, file.texts, total);
    return file;
}

Result<PngFile> readPng(const std::string& path) {
    auto bytes = readTextFile(path, maximumFile);
    if (!bytes) return bytes.error();
    return decodePng(std::as_bytes(std::span(*bytes)), "'" + path + "'");
}

Result<PngTexts> readPngTexts(const std::string& path) {
    auto bytes = readTextFile(path, maximumFile);
    if (!bytes) return bytes.error();
    const std::string what = "'" + path + "'";
    if (const Status s = checkForm(std::as_bytes(std::span(*bytes)), what); !s) return s.error();
    Reader r(std::as_bytes(std::span(*bytes)));
    if (!r.png || !r.info || !r.end) return Error{"Cannot read " + what + ": there is not enough memory."};
    if (!readHead(r)) return damaged(what, r);
    PngTexts texts;
    std::size_t total = 0;
    takeTexts(r.png, r.info, texts, total);
    if (!texts.empty()) return texts;
    auto whole = readPng(path);  // texts may also stand after the pixels
    return whole ? Result<PngTexts>(std::move(whole->texts)) : Result<PngTexts>(whole.error());
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
