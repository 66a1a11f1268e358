// What the tests of weights share: files made of bytes, sources in memory, mutations, and real files where there are.
#pragma once
#include <QDir>
#include <QtTest>
#include <cstring>
#include <map>
#include <optional>
#include <random>

#include "engine/weights/weight_file.h"

namespace meander::test {

// Little-endian bytes, written one after the other.
struct Bytes : std::string {
    template <class T> Bytes& add(T value) {
        append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Bytes& text(const std::string& t) {  // with its length, as GGUF has it
        add(std::uint64_t(t.size()));
        append(t);
        return *this;
    }
    Bytes& raw(std::string_view t) {
        append(t);
        return *this;
    }
};

inline std::string safetensorsFile(const std::string& header, const std::string& data) {
    return Bytes().add(std::uint64_t(header.size())).raw(header).raw(data);
}

// One tensor "w" of `elements` elements in `bytes` bytes.
inline std::string safetensorsOf(const std::string& type, std::int64_t elements, std::int64_t bytes,
                                 const std::string& data) {
    const QString header = R"({"w": {"dtype": "%1", "shape": [%2], "data_offsets": [0, %3]}})";
    return safetensorsFile(header.arg(type.c_str()).arg(elements).arg(bytes).toStdString(), data);
}

// Weights in memory; shapes are known.
class MemoryWeights final : public WeightSource {
public:
    std::map<std::string, HostWeight> weights;

    void add(const std::string& name, kernels::Shape shape, std::vector<float> values) {
        weights[name] = HostWeight::fromFloats(shape, std::move(values));
    }
    bool has(const std::string& name) const override { return weights.contains(name); }
    std::optional<kernels::Shape> shapeOf(const std::string& name) const override {
        const auto it = weights.find(name);
        return it == weights.end() ? std::nullopt : std::optional(it->second.shape);
    }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override {
        const auto it = weights.find(name);
        if (it == weights.end() || !isSameShape(it->second.shape, shape)) throw Failure("no '" + name + "'");
        return reshaped(it->second, shape);
    }
};

inline std::vector<float> randomFloats(std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> v(count);
    for (float& x : v) x = normal(random);
    return v;
}

// Opens and reads everything; true when all of it was fine. An error without a sentence is a fault.
inline bool readsWell(const std::string& bytes) {
    const auto file = WeightFile::fromBytes(bytes, "test");
    if (!file) {
        if (file.error().text.size() < 20 || file.error().text.back() != '.')
            qFatal("no sentence: '%s'", file.error().text.c_str());
        return false;
    }
    bool isFine = true;
    for (const auto& [name, entry] : file->entries()) {
        try {
            const HostWeight w = file->read(name);
            if (w.bytes.size() != kernels::bytesOf(w.format, w.shape.count())) qFatal("a tensor of the wrong size");
        } catch (const Failure&) {
            isFine = false;
        }
    }
    return isFine;
}

// Flipped bits, replaced bytes, removed and doubled stretches, mostly in the first `header` bytes. Returns how many of
// the mutants were still read. MEANDER_FUZZ multiplies the rounds.
inline int readableMutants(const std::string& good, std::size_t header, int rounds) {
    if (const int factor = qEnvironmentVariableIntValue("MEANDER_FUZZ"); factor > 0) rounds *= factor;
    std::mt19937 random(12345);
    int readable = 0;
    for (int round = 0; round < rounds; ++round) {
        std::string bad = good;
        for (int edits = 1 + int(random() % 3); edits > 0 && bad.size() > 4; --edits) {
            const std::size_t at = random() % std::min(bad.size(), random() % 4 ? header : bad.size());
            switch (random() % 5) {
            case 0: bad[at] = char(bad[at] ^ (1 << random() % 8)); break;
            case 1: bad[at] = char(random()); break;
            case 2: bad.erase(at, 1 + random() % 8); break;
            case 3: bad.insert(at, bad.substr(at, 1 + random() % 8)); break;
            default: bad[at] = char(random() % 2 ? 0xff : 0x00);
            }
        }
        readable += readsWell(bad);
    }
    return readable;
}

inline std::string fileBytes(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) qFatal("cannot read %s", qPrintable(path));
    return file.readAll().toStdString();
}
inline QString goldenPath(const char* name) { return QString(MEANDER_SOURCE_DIR "/tests/engine/weights/data/") + name; }
// A file or folder of the shared reference beside the checkout, or nothing.
inline std::optional<QString> reference(const QString& name) {
    for (QDir folder(MEANDER_SOURCE_DIR); folder.cdUp();) {
        const QString path = folder.filePath("shared/reference/" + name);
        if (QFileInfo::exists(path)) return path;
        if (folder.isRoot()) break;
    }
    return {};
}

}  // namespace meander::test
