// Reductions of attention on maps whose answer is known, scales and their captions, the inverse question, colour maps,
// metrics and fidelity.
#include <QtTest>
#include <cmath>

#include "engine/analysis/attention_maps.h"
#include "engine/imaging/colour_maps.h"
#include "engine/imaging/image_metrics.h"
#include "engine/sprites/fidelity.h"

using namespace meander;

namespace {

bool near(double a, double b, double absolute) { return std::abs(a - b) <= absolute; }

AttentionMap mapOf(int site, int heads, int h, int w, int tokens, auto value) {
    std::vector<float> v;
    for (int head = 0; head < heads; ++head)
        for (int y = 0; y < h; ++y)
            for (int x = 0; x < w; ++x)
                for (int k = 0; k < tokens; ++k) v.push_back(float(value(head, x, y, k)));
    return {site,
            heads,
            HostTensor::fromFloats({heads, h, w, tokens}, v).toF16(),
            std::vector<float>(std::size_t(heads), 0.5f),
            {}};
}

// Token 1 looks left, token 2 right, on grids that are not square; head h of layer s at step e has its own strength.
Trajectory record() {
    Trajectory t;
    t.sites = {{"a", 2, 2, 4, 4}, {"b", 1, 4, 8, 4}};
    t.tokens = {{0, "<s>", true, -1, 0, 0},
                {1, "cir", false, 0, 0, 3},
                {2, "cle", false, 0, 3, 6},
                {3, "blue", false, 1, 7, 11}};
    for (int e = 0; e < 3; ++e) {
        auto ev = std::make_shared<Evaluation>();
        ev->index = ev->step = e;
        const auto value = [e](int width) {
            return [e, width](int head, int x, int, int k) {
                const bool isLeft = x < width / 2;
                const double s = 0.1 * (head + 1) * (e + 1);
                return k == 0 ? 1 - s : k == 3 ? (isLeft ? 0 : s) : (isLeft ? s / 2 : 0);
            };
        };
        ev->attention = {{mapOf(0, 2, 2, 4, 4, value(4)), mapOf(1, 1, 4, 8, 4, value(8))}};
        t.evaluations.push_back(ev);
    }
    return t;
}

}  // namespace

class TestAttention : public QObject {
    Q_OBJECT
private slots:
    void reduction() {
        const Trajectory t = record();
        const TokenMaps all = reduceAttention(t, {});
        QCOMPARE(all.width, 8);
        QCOMPARE(all.height, 4);
        QVERIFY2(all.caption == "cross-attention · mean of 2 layers, 2 heads, steps 0–2", all.caption.c_str());
        // Heads (0.1 + 0.2)/2, layers with 0.1, steps × (1 + 2 + 3)/3: 0.125 · 2 at the far left for both halves of
        // "circle", of which each has half.
        QVERIFY(near(all.at(1, 0, 0), 0.125, 1e-3));
        QVERIFY(near(all.at(3, 7, 3), 0.25, 1e-3));
        QVERIFY(near(all.at(3, 0, 0), 0, 1e-6));
        AttentionSelection one;
        one.sites = {0};
        one.heads = {1};
        one.firstStep = 1;
        one.lastStep = 1;
        const TokenMaps small = reduceAttention(t, one);
        QVERIFY2(small.caption == "cross-attention · mean of 1 layer, 1 head, step 1", small.caption.c_str());
        QCOMPARE(small.width, 4);
        QVERIFY(near(small.at(3, 3, 0), 0.4, 1e-3));
        one.image = 5;
        QVERIFY(reduceAttention(t, one).empty());
        QVERIFY(!reduceAttention(Trajectory(), {}).caption.empty());
    }

    void scales() {
        const Trajectory t = record();
        const TokenMaps raw = reduceAttention(t, {});
        const auto words = wordsOf(t.tokens);
        QCOMPARE(words.size(), 2u);
        QCOMPARE(words[0].text, std::string("circle"));
        QCOMPARE(wordsOf(t.tokens, true).size(), 3u);
        for (const auto scale : {MapScale::Raw, MapScale::SharePrompt, MapScale::SharedRange, MapScale::OwnRange,
                                 MapScale::ZScore, MapScale::Uniform})
            for (const auto& m : mapsOf(raw, words, scale, t.tokens)) {
                QVERIFY(m.caption.find(nameOf(scale)) != std::string::npos);
                for (double v : m.values) QVERIFY(std::isfinite(v));
            }
        const auto share = mapsOf(raw, words, MapScale::SharePrompt, t.tokens);
        QVERIFY(near(share[0].at(0, 0), 0.5, 1e-3));  // each half of "circle" has half
        QVERIFY(near(share[1].at(7, 0), 1, 1e-3));
        const auto uniform = mapsOf(raw, words, MapScale::Uniform, t.tokens);
        double mean = 0;
        for (double v : uniform[1].values) mean += v / 32;
        QVERIFY(near(mean, 1, 1e-12));
        const auto shared = mapsOf(raw, words, MapScale::SharedRange, t.tokens);
        QVERIFY(near(shared[0].at(0, 0), 0.5, 2e-3) && near(shared[1].at(7, 0), 1, 1e-9));
    }

    void whichWordMadeThis() {
        const Trajectory t = record();
        const TokenMaps raw = reduceAttention(t, {0, {1}, {}, 0, {}});
        const auto words = wordsOf(t.tokens);
        auto answer = wordsAt(raw, words, {0.75, 0.25, 1, 0.75});
        QCOMPARE(answer[0].text, std::string("blue"));
        QVERIFY(near(answer[0].concentration, 2, 1e-3));  // all of it lies in half of the image
        QVERIFY(near(answer[1].concentration, 0, 1e-6));
        answer = wordsAt(raw, words, {0, 0, 1, 1});
        QVERIFY(near(answer[0].concentration, 1, 1e-9));
        QVERIFY(wordsAt(raw, words, {0.5, 0.5, 0.5, 0.9}).empty());
    }

    void overTime() {
        const Trajectory t = record();
        const auto m = entropyMatrix(t, 0);
        QCOMPARE(m.rows.size(), 3u);
        QCOMPARE(m.evaluations.size(), 3u);
        QVERIFY(near(m.values[4], 0.5, 1e-6));
        const auto mass = massOverTime(t, 0, wordsOf(t.tokens)[1]);
        QCOMPARE(mass.mean.size(), 3u);
        QVERIFY(near(mass.peak[2] / mass.peak[0], 3, 0.02));
        QVERIFY(mass.mean[0] < mass.peak[0]);
    }

    void colourMapsRiseInLightness() {
        for (const auto& map : colourMaps()) {
            double before = lightness(map.table[0]);
            const int end = map.isDiverging ? 127 : 255;
            for (int i = 1; i <= end; ++i) {
                const double l = lightness(map.table[std::size_t(i)]);
                QVERIFY2(l > before - 0.35, map.id.c_str());  // 8 bits round by so much
                before = l;
            }
            const double rise = lightness(map.table[std::size_t(end)]) - lightness(map.table[0]);
            QVERIFY2(rise > 50, map.id.c_str());
            // Straight: the middle of the arm is about half way.
            QVERIFY2(near(lightness(map.table[std::size_t(end / 2)]) - lightness(map.table[0]), rise / 2, 5),
                     map.id.c_str());
        }
        // Entries of the published viridis, between the colours that the curve goes through too.
        const std::pair<std::size_t, Rgb> published[] = {
            {0, {0x44, 0x01, 0x54}},   {64, {0x3b, 0x52, 0x8b}},  {119, {0x23, 0x88, 0x8e}}, {128, {0x21, 0x91, 0x8c}},
            {187, {0x54, 0xc5, 0x68}}, {192, {0x5e, 0xc9, 0x62}}, {221, {0xa5, 0xdb, 0x36}}, {255, {0xfd, 0xe7, 0x25}}};
        for (const auto& [i, colour] : published)
            for (std::size_t c = 0; c < 3; ++c)
                QVERIFY2(std::abs(int(colourMaps()[0].table[i][c]) - int(colour[c])) <= 1,
                         qPrintable(QString::number(i)));
        QVERIFY(findColourMap("viridis") == &colourMaps().front());
        QVERIFY(!findColourMap("jet"));
        QVERIFY(colourMaps()[0].at(NAN) == (Rgb{128, 128, 128}));
        QVERIFY(colourMaps()[0].at(-3) == colourMaps()[0].table[0]
                && colourMaps()[0].at(9) == colourMaps()[0].table[255]);
    }

    void metrics() {
        Image p(16, 12, {100, 150, 200}), q = p;
        const auto same = compareImages(tensorOf(p), tensorOf(q));
        QVERIFY(same.ok() && std::isinf(same->psnr) && near(same->ssim, 1, 1e-12));
        q.at(3, 4)[0] = 151;
        const auto other = compareImages(tensorOf(p), tensorOf(q));
        QVERIFY(near(other->largest, 0.2, 1e-6) && near(other->mse, 0.04 / 576, 1e-7) && other->ssim < 1
                && other->ssim > 0.9);
        QVERIFY(near(other->psnr, -10 * std::log10(0.04 / 576), 1e-3));
        QVERIFY(!compareImages(tensorOf(p), tensorOf(Image(3, 3))).ok());
        QVERIFY(!compareImages(tensorOf(p), {}).ok());
    }

    void spritePrompts() {
        const auto prompts = randomSpritePrompts(500, 99);
        QCOMPARE(prompts.size(), 500u);
        QVERIFY(prompts == randomSpritePrompts(500, 99));
        int single = 0;
        for (const auto& p : prompts) {
            const auto s = parseSpritePrompt(p);
            QVERIFY2(s.has_value(), p.c_str());
            QCOMPARE(promptOf(*s), p);
            single += s->objects.size() == 1;
        }
        QVERIFY(single > 70 && single < 130);
        for (const char* bad : {"", "a red circle", "a red circle on a red background",
                                "a green circle on a green background", "two dogs"})
            QVERIFY(!parseSpritePrompt(bad));
    }

    void fidelity() {
        const auto first = judgeSprite(drawSprite(*parseSpritePrompt("a red circle on a white background")),
                                       "a red circle on a white background");
        if (!first.ok()) QSKIP(first.error().text.c_str());
        QVERIFY2(first->isFaithful, first->reason.c_str());
        for (const auto& prompt : randomSpritePrompts(60, 3)) {
            const auto scene = *parseSpritePrompt(prompt);
            const Image p = drawSprite(scene);
            const auto v = judgeSprite(p, prompt);
            QVERIFY2(v.ok() && v->isFaithful, (prompt + ": " + v->reason).c_str());
            // Another shape, colour or relation is refused.
            for (int k = 0; k < 3; ++k) {
                auto wrong = scene;
                if (k == 0) wrong.objects[0].second = wrong.objects[0].second == "circle" ? "square" : "circle";
                if (k == 1) wrong.objects[0].first = wrong.objects[0].first == "red" ? "blue" : "red";
                if (k == 2) {
                    if (wrong.relation.empty() || wrong.objects[0] == wrong.objects[1])
                        continue;  // two equal objects: each may be the first
                    wrong.relation = wrong.relation == "above" ? "left of" : "above";
                }
                const auto no = judgeSprite(p, promptOf(wrong));
                QVERIFY2(no.ok() && !no->isFaithful, promptOf(wrong).c_str());
            }
        }
        QVERIFY(!judgeSprite(Image(32, 32), "a red circle on a white background")->isFaithful);
        QVERIFY(!judgeSprite(Image(8, 8), "a red circle on a white background").ok());
    }
};

QTEST_GUILESS_MAIN(TestAttention)
#include "tst_attention.moc"
