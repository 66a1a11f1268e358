// What words and heads do in the sprites, measured as resources/help/interventions.md measures it, on fewer prompts
// (MEANDER_EFFECT_PROMPTS: how many; the page has 200).
#include "engine/analysis/sprite_effects.h"

#include <numeric>

#include "tests/engine/guidance/engine_run.h"

using namespace meander;
using namespace meander::bench;

namespace {

int promptCount() {
    bool isGiven = false;
    const int n = qEnvironmentVariableIntValue("MEANDER_EFFECT_PROMPTS", &isGiven);
    return isGiven ? n : 8;
}

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / double(std::max<std::size_t>(values.size(), 1));
}

}  // namespace

class TestSpriteEffects : public QObject {
    Q_OBJECT
    static void models() {
        QTest::addColumn<QString>("model");
        QTest::newRow("U-Net") << "builtin:sprites-unet";
        QTest::newRow("transformer") << "builtin:sprites-dit";
    }
    static std::vector<Recipe> recipesOf(const QString& model) {
        std::vector<Recipe> all;
        for (const std::string& prompt : twoObjectPrompts(promptCount(), 7)) {
            Recipe r = recommendedRecipe(*inspectModel(model.toStdString()));
            r.images = 1;
            r.prompt = prompt;
            r.seed = 1000 + all.size();
            r.attention = AttentionLevel::Full;
            all.push_back(r);
        }
        return all;
    }
    // With further rules, and nothing recorded.
    static Recipe with(Recipe r, const std::vector<Choice>& rules) {
        r.attention = AttentionLevel::Off;
        r.guidance.insert(r.guidance.end(), rules.begin(), rules.end());
        return r;
    }

private slots:
    void objectsAreFoundByColour() {
        for (const std::string& prompt : randomSpritePrompts(60, 3)) {
            const SpriteScene scene = *parseSpritePrompt(prompt);
            if (scene.objects.size() == 2 && scene.objects[0].first == scene.objects[1].first) continue;
            const Image ideal = drawSprite(scene);
            const auto masks = objectPixels(ideal, scene);
            QCOMPARE(masks.size(), scene.objects.size());
            for (std::size_t i = 0; i < masks.size(); ++i) {
                const int pixels = int(std::count(masks[i].begin(), masks[i].end(), 1));
                QVERIFY2(pixels > 20 && pixels < 32 * 32 / 3, prompt.c_str());
            }
            for (std::size_t p = 0; masks.size() == 2 && p < masks[0].size(); ++p)
                QVERIFY(masks[0][p] + masks[1][p] < 2);
        }
    }

    void shareIsThatOfThePixels() {
        HeatMap map{2, 1, {3, 1}, 0, 1, {}};
        std::vector<std::uint8_t> mask(16, 0);  // of 4 × 4 pixels the left half, and the upper right quarter
        for (int y = 0; y < 4; ++y)
            for (int x = 0; x < 4; ++x) mask[std::size_t(y * 4 + x)] = x < 2 || y < 2;
        QCOMPARE(shareInside(map, mask, 4, 4), (3 * 8 + 1 * 4) / double(4 * 8));
        QCOMPARE(shareInside(map, std::vector<std::uint8_t>(16, 1), 4, 4), 1.0);
        map.values = {0, 0};
        QCOMPARE(shareInside(map, mask, 4, 4), 0.0);
    }

    void shapeWordsCountTheirPlaces() {
        const SpriteScene scene = *parseSpritePrompt("a red circle above a blue circle on a white background");
        QCOMPARE(shapeWord(scene, 0).occurrence, 1);
        QCOMPARE(shapeWord(scene, 1).occurrence, 2);
        QCOMPARE(twoObjectPrompts(5, 1).size(), std::size_t(5));
    }

    void wordsLookAtTheirObjects_data() { models(); }
    void wordsLookAtTheirObjects() {
        QFETCH(QString, model);
        std::vector<double> inside, area;
        std::vector<std::vector<double>> layers;
        for (const auto& run : runTogether(recipesOf(model))) {
            for (const WordPlacement& w : wordPlacements(*run, {}, MapScale::Raw)) {
                inside.push_back(w.inside);
                area.push_back(w.area);
                QVERIFY2(w.ideal > w.area && w.ideal <= 1,
                         qPrintable(QString("%1 of the ideal map on %2").arg(w.ideal, 0, 'g', 17).arg(w.area)));
            }
            layers.resize(run->trajectory->sites.size());
            for (std::size_t k = 0; k < layers.size(); ++k) {
                AttentionSelection one;
                one.sites = {int(k)};
                for (const WordPlacement& w : wordPlacements(*run, one, MapScale::Raw)) layers[k].push_back(w.inside);
            }
        }
        double best = 0;
        for (const auto& layer : layers) best = std::max(best, mean(layer));
        qInfo("%.3f of the attention, in the best layer %.3f, on %.3f of the image", mean(inside), best, mean(area));
        QVERIFY(mean(inside) > 2 * mean(area));
        QVERIFY(best > 0.6);
    }

    void wordIsDrawnByItsHeads_data() { models(); }
    void wordIsDrawnByItsHeads() {
        QFETCH(QString, model);
        const auto recipes = recipesOf(model);
        const auto plain = runTogether(recipes);
        std::vector<Recipe> changed;
        for (std::size_t i = 0; i < recipes.size(); ++i)
            for (const Heads which : {Heads::Most, Heads::Least})
                changed.push_back(with(recipes[i], mutedInHeads(*plain[i], which)));
        const auto runs = runTogether(changed);
        std::vector<double> most, least;
        for (std::size_t i = 0; i < plain.size(); ++i) {
            most.push_back(imageDifference(*runs[2 * i], *plain[i]));
            least.push_back(imageDifference(*runs[2 * i + 1], *plain[i]));
        }
        qInfo("RMS %.4f with the word muted in the five heads of most mass, %.4f in those of least", mean(most),
              mean(least));
        QVERIFY(mean(most) > 5 * mean(least));
    }

    void scaledObjectGrows_data() { models(); }
    void scaledObjectGrows() {
        QFETCH(QString, model);
        const double strengths[] = {0, 0.5, 1, 2, 4};
        const auto recipes = recipesOf(model);
        std::vector<double> sizes;
        for (const double s : strengths) {
            std::vector<Recipe> scaled;
            for (const Recipe& r : recipes) scaled.push_back(with(r, {scaledObject(*parseSpritePrompt(r.prompt), s)}));
            std::vector<double> pixels;
            for (const auto& run : runTogether(scaled)) pixels.push_back(objectSize(*run));
            sizes.push_back(mean(pixels));
        }
        qInfo("pixels of the object: %.1f %.1f %.1f %.1f %.1f", sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]);
        for (std::size_t i = 1; i < sizes.size(); ++i) QVERIFY(sizes[i] > sizes[i - 1]);
    }
};

QTEST_GUILESS_MAIN(TestSpriteEffects)
#include "tst_sprite_effects.moc"
