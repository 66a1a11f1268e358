// The part of a tokenizer that turns a piece of normalised text into ids: byte pairs or Unigram.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/models/tokenizers/byte_pairs.h"

namespace meander {

// sentencepiece writes a space as ▁ (U+2581). Vocabularies that do are kept with plain spaces, as is the text.
std::string withSpaces(std::string_view text);

struct Piece {
    int id;
    std::size_t begin, end;  // in the text
};

class PieceModel {
public:
    virtual ~PieceModel() = default;
    // Appends the pieces of text[begin, end).
    virtual void encode(std::string_view text, std::size_t begin, std::size_t end, std::vector<Piece>& to) const = 0;
    virtual int vocabularySize() const = 0;
};

class BytePairModel final : public PieceModel {
public:
    // Entries of the vocabulary come first, then merges (through `pairs`), then finish().
    void add(const std::string& token, int id);
    void finish();
    void encode(std::string_view text, std::size_t begin, std::size_t end, std::vector<Piece>& to) const override;
    int vocabularySize() const override { return m_size; }
    std::optional<int> idOf(const std::string& token) const;

    BytePairs pairs;
    bool isByteLevel = true;          // symbols stand for bytes; else for characters
    bool fallsBackToBytes = false;    // a character outside the vocabulary becomes tokens <0x00> … <0xFF>
    bool prefersWholePieces = false;  // a piece that is a token stays whole, whatever the merges say
    bool joinsUnknown = false;        // neighbouring unknown characters are one token
    std::string wordEnd;              // of the last symbol of a piece: "</w>"
    std::optional<int> unknown;

private:
    void appendCharacter(std::string_view text, std::size_t begin, std::size_t end, bool isLast,
                         std::vector<BytePairs::Part>& parts) const;
    void appendUnknown(std::size_t begin, std::size_t end, std::vector<BytePairs::Part>& parts) const;

    std::vector<int> m_ids;  // of symbols; −1: none
    std::uint32_t m_bytes[256] = {}, m_lastBytes[256] = {}, m_unknownSymbol = 0;
    int m_size = 0;
};

// Unigram language model (Kudo 2018): the most probable segmentation.
class UnigramModel final : public PieceModel {
public:
    enum class Kind { Normal, Unknown, Control, UserDefined, Unused, Byte };
    // In the order of their ids; then finish().
    void add(const std::string& piece, double score, Kind kind);
    void finish();
    void encode(std::string_view text, std::size_t begin, std::size_t end, std::vector<Piece>& to) const override;
    int vocabularySize() const override { return int(m_pieces.size()); }

    int unknown = 0;
    bool fallsBackToBytes = false;
    bool keepsSingles = false;  // scores of paths are rounded to single precision, as in sentencepiece: it decides ties

private:
    struct Entry {
        std::string text;
        double score;
        Kind kind;
    };
    struct Best {
        double score = 0;
        int id = -1;
        std::size_t from = 0;
        bool isReached = false;
    };
    // Calls found(id, length) for every piece that the text begins with, shortest first.
    void eachPrefix(std::string_view text, const std::function<void(int, std::size_t)>& found) const;
    std::vector<Best> bestPaths(std::string_view text) const;
    double rounded(double score) const { return keepsSingles ? double(float(score)) : score; }

    std::vector<Entry> m_pieces;
    std::vector<int> m_sorted;  // ids of the pieces that can be found, by text
    int m_bytes[256];
    double m_least = 0, m_most = 0;  // scores of normal pieces
};

}  // namespace meander
