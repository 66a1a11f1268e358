#include "engine/project/tensor_blob.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "engine/project/checksum.h"

namespace meander {
namespace {

static_assert(std::endian::native == std::endian::little, "project files are little-endian");
constexpr std::size_t fixedHead = 16;
constexpr char magic[3] = {'M', 'T', '1'};

[[noreturn]] void damaged(const char* what) {
    throw Failure(std::string("A recorded tensor is damaged: ") + what + ".");
}

// Byte planes: bytes 0 of all elements, then bytes 1 and so on. Neighbouring floats share exponents, which zstd then
// sees.
std::vector<std::byte> split(std::span<const std::byte> raw, std::size_t width) {
    std::vector<std::byte> out(raw.size());
    const std::size_t n = raw.size() / width;
    for (std::size_t b = 0; b < width; ++b)
        for (std::size_t i = 0; i < n; ++i) out[b * n + i] = raw[i * width + b];
    return out;
}

std::vector<std::byte> join(std::span<const std::byte> planes, std::size_t width) {
    std::vector<std::byte> out(planes.size());
    const std::size_t n = planes.size() / width;
    for (std::size_t b = 0; b < width; ++b)
        for (std::size_t i = 0; i < n; ++i) out[i * width + b] = planes[b * n + i];
    return out;
}

// Unpacks to exactly `wanted` bytes; memory grows with what really comes out, whatever the frame says about itself.
std::vector<std::byte> unpack(std::span<const std::byte> frame, std::size_t wanted) {
    const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(), &ZSTD_freeDStream);
    if (!stream || ZSTD_isError(ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, 27)))
        damaged("it cannot be unpacked");
    constexpr std::size_t piece = std::size_t(1) << 20;
    std::vector<std::byte> out;
    ZSTD_inBuffer in{frame.data(), frame.size(), 0};
    std::size_t left = 1;
    while (left != 0) {
        const std::size_t had = out.size();
        out.resize(std::min(had + piece, wanted + 1));
        ZSTD_outBuffer o{out.data() + had, out.size() - had, 0};
        const std::size_t before = in.pos;
        left = ZSTD_decompressStream(stream.get(), &o, &in);
        out.resize(had + o.pos);
        if (ZSTD_isError(left)) damaged("its packed bytes are not valid");
        if (out.size() > wanted) damaged("it holds more than its shape says");
        if (left != 0 && o.pos == 0 && in.pos == before) damaged("it ends early");
    }
    if (out.size() != wanted || in.pos != frame.size()) damaged("its size does not fit its shape");
    return out;
}

}  // namespace

std::vector<std::byte> packTensor(const HostTensor& t, int level) {
    const std::size_t width = kernels::sizeOf(t.type());
    const auto extents = t.shape().extents();
    const std::vector<std::byte> planes = split(t.bytes(), width);
    const std::size_t head = fixedHead + extents.size() * 8;
    std::vector<std::byte> out(head + ZSTD_compressBound(planes.size()));
    std::memcpy(out.data(), magic, 3);
    out[3] = std::byte(t.type());
    out[4] = std::byte(extents.size());
    out[5] = std::byte(1);
    const std::uint64_t sum = checksum(t.bytes());
    std::memcpy(out.data() + 8, &sum, 8);
    if (!extents.empty()) std::memcpy(out.data() + fixedHead, extents.data(), extents.size() * 8);
    const std::size_t packed = ZSTD_compress(out.data() + head, out.size() - head, planes.data(), planes.size(), level);
    if (ZSTD_isError(packed))
        throw Failure(std::string("A tensor could not be packed: ") + ZSTD_getErrorName(packed) + ".");
    out.resize(head + packed);
    return out;
}

HostTensor unpackTensor(std::span<const std::byte> blob) {
    if (blob.size() < fixedHead || std::memcmp(blob.data(), magic, 3) != 0) damaged("it does not begin as one");
    if (blob[3] > std::byte(DType::I32)) damaged("its type is unknown");
    const DType type = DType(blob[3]);
    const std::size_t rank = std::size_t(blob[4]);
    if (rank > std::size_t(Shape::maxRank) || blob[5] > std::byte(1) || blob.size() < fixedHead + 8 * rank)
        damaged("its shape is not valid");
    std::array<std::int64_t, Shape::maxRank> extents{};
    if (rank > 0) std::memcpy(extents.data(), blob.data() + fixedHead, rank * 8);
    std::size_t bytes = kernels::sizeOf(type);
    for (std::size_t i = 0; i < rank; ++i) {
        if (extents[i] < 0 || std::uint64_t(extents[i]) > maximumTensorBytes) damaged("its shape is not valid");
        if (extents[i] != 0 && bytes > maximumTensorBytes / std::size_t(extents[i]))
            damaged("it says that it is larger than 1 GiB");
        bytes *= std::size_t(extents[i]);
    }
    std::uint64_t sum;
    std::memcpy(&sum, blob.data() + 8, 8);
    std::vector<std::byte> raw = unpack(blob.subspan(fixedHead + 8 * rank), bytes);
    if (blob[5] == std::byte(1)) raw = join(raw, kernels::sizeOf(type));
    if (checksum(raw) != sum) damaged("its checksum is wrong");
    return {Shape(std::span<const std::int64_t>(extents.data(), rank)), type, std::move(raw)};
}

}  // namespace meander
