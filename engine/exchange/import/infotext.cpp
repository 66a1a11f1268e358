#include "engine/exchange/import/infotext.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>

#include "engine/core/json.h"
#include "engine/recipe/peer_names.h"

namespace meander {
namespace {

constexpr std::size_t mostLines = 10000, mostSettings = 512, longestKey = 64, longestLine = 100000;

// Settings by which the block of settings is found. "Steps: first a circle" in a prompt is none: the value must fit.
enum class Fit { Number, Whole, Size, Short };
struct KnownKey {
    const char* key;
    Fit fit;
};
constexpr KnownKey knownKeys[] = {
    {"steps", Fit::Number},     {"sampler", Fit::Short},    {"schedule type", Fit::Short},
    {"scheduler", Fit::Short},  {"cfg scale", Fit::Number}, {"seed", Fit::Whole},
    {"size", Fit::Size},        {"model hash", Fit::Short}, {"model", Fit::Short},
    {"version", Fit::Short},    {"rng", Fit::Short},        {"denoising strength", Fit::Number},
    {"clip skip", Fit::Number}, {"guidance", Fit::Number},  {"distilled cfg scale", Fit::Number},
    {"eta", Fit::Number}};

bool fits(const std::string& value, Fit fit) {
    const bool isNumber = !value.empty() && value.find_first_not_of("0123456789.+-eE") == std::string::npos
                          && value.find_first_of("0123456789") != std::string::npos;
    switch (fit) {
    case Fit::Number: return isNumber;
    case Fit::Whole: return isNumber && value.find_first_of("eE") == std::string::npos;
    case Fit::Size: return value.find('x') != std::string::npos && std::isdigit(static_cast<unsigned char>(value[0]));
    case Fit::Short: return !value.empty() && value.size() <= 120;
    }
    return false;
}

bool isKey(const std::string& key) {
    if (key.empty() || key.size() > longestKey || !std::isalnum(static_cast<unsigned char>(key[0]))) return false;
    return std::all_of(key.begin(), key.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c))
               || std::string_view(" _-/.()+&%").find(c) != std::string_view::npos;
    });
}

// Settings out of text: separated by commas and line ends; quoted and bracketed values are whole.
class SettingReader {
public:
    explicit SettingReader(std::string_view text) : m_text(text) {}

    std::vector<PeerSetting> all(std::vector<ImportedSetting>& notes) {
        std::vector<PeerSetting> list;
        while (m_at < m_text.size() && list.size() < mostSettings) {
            skipSeparators();
            if (auto s = next()) {
                list.push_back(std::move(*s));
                continue;
            }
            const std::string stray = trimmedText(std::string(bareValue()));
            if (stray.empty()) continue;
            append(list, stray, notes);
        }
        return list;
    }

    // "key: value" at the present place; nothing (and no move) when none stands there.
    std::optional<PeerSetting> next() {
        const auto colon = m_text.find_first_of(":,\n\"", m_at);
        if (colon == m_text.npos || m_text[colon] != ':') return {};
        const std::string written = trimmedText(std::string(m_text.substr(m_at, colon - m_at)));
        if (!isKey(written)) return {};
        m_at = std::min(m_text.find_first_not_of(" \t\r\n", colon + 1), m_text.size());
        // A key straight after the line end: this one's value is empty.
        if (m_text.substr(colon + 1, m_at - colon - 1).find('\n') != std::string_view::npos && isKnownKeyAt(m_at))
            return PeerSetting{lowerText(written), {}, written};
        return PeerSetting{lowerText(written), value(), written};
    }

private:
    bool isKnownKeyAt(std::size_t at) const {
        const auto colon = m_text.find_first_of(":,\n\"", at);
        if (colon == m_text.npos || m_text[colon] != ':') return false;
        const std::string key = lowerText(trimmedText(std::string(m_text.substr(at, colon - at))));
        return std::any_of(std::begin(knownKeys), std::end(knownKeys), [&](const KnownKey& k) { return key == k.key; });
    }

    void skipSeparators() { m_at = std::min(m_text.find_first_not_of(" \t\r\n,", m_at), m_text.size()); }

    std::string value() {
        if (m_at < m_text.size() && m_text[m_at] == '"')
            if (auto quoted = quotedValue()) return *quoted;
        if (m_at < m_text.size() && (m_text[m_at] == '{' || m_text[m_at] == '['))
            if (auto whole = bracketedValue()) return *whole;
        return trimmedText(std::string(bareValue()));
    }

    // A JSON string; nothing when it does not end, or when it is followed by more than a separator.
    std::optional<std::string> quotedValue() {
        std::size_t i = m_at + 1;
        while (i < m_text.size() && m_text[i] != '"') i += m_text[i] == '\\' ? 2 : 1;
        if (i >= m_text.size()) return {};
        const std::string_view raw = m_text.substr(m_at, i + 1 - m_at);
        const auto after = m_text.find_first_not_of(" \t\r", i + 1);
        if (after != m_text.npos && m_text[after] != ',' && m_text[after] != '\n') return {};
        m_at = i + 1;
        std::string escaped;  // a JSON string has no bare line ends
        for (const char c : raw) escaped += c == '\n' ? "\\n" : c == '\r' ? "" : c == '\t' ? "\\t" : std::string(1, c);
        const auto json = parseJson(escaped, "a quoted value");
        return json && json->is_string() ? json->get<std::string>() : std::string(raw.substr(1, raw.size() - 2));
    }

    // JSON up to its closing bracket; nothing when it does not close.
    std::optional<std::string> bracketedValue() {
        int depth = 0;
        bool isInString = false;
        for (std::size_t i = m_at; i < m_text.size(); ++i) {
            const char c = m_text[i];
            if (isInString) {
                if (c == '\\') ++i;
                else if (c == '"') isInString = false;
            } else if (c == '"') {
                isInString = true;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if ((c == '}' || c == ']') && --depth == 0) {
                const std::string whole(m_text.substr(m_at, i + 1 - m_at));
                m_at = i + 1;
                return whole;
            }
        }
        return {};
    }

    // Up to a comma, or to a line end before something that looks like a key.
    std::string_view bareValue() {
        const std::size_t from = m_at;
        while (m_at < m_text.size() && m_text[m_at] != ',' && m_text[m_at] != '\n') ++m_at;
        return m_text.substr(from, m_at - from);
    }

    // What has no key belongs to the value before it; digits behind digits are a decimal comma.
    static void append(std::vector<PeerSetting>& list, const std::string& stray, std::vector<ImportedSetting>& notes) {
        if (list.empty()) {
            notes.push_back({SettingOrigin::NotUnderstood, {}, stray, {}});
            return;
        }
        PeerSetting& last = list.back();
        const auto isDigits = [](const std::string& s) {
            return !s.empty() && s.find_first_not_of("0123456789") == std::string::npos;
        };
        if (isDigits(last.value) && isDigits(stray)) {
            notes.push_back({SettingOrigin::Assumed, last.written, last.value + "." + stray,
                             "written as " + last.value + "," + stray + ", a decimal comma"});
            last.value += "." + stray;
        } else {
            last.value += (last.value.empty() ? "" : ", ") + stray;
        }
    }

    std::string_view m_text;
    std::size_t m_at = 0;
};

bool isKnown(const PeerSetting& s) {
    return std::any_of(std::begin(knownKeys), std::end(knownKeys),
                       [&](const KnownKey& k) { return s.key == k.key && fits(s.value, k.fit); });
}

// A line starts the block of settings when the first setting from there on is a known one with a value that fits, or an
// unknown one that two known ones follow.
bool startsSettings(std::string_view fromHere) {
    const auto first = fromHere.find_first_not_of(" \t\r");
    if (first == fromHere.npos || fromHere[first] == '\n') return false;
    SettingReader reader(fromHere.substr(first, longestLine));
    const auto setting = reader.next();
    if (!setting) return false;
    if (isKnown(*setting)) return true;
    // Words in front of a known key, or a colon in a bare value: a prompt whose line ends were lost.
    const bool holdsKey = std::any_of(std::begin(knownKeys), std::end(knownKeys), [&](const KnownKey& k) {
        return setting->key.ends_with(std::string(" ") + k.key);
    });
    const bool isBare =
        setting->value.empty() || std::string_view("{[").find(setting->value[0]) == std::string_view::npos;
    if (holdsKey
        || (isBare && setting->value.find("teps:") != std::string::npos && setting->key.ends_with(" negative prompt")))
        return false;
    std::vector<ImportedSetting> notes;
    const auto line =
        SettingReader(fromHere.substr(first, std::min(fromHere.find('\n', first), longestLine) - first)).all(notes);
    return std::count_if(line.begin(), line.end(), isKnown) >= 2;
}

constexpr const char* negativeMarker = "negative prompt:";
// Lines inside the block that are no known setting: unknown ones weigh 1, lines without a key, which continue a
// value, 3.
constexpr int mostGaps = 9;

int gapOf(std::string_view fromHere) {
    const auto first = fromHere.find_first_not_of(" \t\r");
    if (first == fromHere.npos || fromHere[first] == '\n') return 0;
    return SettingReader(fromHere.substr(first)).next() ? 1 : 3;
}

// The place where the block of settings begins, or the end of the text.
std::size_t settingsStart(const std::string& text) {
    std::vector<std::size_t> lines{0};
    for (std::size_t i = 0; i < text.size() && lines.size() < mostLines; ++i)
        if (text[i] == '\n') lines.push_back(i + 1);
    std::size_t start = text.size();
    int gaps = 0;
    for (std::size_t i = lines.size(); i-- > 0;) {
        const std::string_view fromHere = std::string_view(text).substr(lines[i]);
        const auto word = std::min(fromHere.find_first_not_of(" \t\r"), fromHere.size());
        if (lowerText(std::string(fromHere.substr(word, 16))) == negativeMarker) break;
        if (startsSettings(fromHere)) {
            start = lines[i];
            gaps = 0;
        } else if (start != text.size() && (gaps += gapOf(fromHere)) > mostGaps) {
            break;
        }
    }
    return start;
}

// Texts whose line ends were lost: the last "Steps: 20, …" that two more known settings follow.
std::size_t inlineSettingsStart(const std::string& text) {
    const std::string lower = lowerText(text);
    for (std::size_t at = lower.rfind("steps:"); at != std::string::npos && at > 0;
         at = lower.rfind("steps:", at - 1)) {
        std::vector<ImportedSetting> notes;
        if (!startsSettings(std::string_view(text).substr(at))) continue;
        const auto settings = SettingReader(std::string_view(text).substr(at)).all(notes);
        const auto known = std::count_if(settings.begin(), settings.end(), isKnown);
        if (known >= 3) return at;
    }
    return text.size();
}

void readPrompts(const std::string& text, PeerText& into) {
    std::istringstream in(text);
    bool isNegative = false;
    std::size_t count = 0;
    for (std::string line; std::getline(in, line) && count++ < mostLines;) {
        line = trimmedText(line);
        if (lowerText(line.substr(0, 16)) == negativeMarker) {
            isNegative = true;
            line = trimmedText(line.substr(16));
        }
        std::string& part = isNegative ? into.negative : into.prompt;
        part += (part.empty() ? "" : "\n") + line;
    }
    into.prompt = trimmedText(into.prompt);
    into.negative = trimmedText(into.negative);
}

std::string valueOf(const std::vector<PeerSetting>& settings, const std::string& key) {
    for (const PeerSetting& s : settings)
        if (s.key == key) return s.value;
    return {};
}

// Savers of ComfyUI name no program but write its identifiers.
bool looksLikeComfyUi(const std::string& sampler) {
    return !sampler.empty() && sampler.find(' ') == std::string::npos && sampler == lowerText(sampler)
           && samplerNamed(sampler, Peer::ComfyUi);
}

}  // namespace

PeerText readInfotext(const std::string& text) {
    PeerText read;
    read.source = "parameters";
    std::size_t start = settingsStart(text);
    std::string prompts = text.substr(0, start);
    if (start == text.size() && (start = inlineSettingsStart(text)) != text.size()) {
        prompts = text.substr(0, start);
        if (const auto at = lowerText(prompts).rfind(negativeMarker); at != std::string::npos && at > 0)
            prompts.insert(at, "\n");
        read.notes.push_back({SettingOrigin::Assumed, "Line ends", "missing", "split before the settings"});
    }
    readPrompts(prompts, read);
    read.settings = SettingReader(std::string_view(text).substr(start)).all(read.notes);
    const std::string version = valueOf(read.settings, "version"), app = valueOf(read.settings, "app");
    read.peer = peerOfVersion(version, app);
    if (version.empty() && !valueOf(read.settings, "distilled cfg scale").empty()) read.peer = Peer::Forge;
    if (version.empty() && app.empty() && looksLikeComfyUi(valueOf(read.settings, "sampler")))
        read.peer = Peer::ComfyUi;
    if (read.settings.empty())
        read.notes.push_back({SettingOrigin::NotUnderstood, {}, "The text has no settings (Steps, Sampler ...).", {}});
    return read;
}

}  // namespace meander
