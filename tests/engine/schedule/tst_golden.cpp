// Schedules against the levels that other tools give (data/golden.tsv), at a relative 1e-5: the tables are 32-bit
// results printed with 7 digits or more.
#include <QtTest>
#include <cmath>
#include <fstream>
#include <sstream>

#include "engine/schedule/schedule.h"

using namespace meander;

namespace {

Process processOf(const std::string& name) {
    if (name == "sd15") return Process::vpScaledLinear(1000, 0.00085, 0.012);
    if (name == "ddpm") return Process::vpLinear(1000, 1e-4, 0.02);
    if (name.starts_with("edm")) return Process::varianceExploding(0.002, std::stod(name.substr(3)));
    if (name.starts_with("flow")) return Process::rectifiedFlow(1000, std::stod(name.substr(4)));
    throw Failure("no process " + name);
}

struct Row {
    std::string tool, model, schedule, params;
    int steps = 0;
    std::vector<double> values;
};

std::vector<Row> rows() {
    std::ifstream file(MEANDER_SOURCE_DIR "/tests/engine/schedule/data/golden.tsv");
    std::vector<Row> list;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::vector<std::string> cells;
        std::istringstream cut(line);
        for (std::string cell; std::getline(cut, cell, '\t');) cells.push_back(cell);
        Row r{cells.at(0), cells.at(1), cells.at(2), cells.at(4), std::stoi(cells.at(3)), {}};
        std::istringstream numbers(cells.at(5));
        // Tools that visit a training step twice take a step of no size; here it is one level.
        for (double v; numbers >> v;)
            if (r.values.empty() || r.values.back() != v) r.values.push_back(v);
        list.push_back(std::move(r));
    }
    return list;
}

Params paramsOf(const Row& r) {
    const auto* info = findSchedule(r.schedule);
    Params params;
    std::istringstream words(r.params);
    for (std::string word; words >> word;) {
        const auto equals = word.find('=');
        for (const auto& s : info->params)
            if (s.key == word.substr(0, equals)) params[s.key] = *parseParam(s, word.substr(equals + 1));
        if (!params.contains(word.substr(0, equals))) throw Failure(r.schedule + " has no parameter " + word);
    }
    return params;
}

}  // namespace

class TestGolden : public QObject {
    Q_OBJECT
private slots:
    void tableIsComplete() {
        const auto all = rows();
        QVERIFY(all.size() > 600);
        std::map<std::string, int> perTool;
        for (const auto& r : all) ++perTool[r.tool];
        for (const char* tool : {"ComfyUI", "Forge", "diffusers", "sd.cpp", "k-diffusion", "diffusers steps"})
            QVERIFY2(perTool[tool] > 0, tool);
    }
    void levels_data() {
        QTest::addColumn<int>("index");
        const auto all = rows();
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Row& r = all[i];
            QTest::newRow(
                (r.tool + ", " + r.model + ", " + r.schedule + " " + std::to_string(r.steps) + " " + r.params).c_str())
                << int(i);
        }
    }
    void levels() {
        static const auto all = rows();
        QFETCH(int, index);
        const Row& r = all[std::size_t(index)];
        const Process process = processOf(r.model);
        const auto made = makeSchedule(r.schedule, process, r.steps, paramsOf(r));
        QVERIFY2(made.ok(), made.ok() ? "" : made.error().text.c_str());
        auto got = *made;
        const bool isSteps = r.tool == "diffusers steps";
        if (isSteps) {
            got.pop_back();
            for (double& tau : got) tau = process.networkTime(tau);
        }
        QCOMPARE(got.size(), r.values.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            // A training step read back from a 32-bit level: 2e-3 is more than its rounding, and whole steps lie 1
            // apart.
            const double allowed = isSteps ? 2e-3 : 1e-5 * std::abs(r.values[i]);
            const double want = isSteps ? double(float(r.values[i])) : r.values[i];
            QVERIFY2(
                std::abs(got[i] - want) <= allowed,
                qPrintable(QString("level %1: %2 instead of %3").arg(i).arg(got[i], 0, 'g', 9).arg(want, 0, 'g', 9)));
        }
    }
};

QTEST_GUILESS_MAIN(TestGolden)
#include "tst_golden.moc"
