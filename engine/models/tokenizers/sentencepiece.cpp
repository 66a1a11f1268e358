// sentencepiece models (Kudo & Richardson 2018): a protocol buffer with pieces, scores and the normaliser's table.
// Unigram models only. Every length in the file is checked against what is left of it.
#include <bit>
#include <cstring>
#include <filesystem>
#include <span>

#include "engine/models/tokenizers/charsmap.h"
#include "engine/models/tokenizers/tokenizer_files.h"

namespace meander {
namespace {

namespace fs = std::filesystem;

// One field of a message: a number, or bytes.
struct Field {
    std::uint64_t number = 0;  // of the field
    std::uint64_t value = 0;
    std::string_view bytes;
    float real() const { return std::bit_cast<float>(std::uint32_t(value)); }
};

class Message {
public:
    Message(std::string_view bytes, const std::string& what) : m_bytes(bytes), m_what(what) {}

    bool next(Field& f) {
        if (m_bytes.empty()) return false;
        const std::uint64_t key = varint();
        f = {key >> 3, 0, {}};
        switch (key & 7) {
        case 0: f.value = varint(); break;
        case 1: f.value = fixed(8); break;
        case 2: f.bytes = take(varint()); break;
        case 5: f.value = fixed(4); break;
        default: damaged();
        }
        return true;
    }

private:
    [[noreturn]] void damaged() const {
        throw Failure("The tokenizer " + m_what + " is damaged or no sentencepiece model. Download it again.");
    }
    std::string_view take(std::uint64_t size) {
        if (size > m_bytes.size()) damaged();
        const std::string_view part = m_bytes.substr(0, std::size_t(size));
        m_bytes.remove_prefix(std::size_t(size));
        return part;
    }
    std::uint64_t fixed(std::size_t size) {
        std::uint64_t v = 0;
        const std::string_view part = take(size);
        for (std::size_t i = 0; i < size; ++i) v |= std::uint64_t(static_cast<unsigned char>(part[i])) << (8 * i);
        return v;
    }
    std::uint64_t varint() {
        std::uint64_t v = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            const auto byte = static_cast<unsigned char>(take(1)[0]);
            if (shift < 64) v |= std::uint64_t(byte & 127) << shift;
            if (byte < 128) return v;
        }
        damaged();
    }

    std::string_view m_bytes;
    const std::string& m_what;
};

// What of the trainer's and normaliser's settings matters, with the defaults of the format.
struct Settings {
    std::uint64_t modelType = 1;
    bool fallsBackToBytes = false, addsDummyPrefix = true, removesExtraSpaces = true, hasSuffixSpaces = false;
    std::int32_t unknown = 0, begin = 1, end = 2;
    std::string_view charsmap;
};

void readTrainer(Message m, Settings& s) {
    for (Field f; m.next(f);) {
        if (f.number == 3) s.modelType = f.value;
        if (f.number == 24) s.hasSuffixSpaces = f.value != 0;
        if (f.number == 35) s.fallsBackToBytes = f.value != 0;
        if (f.number == 40) s.unknown = std::int32_t(f.value);
        if (f.number == 41) s.begin = std::int32_t(f.value);
        if (f.number == 42) s.end = std::int32_t(f.value);
    }
}

void readNormaliser(Message m, Settings& s) {
    for (Field f; m.next(f);) {
        if (f.number == 2) s.charsmap = f.bytes;
        if (f.number == 3) s.addsDummyPrefix = f.value != 0;
        if (f.number == 4) s.removesExtraSpaces = f.value != 0;
    }
}

void readPiece(Message m, UnigramModel& model, std::vector<std::string>& names) {
    using Kind = UnigramModel::Kind;
    constexpr Kind kinds[] = {Kind::Normal,      Kind::Normal, Kind::Unknown, Kind::Control,
                              Kind::UserDefined, Kind::Unused, Kind::Byte};
    std::string text;
    float score = 0;
    std::uint64_t kind = 1;
    for (Field f; m.next(f);) {
        if (f.number == 1) text = f.bytes;
        if (f.number == 2) score = f.real();
        if (f.number == 3) kind = f.value;
    }
    model.add(text, score, kind < std::size(kinds) ? kinds[kind] : Kind::Unused);
    names.push_back(text);
}

TextPipeline::Normalise normaliserOf(const Settings& s, const std::string& what) {
    auto map = std::make_shared<Charsmap>(Charsmap::parse(s.charsmap, what));
    return [map, removes = s.removesExtraSpaces, prefixes = s.addsDummyPrefix](std::string text, bool) {
        std::string out;
        for (const char c : map->apply(text))
            if (!removes || c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
        if (prefixes && !out.empty()) out.insert(out.begin(), ' ');
        out = withSpaces(out);
        while (removes && !out.empty() && out.back() == ' ') out.pop_back();
        return out;
    };
}

std::unique_ptr<TextPipeline> read(const std::string& path, const std::string& folder) {
    const std::string what = "'" + path + "'", bytes = textOf(path);
    auto pipeline = std::make_unique<TextPipeline>();
    auto model = std::make_unique<UnigramModel>();
    Settings s;
    std::vector<std::string> names;
    Message file(bytes, what);
    for (Field f; file.next(f);) {
        if (f.number == 1) readPiece({f.bytes, what}, *model, names);
        if (f.number == 2) readTrainer({f.bytes, what}, s);
        if (f.number == 3) readNormaliser({f.bytes, what}, s);
    }
    const auto has = [&](std::int32_t id) { return id >= 0 && std::size_t(id) < names.size(); };
    if (names.empty() || !has(s.unknown))
        throw Failure("The tokenizer " + what + " is damaged or no sentencepiece model. Download it again.");
    if (s.modelType != 1 || s.hasSuffixSpaces)
        throw Failure("The sentencepiece model " + what
                      + " is not of the Unigram kind, which is the only one that Meander reads from this format. Put "
                        "the tokenizer.json of the same model beside it.");
    model->unknown = s.unknown;
    model->fallsBackToBytes = s.fallsBackToBytes;
    model->keepsSingles = true;
    model->finish();
    pipeline->model = std::move(model);
    pipeline->normalise.push_back(normaliserOf(s, what));
    for (AddedToken& t : addedTokensIn(folder)) pipeline->added.add(std::move(t));
    // T5 ends a text and does not begin it.
    if (has(s.end)) pipeline->after.push_back({s.end, names[std::size_t(s.end)]});
    return pipeline;
}

constexpr const char* fileNames[] = {"spiece.model", "sentencepiece.model", "tokenizer.model"};

}  // namespace

const TokenizerKind& sentencepieceModel() {
    static const TokenizerKind row{
        "sentencepiece (spiece.model)",
        [](const std::string& path) {
            return path.ends_with(".model")
                   || std::any_of(std::begin(fileNames), std::end(fileNames),
                                  [&](const char* name) { return hasFile(path, name); });
        },
        [](const std::string& path) -> Result<std::unique_ptr<Tokenizer>> {
            try {
                if (path.ends_with(".model"))
                    return std::unique_ptr<Tokenizer>(read(path, fs::path(path).parent_path().string()));
                for (const char* name : fileNames)
                    if (hasFile(path, name))
                        return std::unique_ptr<Tokenizer>(read((fs::path(path) / name).string(), path));
                return Error{"'" + path + "' holds no sentencepiece model.", {}};
            } catch (const Failure& f) {
                return Error{f.what(), {}};
            }
        }};
    return row;
}

}  // namespace meander
