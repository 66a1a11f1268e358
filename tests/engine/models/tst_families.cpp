// Families are told by keys and shapes alone: every row of the table by its own test, full-size models by the shapes of
// their files, published key lists to the last key, and a file of many gigabytes by its header.
#include <QElapsedTimer>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>

#include "engine/models/architectures/unet_config.h"
#include "engine/models/families/family.h"
#include "engine/models/families/part_search.h"
#include "engine/models/model_files.h"
#include "engine/models/text/conditioner.h"
#include "tests/engine/weights/weight_fixtures.h"

using namespace meander;
using namespace meander::test;

namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

// A safetensors file without data: its end is a hole.
qint64 writeHollow(const QString& path, const Shapes& shapes, const char* type = "F16", std::int64_t size = 2) {
    nlohmann::json table = nlohmann::json::object();
    std::int64_t at = 0;
    for (const auto& [name, extents] : shapes) {
        std::int64_t bytes = size;
        for (const auto e : extents) bytes *= e;
        table[name] = {{"dtype", type}, {"shape", extents}, {"data_offsets", {at, at + bytes}}};
        at += bytes;
    }
    std::string header = table.dump();
    header.resize((header.size() + 7) / 8 * 8, ' ');
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly)) qFatal("cannot write %s", qPrintable(path));
    file.write(QByteArray::fromStdString(Bytes().add(std::uint64_t(header.size())).raw(header)));
    if (!file.resize(8 + qint64(header.size()) + at)) qFatal("cannot stretch %s", qPrintable(path));
    return at;
}

// "name [320,4,3,3]" a line.
Shapes keyList(const QString& path, const std::string& prefix) {
    Shapes shapes;
    for (const QString& line : QString::fromStdString(fileBytes(path)).split('\n', Qt::SkipEmptyParts)) {
        const auto space = line.lastIndexOf(' ');
        auto& extents = shapes[prefix + line.left(space).toStdString()];
        for (const QString& e : line.mid(space + 2).chopped(1).split(',', Qt::SkipEmptyParts))
            extents.push_back(e.toLongLong());
    }
    return shapes;
}

// Tensors that satisfy a test of the table.
Shapes satisfying(const std::string& test) {
    Shapes shapes;
    for (std::string term : wordsOf(test)) {
        if (term.front() == '!') continue;
        const auto bracket = term.find('[');
        std::string name = term.substr(0, bracket);
        std::replace(name.begin(), name.end(), '*', '1');
        auto& extents = shapes[name];
        if (bracket == std::string::npos) continue;
        unsigned axis = 0;
        long long extent = 0;
        std::sscanf(term.c_str() + bracket, "[%u]=%lld", &axis, &extent);
        extents.resize(std::max<std::size_t>(extents.size(), axis + 1), 8);
        extents[axis] = extent;
    }
    for (auto& [name, extents] : shapes)
        if (extents.empty()) extents = {8, 8};
    return shapes;
}

}  // namespace

class TestFamilies : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;

    QString path(const char* name = "model.safetensors") const { return m_folder.filePath(name); }
    TensorList listOf(const Shapes& shapes) {
        writeHollow(path(), shapes);
        auto weights = FileWeights::open(path().toStdString());
        if (!weights) qFatal("%s", weights.error().text.c_str());
        return TensorList(std::move(*weights), "");
    }

private slots:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        qputenv("MEANDER_MODELS", path("none").toUtf8());
        qputenv("HF_HUB_CACHE", path("none").toUtf8());
    }

    // No row is hidden by one above it, with and without the prefixes that programs write.
    void everyRowIsFound() {
        int rows = 0;
        for (const Family& f : families()) {
            const Shapes own = satisfying(f.test);
            for (const std::string prefix : {"", "diffusion_model.", "model.diffusion_model."}) {
                Shapes shapes;
                for (const auto& [name, extents] : own) shapes[prefix + name] = extents;
                writeHollow(path(), shapes);
                ModelFiles files;
                try {
                    files = openModelFile(path().toStdString());
                } catch (const Failure& failure) {
                    // A network of one or two tensors may still be refused, but as what it is.
                    QFAIL((std::string(f.id) + ": " + failure.what()).c_str());
                }
                QCOMPARE(files.family, std::string(f.name));
                QCOMPARE(files.isOnlyRecognised, f.config == nullptr);
                QCOMPARE(files.network.config["_class_name"].get<std::string>(), std::string(f.className));
                for (const Finding& finding : files.findings)
                    QVERIFY2(finding.reason.size() > 20 && finding.reason.ends_with('.'), finding.key.c_str());
                ++rows;
            }
            if (*f.names) QVERIFY2(NameTable::named(f.names), f.names);
            if (*f.codec) QVERIFY2(findCodecFormat(f.codec), f.codec);
            if (*f.texts) QVERIFY2(findConditioner(f.conditioner), f.conditioner);
            for (const auto& role : wordsOf(f.texts)) QVERIFY2(findTextRole(role), role.c_str());
            QVERIFY2(Json::parse(f.recommended).is_object(), f.id);
        }
        qInfo("%d of %d files recognised", rows, 3 * int(families().size()));
    }

    // A family that nothing can run yet is told by name.
    void recognisedOnly() {
        writeHollow(path(), satisfying("head.modulation patch_embedding.weight[0]=1536"));
        const auto info = inspectModel(path().toStdString());
        QVERIFY(!info.ok());
        QVERIFY2(info.error().text.find("Wan 2.1 1.3B") != std::string::npos, info.error().text.c_str());
        for (const auto& [test, kind] :
             {std::pair("decoder.conv_in.weight decoder.norm_out.weight decoder.up_blocks.0.0.conv1.weight", "DC-AE"),
              {"decoder.middle.0.residual.2.weight decoder.conv1.weight", "Qwen-Image"}}) {
            writeHollow(path(), satisfying(test));
            const auto other = inspectModel(path().toStdString());
            QVERIFY(!other.ok());
            QVERIFY2(other.error().text.find(kind) != std::string::npos, other.error().text.c_str());
        }
        const auto folder = reference("real/keys");
        if (!folder) QSKIP("the key lists are not here");
        for (const auto& [name, prefix, kind] : {std::tuple("ControlNet-v1-SD", "control_model.", "a ControlNet"),
                                                 {"ControlNet-v1-SD", "", "a ControlNet"},
                                                 {"VAE-v1-SD", "", "a KL autoencoder"},
                                                 {"CLIP-v1-SD", "text_model.", "a text encoder"},
                                                 {"LoRA-v1A-UNET", "", "a LoRA"},
                                                 {"LoRA-v1-UNET", "", "a LoRA"}}) {
            Shapes shapes = keyList(*folder + "/ldm_" + name + ".txt", prefix);
            for (auto& [tensor, extents] : shapes) std::replace(extents.begin(), extents.end(), -1L, 4L);  // any rank
            writeHollow(path(), shapes);
            const auto other = inspectModel(path().toStdString());
            QVERIFY(!other.ok());
            QVERIFY2(other.error().text.find(kind) != std::string::npos, other.error().text.c_str());
        }
    }

    void fluxConfigurations() {
        Shapes s{{"img_in.weight", {3072, 64}},
                 {"txt_in.weight", {3072, 4096}},
                 {"vector_in.in_layer.weight", {3072, 768}},
                 {"guidance_in.in_layer.weight", {3072, 256}},
                 {"double_blocks.0.img_attn.norm.key_norm.scale", {128}},
                 {"double_blocks.18.img_attn.norm.key_norm.scale", {128}},
                 {"single_blocks.37.linear1.weight", {21504, 3072}},
                 {"final_layer.linear.weight", {64, 3072}}};
        const Json dev = fluxConfig(listOf(s), *familyOf(listOf(s)));
        QCOMPARE(familyOf(listOf(s))->id, "flux-dev");
        const Json want = {{"_class_name", "FluxTransformer2DModel"},
                           {"patch_size", 1},
                           {"in_channels", 64},
                           {"out_channels", 64},
                           {"num_layers", 19},
                           {"num_single_layers", 38},
                           {"attention_head_dim", 128},
                           {"num_attention_heads", 24},
                           {"joint_attention_dim", 4096},
                           {"pooled_projection_dim", 768},
                           {"guidance_embeds", true},
                           {"axes_dims_rope", {16, 56, 56}}};
        QCOMPARE(dev, want);
        s.erase("guidance_in.in_layer.weight");
        QCOMPARE(familyOf(listOf(s))->id, "flux-schnell");

        const Shapes klein{{"single_stream_modulation.lin.weight", {9216, 3072}},
                           {"img_in.weight", {3072, 128}},
                           {"txt_in.weight", {3072, 7680}},
                           {"time_in.in_layer.weight", {3072, 256}},
                           {"double_blocks.4.img_attn.norm.key_norm.scale", {128}},
                           {"double_blocks.0.img_attn.norm.key_norm.scale", {128}},
                           {"double_blocks.0.img_mlp.2.weight", {3072, 9216}},
                           {"single_blocks.19.linear1.weight", {27648, 3072}}};
        const TensorList list = listOf(klein);
        QCOMPARE(familyOf(list)->id, "flux2-klein-4b");
        const Json c = flux2Config(list, *familyOf(list));
        QCOMPARE(c["num_layers"].get<int>(), 5);
        QCOMPARE(c["num_single_layers"].get<int>(), 20);
        QCOMPARE(c["num_attention_heads"].get<int>(), 24);
        QCOMPARE(c["mlp_ratio"].get<double>(), 3.0);
        QCOMPARE(c["axes_dims_rope"], Json({32, 32, 32, 32}));
        QCOMPARE(c["guidance_embeds"].get<bool>(), false);
    }

    void otherTransformers() {
        Shapes sd35;
        for (int i = 0; i < 24; ++i) {
            const std::string block = "joint_blocks." + std::to_string(i) + ".";
            sd35[block + "context_block.adaLN_modulation.1.bias"] = {i == 23 ? 3072 : 9216};
            sd35[block + "x_block.attn.qkv.weight"] = {4608, 1536};
            sd35[block + "x_block.attn.ln_q.weight"] = {64};
            if (i < 13) sd35[block + "x_block.attn2.qkv.weight"] = {4608, 1536};
        }
        sd35["joint_blocks.23.context_block.adaLN_modulation.1.weight"] = {3072, 1536};
        sd35.merge(Shapes{{"x_embedder.proj.weight", {1536, 16, 2, 2}},
                          {"pos_embed", {1, 147456, 1536}},
                          {"context_embedder.weight", {1536, 4096}},
                          {"y_embedder.mlp.0.weight", {1536, 2048}},
                          {"final_layer.linear.weight", {64, 1536}},
                          {"final_layer.adaLN_modulation.1.weight", {3072, 1536}}});
        const TensorList list = listOf(sd35);
        QCOMPARE(familyOf(list)->id, "sd3.5-medium");
        const Json c = sd3Config(list, *familyOf(list));
        const Json want = {{"_class_name", "SD3Transformer2DModel"},
                           {"sample_size", 128},
                           {"patch_size", 2},
                           {"in_channels", 16},
                           {"out_channels", 16},
                           {"num_layers", 24},
                           {"attention_head_dim", 64},
                           {"num_attention_heads", 24},
                           {"joint_attention_dim", 4096},
                           {"caption_projection_dim", 1536},
                           {"pooled_projection_dim", 2048},
                           {"pos_embed_max_size", 384},
                           {"dual_attention_layers", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
                           {"qk_norm", "rms_norm"}};
        QCOMPARE(c, want);
        // The modulation of the last block's text is stored the other way round.
        const ModelFiles files = openModelFile(path().toStdString());
        const auto stored = files.network.names->candidates("transformer_blocks.23.norm1_context.linear.weight");
        QVERIFY(stored.front().operation == StoredName::Swap);
        QVERIFY(files.network.names->candidates("transformer_blocks.22.norm1_context.linear.weight").front().operation
                == StoredName::Whole);

        const Shapes zImage{{"cap_embedder.0.weight", {2560}},
                            {"cap_embedder.1.weight", {3840, 2560}},
                            {"x_embedder.weight", {3840, 64}},
                            {"layers.0.adaLN_modulation.0.weight", {15360, 256}},
                            {"layers.29.attention.qkv.weight", {11520, 3840}},
                            {"layers.0.attention.qkv.weight", {11520, 3840}},
                            {"layers.0.attention.q_norm.weight", {128}},
                            {"noise_refiner.1.attention.qkv.weight", {11520, 3840}}};
        const TensorList z = listOf(zImage);
        QCOMPARE(familyOf(z)->id, "z-image");
        const Json zc = zImageConfig(z, *familyOf(z));
        const Json zWant = {{"dim", 3840},       {"n_layers", 30},           {"n_refiner_layers", 2},
                            {"n_heads", 30},     {"n_kv_heads", 30},         {"cap_feat_dim", 2560},
                            {"in_channels", 16}, {"axes_dims", {32, 48, 48}}};
        for (const auto& [key, value] : zWant.items()) QVERIFY2(zc[key] == value, (key + " " + zc[key].dump()).c_str());

        const Shapes lumina{{"cap_embedder.0.weight", {2304}},
                            {"cap_embedder.1.weight", {2304, 2304}},
                            {"x_embedder.weight", {2304, 64}},
                            {"layers.0.adaLN_modulation.1.weight", {9216, 1024}},
                            {"layers.25.attention.qkv.weight", {3840, 2304}},
                            {"layers.0.attention.qkv.weight", {3840, 2304}},
                            {"layers.0.attention.q_norm.weight", {96}},
                            {"noise_refiner.1.attention.qkv.weight", {3840, 2304}}};
        const TensorList l = listOf(lumina);
        QCOMPARE(familyOf(l)->id, "lumina2");
        const Json lc = lumina2Config(l, *familyOf(l));
        const Json lWant = {{"hidden_size", 2304},           {"num_layers", 26},
                            {"num_attention_heads", 24},     {"num_kv_heads", 8},
                            {"axes_dim_rope", {32, 32, 32}}, {"in_channels", 16}};
        for (const auto& [key, value] : lWant.items()) QVERIFY2(lc[key] == value, (key + " " + lc[key].dump()).c_str());
    }

    // PixArt's generations differ in the inputs beside the text; sizes follow from the tables of positions.
    void classesAndCaptions() {
        Shapes pixArt{{"x_embedder.proj.weight", {1152, 4, 2, 2}},    {"pos_embed", {1, 4096, 1152}},
                      {"y_embedder.y_proj.fc1.weight", {1152, 4096}}, {"y_embedder.y_embedding", {300, 4096}},
                      {"blocks.27.attn.qkv.weight", {3456, 1152}},    {"final_layer.linear.weight", {32, 1152}}};
        const auto check = [&](const Shapes& s, const char* id, const Json& want) {
            const TensorList list = listOf(s);
            const Family* family = familyOf(list);
            QVERIFY(family && family->config);
            QCOMPARE(family->id, id);
            const Json c = family->config(list, *family);
            for (const auto& [key, value] : want.items())
                QVERIFY2(c[key] == value, (key + " " + c[key].dump()).c_str());
        };
        const Json xl = {{"num_attention_heads", 16}, {"attention_head_dim", 72}, {"num_layers", 28},
                         {"patch_size", 2},           {"in_channels", 4},         {"out_channels", 8}};
        Json want = xl;
        want.update(Json{{"sample_size", 128}, {"caption_channels", 4096}, {"use_additional_conditions", false}});
        check(pixArt, "pixart-sigma", want);
        pixArt["y_embedder.y_embedding"] = {120, 4096};
        check(pixArt, "pixart-alpha", want);
        pixArt["csize_embedder.mlp.0.weight"] = {384, 256};
        want["use_additional_conditions"] = true;
        check(pixArt, "pixart-alpha-1024", want);
        const ModelFiles files = openModelFile(path().toStdString());
        QCOMPARE(files.process.name(), Process::vpLinear(1000, 1e-4, 0.02).name());
        QCOMPARE(files.missing.size(), std::size_t(2));  // codec and T5

        want = xl;
        want.update(Json{{"sample_size", 32}, {"num_embeds_ada_norm", 1000}});
        check({{"x_embedder.proj.weight", {1152, 4, 2, 2}},
               {"pos_embed", {1, 256, 1152}},
               {"y_embedder.embedding_table.weight", {1001, 1152}},
               {"blocks.27.attn.qkv.weight", {3456, 1152}},
               {"final_layer.linear.weight", {32, 1152}}},
              "dit", want);

        check({{"x_embedder.proj.weight", {2240, 32, 1, 1}},
               {"y_embedder.y_proj.fc1.weight", {2240, 2304}},
               {"blocks.0.cross_attn.kv_linear.weight", {4480, 2240}},
               {"blocks.0.mlp.inverted_conv.conv.weight", {11200, 2240, 1, 1}},
               {"blocks.0.mlp.point_conv.conv.weight", {2240, 5600, 1, 1}},
               {"blocks.19.attn.qkv.weight", {6720, 2240}},
               {"final_layer.linear.weight", {32, 2240}}},
              "sana",
              {{"num_attention_heads", 70},
               {"num_cross_attention_heads", 20},
               {"cross_attention_head_dim", 112},
               {"num_layers", 20},
               {"mlp_ratio", 2.5},
               {"sample_size", 32},
               {"out_channels", 32}});

        check(
            {{"img_in.weight", {3072, 64}},
             {"txt_in.weight", {3072, 3584}},
             {"proj_out.weight", {64, 3072}},
             {"transformer_blocks.0.img_mod.1.weight", {18432, 3072}},
             {"transformer_blocks.0.attn.norm_q.weight", {128}},
             {"transformer_blocks.59.img_mod.1.weight", {18432, 3072}}},
            "qwen-image",
            {{"num_layers", 60}, {"num_attention_heads", 24}, {"out_channels", 16}, {"axes_dims_rope", {16, 56, 56}}});
        check({{"img_in.weight", {3072, 64}},
               {"txt_in.weight", {3072, 4096}},
               {"distilled_guidance_layer.in_proj.weight", {5120, 64}},
               {"distilled_guidance_layer.layers.4.in_layer.weight", {5120, 5120}},
               {"double_blocks.0.img_attn.norm.key_norm.scale", {128}},
               {"double_blocks.18.img_attn.norm.key_norm.scale", {128}},
               {"single_blocks.37.linear1.weight", {21504, 3072}},
               {"final_layer.linear.weight", {64, 3072}}},
              "chroma",
              {{"num_layers", 19},
               {"num_single_layers", 38},
               {"approximator_layers", 5},
               {"approximator_hidden_dim", 5120},
               {"approximator_num_channels", 64}});
    }

    // Guided diffusion at 256 pixels: six levels, of which the last three attend, with residual blocks as resamplers.
    void networkOfPixels() {
        const int channels[] = {256, 256, 512, 512, 1024, 1024};
        Shapes s{{"input_blocks.0.0.weight", {256, 3, 3, 3}},
                 {"out.2.weight", {6, 256, 3, 3}},
                 {"middle_block.1.qkv.weight", {3072, 1024, 1}}};
        int n = 1;
        const auto add = [&](const char* side, int block, int c, bool attends) {
            const std::string name = side + std::to_string(block);
            s[name + ".0.in_layers.2.weight"] = s[name + ".0.out_layers.3.weight"] = {c, c, 3, 3};
            s[name + ".0.emb_layers.1.weight"] = {2 * c, 1024};
            if (attends) s[name + ".1.qkv.weight"] = {3 * c, c, 1};
        };
        for (int b = 0; b < 6; ++b) {
            for (int l = 0; l < 2; ++l) add("input_blocks.", n++, channels[b], b >= 3);
            if (b < 5) add("input_blocks.", n++, channels[b], false);
        }
        n = 0;
        for (int b = 5; b >= 0; --b)
            for (int l = 0; l < 3; ++l, ++n) {
                add("output_blocks.", n, channels[b], b >= 3);
                if (l == 2 && b > 0)
                    s["output_blocks." + std::to_string(n) + (b >= 3 ? ".2" : ".1") + ".in_layers.2.weight"] = {
                        channels[b], channels[b], 3, 3};
            }
        const ModelFiles files = [&] {
            listOf(s);
            return openModelFile(path().toStdString());
        }();
        const Json& c = files.network.config;
        QCOMPARE(c["block_out_channels"], Json({256, 256, 512, 512, 1024, 1024}));
        QCOMPARE(c["down_block_types"],
                 Json({"ResnetDownsampleBlock2D", "ResnetDownsampleBlock2D", "ResnetDownsampleBlock2D",
                       "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"}));
        QCOMPARE(c["up_block_types"], Json({"AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D",
                                            "ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"}));
        QCOMPARE(c["sample_size"], Json(256));
        QCOMPARE(c["layers_per_block"], Json(2));
        QCOMPARE(c["resnet_time_scale_shift"], Json("scale_shift"));
        const auto stored = [&](const char* name) {
            for (const StoredName& candidate : files.network.names->candidates(name))
                if (s.contains(candidate.parts.front())) return candidate.parts.front();
            return std::string();
        };
        QCOMPARE(stored("down_blocks.1.downsamplers.0.conv1.weight"),
                 std::string("input_blocks.6.0.in_layers.2.weight"));
        QCOMPARE(stored("up_blocks.0.upsamplers.0.conv1.weight"), std::string("output_blocks.2.2.in_layers.2.weight"));
        QCOMPARE(stored("up_blocks.3.upsamplers.0.conv1.weight"), std::string("output_blocks.11.1.in_layers.2.weight"));
        QCOMPARE(stored("up_blocks.5.resnets.2.conv2.weight"), std::string("output_blocks.17.0.out_layers.3.weight"));
    }

    // The codec of Qwen-Image by the names of its authors.
    void videoCodec() {
        const TensorList list = listOf({{"encoder.conv1.weight", {96, 3, 3, 3, 3}},
                                        {"decoder.conv1.weight", {384, 16, 3, 3, 3}},
                                        {"decoder.middle.0.residual.2.weight", {384, 384, 3, 3, 3}}});
        const auto c = autoencoderConfig(list, *findCodecFormat("qwen_image"));
        QVERIFY(c && (*c)["base_dim"] == 96 && (*c)["z_dim"] == 16);
        QCOMPARE(std::string(codecNames(list)), std::string("wan_vae"));
        QVERIFY(!autoencoderConfig(list, *findCodecFormat("flux")));
        const auto stored = [](const char* name) {
            return NameTable::named("wan_vae")->candidates(name).front().parts.front();
        };
        QCOMPARE(stored("decoder.up_blocks.1.resnets.2.conv1.weight"),
                 std::string("decoder.upsamples.6.residual.2.weight"));
        QCOMPARE(stored("decoder.up_blocks.2.upsamplers.0.resample.1.bias"),
                 std::string("decoder.upsamples.11.resample.1.bias"));
        QCOMPARE(stored("encoder.mid_block.resnets.1.norm2.gamma"), std::string("encoder.middle.2.residual.3.gamma"));
        QCOMPARE(stored("quant_conv.weight"), std::string("conv1.weight"));
    }

    // Fewer transformer blocks than in the network it was distilled from, differently many in one level, none in the
    // middle.
    void distilledUnet() {
        Shapes s{{"input_blocks.0.0.weight", {320, 4, 3, 3}},
                 {"out.2.weight", {4, 320, 3, 3}},
                 {"label_emb.0.0.weight", {1280, 2816}}};
        const auto add = [&](const char* side, int block, int channels, int depth) {
            const std::string name = side + std::to_string(block);
            s[name + ".0.out_layers.3.weight"] = {channels, channels, 3, 3};
            if (depth > 0) s[name + ".1.proj_in.weight"] = {channels, channels};
            for (int d = 0; d < depth; ++d) {
                s[name + ".1.transformer_blocks." + std::to_string(d) + ".attn2.to_k.weight"] = {channels, 2048};
                s[name + ".1.transformer_blocks." + std::to_string(d) + ".norm1.weight"] = {channels};
            }
        };
        for (const auto& [block, channels, depth] :
             {std::tuple(1, 320, 0), {2, 320, 0}, {4, 640, 2}, {5, 640, 2}, {7, 1280, 4}, {8, 1280, 4}})
            add("input_blocks.", block, channels, depth);
        int block = 0;
        for (const int depth : {4, 4, 10, 2, 1, 1, 0, 0, 0}) {
            add("output_blocks.", block, block < 3 ? 1280 : block < 6 ? 640 : 320, depth);
            ++block;
        }
        const TensorList list = listOf(s);
        QCOMPARE(familyOf(list)->id, "ssd-1b");
        const Json c = ldmUnetConfig(list, *familyOf(list));
        QCOMPARE(c["transformer_layers_per_block"], Json({1, 2, 4}));
        QCOMPARE(c["reverse_transformer_layers_per_block"], Json::parse("[[4, 4, 10], [2, 1, 1], [1, 1, 1]]"));
        QCOMPARE(c["mid_block_type"], Json("UNetMidBlock2D"));
        const UNetConfig unet = unetConfig(c, "the test");
        QVERIFY(!unet.midAttention && unet.up[0].attention && !unet.up[2].attention);
    }

    // The published lists as whole files: configuration, and every key that diffusers reads.
    void publishedKeys_data() {
        QTest::addColumn<QString>("id");
        QTest::addColumn<QString>("unet");
        QTest::addColumn<QStringList>("texts");  // file, prefix
        QTest::addColumn<QString>("family");
        QTest::newRow("sd1") << "sd1"
                             << "UNET-v1-SD" << QStringList{"CLIP-v1-SD", "cond_stage_model.transformer.text_model."}
                             << "Stable Diffusion 1";
        QTest::newRow("sd2") << "sd2"
                             << "UNET-v2-SD" << QStringList{"CLIP-v2-SD", "cond_stage_model.model."}
                             << "Stable Diffusion 2";
        QTest::newRow("sdxl") << "sdxl"
                              << "UNET-XL-SD"
                              << QStringList{"CLIP-v1-SD", "conditioner.embedders.0.transformer.text_model.",
                                             "CLIP-XL-SD", "conditioner.embedders.1.model."}
                              << "Stable Diffusion XL";
        QTest::newRow("refiner") << "refiner"
                                 << "UNET-XL-Refiner" << QStringList{"CLIP-XL-SD", "conditioner.embedders.0.model."}
                                 << "Stable Diffusion XL refiner";
    }
    void publishedKeys() {
        QFETCH(QString, id);
        QFETCH(QString, unet);
        QFETCH(QStringList, texts);
        QFETCH(QString, family);
        const auto folder = reference("real/keys");
        if (!folder) QSKIP("the key lists are not here");
        const auto keys = [&](const QString& name) { return *folder + "/ldm_" + name + ".txt"; };
        Shapes all = keyList(keys(unet), "model.diffusion_model.");
        all.merge(keyList(keys("VAE-v1-SD"), "first_stage_model."));
        for (int i = 0; i < texts.size(); i += 2) all.merge(keyList(keys(texts[i]), texts[i + 1].toStdString()));
        writeHollow(path(), all);
        const ModelFiles files = openModelFile(path().toStdString());
        QCOMPARE(files.family, family.toStdString());
        QCOMPARE(files.text.size(), std::size_t(texts.size() / 2));
        QVERIFY(files.codec.has_value());
        QVERIFY2(files.missing.size() == files.text.size(), files.missing.empty() ? "" : files.missing.back().c_str());
        unetConfig(files.network.config, "the test");
        checkConfig(id, files);

        const auto json = QJsonDocument::fromJson(
            QByteArray::fromStdString(fileBytes(*folder + "/ldm_to_diffusers_" + id + ".json")));
        const auto map = json.object()["ldm_diffusers_keymap"].toObject();
        std::vector<std::shared_ptr<WeightSource>> encoders;
        for (const auto& t : files.text) encoders.push_back(t.encoder.open());
        const auto network = files.network.open(), codec = files.codec->open();
        int named = 0;
        for (auto it = map.begin(); it != map.end(); ++it) {
            const std::string name = it.value().toString().toStdString(), tensor = name.substr(name.find('_') + 1),
                              part = name.substr(0, name.find('_'));
            const bool isText = part.starts_with("te");
            WeightSource& source = part == "unet"  ? *network
                                   : part == "vae" ? *codec
                                   : part == "te1" ? *encoders.back()
                                                   : *encoders.front();
            // The map joins q, k and v of OpenCLIP to the first of them, and lists buffers.
            if (tensor.find("position_ids") != std::string::npos || tensor.find("logit_scale") != std::string::npos)
                continue;
            QVERIFY2(source.has(tensor), (name + " " + (isText ? "text" : "")).c_str());
            ++named;
        }
        qInfo("%d keys of %s are named", named, qPrintable(id));
        QVERIFY(named > 1100);
    }
    static void checkConfig(const QString& id, const ModelFiles& files) {
        const Json& c = files.network.config;
        if (id == "sd1") {
            QCOMPARE(c["block_out_channels"], Json({320, 640, 1280, 1280}));
            QCOMPARE(c["attention_head_dim"], Json(8));
            QCOMPARE(files.text[0].encoder.config["num_hidden_layers"].get<int>(), 12);
            QCOMPARE(files.text[0].encoder.config["hidden_act"].get<std::string>(), std::string("quick_gelu"));
        } else if (id == "sd2") {
            QCOMPARE(c["attention_head_dim"], Json({5, 10, 20, 20}));
            QCOMPARE(c["use_linear_projection"], Json(true));
            QCOMPARE(files.text[0].encoder.config["num_hidden_layers"].get<int>(), 23);
            QCOMPARE(files.text[0].encoder.config["num_attention_heads"].get<int>(), 16);
        } else if (id == "sdxl") {
            QCOMPARE(c["transformer_layers_per_block"], Json({1, 2, 10}));
            QCOMPARE(c["projection_class_embeddings_input_dim"], Json(2816));
            QCOMPARE(files.text[1].encoder.config["architectures"][0], Json("CLIPTextModelWithProjection"));
            QCOMPARE(files.text[1].encoder.config["num_hidden_layers"].get<int>(), 32);
        } else {
            QCOMPARE(c["attention_head_dim"], Json({6, 12, 24, 24}));
            QCOMPARE(c["projection_class_embeddings_input_dim"], Json(2560));
        }
    }

    // Header, family and list of 13 GB: only the header is read.
    void openingIsQuick() {
        const auto folder = reference("real/keys");
        if (!folder) QSKIP("the key lists are not here");
        Shapes all = keyList(*folder + "/ldm_UNET-XL-SD.txt", "model.diffusion_model.");
        all.merge(keyList(*folder + "/ldm_VAE-v1-SD.txt", "first_stage_model."));
        all.merge(keyList(*folder + "/ldm_CLIP-v1-SD.txt", "conditioner.embedders.0.transformer.text_model."));
        all.merge(keyList(*folder + "/ldm_CLIP-XL-SD.txt", "conditioner.embedders.1.model."));
        const qint64 bytes = writeHollow(path("large.safetensors"), all, "F32", 4);
        QVERIFY2(bytes > qint64(12) << 30, qPrintable(QString::number(bytes)));
        qint64 best = 1 << 30;
        for (int i = 0; i < 5; ++i) {
            QElapsedTimer timer;
            timer.start();
            const ModelFiles files = openModelFile(path("large.safetensors").toStdString());
            best = std::min(best, timer.elapsed());
            QCOMPARE(files.family, std::string("Stable Diffusion XL"));
            QVERIFY(files.network.parameters > 2'500'000'000);
        }
        qInfo("%.1f GB and %d tensors in %d ms", double(bytes) * 1e-9, int(all.size()), int(best));
        QVERIFY(best < 300);
        QFile::remove(path("large.safetensors"));
    }

    // Text encoders by their shapes alone, and their configurations.
    void textRoles() {
        const Shapes qwen{{"model.embed_tokens.weight", {151936, 2560}},
                          {"model.layers.0.self_attn.q_norm.weight", {128}},
                          {"model.layers.0.self_attn.q_proj.weight", {4096, 2560}},
                          {"model.layers.0.self_attn.k_proj.weight", {1024, 2560}},
                          {"model.layers.0.mlp.gate_proj.weight", {9728, 2560}},
                          {"model.layers.35.mlp.gate_proj.weight", {9728, 2560}}};
        const TensorList list = listOf(qwen);
        const auto role = [&](const TensorList& l) -> std::string {
            for (const TextRole& r : meander::textRoles())
                if (l.fits(r.test)) return r.id;
            return "";
        };
        QCOMPARE(role(list), std::string("qwen3_4b"));
        const Json c = decoderTextConfig(list, *findTextRole("qwen3_4b"));
        const Json want = {{"hidden_size", 2560},      {"num_hidden_layers", 36}, {"num_attention_heads", 32},
                           {"num_key_value_heads", 8}, {"head_dim", 128},         {"intermediate_size", 9728},
                           {"vocab_size", 151936}};
        for (const auto& [key, value] : want.items()) QVERIFY2(c[key] == value, key.c_str());
        const Shapes t5{{"shared.weight", {32128, 4096}},
                        {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", {32, 64}},
                        {"encoder.block.0.layer.0.SelfAttention.q.weight", {4096, 4096}},
                        {"encoder.block.0.layer.1.DenseReluDense.wi_0.weight", {10240, 4096}},
                        {"encoder.block.23.layer.0.SelfAttention.q.weight", {4096, 4096}}};
        const TensorList t = listOf(t5);
        QCOMPARE(role(t), std::string("t5xxl"));
        const Json tc = t5Config(t, *findTextRole("t5xxl"));
        const Json tWant = {{"d_model", 4096},
                            {"d_kv", 64},
                            {"d_ff", 10240},
                            {"num_layers", 24},
                            {"num_heads", 64},
                            {"vocab_size", 32128},
                            {"feed_forward_proj", "gated-gelu"}};
        for (const auto& [key, value] : tWant.items()) QVERIFY2(tc[key] == value, key.c_str());
    }
};

QTEST_GUILESS_MAIN(TestFamilies)
#include "tst_families.moc"
