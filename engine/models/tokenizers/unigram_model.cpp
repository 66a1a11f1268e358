#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "engine/models/tokenizers/piece_model.h"
#include "engine/models/tokenizers/unicode.h"

namespace meander {
namespace {

constexpr double unknownPenalty = 10;  // below the least probable piece
constexpr double userDefinedPenalty = 0.1;

}  // namespace

void UnigramModel::add(const std::string& piece, double score, Kind kind) {
    m_pieces.push_back({kind == Kind::Byte ? piece : withSpaces(piece), score, kind});
}

void UnigramModel::finish() {
    std::fill(std::begin(m_bytes), std::end(m_bytes), -1);
    bool isFirst = true;
    for (std::size_t i = 0; i < m_pieces.size(); ++i) {
        const Entry& e = m_pieces[i];
        // "<0x41>"
        if (e.text.size() == 6 && e.text.starts_with("<0x") && e.text.back() == '>')
            m_bytes[std::strtoul(e.text.substr(3, 2).c_str(), nullptr, 16) & 255] = int(i);
        const bool isFound = e.kind == Kind::Normal || e.kind == Kind::UserDefined;
        if (isFound && !e.text.empty()) m_sorted.push_back(int(i));
        if (e.kind != Kind::Normal) continue;
        m_least = isFirst ? e.score : std::min(m_least, e.score);
        m_most = isFirst ? e.score : std::max(m_most, e.score);
        isFirst = false;
    }
    const auto text = [&](int id) -> const std::string& { return m_pieces[std::size_t(id)].text; };
    std::stable_sort(m_sorted.begin(), m_sorted.end(), [&](int a, int b) { return text(a) < text(b); });
    const auto last = std::unique(m_sorted.begin(), m_sorted.end(), [&](int a, int b) { return text(a) == text(b); });
    m_sorted.erase(last, m_sorted.end());
}

void UnigramModel::eachPrefix(std::string_view text, const std::function<void(int, std::size_t)>& found) const {
    // [low, high): the pieces that begin with the first `length` bytes of the text.
    auto low = m_sorted.begin(), high = m_sorted.end();
    for (std::size_t length = 1; length <= text.size() && low != high; ++length) {
        const auto byteOf = [&](int id) {
            const std::string& piece = m_pieces[std::size_t(id)].text;
            return piece.size() < length ? -1 : int(static_cast<unsigned char>(piece[length - 1]));
        };
        const int byte = static_cast<unsigned char>(text[length - 1]);
        low = std::partition_point(low, high, [&](int id) { return byteOf(id) < byte; });
        high = std::partition_point(low, high, [&](int id) { return byteOf(id) <= byte; });
        if (low != high && m_pieces[std::size_t(*low)].text.size() == length) found(*low, length);
    }
}

// The best segmentation that ends at each byte.
std::vector<UnigramModel::Best> UnigramModel::bestPaths(std::string_view text) const {
    std::vector<Best> best(text.size() + 1);
    best[0].isReached = true;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t next = at;
        decodeUtf8(text, next);
        bool hasCharacter = false;
        const auto offer = [&](int id, std::size_t length, double candidate) {
            Best& b = best[at + length];
            if (!b.isReached || candidate > b.score) b = {candidate, id, at, true};
        };
        eachPrefix(text.substr(at), [&](int id, std::size_t length) {
            const Entry& e = m_pieces[std::size_t(id)];
            const double userDefined = rounded(rounded(double(length) * m_most) - userDefinedPenalty);
            offer(id, length, rounded(best[at].score + (e.kind == Kind::UserDefined ? userDefined : e.score)));
            hasCharacter |= length == next - at;
        });
        if (!hasCharacter) offer(unknown, next - at, rounded(best[at].score + rounded(m_least - unknownPenalty)));
        at = next;
    }
    return best;
}

void UnigramModel::encode(std::string_view text, std::size_t begin, std::size_t end, std::vector<Piece>& to) const {
    const std::vector<Best> best = bestPaths(text.substr(begin, end - begin));
    std::vector<Piece> pieces;
    for (std::size_t at = end - begin; at > 0; at = best[at].from)
        pieces.push_back({best[at].id, begin + best[at].from, begin + at});
    bool wasUnknown = false;
    for (auto p = pieces.rbegin(); p != pieces.rend(); ++p) {
        const bool isUnknown = p->id == unknown;
        bool hasBytes = isUnknown && fallsBackToBytes;
        for (std::size_t i = p->begin; hasBytes && i < p->end; ++i)
            hasBytes = m_bytes[static_cast<unsigned char>(text[i])] >= 0;
        if (hasBytes) {
            for (std::size_t i = p->begin; i < p->end; ++i)
                to.push_back({m_bytes[static_cast<unsigned char>(text[i])], i, i + 1});
        } else if (isUnknown && wasUnknown) {
            to.back().end = p->end;
        } else {
            to.push_back(*p);
        }
        wasUnknown = isUnknown && !hasBytes;
    }
}

}  // namespace meander
