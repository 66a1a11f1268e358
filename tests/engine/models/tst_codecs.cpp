// Codecs: the same numbers as diffusers' from the same weights, a real tiny autoencoder, tiles against whole images,
// sentences for damaged files, and the linear map that shows states without the codec.
//
// MEANDER_LONG_TESTS=1 also decodes one image of 512 × 512 by a network of Stable Diffusion's size and prints time and
// memory.
#include <QtTest>

#include "engine/imaging/image.h"
#include "engine/imaging/npy.h"
#include "engine/imaging/png.h"
#include "engine/models/codecs/autoencoder_kl.h"
#include "engine/models/codecs/autoencoder_tiny.h"
#include "engine/weights/joined_weights.h"
#include "engine/weights/renamed.h"
#include "tests/engine/weights/weight_fixtures.h"

using namespace meander;

namespace {

// The weights of tests/golden/codecs/make_codecs.py: every number follows from the name and its place.
class FormulaWeights final : public WeightSource {
public:
    explicit FormulaWeights(std::map<std::string, Shape> shapes) : m_shapes(std::move(shapes)) {}
    explicit FormulaWeights(const nlohmann::json& shapes) {
        for (const auto& [name, shape] : shapes.items())
            m_shapes[name] = Shape(std::span<const std::int64_t>(shape.get<std::vector<std::int64_t>>()));
    }
    const std::map<std::string, Shape>& shapes() const { return m_shapes; }

    bool has(const std::string& name) const override { return m_shapes.contains(name); }
    std::optional<Shape> shapeOf(const std::string& name) const override {
        const auto it = m_shapes.find(name);
        return it == m_shapes.end() ? std::nullopt : std::optional(it->second);
    }
    HostWeight read(const std::string& name, const Shape& shape) override {
        const auto it = m_shapes.find(name);
        if (it == m_shapes.end()) throw Failure("The tensor '" + name + "' is missing.");
        if (!isSameShape(it->second, shape)) throw Failure("The tensor '" + name + "' has another shape.");
        return HostWeight::fromFloats(shape, valuesOf(name, shape));
    }

private:
    static std::vector<float> valuesOf(const std::string& name, const Shape& shape) {
        std::uint32_t seed = 2166136261u;
        for (const char c : name) seed = (seed ^ std::uint8_t(c)) * 16777619u;
        std::vector<float> values;
        for (std::int64_t i = 0; i < shape.count(); ++i) {
            std::uint32_t u = std::uint32_t(i) * 2654435761u + seed;
            u = (u ^ (u >> 16)) * 0x7feb352du;
            u = (u ^ (u >> 15)) * 0x846ca68bu;
            u ^= u >> 16;
            double v = double(u) / 2147483648.0 - 1;
            if (shape.rank() > 1) v *= std::sqrt(3.0 / double(shape.rowCount()));
            else if (name.ends_with("running_var")) v += 2;
            else if (name.ends_with("weight")) v = 1 + 0.2 * v;
            else v *= 0.2;
            values.push_back(float(v));
        }
        return values;
    }
    std::map<std::string, Shape> m_shapes;
};

// ‖a − b‖ / ‖b‖
double relativeError(const HostTensor& a, const HostTensor& b) {
    if (!(a.shape() == b.shape())) qFatal("%s is not %s", a.shape().text().c_str(), b.shape().text().c_str());
    double difference = 0, square = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) {
        difference += (a.at(i) - b.at(i)) * (a.at(i) - b.at(i));
        square += b.at(i) * b.at(i);
    }
    return std::sqrt(difference / square);
}
double largestDifference(const HostTensor& a, const HostTensor& b) {
    if (!(a.shape() == b.shape())) qFatal("%s is not %s", a.shape().text().c_str(), b.shape().text().c_str());
    double worst = 0;
    for (std::int64_t i = 0; i < a.count(); ++i) worst = std::max(worst, std::abs(a.at(i) - b.at(i)));
    return worst;
}

HostTensor randomTensor(Shape shape) {
    return HostTensor::fromFloats(shape, test::randomFloats(std::size_t(shape.count()), 5));
}

// Sums of slow waves in [0, 1].
HostTensor smoothImage(int height, int width) {
    std::vector<float> v;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c)
                v.push_back(
                    float(0.5 + 0.25 * std::sin(0.021 * x + 0.9 * c) + 0.2 * std::cos(0.017 * y - 0.4 * c * x / 40)));
    return HostTensor::fromFloats({1, height, width, 3}, v);
}

// (c, h, w) → (1, h, w, c)
HostTensor channelsLast(const HostTensor& t) {
    const Shape s = t.shape();
    std::vector<float> v;
    for (std::int64_t i = 0; i < s[1] * s[2]; ++i)
        for (std::int64_t c = 0; c < s[0]; ++c) v.push_back(float(t.at(c * s[1] * s[2] + i)));
    return HostTensor::fromFloats({1, s[1], s[2], s[0]}, v);
}

// Something that is exactly linear: each cell of 4 × 4 pixels has one colour, a mix of three channels.
class LinearCodec final : public Codec {
public:
    Tensor decode(const Tensor& states) const override {
        const HostTensor cells = download(states);
        std::vector<float> v;
        const Shape s = cells.shape();
        for (std::int64_t y = 0; y < 4 * s[1]; ++y)
            for (std::int64_t x = 0; x < 4 * s[2]; ++x)
                for (int k = 0; k < 3; ++k) {
                    const auto z = [&](int c) { return cells.at((y / 4 * s[2] + x / 4) * 3 + c); };
                    v.push_back(float(0.5 + 0.2 * z(k) - 0.05 * z((k + 1) % 3)));
                }
        return upload(states.backend(), HostTensor::fromFloats({1, 4 * s[1], 4 * s[2], 3}, v));
    }
    Tensor encode(const Tensor&) const override { throw Failure("It has no encoder."); }
    std::size_t bytesToDecode(int, int) const override { return 0; }
};

}  // namespace

class TestCodecs : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({});

    struct Golden {
        WeightFile file;
        Json config;
        nlohmann::json shapes;
        HostTensor operator[](const char* name) const {
            const HostWeight w = file.read(name);
            return HostTensor::fromFloats(w.shape, w.floats());
        }
    };
    Golden golden(const std::string& name) {
        auto file = WeightFile::open(MEANDER_SOURCE_DIR "/tests/golden/codecs/" + name + ".safetensors");
        if (!file) qFatal("%s", file.error().text.c_str());
        const Json config = Json::parse(file->metadata().at("config"));
        auto shapes = nlohmann::json::parse(file->metadata().at("weights"));
        return {std::move(*file), config, std::move(shapes)};
    }
    std::unique_ptr<Codec> built(const Json& config, WeightSource& weights) {
        const CodecKind* kind = findCodec(config["_class_name"].get<std::string>());
        if (!kind) qFatal("no such codec");
        NetworkBuilder builder(*m_backend, weights, DType::F32);
        return kind->build(config, "'config.json'", builder);
    }
    std::unique_ptr<Codec> built(const Golden& g) {
        FormulaWeights weights(g.shapes);
        return built(g.config, weights);
    }
    Tensor up(const HostTensor& t) { return upload(*m_backend, t); }

    // Decoder and encoder of the real files; null without them.
    std::unique_ptr<Codec> realTiny(const TilePolicy& policy = {}) {
        const auto folder = test::reference("real/taef2");
        if (!folder) return nullptr;
        std::vector<std::shared_ptr<WeightSource>> halves;
        for (const char* half : {"encoder", "decoder"}) {
            auto file = FileWeights::open((*folder + "/taef2_" + half + ".pth").toStdString());
            if (!file) qFatal("%s", file.error().text.c_str());
            halves.push_back(
                std::make_shared<Renamed>(std::move(*file), *NameTable::named(std::string("taesd_") + half)));
        }
        JoinedWeights weights(std::move(halves));
        NetworkBuilder builder(*m_backend, weights, DType::F32);
        return makeAutoencoderTiny(tinyConfig({{"latent_channels", 32}}, "taef2"), builder, policy);
    }
    void goldenFiles() {
        QTest::addColumn<QString>("name");
        for (const char* name :
             {"kl4", "kl16", "kl_statistics", "kl_flux2", "kl_qwen_image", "dc", "dc_folded", "tiny"})
            QTest::newRow(name) << QString(name);
    }

private slots:
    void sameAsDiffusers_data() { goldenFiles(); }
    void sameAsDiffusers() {
        QFETCH(QString, name);
        const Golden g = golden(name.toStdString());
        const auto codec = built(g);
        const CodecFacts facts = findCodec(g.config["_class_name"])->describe(g.config, "'config.json'");
        QCOMPARE(std::int64_t(facts.channels), g["state"].shape()[3]);
        QCOMPARE(g["state"].shape()[1] * facts.factor, g["decoded"].shape()[1]);
        const double encoded = relativeError(download(codec->encode(up(g["image"]))), g["encoded"]),
                     decoded = relativeError(download(codec->decode(up(g["state"]))), g["decoded"]);
        qInfo("%s: relative error of encoding %.2g, of decoding %.2g", qPrintable(name), encoded, decoded);
        QVERIFY(encoded < 1e-5);
        QVERIFY(decoded < 1e-5);
        std::int64_t all = 0;
        const FormulaWeights weights(g.shapes);
        for (const auto& [tensor, shape] : weights.shapes())
            if (!tensor.starts_with("bn.") && tensor.find(".time_conv.") == tensor.npos) all += shape.count();
        // Of the quantising filter of the encoder only the rows of the mean are computed.
        const std::int64_t z = g.config["latent_channels"].get<std::int64_t>();
        if (weights.has("quant_conv.weight")) all -= z * (2 * z + 1);
        QCOMPARE(codec->parameters, all);
    }
    void rowsAreIndependent_data() { goldenFiles(); }
    void rowsAreIndependent() {
        QFETCH(QString, name);
        const Golden g = golden(name.toStdString());
        const auto codec = built(g);
        const Tensor one = up(g["state"]), other = up(randomTensor(g["state"].shape()));
        const Tensor pair[] = {other, one};
        QVERIFY(download(codec->decode(stackRows(pair))).rows(1, 1).sameBits(download(codec->decode(one))));
        const Tensor images[] = {up(g["decoded"]), up(g["image"])};
        if (g["decoded"].shape() == g["image"].shape())
            QVERIFY(download(codec->encode(stackRows(images))).rows(1, 1).sameBits(download(codec->encode(images[1]))));
    }
    // Inputs stay as they are: states belong to the run.
    void inputsAreNotWritten_data() { goldenFiles(); }
    void inputsAreNotWritten() {
        QFETCH(QString, name);
        const Golden g = golden(name.toStdString());
        const auto codec = built(g);
        const Tensor state = up(g["state"]), image = up(g["image"]);
        codec->decode(state);
        codec->encode(image);
        QVERIFY(download(state).sameBits(g["state"]));
        QVERIFY(download(image).sameBits(g["image"]));
    }
    // query, key, value, proj_attn, some as 1 × 1 filters.
    void firstAttentionNames() {
        const Golden g = golden("kl4");
        const auto stored = std::make_shared<test::MemoryWeights>();
        FormulaWeights weights(g.shapes);
        for (const auto& [name, shape] : weights.shapes()) {
            std::string old = name;
            for (const auto& [now, then] : std::map<std::string, std::string>{
                     {".to_q.", ".query."}, {".to_k.", ".key."}, {".to_v.", ".value."}, {".to_out.0.", ".proj_attn."}})
                if (const auto at = old.find(now); at != std::string::npos) old.replace(at, now.size(), then);
            const Shape filter = old != name && shape.rank() == 2 ? Shape{shape[0], shape[1], 1, 1} : shape;
            stored->add(old, filter, weights.read(name, shape).floats());
        }
        QVERIFY(stored->has("decoder.mid_block.attentions.0.proj_attn.weight"));
        QVERIFY(download(built(g.config, *stored)->decode(up(g["state"])))
                    .sameBits(download(built(g)->decode(up(g["state"])))));
    }
    void realTinyAutoencoder() {
        const auto codec = realTiny();
        if (!codec) QSKIP("the real files of ../shared/reference are not there");
        const std::string folder = test::reference("real/taef2")->toStdString() + "/";
        const HostTensor image = tensorOf(readPng(folder + "input_128.png")->image),
                         latent = channelsLast(*readNpy(folder + "latent_32x16x16_f32.npy")),
                         decoded = channelsLast(*readNpy(folder + "decoded_3x128x128_f32.npy"));
        const double encoding = largestDifference(download(codec->encode(up(image))), latent),
                     decoding = largestDifference(download(codec->decode(up(latent))), decoded);
        qInfo("largest difference of encoding %.2g, of decoding %.2g", encoding, decoding);
        QVERIFY(encoding < 1e-4);
        QVERIFY(decoding < 1e-4);
    }

    // What a pixel of a tiny autoencoder depends on lies within a tile: no difference but rounding.
    void tilesOfTinyAreExact() {
        const TilePolicy tiles{.tiles = {.size = 32}, .largestWhole = 1};
        Golden g = golden("tiny");
        FormulaWeights weights(g.shapes);
        NetworkBuilder builder(*m_backend, weights, DType::F32);
        const auto whole = built(g), tiled = makeAutoencoderTiny(tinyConfig(g.config, "config"), builder, tiles);
        const Tensor state = up(randomTensor({1, 45, 71, 4})), image = up(smoothImage(8 * 45, 8 * 50));
        const HostTensor decoded = download(tiled->decode(state));
        QVERIFY(decoded.sameBits(download(tiled->decode(state))));
        QVERIFY(relativeError(decoded, download(whole->decode(state))) < 1e-5);
        QVERIFY(relativeError(download(tiled->encode(image)), download(whole->encode(image))) < 1e-5);
        if (const auto real = realTiny(), realTiled = realTiny(tiles); real) {
            const Tensor latent = real->encode(image);
            QVERIFY(largestDifference(download(realTiled->encode(image)), download(latent)) < 1e-4);
            QVERIFY(largestDifference(download(realTiled->decode(latent)), download(real->decode(latent))) < 1e-4);
        }
    }
    // Group norms see a tile instead of the image; random states have nearly the same statistics everywhere.
    void tilesOfKl() {
        const Golden g = golden("kl16");
        FormulaWeights weights(g.shapes);
        NetworkBuilder builder(*m_backend, weights, DType::F32);
        const auto whole = built(g),
                   tiled = makeAutoencoderKl(klConfig(g.config, "config"), builder,
                                             {.tiles = {.size = 32, .overlap = 16, .margin = 6}, .largestWhole = 1});
        const Tensor state = up(randomTensor({1, 48, 80, 16}));
        const HostTensor decoded = download(tiled->decode(state)), expected = download(whole->decode(state));
        QVERIFY(decoded.sameBits(download(tiled->decode(state))));
        const double decoding = relativeError(decoded, expected);
        const Tensor image = up(randomTensor({1, 4 * 48, 4 * 80, 3}));
        const double encoding = relativeError(download(tiled->encode(image)), download(whole->encode(image)));
        qInfo("tiles against the whole: relative difference of decoding %.2g, of encoding %.2g", decoding, encoding);
        QVERIFY(decoding < 0.05);
        QVERIFY(encoding < 0.05);
        // An image within one tile is the whole.
        const Tensor small = up(randomTensor({1, 32, 20, 16}));
        QVERIFY(download(tiled->decode(small)).sameBits(download(whole->decode(small))));
    }
    // Any extents: the parts of all tiles add up to the image.
    void tilesOfNothingAreTheImage() {
        for (const auto& [height, width] : {std::pair{1, 1}, {16, 17}, {33, 64}, {100, 7}}) {
            const HostTensor x = randomTensor({1, height, width, 2});
            for (const Tiling& t : {Tiling{16, 4, 1}, Tiling{16, 8, 0}, Tiling{16, 13, 6}}) {
                const HostTensor same = download(inTiles(up(x), t, 1, 1, [](Tensor tile) { return tile; }));
                QVERIFY(largestDifference(same, x) < 1e-6);
            }
        }
    }
    void memoryIsAsEstimated() {
        Json config = golden("kl4").config;
        config["block_out_channels"] = {32, 64, 128, 128};
        for (const char* side : {"down_block_types", "up_block_types"})
            config[side] = std::vector<std::string>(4, side[0] == 'd' ? "DownEncoderBlock2D" : "UpDecoderBlock2D");
        RandomWeights weights;
        for (const std::size_t limit : {std::size_t(1) << 40, std::size_t(1) << 20}) {
            NetworkBuilder builder(*m_backend, weights, DType::F32);
            const auto codec =
                makeAutoencoderKl(klConfig(config, "config"), builder, {.tiles = {}, .largestWhole = limit});
            const Tensor state = up(randomTensor({1, 48, 72, 4}));
            m_backend->trim();
            m_backend->resetPeak();
            const std::size_t before = m_backend->memoryUse().current;
            codec->decode(state);
            const double peak = double(m_backend->memoryUse().peak - before),
                         estimate = double(codec->bytesToDecode(48, 72));
            qInfo("limit %.3g MiB: peak %.1f MiB, estimated %.1f MiB", double(limit) / 1048576, peak / 1048576,
                  estimate / 1048576);
            QVERIFY(peak < 1.2 * estimate && peak > 0.4 * estimate);
        }
    }

    void damagedConfigurations_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        const auto row = [](const char* name, const char* key, const char* value) {
            QTest::newRow(qPrintable(QString("%1 %2 %3").arg(name, key, value)))
                << QString(name) << QString(key) << QString(value);
        };
        for (const char* name : {"kl4", "kl_flux2"}) {
            for (const char* value :
                 {"[]", "[0]", "[32, -1]", "[33, 64]", "[32, 99999]", "\"32\"", "[1,1,1,1,1,1,1,1,1]", "[32]"})
                row(name, "block_out_channels", value);
            for (const char* value : {"0", "-4", "1e9", "\"four\"", "5"}) row(name, "latent_channels", value);
            for (const char* value : {"0", "7", "-1"}) row(name, "norm_num_groups", value);
            for (const char* value : {"0", "1000", "2"}) row(name, "layers_per_block", value);
            for (const char* value : {"[\"AttnDownEncoderBlock2D\", \"DownEncoderBlock2D\"]", "[]", "3"})
                row(name, "down_block_types", value);
            row(name, "act_fn", "\"relu\"");
            row(name, "in_channels", "4");
        }
        for (const char* value : {"0", "-1", "\"x\""}) row("kl4", "scaling_factor", value);
        row("kl4", "latents_std", "[1, 1, 1]");
        row("kl4", "latents_std", "[1, 1, 0, 1]");
        row("kl4", "latents_mean", "[0]");
        row("kl_flux2", "patch_size", "[2, 1]");
        row("kl_flux2", "patch_size", "[0, 0]");
        row("kl_flux2", "batch_norm_eps", "-1");
        for (const char* value : {"0", "-4", "3"}) row("tiny", "latent_channels", value);
        for (const char* value : {"[]", "[1, 3, 3]", "[1, 3, 3, 0]", "[1, 3, 3, 4]"})
            row("tiny", "num_encoder_blocks", value);
        for (const char* value : {"[64, 32, 32, 32]", "[32]", "[0, 0, 0, 0]"})
            row("tiny", "decoder_block_out_channels", value);
        row("tiny", "act_fn", "\"silu\"");
        row("tiny", "upsample_fn", "\"bilinear\"");
        row("tiny", "upsampling_scaling_factor", "3");
        row("tiny", "scaling_factor", "0");
    }
    void damagedConfigurations() {
        QFETCH(QString, name);
        QFETCH(QString, key);
        QFETCH(QString, value);
        Golden g = golden(name.toStdString());
        g.config[key.toStdString()] = Json::parse(value.toStdString());
        try {
            built(g);
            QFAIL("it was built");
        } catch (const Failure& e) {
            const std::string text = e.what();
            QVERIFY2(text.size() > 20 && text.back() == '.', e.what());
        }
    }
    void missingWeights_data() { goldenFiles(); }
    void missingWeights() {
        QFETCH(QString, name);
        const Golden g = golden(name.toStdString());
        for (const auto& [tensor, shape] : g.shapes.items()) {
            if ((!tensor.ends_with("weight") && !tensor.starts_with("bn."))
                || tensor.find(".time_conv.") != tensor.npos)
                continue;
            Golden less = g;
            less.shapes.erase(tensor);
            QVERIFY_THROWS_EXCEPTION(Failure, built(less));
        }
    }
    void wrongSizes_data() { goldenFiles(); }
    void wrongSizes() {
        QFETCH(QString, name);
        const Golden g = golden(name.toStdString());
        const auto codec = built(g);
        const Shape state = g["state"].shape(), image = g["image"].shape();
        for (const Shape& s : {state.with(3, 3), Shape{4, 4}, state.with(1, 0)})
            QVERIFY_THROWS_EXCEPTION(Failure, codec->decode(up(randomTensor(s))));
        for (const Shape& s : {image.with(1, image[1] + 1), image.with(3, 4), Shape{3}})
            QVERIFY_THROWS_EXCEPTION(Failure, codec->encode(up(randomTensor(s))));
    }
    void decoderAlone() {
        Golden g = golden("tiny");
        for (auto it = g.shapes.begin(); it != g.shapes.end();)
            it = it.key().starts_with("encoder.") ? g.shapes.erase(it) : std::next(it);
        g.config["has_encoder"] = false;
        const CodecFacts facts = findCodec("AutoencoderTiny")->describe(g.config, "config");
        QVERIFY(!facts.hasEncoder);
        const auto codec = built(g);
        QVERIFY(
            download(codec->decode(up(g["state"]))).sameBits(download(built(golden("tiny"))->decode(up(g["state"])))));
        QVERIFY_THROWS_EXCEPTION(Failure, codec->encode(up(g["image"])));
        QVERIFY(!measuredPixelMap(*codec, *m_backend, facts).isExact());
    }

    void pixelMapOfALinearCodecIsTheCodec() {
        const LinearCodec codec;
        const CodecFacts facts{.channels = 3, .factor = 4, .hasEncoder = false, .pixels = {}};
        const PixelMap map = measuredPixelMap(codec, *m_backend, facts);
        QVERIFY(map == measuredPixelMap(codec, *m_backend, facts));
        for (std::size_t k = 0; k < 3; ++k) {
            QVERIFY(std::abs(map.bias[k] - 0.5) < 1e-4);
            QVERIFY(std::abs(map.matrix[k * 3 + k] - 0.2) < 1e-4);
            QVERIFY(std::abs(map.matrix[k * 3 + (k + 1) % 3] + 0.05) < 1e-4);
        }
    }
    // On an image that was not among its examples: the colours of the cells.
    void pixelMapOfARealCodec() {
        const auto codec = realTiny();
        if (!codec) QSKIP("the real files of ../shared/reference are not there");
        const CodecFacts facts{.channels = 32, .factor = 8, .hasEncoder = true, .pixels = {}};
        const PixelMap map = measuredPixelMap(*codec, *m_backend, facts);
        QVERIFY(map == measuredPixelMap(*codec, *m_backend, facts));
        const HostTensor image = smoothImage(256, 192), state = download(codec->encode(up(image))),
                         shown = applyPixelMap(map, state), decoded = download(codec->decode(up(state)));
        double square = 0, sum = 0, spread = 0;
        for (std::int64_t y = 0; y < 32; ++y)
            for (std::int64_t x = 0; x < 24; ++x)
                for (std::int64_t c = 0; c < 3; ++c) {
                    double mean = 0;
                    for (int i = 0; i < 64; ++i)
                        mean += decoded.at(((8 * y + i / 8) * 192 + 8 * x + i % 8) * 3 + c) / 64;
                    const double d = shown.at((y * 24 + x) * 3 + c) - mean;
                    square += d * d;
                    sum += mean;
                    spread += mean * mean;
                }
        const double n = 32 * 24 * 3, error = std::sqrt(square / n),
                     deviation = std::sqrt(spread / n - sum * sum / n / n);
        qInfo("the map differs from the decoder by %.3f (root mean square) on a smooth image whose colours deviate by "
              "%.3f",
              error, deviation);
        QVERIFY(error < 0.5 * deviation);
    }
    void sizeOfStableDiffusion() {
        if (!qEnvironmentVariableIsSet("MEANDER_LONG_TESTS")) QSKIP("set MEANDER_LONG_TESTS=1");
        const std::vector<std::string> down(4, "DownEncoderBlock2D"), up4(4, "UpDecoderBlock2D");
        const Json config{{"_class_name", "AutoencoderKL"},
                          {"block_out_channels", {128, 256, 512, 512}},
                          {"down_block_types", down},
                          {"up_block_types", up4},
                          {"layers_per_block", 2}};
        RandomWeights weights;
        const auto codec = built(config, weights);
        QCOMPARE(codec->parameters, std::int64_t(83653863 - 4 * 9));
        const std::size_t before = m_backend->memoryUse().current;
        for (const int side : {64, 128}) {
            const Tensor state = up(randomTensor({1, side, side, 4}));
            m_backend->trim();
            m_backend->resetPeak();
            QElapsedTimer timer;
            timer.start();
            const HostTensor image = download(codec->decode(state));
            qInfo("decoding %d × %d: %.2f s, weights %.0f MiB, activations %.0f MiB, estimated %.0f MiB", 8 * side,
                  8 * side, double(timer.elapsed()) / 1000, double(before) / 1048576,
                  double(m_backend->memoryUse().peak - before) / 1048576,
                  double(codec->bytesToDecode(side, side)) / 1048576);
            for (const float v : image.floats()) QVERIFY(std::isfinite(v));
        }
    }
};

QTEST_GUILESS_MAIN(TestCodecs)
#include "tst_codecs.moc"
