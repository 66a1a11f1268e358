// How each family puts its text encoders together: shapes, and every part against the encoder it comes from; templates
// of chats and which tokens they keep; parts that do not belong together.
#include <QtTest>

#include "engine/models/text/conditioner_common.h"
#include "engine/models/text/language_model.h"

using namespace meander;

namespace {

constexpr int vocabulary = 50;

// A token for every byte, and for the special ones that it is given.
class ByteTokenizer final : public Tokenizer {
public:
    ByteTokenizer(std::vector<std::string> specials, int fixed, std::string end = {})
        : m_specials(std::move(specials)), m_end(std::move(end)), m_fixed(fixed) {}
    std::vector<Token> encode(std::string_view text) const override {
        std::vector<Token> tokens;
        for (std::size_t at = 0; at < text.size();) {
            Token t;
            t.begin = int(at);
            t.id = 20 + int(static_cast<unsigned char>(text[at])) % 30;
            t.text = text[at];
            t.word = int(tokens.size());
            for (std::size_t i = 0; i < m_specials.size(); ++i)
                if (text.substr(at).starts_with(m_specials[i])) t = special(int(i), at);
            at += t.text.size();
            t.end = int(at);
            tokens.push_back(t);
        }
        if (!m_end.empty()) tokens.push_back(special(1, 0));
        if (m_fixed > 0) {
            tokens.resize(std::min(tokens.size(), std::size_t(m_fixed)));
            tokens.resize(std::size_t(m_fixed), special(0, 0));
        }
        return tokens;
    }
    std::string normalised(std::string_view text) const override { return std::string(text); }
    int length() const override { return m_fixed; }
    int vocabularySize() const override { return vocabulary; }

private:
    Token special(int i, std::size_t at) const {
        Token t;
        t.id = i;
        t.text = i < int(m_specials.size()) ? m_specials[std::size_t(i)] : m_end;
        t.special = true;
        t.begin = int(at);
        return t;
    }
    std::vector<std::string> m_specials;
    std::string m_end;
    int m_fixed;
};

const std::vector<std::string> qwenSpecials{"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"},
    mistralSpecials{"<pad>", "<s>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[INST]", "[/INST]"};

Json clipConfig(int width, bool isProjected) {
    return {{"architectures", {isProjected ? "CLIPTextModelWithProjection" : "CLIPTextModel"}},
            {"vocab_size", vocabulary},
            {"hidden_size", width},
            {"intermediate_size", 16},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 2},
            {"projection_dim", width},
            {"eos_token_id", 1}};
}
Json t5Config(int width) {
    return {{"architectures", {"T5EncoderModel"}},
            {"vocab_size", vocabulary},
            {"d_model", width},
            {"d_kv", 8},
            {"d_ff", 16},
            {"num_layers", 1},
            {"num_heads", 2},
            {"feed_forward_proj", "gated-gelu"}};
}
Json languageConfig(const char* name, int layers) {
    return {{"architectures", {name}},     {"vocab_size", vocabulary},
            {"hidden_size", 16},           {"intermediate_size", 16},
            {"num_hidden_layers", layers}, {"num_attention_heads", 2},
            {"num_key_value_heads", 1},    {"head_dim", 8}};
}

}  // namespace

class TestConditioners : public QObject {
    Q_OBJECT
    std::unique_ptr<Backend> m_backend = kernels::createCpuBackend({1});

    TextStage stage(const Json& config, std::shared_ptr<const Tokenizer> tokenizer) {
        RandomWeights weights(std::hash<std::string>()(config.dump()));
        NetworkBuilder builder(*m_backend, weights, DType::F32);
        const TextEncoderKind* kind = findTextEncoder(config["architectures"][0].get<std::string>());
        if (!kind) qFatal("no such encoder");
        return {std::move(tokenizer), kind->build(config, "the test's configuration", builder)};
    }
    std::vector<TextStage> stages(const QString& id) {
        const auto clip = std::make_shared<ByteTokenizer>(std::vector<std::string>{}, 77, "</end>"),
                   t5 = std::make_shared<ByteTokenizer>(std::vector<std::string>{}, 0, "</s>"),
                   qwen = std::make_shared<ByteTokenizer>(qwenSpecials, 0),
                   mistral = std::make_shared<ByteTokenizer>(mistralSpecials, 0);
        std::vector<TextStage> s;
        if (id == "clip") s.push_back(stage(clipConfig(16, false), clip));
        if (id == "flux" || id == "flux_schnell") {
            s.push_back(stage(clipConfig(16, false), clip));
            s.push_back(stage(t5Config(24), t5));
        }
        if (id == "sdxl" || id == "sd3") {
            s.push_back(stage(clipConfig(16, true), clip));
            s.push_back(stage(clipConfig(24, true), clip));
        }
        if (id == "sd3") s.push_back(stage(t5Config(48), t5));
        if (id == "t5" || id == "pixart_alpha" || id == "chroma") s.push_back(stage(t5Config(24), t5));
        if (id == "z_image") s.push_back(stage(languageConfig("Qwen3Model", 3), qwen));
        if (id == "qwen_image") s.push_back(stage(languageConfig("Qwen2_5_VLForConditionalGeneration", 2), qwen));
        if (id == "lumina2" || id == "sana")
            s.push_back(stage(languageConfig("Gemma2Model", 3), std::make_shared<ByteTokenizer>(mistralSpecials, 0)));
        if (id == "flux2") s.push_back(stage(languageConfig("Qwen3ForCausalLM", 28), qwen));
        if (id == "flux2 dev") s.push_back(stage(languageConfig("Mistral3ForConditionalGeneration", 31), mistral));
        return s;
    }
    struct Encoded {
        std::vector<TextStage> text;
        Conditions conditions;
        std::vector<Token> tokens;
        HostTensor context() const {
            const Tensor t = conditions.at(condition::context);
            return download(t.reshaped({t.shape()[1], t.shape()[2]}));
        }
    };
    Encoded encode(const QString& id, const std::string& prompt) {
        Encoded e{stages(id), {}, {}};
        const Conditioner* c = findConditioner(id.section(' ', 0, 0).toStdString());
        if (!c) qFatal("no such conditioner");
        e.conditions = c->encode(e.text, {.text = prompt}, e.tokens);
        return e;
    }
    static HostTensor columns(const HostTensor& t, std::int64_t first, std::int64_t count) {
        std::vector<float> v;
        for (std::int64_t r = 0; r < t.shape()[0]; ++r)
            for (std::int64_t c = 0; c < count; ++c) v.push_back(t.floats()[std::size_t(r * t.shape()[1] + first + c)]);
        return HostTensor::fromFloats({t.shape()[0], count}, v);
    }
    static HostTensor states(const TextStage& s, const std::vector<Token>& tokens, const TextStates& wanted) {
        return download(s.encoder->encode(idsOf(tokens), wanted).states);
    }

private slots:
    // Every conditioner: one row, a token shown for each token of the context, ranges of the prompt.
    void everyConditioner_data() {
        QTest::addColumn<QString>("id");
        for (const Conditioner* c : conditioners()) QTest::newRow(c->id) << QString(c->id);
        QTest::newRow("flux2 dev") << "flux2 dev";
    }
    void everyConditioner() {
        QFETCH(QString, id);
        const std::string prompt = "a red cat", longPrompt(3000, 'x');
        for (const std::string& text : {prompt, std::string(), longPrompt}) {
            const Encoded e = encode(id, text);
            const Shape s = e.conditions.at(condition::context).shape();
            QCOMPARE(s.rank(), 3);
            QCOMPARE(s[0], std::int64_t(1));
            if (id != "sdxl") QCOMPARE(s[1], std::int64_t(e.tokens.size()));
            for (const auto& [name, t] : e.conditions.tensors) QCOMPARE(t.shape()[0], std::int64_t(1));
            std::string seen;
            int word = 0;
            for (const Token& t : e.tokens) {
                QCOMPARE(t.special, t.word < 0);
                if (t.special) continue;
                QVERIFY(t.word >= word);
                word = t.word;
                QCOMPARE(text.substr(std::size_t(t.begin), std::size_t(t.end - t.begin)), t.text);
                seen += t.text;
            }
            // SD 3 shows the tokens of CLIP, then those of T5.
            if (id != "sd3" && text.size() < 100) QCOMPARE(seen, text);
        }
    }

    void sd3() {
        const Encoded e = encode("sd3", "a red cat");
        const HostTensor context = e.context();
        QCOMPARE(context.shape(), Shape({77 + 256, 48}));
        const auto clip = e.text[0].tokenizer->encode("a red cat");
        const HostTensor begin = context.rows(0, 77);
        QVERIFY(columns(begin, 0, 16).sameBits(states(e.text[0], clip, {{-2}, false})));
        QVERIFY(columns(begin, 16, 24).sameBits(states(e.text[1], clip, {{-2}, false})));
        for (const float v : columns(begin, 40, 8).toFloats()) QCOMPARE(v, 0.0f);
        const std::vector<Token> t5(e.tokens.begin() + 77, e.tokens.end());
        QCOMPARE(t5[9].id, 1);  // the end of the text, then padding
        QCOMPARE(t5[10].id, 0);
        QVERIFY(context.rows(77, 256).sameBits(states(e.text[2], t5, {})));
        const HostTensor pooled = download(e.conditions.at(condition::pooled));
        QCOMPARE(pooled.shape(), Shape({1, 40}));
        QVERIFY(columns(pooled, 0, 16).sameBits(download(e.text[0].encoder->encode(idsOf(clip), {}).pooled)));
    }
    // Without T5 its states are zeros of the family's width.
    void sd3WithoutT5() {
        std::vector<TextStage> text = stages("sd3");
        text.pop_back();
        std::vector<Token> tokens;
        const Conditions c = findConditioner("sd3")->encode(text, {.text = "a"}, tokens);
        QCOMPARE(c.at(condition::context).shape(), Shape({1, 77 + 256, 4096}));
        for (const double v : rmsRows(c.at(condition::context).reshaped({77 + 256, 4096}).slice(77, 256)))
            QCOMPARE(v, 0.0);
    }
    void flux() {
        for (const auto& [id, length] : {std::pair{"flux", 512}, {"flux_schnell", 256}}) {
            const Encoded e = encode(id, "a red cat");
            QCOMPARE(e.context().shape(), Shape({length, 24}));
            QVERIFY(e.context().sameBits(states(e.text[1], e.tokens, {})));
            QCOMPARE(e.conditions.at(condition::pooled).shape(), Shape({1, 16}));
        }
    }
    // Chroma: one token of padding behind the text, which the text does not see.
    void paddingOfChroma() {
        const Encoded e = encode("chroma", "a red cat");
        const std::vector<Token> text(e.tokens.begin(), e.tokens.end() - 1);
        QCOMPARE(e.tokens.back().text, std::string("padding"));
        const HostTensor all = e.context(), alone = states(e.text[0], text, {});
        for (std::int64_t i = 0; i < alone.count(); ++i) QVERIFY(std::abs(all.at(i) - alone.at(i)) < 1e-6);
        QCOMPARE(all.count(), alone.count() + alone.shape()[1]);
        double padding = 0;
        for (std::int64_t i = alone.count(); i < all.count(); ++i) padding += std::abs(all.at(i));
        QVERIFY(padding > 0.1);
    }

    // PixArt: lower case, real tokens only, at most 300 with the end of the text.
    void t5() {
        const Encoded e = encode("t5", "a Red CAT");
        QCOMPARE(e.context().shape(), Shape({10, 24}));
        QVERIFY(e.context().sameBits(
            download(encode("t5", "a red cat").conditions.at(condition::context).reshaped({10, 24}))));
        const Encoded cut = encode("t5", std::string(3000, 'x'));
        QCOMPARE(int(cut.tokens.size()), 300);
        QVERIFY(cut.tokens.back().special);
    }
    void zImage() {
        const Encoded e = encode("z_image", "a red cat");
        std::string text;
        for (const Token& t : e.tokens) text += t.text;
        QCOMPARE(text, std::string("<|im_start|>user\na red cat<|im_end|>\n<|im_start|>assistant\n"));
        QVERIFY(e.context().sameBits(states(e.text[0], e.tokens, {{-2}, false})));
    }
    void lumina2() {
        const Encoded e = encode("lumina2", "a red cat");
        std::string text;
        for (const Token& t : e.tokens) text += t.text;
        QVERIFY(text.starts_with("You are an assistant designed") && text.ends_with(" <Prompt Start> a red cat"));
        QVERIFY(e.context().sameBits(states(e.text[0], e.tokens, {{-2}, false})));
        QCOMPARE(int(encode("lumina2", std::string(3000, 'x')).tokens.size()), 256);
        std::vector<Token> tokens;
        findConditioner("lumina2")->encode(e.text, {.text = "blurred", .isNegative = true}, tokens);
        QCOMPARE(tokens.size(), std::size_t(7));
    }
    void qwenImage() {
        const Encoded e = encode("qwen_image", "a red cat");
        std::string text;
        for (const Token& t : e.tokens) text += t.text;
        QVERIFY(text.ends_with("<|im_start|>user\na red cat<|im_end|>\n<|im_start|>assistant\n"));
        // A token of the system message is left for each character beyond 34.
        QVERIFY(text.starts_with("iling the color"));
    }
    void flux2() {
        const Encoded klein = encode("flux2", "a red cat"), dev = encode("flux2 dev", "a red cat");
        QCOMPARE(klein.context().shape(), Shape({512, 48}));
        QCOMPARE(dev.context().shape(), Shape({512, 48}));
        QCOMPARE(klein.tokens.back().text, std::string("<|endoftext|>"));
        QCOMPARE(dev.tokens.front().text, std::string("<pad>"));
        QCOMPARE(dev.tokens.back().text, std::string("[/INST]"));
        // Real tokens do not see the padding: their states are those of the text alone.
        const auto isPadding = [](const Token& t) { return t.text == "<|endoftext|>" || t.text == "<pad>"; };
        std::vector<Token> real;
        std::copy_if(klein.tokens.begin(), klein.tokens.end(), std::back_inserter(real),
                     [&](const Token& t) { return !isPadding(t); });
        const HostTensor alone = states(klein.text[0], real, {{9, 18, 27}, false}),
                         padded = klein.context().rows(0, std::int64_t(real.size()));
        for (std::int64_t i = 0; i < alone.count(); ++i) QVERIFY(std::abs(alone.at(i) - padded.at(i)) < 1e-4);
        std::string text;
        for (const Token& t : dev.tokens)
            if (!isPadding(t)) text += t.text;
        QVERIFY(text.starts_with("<s>[SYSTEM_PROMPT]You are an AI that reasons"));
        QVERIFY(text.ends_with("speculation.[/SYSTEM_PROMPT][INST]a red cat[/INST]"));
    }
    // With Qwen's own vocabulary: the template before the prompt has the 34 tokens that are dropped.
    void droppedPrefix() {
        const QString from =
            qEnvironmentVariable("MEANDER_REFERENCE", MEANDER_SOURCE_DIR "/../shared/reference") + "/real/tokenizers/";
        if (!QFile::exists(from + "qwen25_vocab.json")) QSKIP("no reference vocabularies beside the repository");
        QTemporaryDir own;
        QVERIFY(QFile::copy(from + "qwen25_vocab.json", own.filePath("vocab.json")));
        QVERIFY(QFile::copy(from + "qwen25_merges.txt", own.filePath("merges.txt")));
        auto tokenizer = openTokenizer(own.path().toStdString());
        QVERIFY(tokenizer.ok());
        std::vector<TextStage> text;
        Json config = languageConfig("Qwen2Model", 1);
        config["vocab_size"] = 152064;
        text.push_back(stage(config, std::move(*tokenizer)));
        std::vector<Token> tokens;
        findConditioner("qwen_image")->encode(text, {.text = "a red cat, 日本"}, tokens);
        QCOMPARE(tokens.front().text, std::string("a"));
        QVERIFY(!tokens.front().special);
        QCOMPARE(tokens.back().text, std::string("\n"));
    }

    // Each conditioner with the text encoders of each other one: a sentence or a result.
    void partsOfOthers() {
        int refused = 0;
        for (const Conditioner* c : conditioners())
            for (const Conditioner* other : conditioners()) {
                std::vector<TextStage> text = stages(other->id);
                if (text.size() > c->mostTexts) continue;
                std::vector<Token> tokens;
                try {
                    c->encode(text, {.text = "a"}, tokens);
                } catch (const Failure& f) {
                    ++refused;
                    QVERIFY(QString(f.what()).endsWith('.'));
                }
            }
        QVERIFY(refused > 10);
    }
};

QTEST_GUILESS_MAIN(TestConditioners)
#include "tst_conditioners.moc"
