// Small models of the families of Stable Diffusion, made of random weights: as a folder of diffusers, and as the single
// files that hold the same weights under the names of LDM.
#pragma once
#include <QTemporaryDir>
#include <QtTest>
#include <fstream>

#include "engine/core/json.h"
#include "engine/core/resources.h"
#include "engine/models/architectures/architecture.h"
#include "engine/models/text/text_encoder.h"
#include "engine/weights/formats/safetensors_writer.h"
#include "engine/weights/names/name_table.h"
#include "tests/engine/weights/weight_fixtures.h"

namespace meander::test {

using Tensors = std::map<std::string, HostTensor>;

// Random weights, kept as they are read.
class Recorder final : public WeightSource {
public:
    Tensors tensors;
    bool has(const std::string&) const override { return true; }
    HostWeight read(const std::string& name, const kernels::Shape& shape) override {
        const auto known = tensors.find(name);
        HostWeight w = known == tensors.end() ? m_random.read(name, shape)
                                              : HostWeight::fromFloats(shape, known->second.toFloats());
        tensors[name] = HostTensor::fromFloats(shape, w.floats());
        return w;
    }

private:
    RandomWeights m_random{7};
};

inline Tensors randomNetwork(const Json& config, Backend& backend) {
    Recorder recorder;
    NetworkBuilder builder(backend, recorder, DType::F32);
    findArchitecture(config["_class_name"])->build(config, "the test", builder);
    return recorder.tensors;
}
inline Tensors randomText(const Json& config, Backend& backend) {
    Recorder recorder;
    NetworkBuilder builder(backend, recorder, DType::F32);
    findTextEncoder(config["architectures"][0])->build(config, "the test", builder);
    return recorder.tensors;
}

// The stored name of a tensor: an upsampler stands behind the attention of its level where there is one.
inline Tensors underLdmNames(const Tensors& tensors, const char* table, const std::string& prefix) {
    Tensors stored;
    for (const auto& [name, tensor] : tensors) {
        const auto candidates = NameTable::named(table)->candidates(name);
        if (candidates.empty()) qFatal("no name for %s", name.c_str());
        std::size_t which = 0;
        if (const auto at = name.find(".upsamplers."); at != std::string::npos)
            which = tensors.contains(name.substr(0, at) + ".attentions.0.norm.weight");
        if (candidates[which].operation != StoredName::Whole) continue;
        stored[prefix + candidates[which].parts.front()] = tensor;
    }
    return stored;
}

// A text encoder as OpenCLIP stores it, with `extra` layers that nobody reads.
inline Tensors underOpenClipNames(const Tensors& t, int layers, int extra, const std::string& prefix) {
    Tensors stored = underLdmNames(t, "openclip", prefix);
    for (int i = 0; i < layers; ++i)
        for (const char* part : {"weight", "bias"}) {
            std::vector<float> all;
            kernels::Shape shape;
            for (const char* which : {"q", "k", "v"}) {
                const HostTensor& one =
                    t.at("text_model.encoder.layers." + std::to_string(i) + ".self_attn." + which + "_proj." + part);
                const auto v = one.toFloats();
                all.insert(all.end(), v.begin(), v.end());
                shape = one.shape();
            }
            stored[prefix + "transformer.resblocks." + std::to_string(i) + ".attn.in_proj_" + part] =
                HostTensor::fromFloats(shape.withRows(3 * shape[0]), all);
        }
    for (int i = layers; i < layers + extra; ++i)
        for (const auto& [name, tensor] : Tensors(stored))
            if (const std::string block = prefix + "transformer.resblocks.0."; name.starts_with(block))
                stored[prefix + "transformer.resblocks." + std::to_string(i) + "." + name.substr(block.size())] =
                    tensor;
    if (t.contains("text_projection.weight")) {
        const HostTensor& w = t.at("text_projection.weight");
        const std::int64_t rows = w.shape()[0], columns = w.shape()[1];
        std::vector<float> turned(std::size_t(rows * columns));
        for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t c = 0; c < columns; ++c)
                turned[std::size_t(c * rows + r)] = w.floats()[std::size_t(r * columns + c)];
        stored[prefix + "text_projection"] = HostTensor::fromFloats({columns, rows}, turned);
    }
    stored[prefix + "logit_scale"] = HostTensor::fromFloats({1}, std::vector<float>{4.6f});
    return stored;
}

// The KL autoencoder of LDM with four levels.
inline Tensors ldmCodec(int latents, const std::vector<int>& channels, bool hasQuantConvs) {
    Tensors t;
    std::uint32_t seed = 100;
    const auto add = [&](const std::string& name, kernels::Shape shape) {
        t[name + ".weight"] = HostTensor::fromFloats(shape, randomFloats(std::size_t(shape.count()), ++seed));
        t[name + ".bias"] = HostTensor::fromFloats({shape[0]}, randomFloats(std::size_t(shape[0]), ++seed));
    };
    const auto norm = [&](const std::string& name, int c) { add(name, {c}); };
    const auto block = [&](const std::string& name, int in, int out) {
        norm(name + ".norm1", in);
        add(name + ".conv1", {out, in, 3, 3});
        norm(name + ".norm2", out);
        add(name + ".conv2", {out, out, 3, 3});
        if (in != out) add(name + ".nin_shortcut", {out, in, 1, 1});
    };
    const auto middle = [&](const std::string& name, int c) {
        block(name + ".mid.block_1", c, c);
        block(name + ".mid.block_2", c, c);
        norm(name + ".mid.attn_1.norm", c);
        for (const char* part : {"q", "k", "v", "proj_out"}) add(name + ".mid.attn_1." + part, {c, c, 1, 1});
    };
    const int last = channels.back(), levels = int(channels.size());
    add("encoder.conv_in", {channels[0], 3, 3, 3});
    add("decoder.conv_in", {last, latents, 3, 3});
    int in = channels[0];
    for (int b = 0; b < levels; ++b) {
        const std::string n = std::to_string(b);
        for (int l = 0; l < 2; ++l, in = channels[std::size_t(b)])
            block("encoder.down." + n + ".block." + std::to_string(l), in, channels[std::size_t(b)]);
        if (b + 1 < levels) add("encoder.down." + n + ".downsample.conv", {in, in, 3, 3});
    }
    in = last;
    for (int b = levels - 1; b >= 0; --b) {
        const std::string n = std::to_string(b);
        for (int l = 0; l < 3; ++l, in = channels[std::size_t(b)])
            block("decoder.up." + n + ".block." + std::to_string(l), in, channels[std::size_t(b)]);
        if (b > 0) add("decoder.up." + n + ".upsample.conv", {in, in, 3, 3});
    }
    for (const char* side : {"encoder", "decoder"}) middle(side, last);
    norm("encoder.norm_out", last);
    add("encoder.conv_out", {2 * latents, last, 3, 3});
    norm("decoder.norm_out", channels[0]);
    add("decoder.conv_out", {3, channels[0], 3, 3});
    if (hasQuantConvs) {
        add("quant_conv", {2 * latents, 2 * latents, 1, 1});
        add("post_quant_conv", {latents, latents, 1, 1});
    }
    return t;
}

inline Tensors withPrefix(const Tensors& tensors, const std::string& prefix) {
    Tensors all;
    for (const auto& [name, tensor] : tensors) all[prefix + name] = tensor;
    return all;
}

inline void writeText(const QString& path, const std::string& text) {
    QDir().mkpath(QFileInfo(path).path());
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(text.data(), qint64(text.size())) != qint64(text.size()))
        qFatal("cannot write %s", qPrintable(path));
}
inline void writePart(const QString& folder, const char* stem, const Json& config, const Tensors& tensors) {
    writeText(folder + "/config.json", config.dump());
    writeText(folder + "/" + stem + ".safetensors", safetensorsBytes(tensors));
}
inline void copyTokenizer(const QString& folder) {
    const QDir from(QString::fromStdString(*findResource("models/sprites-unet/tokenizer")));
    for (const QString& name : from.entryList(QDir::Files))
        writeText(folder + "/" + name, fileBytes(from.filePath(name)));
}

// A checkpoint of PyTorch as written before version 1.6: {"state_dict": {name: tensor}}.
inline std::string torchBytes(const Tensors& tensors) {
    const auto number = [](std::int64_t n) { return std::string(Bytes().raw("J").add(std::int32_t(n))); };
    const auto text = [](const std::string& t) {
        return std::string(Bytes().raw("X").add(std::uint32_t(t.size())).raw(t));
    };
    Bytes object, keys, data;
    object.raw("\x80\x02}").raw(text("state_dict")).raw("}(");
    keys.raw("\x80\x02](");
    int key = 0;
    for (const auto& [name, tensor] : tensors) {
        const std::string id = std::to_string(key++);
        std::string extents = "(", strides = "(";
        std::int64_t stride = tensor.count();
        for (const auto e : tensor.shape().extents()) {
            stride /= e;
            extents += number(e);
            strides += number(stride);
        }
        object.raw(text(name)).raw("ctorch._utils\n_rebuild_tensor_v2\n((");
        object.raw(text("storage")).raw("ctorch\nFloatStorage\n").raw(text(id)).raw(text("cpu"));
        object.raw(number(tensor.count())).raw("tQ").raw(number(0)).raw(extents + "t").raw(strides + "t");
        object.raw("\x89}tR");
        keys.raw(text(id));
        data.add(std::int64_t(tensor.count()));
        data.append(reinterpret_cast<const char*>(tensor.bytes().data()), tensor.bytes().size());
    }
    Bytes file;
    file.raw(std::string_view("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15));
    file.raw("\x80\x02M\xe9\x03.").raw("\x80\x02}.").raw(object).raw("us.").raw(keys).raw("e.").raw(data);
    return file;
}

// A GGUF file of F32 tensors; filters are stored as matrices, their shapes in the metadata, as ComfyUI-GGUF does.
inline std::string ggufBytes(const Tensors& tensors, const std::string& architecture) {
    Bytes values, table;
    std::uint64_t valueCount = 1, offset = 0;
    values.text("general.architecture").add(std::uint32_t(8)).text(architecture);
    std::string data;
    for (const auto& [name, tensor] : tensors) {
        std::vector<std::int64_t> extents(tensor.shape().extents().begin(), tensor.shape().extents().end());
        if (extents.size() > 2) {
            values.text("comfy.gguf.orig_shape." + name).add(std::uint32_t(9)).add(std::uint32_t(5));
            values.add(std::uint64_t(extents.size()));
            for (const auto e : extents) values.add(std::int32_t(e));
            ++valueCount;
            extents = {extents[0], tensor.count() / extents[0]};
        }
        table.text(name).add(std::uint32_t(extents.size()));
        for (auto it = extents.rbegin(); it != extents.rend(); ++it) table.add(std::uint64_t(*it));
        table.add(std::uint32_t(0)).add(offset);
        data.append(reinterpret_cast<const char*>(tensor.bytes().data()), tensor.bytes().size());
        data.append((32 - data.size() % 32) % 32, '\0');
        offset = data.size();
    }
    Bytes file;
    file.raw("GGUF").add(std::uint32_t(3)).add(std::uint64_t(tensors.size())).add(valueCount).raw(values).raw(table);
    file.append((32 - file.size() % 32) % 32, '\0');
    file.raw(data);
    return file;
}

}  // namespace meander::test
