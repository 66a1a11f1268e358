#include "engine/models/analytic/point_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "engine/core/json.h"
#include "engine/imaging/png.h"

namespace meander {
namespace {

constexpr std::size_t largestFile = std::size_t(512) << 20;

[[noreturn]] void reject(const std::string& path, const std::string& why) {
    throw Failure("The points in '" + path + "' cannot be used: " + why);
}

void appendPoint(PointSet& set, const std::vector<double>& point, const std::string& path) {
    for (double v : point)
        if (!std::isfinite(v)) reject(path, "a number is not finite.");
    if (point.empty()) reject(path, "a point has no numbers.");
    if (set.shape.empty()) set.shape = {std::int64_t(point.size())};
    if (std::size_t(set.shape[0]) != point.size())
        reject(path, "its points do not all have " + std::to_string(set.shape[0]) + " numbers.");
    set.values.insert(set.values.end(), point.begin(), point.end());
}

PointSet fromCsv(std::string_view text, const std::string& path) {
    PointSet set;
    for (int line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view row = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!row.empty() && (row.back() == '\r' || row.back() == ' ')) row.remove_suffix(1);
        if (row.empty() || row.front() == '#') continue;
        std::vector<double> point;
        bool numbers = true;
        for (std::size_t at = 0; at <= row.size() && numbers;) {
            while (at < row.size() && (row[at] == ' ' || row[at] == '+')) ++at;
            double v = 0;
            const auto [stop, error] = std::from_chars(row.data() + at, row.data() + row.size(), v);
            std::size_t next = std::size_t(stop - row.data());
            while (next < row.size() && row[next] == ' ') ++next;
            numbers = error == std::errc()
                      && (next == row.size() || row[next] == ',' || row[next] == ';' || row[next] == '\t');
            point.push_back(v);
            at = next + 1;
        }
        if (!numbers && line == 1) continue;  // names of columns
        if (!numbers) reject(path, "line " + std::to_string(line) + " is not a list of numbers.");
        appendPoint(set, point, path);
    }
    return set;
}

PointSet fromJson(const std::string& text, const std::string& path) {
    auto parsed = parseJson(text, "'" + path + "'", {largestFile, 8});
    if (!parsed) throw Failure(parsed.error().text);
    const Json& list = parsed->is_object() && parsed->contains("points") ? (*parsed)["points"] : *parsed;
    if (!list.is_array()) reject(path, "it holds no list of points.");
    PointSet set;
    std::vector<double> point;
    for (const auto& p : list) {
        if (!p.is_array()) reject(path, "a point is not a list of numbers.");
        point.clear();
        for (const auto& v : p) {
            if (!v.is_number()) reject(path, "a point is not a list of numbers.");
            point.push_back(v.get<double>());
        }
        appendPoint(set, point, path);
    }
    if (parsed->is_object() && parsed->contains("labels"))
        for (auto label : jsonIntegers(*parsed, "labels", {}, 1, "'" + path + "'"))
            set.labels.push_back(label >= 0 && label < 1'000'000 ? int(label) : -1);
    for (int label : set.labels)
        if (label < 0) reject(path, "a label is not a class number from 0.");
    if (!set.labels.empty() && std::int64_t(set.labels.size()) != set.points())
        reject(path, "it has not as many labels as points.");
    return set;
}

// The header is a Python dictionary: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }
PointSet fromNpy(const std::string& bytes, const std::string& path) {
    auto byte = [&](std::size_t i) { return std::size_t(static_cast<unsigned char>(bytes[i])); };
    if (bytes.size() < 12 || bytes.compare(0, 6, "\x93NUMPY") != 0) reject(path, "it is not an NPY file.");
    const int version = int(byte(6));
    if (version < 1 || version > 2) reject(path, "its NPY version is not 1 or 2.");
    const std::size_t start = version == 1 ? 10 : 12;
    const std::size_t length =
        version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
    if (length > bytes.size() - start) reject(path, "it is cut off.");
    const std::string_view header = std::string_view(bytes).substr(start, length);
    const bool wide = header.find("'<f8'") != std::string_view::npos,
               narrow = header.find("'<f4'") != std::string_view::npos;
    if (wide == narrow || header.find("'fortran_order': False") == std::string_view::npos)
        reject(path, "it must be float32 or float64 in C order.");
    std::vector<std::int64_t> extents;
    const std::size_t open = header.find("'shape': ("),
                      close = open == std::string_view::npos ? open : header.find(')', open);
    if (close == std::string_view::npos) reject(path, "it has no shape.");
    for (std::size_t at = open + 10; at < close;) {
        std::int64_t extent = 0;
        const auto [stop, error] = std::from_chars(header.data() + at, header.data() + close, extent);
        if (error != std::errc() || extent <= 0 || extent > (std::int64_t(1) << 40)) break;
        extents.push_back(extent);
        at = std::size_t(stop - header.data());
        while (at < close && (header[at] == ',' || header[at] == ' ')) ++at;
    }
    std::size_t count = 1;
    for (auto e : extents) {
        if (std::size_t(e) > largestFile / count) reject(path, "its shape is too large.");
        count *= std::size_t(e);
    }
    const std::size_t size = wide ? 8 : 4, data = start + length;
    if (extents.size() < 2 || extents.size() > 4 || (bytes.size() - data) / size < count)
        reject(path, "it must have the shape (points, dimensions) or (images, height, width, 3), and all of its data.");
    PointSet set;
    set.shape.assign(extents.begin() + 1, extents.end());
    set.values.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        float f;
        if (wide) std::memcpy(&set.values[i], bytes.data() + data + 8 * i, 8);
        else std::memcpy(&f, bytes.data() + data + 4 * i, 4), set.values[i] = f;
        if (!std::isfinite(set.values[i])) reject(path, "a number is not finite.");
    }
    return set;
}

PointSet fromImages(const std::string& folder) {
    namespace fs = std::filesystem;
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        if (it->path().extension() == ".png") names.push_back(it->path().string());
    if (error) reject(folder, "the folder cannot be read.");
    std::sort(names.begin(), names.end());
    PointSet set;
    for (const auto& name : names) {
        const auto file = readPng(name);
        if (!file) throw Failure(file.error().text);
        const Image& p = file->image;
        const std::vector<std::int64_t> shape{p.height, p.width, 3};
        if (set.shape.empty()) set.shape = shape;
        if (set.shape != shape) reject(folder, "its images are not all of one size.");
        if ((set.values.size() + p.rgb.size()) * sizeof(double) > largestFile)
            reject(folder, "its images are too large together; take fewer or smaller ones.");
        for (std::uint8_t v : p.rgb) set.values.push_back(v / 127.5 - 1);
    }
    return set;
}

}  // namespace

std::int64_t PointSet::points() const {
    std::int64_t d = 1;
    for (auto e : shape) d *= e;
    return shape.empty() ? 0 : std::int64_t(values.size()) / d;
}

Result<PointSet> readPoints(const std::string& path) {
    try {
        std::error_code error;
        if (std::filesystem::is_directory(path, error)) {
            PointSet images = fromImages(path);
            if (images.points() == 0) reject(path, "there are no PNG images in it.");
            return images;
        }
        auto text = readTextFile(path, largestFile);
        if (!text) return text.error();
        const std::string extension = std::filesystem::path(path).extension().string();
        PointSet set = extension == ".npy"    ? fromNpy(*text, path)
                       : extension == ".json" ? fromJson(*text, path)
                                              : fromCsv(*text, path);
        if (set.points() == 0) reject(path, "there are none.");
        return set;
    } catch (const Failure& f) {
        return Error{f.what()};
    }
}

}  // namespace meander
