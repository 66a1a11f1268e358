// Words of a prompt as tokens, and the alignment of two prompts.
#include <QtTest>

#include "engine/interventions/words.h"
#include "engine/models/model.h"

using namespace meander;

namespace {

// Words between a start and an end token and two of padding; "tri|angle" is a word of two tokens.
std::vector<Token> tokensOf(const std::vector<std::string>& words) {
    std::vector<Token> all;
    const auto special = [&](const char* text) { all.push_back({0, text, true, -1, 0, 0}); };
    special("<start>");
    int begin = 0;
    for (std::size_t w = 0; w < words.size(); ++w) {
        std::size_t from = 0;
        for (std::size_t bar; from <= words[w].size(); from = bar + 1) {
            bar = std::min(words[w].find('|', from), words[w].size());
            const std::string piece = words[w].substr(from, bar - from);
            all.push_back({1, piece, false, int(w), begin, begin + int(piece.size())});
            begin += int(piece.size());
        }
        ++begin;
    }
    special("<end>");
    special("<pad>");
    special("<pad>");
    return all;
}

std::vector<int> firstOf(const TokenAlignment& a) {
    std::vector<int> from;
    for (const auto& f : a) from.push_back(f.empty() ? -1 : f.front().first);
    return from;
}

}  // namespace

class TestWords : public QObject {
    Q_OBJECT
private slots:
    void wordsAreFound() {
        const auto t = tokensOf({"a", "red", "circle", "above", "a", "Red", "tri|angle"});
        QCOMPARE(tokensOfWord(t, "circle", 0), (std::vector{3}));
        QCOMPARE(tokensOfWord(t, "red", 0), (std::vector{2, 6}));
        QCOMPARE(tokensOfWord(t, "RED", 2), (std::vector{6}));
        QCOMPARE(tokensOfWord(t, "red", 3), std::vector<int>());
        QCOMPARE(tokensOfWord(t, "triangle", 1), (std::vector{7, 8}));
        QCOMPARE(tokensOfWord(t, "red circle", 0), (std::vector{2, 3}));
        QCOMPARE(tokensOfWord(t, "red triangle", 0), (std::vector{6, 7, 8}));
        QCOMPARE(tokensOfWord(t, "circle red", 0), std::vector<int>());
        for (const char* none : {"", " ", "tri", "angle", "<end>", "square"})
            QCOMPARE(tokensOfWord(t, none, 0), std::vector<int>());
        QCOMPARE(wordList(t), std::string("a, red, circle, above, triangle"));
        QVERIFY(tokensOfWord({}, "a", 0).empty());
    }

    // A prompt that is read twice has every word twice, and its places count once.
    void severalEncodersCountOnce() {
        auto t = tokensOf({"red", "and", "red"}), second = t;
        for (Token& x : second)
            if (x.word >= 0) x.word += 3;
        t.insert(t.end(), second.begin(), second.end());
        QCOMPARE(tokensOfWord(t, "red", 0), (std::vector{1, 3, 8, 10}));
        QCOMPARE(tokensOfWord(t, "red", 1), (std::vector{1, 8}));
        QCOMPARE(tokensOfWord(t, "red", 2), (std::vector{3, 10}));
    }

    void promptsAreAligned() {
        const auto a = tokensOf({"a", "red", "circle"}), same = a, swapped = tokensOf({"a", "green", "circle"}),
                   longer = tokensOf({"a", "big", "red", "circle"}), cut = tokensOf({"a", "red", "tri|angle"});
        QCOMPARE(firstOf(alignedTokens(a, same, false)), (std::vector{0, 1, 2, 3, 4, 5, 6}));
        QCOMPARE(firstOf(alignedTokens(a, swapped, false)), (std::vector{0, 1, -1, 3, 4, 5, 6}));
        QCOMPARE(firstOf(alignedTokens(a, swapped, true)), (std::vector{0, 1, 2, 3, 4, 5, 6}));
        QCOMPARE(firstOf(alignedTokens(a, longer, true)), (std::vector{0, 1, -1, 2, 3, 4, 5, 6}));
        // One token stands for two, and two for one.
        const auto wider = alignedTokens(a, cut, true), narrower = alignedTokens(cut, a, true);
        QCOMPARE(wider[3], (std::vector<std::pair<int, float>>{{3, 0.5f}}));
        QCOMPARE(wider[4], (std::vector<std::pair<int, float>>{{3, 0.5f}}));
        QCOMPARE(narrower[3], (std::vector<std::pair<int, float>>{{3, 1.0f}, {4, 1.0f}}));
        QVERIFY(alignedTokens(a, {}, true).empty());
        QCOMPARE(firstOf(alignedTokens({}, a, true)), (std::vector<int>(7, -1)));
    }
};

QTEST_GUILESS_MAIN(TestWords)
#include "tst_words.moc"
