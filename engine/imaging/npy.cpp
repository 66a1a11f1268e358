#include "engine/imaging/npy.h"

#include <array>
#include <cstring>
#include <regex>

#include "engine/core/durable_file.h"
#include "engine/core/json.h"

namespace meander {
namespace {

const char* descriptorOf(DType t) {
    switch (t) {
    case DType::F32: return "<f4";
    case DType::F64: return "<f8";
    case DType::F16: return "<f2";
    case DType::I32: return "<i4";
    case DType::BF16: break;
    }
    return nullptr;
}

// Elements of other kinds become doubles.
template <class T> std::vector<double> asDoubles(std::string_view data, std::size_t n) {
    std::vector<double> v(n);
    for (std::size_t i = 0; i < n; ++i) {
        T x;
        std::memcpy(&x, data.data() + i * sizeof(T), sizeof(T));
        v[i] = double(x);
    }
    return v;
}

struct Head {
    std::string kind;
    std::vector<std::int64_t> extents;
    std::size_t count = 1, dataAt = 0;
};

Head headOf(const std::string& bytes, const std::string& what) {
    const auto damaged = [&](const char* why) -> Failure { return Failure("Cannot read " + what + ": " + why + "."); };
    if (bytes.size() < 12 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0) throw damaged("it is not an .npy file");
    const bool isLong = bytes[6] >= 2;
    std::size_t length = 0;
    for (int i = isLong ? 3 : 1; i >= 0; --i)
        length = length << 8 | static_cast<unsigned char>(bytes[std::size_t(8 + i)]);
    Head h;
    h.dataAt = (isLong ? 12u : 10u) + length;
    if (length > 65536 || h.dataAt > bytes.size()) throw damaged("its head is damaged");
    const std::string text = bytes.substr(isLong ? 12 : 10, length);
    std::smatch m;
    if (!std::regex_search(text, m, std::regex("'descr'\\s*:\\s*'([<|=][a-z][0-9])'")))
        throw damaged("its element type is not supported; save it as float32 or float64, little-endian");
    h.kind = m[1].str().substr(1);
    if (std::regex_search(text, std::regex("'fortran_order'\\s*:\\s*True")))
        throw damaged("it is in Fortran order; save it with numpy.ascontiguousarray");
    if (!std::regex_search(text, m, std::regex("'shape'\\s*:\\s*\\(([0-9, ]*)\\)"))) throw damaged("it has no shape");
    const std::string shape = m[1];
    const std::regex digits("[0-9]+");
    for (std::sregex_iterator it(shape.begin(), shape.end(), digits), end; it != end; ++it) {
        if (it->length() > 12 || h.extents.size() >= std::size_t(Shape::maxRank))
            throw damaged("its shape is too large");
        const auto e = std::stoll(it->str());
        if (e > 0 && h.count > (std::size_t(1) << 40) / std::size_t(e)) throw damaged("its shape is too large");
        h.extents.push_back(e);
        h.count *= std::size_t(e);
    }
    return h;
}

HostTensor arrayOf(const std::string& bytes, const std::string& what) {
    const Head h = headOf(bytes, what);
    const std::string_view data = std::string_view(bytes).substr(h.dataAt);
    const std::size_t width = std::size_t(h.kind[1] - '0');
    if (width == 0 || data.size() / width < h.count) throw Failure("Cannot read " + what + ": it ends early.");
    const Shape shape{std::span<const std::int64_t>(h.extents)};
    for (auto t : {DType::F32, DType::F64, DType::F16, DType::I32})
        if (h.kind == descriptorOf(t) + 1) {
            const auto* from = reinterpret_cast<const std::byte*>(data.data());
            return {shape, t, std::vector<std::byte>(from, from + h.count * width)};
        }
    if (h.kind == "u1") return HostTensor::fromDoubles(shape, asDoubles<std::uint8_t>(data, h.count));
    if (h.kind == "i8") return HostTensor::fromDoubles(shape, asDoubles<std::int64_t>(data, h.count));
    throw Failure("Cannot read " + what + ": its element type is not supported; save it as float32 or float64.");
}

}  // namespace

Status writeNpy(const std::string& path, const HostTensor& t) {
    const char* kind = descriptorOf(t.type());
    if (!t || !kind)
        return Error{"Cannot write '" + path + "': there is nothing to write, or its type has no .npy form."};
    std::string shape;
    for (auto e : t.shape().extents()) shape += std::to_string(e) + ", ";
    if (t.shape().rank() > 1) shape.resize(shape.size() - 2);
    if (t.shape().rank() == 1) shape.pop_back();
    std::string head = std::string("{'descr': '") + kind + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    while ((10 + head.size() + 1) % 64 != 0) head += ' ';
    head += '\n';
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += char(head.size() & 0xff);
    bytes += char(head.size() >> 8);
    bytes += head;
    bytes.append(reinterpret_cast<const char*>(t.bytes().data()), t.bytes().size());
    return writeWholeFile(path, bytes);
}

Result<HostTensor> readNpy(const std::string& path, std::size_t maximumBytes) {
    auto bytes = readTextFile(path, maximumBytes);
    if (!bytes) return bytes.error();
    try {
        return arrayOf(*bytes, "'" + path + "'");
    } catch (const std::exception& e) {
        return Error{e.what()};
    }
}

}  // namespace meander
