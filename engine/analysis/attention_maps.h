// Recorded cross-attention reduced to maps, masses and matrices, always by means and always in the order heads → layers
// (each enlarged bilinearly to the largest grid) → evaluations; sums would depend on the number of steps and the
// solver. Every result carries a caption that says how it was made. Sources: Tang et al. 2022 (DAAM), Helbling et al.
// 2025 (ConceptAttention), Chefer et al. 2023 (Attend-and-Excite); interface.md 1.2.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/run/trajectory.h"

namespace meander {

struct AttentionSelection {
    int image = 0;
    std::vector<int> sites;  // empty: all layers with maps
    std::vector<int> heads;  // empty: all
    int firstStep = 0;
    std::optional<int> lastStep;  // inclusive; none: to the end
};

// Raw mean probability of every token at every place of the grid.
struct TokenMaps {
    int width = 0, height = 0, tokens = 0;
    std::vector<double> values;  // (tokens, height, width)
    std::string caption;         // "cross-attention · mean of 6 layers, 4 heads, steps 3–7"
    bool empty() const { return values.empty(); }
    double at(int token, int x, int y) const {
        return values[(std::size_t(token) * std::size_t(height) + std::size_t(y)) * std::size_t(width)
                      + std::size_t(x)];
    }
};
// Empty, with a caption that says why, when the record holds no such maps.
TokenMaps reduceAttention(const Trajectory& t, const AttentionSelection& selection);

enum class MapScale : std::uint8_t { Raw, SharePrompt, SharedRange, OwnRange, ZScore, Uniform };
const char* nameOf(MapScale s);  // "raw probability", "÷ prompt tokens" ...

struct HeatMap {
    int width = 0, height = 0;
    std::vector<double> values;
    double low = 0, high = 1;  // what the ends of a colour map stand for
    std::string caption;
    double at(int x, int y) const { return values[std::size_t(y) * std::size_t(width) + std::size_t(x)]; }
};

// A word as a person sees it: the tokens of the prompt that share Token::word; special tokens are words of their own,
// last.
struct Word {
    std::string text;
    std::vector<int> tokens;
    bool special = false;
};
std::vector<Word> wordsOf(const std::vector<Token>& tokens, bool withSpecial = false);

// One map per word (mean over its tokens), brought to the asked scale; "shared" ones share it among the given words.
std::vector<HeatMap> mapsOf(const TokenMaps& maps, const std::vector<Word>& words, MapScale scale,
                            const std::vector<Token>& tokens);

// A part of the image as fractions of its sides.
struct Region {
    double left = 0, top = 0, right = 1, bottom = 1;
};
struct WordShare {
    std::string text;
    std::vector<int> tokens;
    double concentration = 0;  // share of the word's attention that falls into the region ÷ the region's share of the
                               // image; 1: as anywhere
    double probability = 0;    // mean probability inside
};
// The inverse question: which words made this place? Strongest concentration first.
std::vector<WordShare> wordsAt(const TokenMaps& maps, const std::vector<Word>& words, const Region& region);

// Rows: layer by layer, head by head; columns: evaluations. Entropy ÷ log(tokens): 0 one token, 1 uniform.
struct HeadMatrix {
    struct Row {
        int site = 0, head = 0;
    };
    std::vector<Row> rows;
    std::vector<int> evaluations;
    std::vector<double> values;  // (rows, evaluations), NaN where not recorded
};
HeadMatrix entropyMatrix(const Trajectory& t, int image);
// Mean probability of a word's tokens per evaluation (token mass M_k) and its maximum over places (m_k, the "neglected
// word" alarm).
struct WordMass {
    std::vector<double> mean, peak;  // per evaluation with maps
    std::vector<int> evaluations;
};
// Of some layers and heads; empty: all.
WordMass massOverTime(const Trajectory& t, int image, const Word& word, const std::vector<int>& sites = {},
                      const std::vector<int>& heads = {});

}  // namespace meander
