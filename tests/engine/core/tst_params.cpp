// Parameters that describe themselves, and JSON of others.
#include <QTemporaryDir>
#include <QtTest>
#include <cmath>

#include "engine/core/json.h"
#include "engine/core/params.h"
#include "engine/core/unsigned_param.h"

using namespace meander;

namespace {
std::vector<ParamSpec> specs() {
    ParamSpec eta, steps, on, kind, list;
    eta.key = "eta", eta.label = "Eta", eta.kind = ParamKind::Real, eta.defaultValue = 1.0, eta.maximum = 2;
    steps.key = "steps", steps.label = "Steps", steps.kind = ParamKind::Integer, steps.defaultValue = std::int64_t(4),
    steps.minimum = 1, steps.maximum = 10;
    on.key = "on", on.label = "On", on.kind = ParamKind::Toggle, on.defaultValue = false;
    kind.key = "kind", kind.label = "Kind", kind.kind = ParamKind::Choice, kind.defaultValue = std::string("a"),
    kind.choices = {{"a", "A"}, {"b", "B"}};
    list.key = "list", list.label = "List", list.kind = ParamKind::List, list.defaultValue = std::vector<double>{},
    list.maximum = 100;
    return {eta, steps, on, kind, list};
}
}  // namespace

class TestParams : public QObject {
    Q_OBJECT
private slots:
    void defaultsAndConversions() {
        const auto p = resolveParams(specs(), {{"eta", std::int64_t(2)}, {"steps", 3.0}}, "the sampler");
        QVERIFY2(p.ok(), p.ok() ? "" : p.error().text.c_str());
        QCOMPARE(real(*p, "eta"), 2.0);
        QCOMPARE(integer(*p, "steps"), std::int64_t(3));
        QCOMPARE(toggle(*p, "on"), false);
        QCOMPARE(text(*p, "kind"), std::string("a"));
        QCOMPARE(int(p->size()), 5);
        QVERIFY_THROWS_EXCEPTION(Failure, real(*p, "other"));
        QVERIFY_THROWS_EXCEPTION(Failure, toggle(*p, "eta"));
    }
    void rejections() {
        for (const Params& bad : {Params{{"eta", 3.0}}, Params{{"eta", std::string("x")}}, Params{{"steps", 2.5}},
                                  Params{{"steps", std::int64_t(0)}}, Params{{"on", 1.0}},
                                  Params{{"kind", std::string("c")}}, Params{{"list", std::vector<double>{200}}},
                                  Params{{"unknown", 1.0}}, Params{{"eta", NAN}}, Params{{"eta", INFINITY}}}) {
            const auto p = resolveParams(specs(), bad, "the sampler");
            QVERIFY(!p.ok());
            QVERIFY2(p.error().text.find("the sampler") != std::string::npos, p.error().text.c_str());
        }
    }
    // The room of an owner may add a sentence about a parameter that it does not take.
    void hints() {
        const ParamHint hint = [](const std::string& key) {
            return key == "eta" ? std::string(" It is deterministic.") : std::string();
        };
        QCOMPARE(resolveParams({}, {{"eta", 0.5}}, "Euler", hint).error().text,
                 std::string("There is no parameter 'eta' of Euler. It takes none. It is deterministic."));
        QVERIFY(resolveParams({}, {{"rho", 0.5}}, "Euler", hint).error().text.ends_with("It takes none."));
    }
    // Whole numbers do not pass through a double.
    void wholeNumbersAreExact() {
        ParamSpec seed;
        seed.key = "seed", seed.label = "Seed", seed.kind = ParamKind::Integer, seed.maximum = unsignedMaximum;
        for (const char* text : {"9007199254740993", "9223372036854775808", "18446744073709551615", "0", "+7"})
            QCOMPARE(display(*parseParam(seed, text)), std::string(text[0] == '+' ? text + 1 : text));
        QCOMPARE(display(*parseParam(seed, "1e3")), std::string("1000"));
        for (const char* text : {"18446744073709551616", "-1"}) {
            const auto bad = parseParam(seed, text);
            QVERIFY(!bad && bad.error().text.find("between 0 and 18446744073709551615") != std::string::npos);
            QVERIFY(bad.error().text.find(text) != std::string::npos);
        }
        for (const std::uint64_t n :
             {std::uint64_t(5), std::uint64_t(INT64_MAX), std::uint64_t(1) << 63, ~std::uint64_t(0)}) {
            const auto read = resolveParams({seed}, *paramsFromJson(Json{{"seed", n}}), "Noise");
            QVERIFY(read && unsignedInteger(*read, "seed") == n && read->at("seed") == wholeParam(n));
            QVERIFY(*paramsFromJson(Json::parse(toJson(*read).dump())) == *read);
        }
        // Beyond a smaller range, both bounds stand in the sentence, whatever the number came from.
        seed.maximum = 100;
        for (const Json& n : {Json(101), Json(4294967297), Json(~std::uint64_t(0)), Json(1e300)}) {
            const auto bad = resolveParams({seed}, *paramsFromJson(Json{{"seed", n}}), "Noise");
            QVERIFY(!bad && bad.error().text.find("between 0 and 100") != std::string::npos);
        }
    }
    void jsonBothWays() {
        const Params p{{"a", true},
                       {"b", std::int64_t(-3)},
                       {"c", 2.5},
                       {"d", std::string("x")},
                       {"e", std::vector<double>{1, 2}}};
        const auto back = paramsFromJson(Json::parse(toJson(p).dump()));
        QVERIFY(back.ok());
        QVERIFY(*back == p);
        for (const char* bad : {"[1]", "3", R"({"a":{}})", R"({"a":["x"]})"})
            QVERIFY2(!paramsFromJson(Json::parse(bad)).ok(), bad);
        QVERIFY(paramsFromJson(Json()).ok());
    }
    void textBothWays() {
        const auto s = specs();
        QCOMPARE(display(*parseParam(s[0], " 1.25 ")), std::string("1.25"));
        QCOMPARE(display(*parseParam(s[1], "7")), std::string("7"));
        QCOMPARE(display(*parseParam(s[2], "on")), std::string("on"));
        QCOMPARE(display(*parseParam(s[3], "b")), std::string("b"));
        QCOMPARE(display(*parseParam(s[4], "[1, 2.5, 3]")), std::string("1, 2.5, 3"));
        for (const auto& [index, bad] :
             {std::pair{0, "x"}, {0, "1,5"}, {0, "3"}, {1, "2.5"}, {1, ""}, {2, "maybe"}, {3, "c"}, {4, "1, x"}})
            QVERIFY2(!parseParam(s[std::size_t(index)], bad).ok(), bad);
    }
    void jsonIsLimited() {
        QVERIFY(parseJson("[1]", "x").ok());
        QVERIFY(!parseJson("[1", "x").ok());
        QVERIFY(!parseJson("", "x").ok());
        QVERIFY(!parseJson(std::string(100000, '['), "x").ok());
        QVERIFY(parseJson("\"" + std::string(1000, '[') + "\"", "x").ok());
        QVERIFY(!parseJson("[1,2,3]", "x", {4, 8}).ok());
        QTemporaryDir folder;
        QVERIFY(!readJsonFile(folder.path().toStdString()).ok());
        QVERIFY(!readJsonFile(folder.filePath("none.json").toStdString()).ok());
    }
    void typedMembers() {
        const Json j = Json::parse(R"({"i":3,"d":2.5,"b":true,"t":"x","l":[1,2],"n":null,"whole":4.0})");
        QCOMPARE(jsonInteger(j, "i", 0, "x"), std::int64_t(3));
        QCOMPARE(jsonInteger(j, "whole", 0, "x"), std::int64_t(4));
        QCOMPARE(jsonInteger(j, "n", 7, "x"), std::int64_t(7));
        QCOMPARE(jsonReal(j, "i", 0, "x"), 3.0);
        QCOMPARE(jsonIntegers(j, "i", {}, 2, "x"), (std::vector<std::int64_t>{3, 3}));
        QCOMPARE(jsonIntegers(j, "l", {}, 2, "x"), (std::vector<std::int64_t>{1, 2}));
        QVERIFY_THROWS_EXCEPTION(Failure, jsonInteger(j, "d", 0, "x"));
        QVERIFY_THROWS_EXCEPTION(Failure, jsonInteger(j, "t", 0, "x"));
        QVERIFY_THROWS_EXCEPTION(Failure, jsonBool(j, "i", false, "x"));
        QVERIFY_THROWS_EXCEPTION(Failure, jsonText(j, "i", "", "x"));
        QVERIFY_THROWS_EXCEPTION(Failure, jsonTexts(j, "l", {}, "x"));
    }
};

QTEST_GUILESS_MAIN(TestParams)
#include "tst_params.moc"
