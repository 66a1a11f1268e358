// One model, many files: a folder of diffusers and single files of LDM's names give the same bits, whatever the
// container; parts that are missing are looked for and named; LoRAs act under every way of naming.
#include "engine/models/model_files.h"

#include "engine/models/architectures/architecture.h"
#include "engine/models/model_loras.h"
#include "engine/models/network_model.h"
#include "engine/models/text/conditioner.h"
#include "tests/engine/models/small_models.h"

using namespace meander;
using namespace meander::test;

namespace {

struct Small {
    const char* id;
    Json network, text1, text2;  // null: none
    Json scheduler;
};

Json clip(const char* className, int width, const char* activation) {
    return {{"architectures", {className}},
            {"vocab_size", 574},
            {"hidden_size", width},
            {"num_hidden_layers", 1},
            {"num_attention_heads", width / 64},
            {"intermediate_size", 64},
            {"max_position_embeddings", 24},
            {"hidden_act", activation},
            {"layer_norm_eps", 1e-5},
            {"projection_dim", width},
            {"eos_token_id", 573}};
}

Json unet(std::vector<int> channels, std::vector<int> depth, Json heads, int context, bool linear, int size) {
    Json down = Json::array(), up = Json::array(), layers = Json::array();
    for (const int d : depth) {
        down.push_back(d ? "CrossAttnDownBlock2D" : "DownBlock2D");
        up.insert(up.begin(), d ? "CrossAttnUpBlock2D" : "UpBlock2D");
        layers.push_back(std::max(1, d));
    }
    return {{"_class_name", "UNet2DConditionModel"},
            {"sample_size", size},
            {"in_channels", 4},
            {"out_channels", 4},
            {"down_block_types", down},
            {"up_block_types", up},
            {"block_out_channels", channels},
            {"layers_per_block", 2},
            {"transformer_layers_per_block", layers},
            {"cross_attention_dim", context},
            {"attention_head_dim", heads},
            {"use_linear_projection", linear}};
}

Json scheduler(const char* prediction) {
    return {{"_class_name", "DDIMScheduler"},
            {"num_train_timesteps", 1000},
            {"beta_start", 0.00085},
            {"beta_end", 0.012},
            {"beta_schedule", "scaled_linear"},
            {"prediction_type", prediction}};
}

Small small(const QString& id) {
    if (id == "sd1")
        return {"sd1", unet({32, 64}, {1, 0}, 8, 768, false, 64), clip("CLIPTextModel", 768, "quick_gelu"), nullptr,
                scheduler("epsilon")};
    if (id == "sd2")
        return {"sd2", unet({64, 64}, {1, 0}, Json{1, 1}, 1024, true, 96), clip("CLIPTextModel", 1024, "gelu"), nullptr,
                scheduler("v_prediction")};
    Json network = unet({64, 64, 128}, {0, 1, 2}, Json{1, 1, 2}, 2048, true, 128);
    network["addition_embed_type"] = "text_time";
    network["addition_time_embed_dim"] = 256;
    network["projection_class_embeddings_input_dim"] = 1280 + 6 * 256;
    return {"sdxl", network, clip("CLIPTextModel", 768, "quick_gelu"),
            clip("CLIPTextModelWithProjection", 1280, "gelu"), scheduler("epsilon")};
}

// The parts of a small model, and its single file.
struct Made {
    Small model;
    Tensors network, text1, text2, file;
};

Made made(const QString& id, Backend& backend) {
    Made m{small(id), {}, {}, {}, {}};
    m.network = randomNetwork(m.model.network, backend);
    m.text1 = randomText(m.model.text1, backend);
    if (!m.model.text2.is_null()) m.text2 = randomText(m.model.text2, backend);
    if (id == "sd2") {  // as networks that predict v have it
        HostTensor& bias = m.network.at("up_blocks.1.attentions.2.transformer_blocks.0.norm1.bias");
        std::vector<float> v = randomFloats(std::size_t(bias.count()), 5);
        for (float& x : v) x *= 0.2f;
        bias = HostTensor::fromFloats(bias.shape(), v);
    }
    m.file = underLdmNames(m.network, "ldm_unet", "model.diffusion_model.");
    m.file.merge(withPrefix(ldmCodec(4, {32, 32, 64, 64}, true), "first_stage_model."));
    if (id == "sd1") m.file.merge(withPrefix(m.text1, "cond_stage_model.transformer."));
    if (id == "sd2") m.file.merge(underOpenClipNames(m.text1, 1, 1, "cond_stage_model.model."));
    if (id == "sdxl") {
        m.file.merge(withPrefix(m.text1, "conditioner.embedders.0.transformer."));
        m.file.merge(underOpenClipNames(m.text2, 1, 0, "conditioner.embedders.1.model."));
    }
    m.file["model_ema.decay"] = HostTensor::fromFloats({1}, std::vector<float>{0.9999f});
    return m;
}

void writeFolder(const Made& m, const QString& folder) {
    Json index = {{"_class_name", "StableDiffusionPipeline"},
                  {"unet", {"diffusers", "UNet2DConditionModel"}},
                  {"text_encoder", {"transformers", "CLIPTextModel"}},
                  {"scheduler", {"diffusers", "DDIMScheduler"}}};
    writePart(folder + "/unet", "diffusion_pytorch_model", m.model.network, m.network);
    writePart(folder + "/text_encoder", "model", m.model.text1, m.text1);
    copyTokenizer(folder + "/tokenizer");
    if (!m.text2.empty()) {
        index["text_encoder_2"] = {"transformers", "CLIPTextModelWithProjection"};
        writePart(folder + "/text_encoder_2", "model", m.model.text2, m.text2);
        copyTokenizer(folder + "/tokenizer_2");
    }
    writeText(folder + "/scheduler/scheduler_config.json", m.model.scheduler.dump());
    writeText(folder + "/model_index.json", index.dump());
}

// Of the network and the texts; states are compared, not images.
HostTensor prediction(ModelFiles files, Backend& backend) {
    files.codec.reset();
    NetworkModel model(inspectNetwork(files), files, backend, {});
    NetworkBatch batch;
    batch.x = upload(backend, HostTensor::fromFloats({2, 8, 8, 4}, randomFloats(512, 3)));
    batch.times = {500, 20};
    batch.taus = batch.targets = {1, 1};
    for (const char* prompt : {"a red circle above a blue square", ""})
        batch.conditioning.push_back(model.condition({.text = prompt}));
    return download(model.predict(batch));
}

std::string sentenceOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Failure& f) {
        return f.what();
    }
    return {};
}

}  // namespace

class TestModelFiles : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});
    QTemporaryDir m_folder;
    std::map<QString, Made> m_made;

    const Made& model(const QString& id) {
        if (!m_made.contains(id)) m_made.emplace(id, made(id, *m_backend));
        return m_made.at(id);
    }
    QString path(const QString& name) const { return m_folder.filePath(name); }
    static void families() {
        QTest::addColumn<QString>("id");
        for (const char* id : {"sd1", "sd2", "sdxl"}) QTest::newRow(id) << QString(id);
    }

private slots:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        qputenv("MEANDER_MODELS", path("none").toUtf8());
        qputenv("HF_HUB_CACHE", path("none").toUtf8());
        copyTokenizer(path("single/tokenizer"));
        copyTokenizer(path("single/tokenizer_2"));
    }

    // Every network in a folder of diffusers has the conditioner of its family; a CLIP text encoder alone its own.
    void conditionersOfFolders() {
        for (const Architecture* a : architectures()) {
            if (!*a->conditioner) continue;
            QVERIFY2(findConditioner(a->conditioner), a->conditioner);
            const QString folder = path(a->className);
            const Tensors one{{"a.weight", HostTensor::fromFloats({1}, std::vector<float>{1})}};
            writeText(
                folder + "/model_index.json",
                Json{{"transformer", {"diffusers", a->className}}, {"text_encoder", {"transformers", ""}}}.dump());
            writeText(folder + "/scheduler/scheduler_config.json", scheduler("epsilon").dump());
            writePart(folder + "/transformer", "diffusion_pytorch_model",
                      {{"_class_name", a->className}, {"guidance_embeds", true}}, one);
            for (const std::string encoder : {"CLIPTextModel", "T5EncoderModel"}) {
                writePart(folder + "/text_encoder", "model", {{"architectures", {encoder}}}, one);
                QCOMPARE(openDiffusersFolder(folder.toStdString()).conditioner,
                         encoder == "CLIPTextModel" ? std::string("clip") : std::string(a->conditioner));
            }
        }
    }

    // The same weights as a folder and as single files of each container.
    void sameBits_data() { families(); }
    void sameBits() {
        QFETCH(QString, id);
        const Made& m = model(id);
        writeFolder(m, path(id));
        const std::string folder = path(id).toStdString();
        QVERIFY(isDiffusersFolder(folder));
        const ModelFiles whole = openDiffusersFolder(folder);
        const HostTensor want = prediction(whole, *m_backend);
        for (const auto& [ending, bytes] :
             {std::pair(".safetensors", safetensorsBytes(m.file)), std::pair(".ckpt", torchBytes(m.file)),
              std::pair(".gguf", ggufBytes(m.file, id.toStdString()))}) {
            const QString file = path("single/" + id + ending);
            writeText(file, bytes);
            const ModelFiles files = openModelFile(file.toStdString());
            QVERIFY2(files.missing.empty(), files.missing.empty() ? "" : files.missing.front().c_str());
            for (const auto& [key, value] : m.model.network.items())
                QVERIFY2(files.network.config.contains(key) && files.network.config[key] == value,
                         (key + ": " + files.network.config.value(key, Json()).dump()).c_str());
            QCOMPARE(files.text.size(), whole.text.size());
            for (std::size_t i = 0; i < files.text.size(); ++i)
                for (const auto& [key, value] : whole.text[i].encoder.config.items())
                    QVERIFY2(files.text[i].encoder.config[key] == value, key.c_str());
            QCOMPARE(files.process.name(), whole.process.name());
            QVERIFY(files.parametrization == whole.parametrization);
            QCOMPARE(files.network.parameters, whole.network.parameters);
            QVERIFY(files.codec && files.codec->config["latent_channels"] == 4);
            for (const Finding& f : files.findings)
                QVERIFY2(f.reason.size() > 20 && f.reason.ends_with('.') && !f.value.empty(), f.key.c_str());
            const HostTensor got = prediction(files, *m_backend);
            QVERIFY2(got.sameBits(want), ending);
        }
    }

    // Every tensor of the codec under the names of diffusers, its attention as matrices.
    void codecNames() {
        writeText(path("single/codec.safetensors"), safetensorsBytes(model("sd1").file));
        const ModelFiles files = openModelFile(path("single/codec.safetensors").toStdString());
        const Tensors stored = ldmCodec(4, {32, 32, 64, 64}, true);
        const auto source = files.codec->open();
        const auto same = [&](const std::string& name, const std::string& from, kernels::Shape shape) {
            return source->read(name, shape).floats() == stored.at(from).toFloats();
        };
        QVERIFY(same("encoder.down_blocks.2.resnets.0.conv_shortcut.weight",
                     "encoder.down.2.block.0.nin_shortcut.weight", {64, 32, 1, 1}));
        QVERIFY(same("decoder.up_blocks.0.resnets.2.conv2.bias", "decoder.up.3.block.2.conv2.bias", {64}));
        QVERIFY(
            same("decoder.up_blocks.2.upsamplers.0.conv.weight", "decoder.up.1.upsample.conv.weight", {32, 32, 3, 3}));
        QVERIFY(same("decoder.mid_block.attentions.0.to_out.0.weight", "decoder.mid.attn_1.proj_out.weight", {64, 64}));
        QVERIFY(same("post_quant_conv.weight", "post_quant_conv.weight", {4, 4, 1, 1}));
        QCOMPARE(files.codec->config["scaling_factor"].get<double>(), 0.18215);
        QCOMPARE(files.codec->config["block_out_channels"], Json({32, 32, 64, 64}));
        QVERIFY(files.codec->config["use_quant_conv"].get<bool>());
    }

    // A network alone: its parts lie in folders beside it, or are named with the places that were looked at.
    void partsAreLookedFor() {
        const Made& m = model("sd1");
        const QString alone = path("parts/unet/alone.safetensors");
        writeText(alone, safetensorsBytes(underLdmNames(m.network, "ldm_unet", "")));
        ModelFiles files = openModelFile(alone.toStdString());
        QCOMPARE(files.missing.size(), std::size_t(2));  // codec and text encoder
        for (const char* words : {"vae", "KL autoencoder"}) QVERIFY(files.missing[0].find(words) != std::string::npos);
        for (const char* words : {"CLIP-L", "text_encoders"})
            QVERIFY(files.missing[1].find(words) != std::string::npos);
        QVERIFY(sentenceOf([&] { NetworkModel(inspectNetwork(files), files, *m_backend, {}); }).find("CLIP-L")
                != std::string::npos);

        writeText(path("parts/vae/any name.safetensors"), safetensorsBytes(ldmCodec(4, {32, 32, 64, 64}, true)));
        writeText(path("parts/vae/a sixteen.safetensors"), safetensorsBytes(ldmCodec(16, {32, 32, 64, 64}, false)));
        writeText(path("parts/text_encoders/text.safetensors"), safetensorsBytes(m.text1));
        files = openModelFile(alone.toStdString());
        QCOMPARE(files.missing.size(), std::size_t(1));  // the vocabulary
        QVERIFY(files.missing[0].find("vocab.json") != std::string::npos);
        QVERIFY(files.missing[0].find(path("none").toStdString()) != std::string::npos);
        QVERIFY(files.codec->file.ends_with("any name.safetensors"));

        qputenv("MEANDER_MODELS", path("folder of models").toUtf8());
        copyTokenizer(path("folder of models/tokenizers/clip"));
        files = openModelFile(alone.toStdString());
        QVERIFY2(files.missing.empty(), files.missing.empty() ? "" : files.missing.front().c_str());
        QVERIFY(prediction(files, *m_backend)
                    .sameBits(prediction(openDiffusersFolder(path("sd1").toStdString()), *m_backend)));
        // OpenCLIP has the same words and pads with another token.
        const QString other = path("parts/unet/sd2.safetensors");
        Tensors file = model("sd2").file;
        writeText(other, safetensorsBytes(file));
        files = openModelFile(other.toStdString());
        qputenv("MEANDER_MODELS", path("none").toUtf8());
        QVERIFY(files.text[0].tokenizer.ends_with("#pad=0"));
        auto tokenizer = openTokenizer(files.text[0].tokenizer);
        QVERIFY(tokenizer.ok());
        const auto tokens = (*tokenizer)->encode("a red circle");
        QCOMPARE(tokens[4].id, 573);
        for (std::size_t i = 5; i < tokens.size(); ++i) QCOMPARE(tokens[i].id, 0);
    }

    // Markers, metadata and further inputs.
    void whatAFileTells() {
        const auto opened = [&](const QString& id, const Tensors& more,
                                const std::map<std::string, std::string>& metadata) {
            Tensors all = model(id).file;
            for (const auto& [name, tensor] : more) all[name] = tensor;
            writeText(path("single/told.safetensors"), safetensorsBytes(all, metadata));
            return openModelFile(path("single/told.safetensors").toStdString());
        };
        const HostTensor one = HostTensor::fromFloats({1}, std::vector<float>{1});
        QVERIFY(opened("sdxl", {}, {}).parametrization == Parametrization::Epsilon);
        QVERIFY(opened("sdxl", {{"v_pred", one}}, {}).parametrization == Parametrization::V);
        QVERIFY(opened("sdxl", {{"v_pred", one}, {"ztsnr", one}}, {}).process.startsFromPureNoise());
        const ModelFiles playground = opened("sdxl", {{"edm_mean", one}, {"edm_std", one}}, {});
        QVERIFY(playground.parametrization == Parametrization::Edm && playground.process.maximum() == 80);
        QCOMPARE(playground.codec->config["scaling_factor"].get<double>(), 0.5);
        QVERIFY(!opened("sdxl", {{"edm_vpred.sigma_max", one}}, {}).missing.empty());
        QVERIFY(opened("sd1", {}, {{"modelspec.prediction_type", "v"}}).parametrization == Parametrization::V);
        const ModelFiles lightning = opened("sdxl", {}, {{"modelspec.title", "My Lightning 4 steps"}});
        QCOMPARE(lightning.recommended["steps"].get<int>(), 4);
        QCOMPARE(lightning.recommended["guidance"].get<int>(), 1);
        const auto taking = [&](int channels) {
            return opened(
                "sd1",
                {{"model.diffusion_model.input_blocks.0.0.weight",
                  HostTensor::fromFloats({32, channels, 3, 3}, randomFloats(std::size_t(32 * 9 * channels), 1))}},
                {});
        };
        const std::size_t usual = opened("sd1", {}, {}).missing.size();
        for (const auto& [channels, kind] :
             {std::pair{9, ImageCondition::Inpainting}, std::pair{8, ImageCondition::Editing}}) {
            const ModelFiles files = taking(channels);
            QCOMPARE(files.missing.size(), usual);
            QVERIFY(inspectNetwork(files).imageCondition == kind);
        }
        const ModelFiles depth = taking(5);
        QVERIFY(depth.missing.size() == usual + 1 && depth.missing.back().find("depth") != std::string::npos);
        Tensors narrow = model("sd2").file;
        narrow["model.diffusion_model.output_blocks.5.1.transformer_blocks.0.norm1.bias"] =
            HostTensor::fromFloats({64}, std::vector<float>(64, 0.01f));
        QVERIFY(opened("sd2", narrow, {}).parametrization == Parametrization::Epsilon);
    }

    // Names of kohya on the modules of diffusers and of LDM, names of diffusers, and those of the text encoder change
    // the same weights; what nothing used is listed.
    void loras() {
        const Made& m = model("sd1");
        writeText(path("single/base.safetensors"), safetensorsBytes(m.file));
        const ModelFiles base = openModelFile(path("single/base.safetensors").toStdString());
        const std::string q = "down_blocks.0.attentions.1.transformer_blocks.0.attn2.to_k";
        const Tensors pair{{"down", HostTensor::fromFloats({2, 768}, randomFloats(2 * 768, 1))},
                           {"up", HostTensor::fromFloats({32, 2}, randomFloats(64, 2))}};
        const HostTensor plain = prediction(base, *m_backend);
        std::optional<HostTensor> want;
        for (const auto& [down, up] :
             {std::pair("lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn2_to_k.lora_down.weight",
                        "lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn2_to_k.lora_up.weight"),
              std::pair("lora_unet_input_blocks_2_1_transformer_blocks_0_attn2_to_k.lora_down.weight",
                        "lora_unet_input_blocks_2_1_transformer_blocks_0_attn2_to_k.lora_up.weight"),
              std::pair("unet.down_blocks.0.attentions.1.transformer_blocks.0.attn2.to_k.lora_A.weight",
                        "unet.down_blocks.0.attentions.1.transformer_blocks.0.attn2.to_k.lora_B.weight")}) {
            const Tensors file{{down, pair.at("down")},
                               {up, pair.at("up")},
                               {"lora_unet_nothing.lora_down.weight", pair.at("down")},
                               {"lora_unet_nothing.lora_up.weight", pair.at("up")}};
            writeText(path("lora.safetensors"), safetensorsBytes(file));
            const WithLoras with = withLoras(base, {{path("lora.safetensors").toStdString(), 0.5}});
            const HostTensor got = prediction(with.files, *m_backend);
            QCOMPARE(with.use->unused(0), std::vector<std::string>{"lora_unet_nothing"});
            QVERIFY(!got.sameBits(plain));
            if (!want) want = got;
            QVERIFY2(got.sameBits(*want), down);
            // On the folder of the same weights.
            const WithLoras folder = withLoras(openDiffusersFolder(path("sd1").toStdString()),
                                               {{path("lora.safetensors").toStdString(), 0.5}});
            QVERIFY2(prediction(folder.files, *m_backend).sameBits(*want), down);
        }
        // Twice half is once whole, up to rounding; strength 0 is nothing.
        const std::string lora = path("lora.safetensors").toStdString();
        QVERIFY(prediction(withLoras(base, {{lora, 0.0}}).files, *m_backend).sameBits(plain));
        const auto weights = [&](const ModelFiles& f) {
            return f.network.open()->read(q + ".weight", {32, 768}).floats();
        };
        const auto whole = weights(withLoras(base, {{lora, 1}}).files),
                   halves = weights(withLoras(base, {{lora, 0.5}, {lora, 0.5}}).files);
        for (std::size_t i = 0; i < whole.size(); ++i) QVERIFY(std::fabs(whole[i] - halves[i]) < 1e-4);
        QVERIFY(sentenceOf([&] {
                    withLoras(base, {{path("single/base.safetensors").toStdString(), 1}});
                }).find("no LoRA")
                != std::string::npos);
    }

    // A real LoRA of the first generation numbers its modules: all 144 of the network find theirs.
    void realLora() {
        const auto lora = reference("real/lora/lora_disney.safetensors");
        if (!lora) QSKIP("the real LoRA is not here");
        ModelFiles files;
        files.network.config = {{"_class_name", "UNet2DConditionModel"}, {"cross_attention_dim", 768}};
        files.network.what = "the test";
        const auto zeros = std::make_shared<RandomWeights>();
        files.network.open = [zeros]() -> std::shared_ptr<WeightSource> { return zeros; };
        TextFiles text;
        text.encoder.config = {{"num_hidden_layers", 12}};
        text.encoder.what = "the test";
        text.encoder.open = files.network.open;
        files.text.push_back(std::move(text));
        const WithLoras with = withLoras(files, {{lora->toStdString(), 1}});
        const auto network = with.files.network.open(), encoder = with.files.text[0].encoder.open();
        QCOMPARE(with.use->unused(0).size(), std::size_t(144 + 48));
        network->read("mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", {1280, 768});
        network->read("down_blocks.1.attentions.0.transformer_blocks.0.ff.net.0.proj.weight", {5120, 640});
        encoder->read("text_model.encoder.layers.11.self_attn.out_proj.weight", {768, 768});
        QCOMPARE(with.use->unused(0).size(), std::size_t(144 + 48 - 3));
        QVERIFY(sentenceOf([&] { openModelFile(lora->toStdString()); }).find("a LoRA") != std::string::npos);
    }

    // Damaged, foreign and hostile files: a sentence, never a model.
    void otherFiles() {
        const std::string good = safetensorsBytes(model("sd1").file);
        const HostTensor one = HostTensor::fromFloats({1}, std::vector<float>{1});
        int sentences = 0;
        const auto refused = [&](const std::string& bytes, const char* words) {
            writeText(path("other.safetensors"), bytes);
            const std::string text = sentenceOf([&] { openModelFile(path("other.safetensors").toStdString()); });
            QVERIFY2(text.find(words) != std::string::npos && text.ends_with('.'), text.c_str());
            ++sentences;
        };
        refused(good.substr(0, good.size() / 2), "cut off");
        refused(good.substr(0, 1000), "");
        refused("", "");
        refused("<!DOCTYPE html><html>", "HTML");
        refused(safetensorsBytes({{"a", one}}), "does not say of which network");
        refused(safetensorsBytes({{"blocks.0.qkv.wscales", one}}), "SVDQuant");
        refused(safetensorsBytes({{"blocks.0.q.weight.absmax", one}}), "bitsandbytes");
        refused(safetensorsBytes({{"control_model.input_hint_block.0.weight", one}}), "ControlNet");
        refused(safetensorsBytes({{"emb_params", one}}), "textual inversion");
        refused(safetensorsBytes(ldmCodec(4, {32, 32, 64, 64}, true)), "KL autoencoder");
        refused(safetensorsBytes(model("sd1").text1), "text encoder");
        // Shapes that no model has: whatever is asked of such a file ends in a sentence too.
        std::mt19937 random(4);
        int opened = 0;
        for (int round = 0; round < 12; ++round) {
            Tensors bad = model("sd1").file;
            for (int edits = 0; edits < 3; ++edits) {
                auto it = std::next(bad.begin(), long(random() % bad.size()));
                if (random() % 2) bad.erase(it);
                else it->second = HostTensor::fromFloats({1, 2, 3}, std::vector<float>(6, 0));
            }
            writeText(path("single/bad.safetensors"), safetensorsBytes(bad));
            const std::string text = sentenceOf([&] {
                ModelFiles files = openModelFile(path("single/bad.safetensors").toStdString());
                files.codec.reset();
                NetworkModel(inspectNetwork(files), files, *m_backend, {});
                ++opened;
            });
            QVERIFY2(text.empty() || (text.size() > 30 && text.ends_with('.')), text.c_str());
        }
        qInfo("%d kinds refused; of 12 damaged models %d could still be loaded (a part that was not read)", sentences,
              opened);
    }
};

QTEST_GUILESS_MAIN(TestModelFiles)
#include "tst_model_files.moc"
