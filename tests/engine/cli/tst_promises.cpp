// What texts promise and what words they use: menus, tooltips, help, manual pages and the store's description name only
// formats that open and features that exist, and no internal name of the code.
#include <QtTest>

#include "engine/guidance/guidance.h"
#include "engine/run/initial_state.h"
#include "engine/sampling/noise/noise.h"
#include "engine/sampling/sampling.h"
#include "engine/schedule/schedule.h"

using namespace meander;

namespace {

// Words that were promised before they were true. Whoever makes one true takes it off this list.
const char* const notYet[] = {"comparisons and sweeps", "compares, sweeps"};
// Endings in file filters and in brackets: all that something reads or writes.
const QStringList endings = {"meander", "json", "txt", "png", "jpg", "jpeg", "webp", "safetensors", "gguf", "ckpt",
                             "pt",      "pth",  "bin", "csv", "npy", "svg",  "pdf",  "md",          "log"};

QString textOf(const QString& path) {
    QFile f(path);
    return f.open(QIODevice::ReadOnly) ? QString::fromUtf8(f.readAll()) : QString();
}

// The texts in tr("…") of a source file, joined pieces as one.
QStringList translatedTexts(const QString& source) {
    static const QRegularExpression call(R"re(\btr\(\s*((?:"(?:[^"\\\n]|\\.)*"\s*)+))re");
    static const QRegularExpression piece(R"re("((?:[^"\\\n]|\\.)*)")re");
    QStringList texts;
    for (auto m = call.globalMatch(source); m.hasNext();) {
        QString text;
        for (auto p = piece.globalMatch(m.next().captured(1)); p.hasNext();) text += p.next().captured(1);
        texts.append(text);
    }
    return texts;
}

// File → its texts for people.
QMap<QString, QStringList> promisedTexts() {
    const QString root = QStringLiteral(MEANDER_SOURCE_DIR "/");
    QMap<QString, QStringList> all;
    QDirIterator sources(root + "gui", {"*.cpp", "*.h"}, QDir::Files, QDirIterator::Subdirectories);
    while (sources.hasNext()) {
        const QString path = sources.next();
        all[path.mid(root.size())] = translatedTexts(textOf(path));
    }
    for (const QString folder : {"resources/help/", "installer/desktop/", "installer/man/"})
        for (const QString& name : QDir(root + folder).entryList({"*.md", "*.xml", "*.desktop", "*.1"}, QDir::Files))
            all[folder + name] = {textOf(root + folder + name)};
    return all;
}

}  // namespace

class TestPromises : public QObject {
    Q_OBJECT
private slots:
    void onlyWhatWorks() {
        const auto all = promisedTexts();
        int texts = 0;
        for (auto it = all.begin(); it != all.end(); ++it)
            for (const QString& text : it.value()) {
                ++texts;
                for (const char* word : notYet)
                    QVERIFY2(!text.contains(QRegularExpression(word, QRegularExpression::CaseInsensitiveOption)),
                             qPrintable(it.key() + " promises " + word + ": " + text.left(200)));
                static const QRegularExpression ending(R"((?:\*\.|\(\.|, \.)([a-z0-9]{2,12})\b)");
                for (auto m = ending.globalMatch(text); m.hasNext();) {
                    const QString e = m.next().captured(1);
                    QVERIFY2(endings.contains(e), qPrintable(it.key() + " names ." + e + ": " + text.left(200)));
                }
            }
        qInfo() << texts << "texts in" << all.size() << "files";
        QVERIFY(texts > 500);
    }

    // Names of the code, as a renaming leaves them behind: words with a capital inside that are no proper name.
    void noInternalNames() {
        static const QStringList proper = {"ComfyUI",
                                           "DeepCache",
                                           "TeaCache",
                                           "SeaCache",
                                           "TaylorSeer",
                                           "MasaCtrl",
                                           "FreeU",
                                           "FreSca",
                                           "DiT",
                                           "UniPC",
                                           "OpenCV",
                                           "ParaDiGMS",
                                           "RePaint",
                                           "InfEdit",
                                           "InstructPix2Pix",
                                           "SuperDiff",
                                           "StreamDiffusion",
                                           "RenormCFG",
                                           "OptimalSteps",
                                           "ReFlow",
                                           "TrigFlow",
                                           "BrownianTree",
                                           "FlowMatchEuler",
                                           "FlowMatch",
                                           "SplitSigmas",
                                           "FlipSigmas",
                                           "SetFirstSigma",
                                           "ExtendIntermediateSigmas",
                                           "DynSF",
                                           "UniC",
                                           "StepStop",
                                           "SDTurboScheduler",
                                           "CFGNorm",
                                           "CFGZeroStar",
                                           "DPMSolver",
                                           "ScoreSDE",
                                           "FastDiff",
                                           "DDPMScheduler",
                                           "PerpNeg"};
        static const QRegularExpression word(R"(\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b)");
        int texts = 0;
        const auto check = [&](const std::string& owner, const std::string& text) {
            ++texts;
            for (auto m = word.globalMatch(QString::fromStdString(text)); m.hasNext();) {
                const QString w = m.next().captured();
                QVERIFY2(proper.contains(w), qPrintable(QString::fromStdString(owner + ": " + text)));
            }
        };
        const auto walk = [&](const auto& table) {
            for (const auto& row : table) {
                check(row.id, row.label);
                check(row.id, row.summary);
                for (const ParamSpec& p : row.params) {
                    check(row.id + "." + p.key, p.label);
                    check(row.id + "." + p.key, p.help);
                    for (const ParamChoice& c : p.choices) check(row.id + "." + p.key, c.label);
                }
            }
        };
        walk(samplers());
        walk(schedules());
        walk(scheduleOperators());
        walk(guidanceRules());
        walk(noiseSources());
        walk(starts());
        qInfo() << texts << "texts";
        QVERIFY(texts > 1000);
    }
};

QTEST_GUILESS_MAIN(TestPromises)
#include "tst_promises.moc"
