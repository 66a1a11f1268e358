// Damage in single bits anywhere in a project: it is refused, rescued with a word, told of the run and its part, or
// changes nothing that is read. None passes in silence.
// MEANDER_FLIPS: how many bits are flipped, one project each (short form: 200).
#include <sqlite3.h>

#include <QtTest>
#include <filesystem>
#include <fstream>

#include "engine/project/checksum.h"
#include "engine/project/project_store.h"
#include "engine/project/schema.h"
#include "tests/engine/project/fake_run.h"

using namespace meander;
namespace fs = std::filesystem;

namespace {

std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void put(const std::string& path, const std::string& bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << bytes;
}

bool sameRun(const Run& a, const Run& b) {
    return a.id == b.id && a.number == b.number && a.name == b.name && a.status == b.status && a.pinned == b.pinned
           && a.created == b.created && toJson(a) == toJson(b) && a.trajectory && b.trajectory
           && fake::same(*a.trajectory, *b.trajectory) && a.images.sameBits(b.images);
}

}  // namespace

class TestChecksums : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string m_sound;
    std::vector<Run> m_runs;
    std::string at(const char* name) { return m_folder.filePath(name).toStdString(); }

    void removeCopies() {
        for (const auto& entry : fs::directory_iterator(m_folder.path().toStdString()))
            if (entry.path().string() != m_sound) fs::remove(entry.path());
    }
    // Whether a project that differs from the sound one says so.
    enum class Seen { Refused, Rescued, Told, Harmless, Silent };
    Seen look(const std::string& path) {
        auto store = ProjectStore::open(path);
        if (!store) return Seen::Refused;
        if (!(*store)->note().empty()) return Seen::Rescued;
        const auto runs = (*store)->runs();
        if (!runs) return Seen::Told;
        bool isTold = runs->size() != m_runs.size(), isSame = !isTold;
        for (const Run& r : *runs) {
            const auto damage = (*store)->damage(r.id);
            isTold |= !damage || !damage->empty();
            const auto whole = (*store)->loadRun(r.id);
            const auto right = std::find_if(m_runs.begin(), m_runs.end(), [&](const Run& x) { return x.id == r.id; });
            isSame &= whole && right != m_runs.end() && sameRun(*whole, *right);
        }
        return isTold ? Seen::Told : isSame ? Seen::Harmless : Seen::Silent;
    }

private slots:
    void initTestCase() {
        m_sound = at("sound.meander");
        auto store = std::move(*ProjectStore::create(m_sound));
        for (unsigned i = 0; i < 3; ++i) {
            store->finishRun(fake::finished(fake::run(60 + i, 3, 1, 4)));
        }
        QVERIFY(store->close().ok());
        store = std::move(*ProjectStore::open(m_sound));
        for (const Run& r : std::vector<Run>(*store->runs())) m_runs.push_back(*store->loadRun(r.id));
        QCOMPARE(m_runs.size(), 3u);
        for (const Run& r : m_runs) QVERIFY(store->damage(r.id)->empty());
        QVERIFY(store->close().ok());
    }

    void flippedBits() {
        bool isGiven = false;
        const int wished = qEnvironmentVariableIntValue("MEANDER_FLIPS", &isGiven), count = isGiven ? wished : 200;
        const std::string whole = contents(m_sound), path = at("flipped.meander");
        std::mt19937 random(2);
        std::map<Seen, int> seen;
        for (int i = 0; i < count; ++i) {
            std::string bytes = whole;
            const std::size_t place = random() % bytes.size();
            bytes[place] = char(bytes[place] ^ char(1u << (random() % 8)));
            put(path, bytes);
            const Seen s = look(path);
            ++seen[s];
            QVERIFY2(s != Seen::Silent, qPrintable(QString("byte %1 of %2").arg(place).arg(bytes.size())));
            removeCopies();
        }
        qInfo("%d flips: %d refused, %d rescued, %d told of a run, %d changed nothing that is read", count,
              seen[Seen::Refused], seen[Seen::Rescued], seen[Seen::Told], seen[Seen::Harmless]);
        QVERIFY(seen[Seen::Told] > count / 10);
    }

    // Every column of every table that belongs to a run.
    void everyColumn_data() {
        QTest::addColumn<QString>("change");
        for (const char* change : {"UPDATE run SET name = 'x'",
                                   "UPDATE run SET number = 9",
                                   "UPDATE run SET pinned = 1",
                                   "UPDATE run SET status = 'cancelled'",
                                   "UPDATE run SET created = 'x'",
                                   "UPDATE run SET header = replace(header, 'circle', 'cirkle')",
                                   "UPDATE run SET levels = zeroblob(32)",
                                   "UPDATE run SET tokens = replace(tokens, 'circle', 'cirkle')",
                                   "UPDATE run SET sites = '[]'",
                                   "UPDATE run SET initial = (SELECT state FROM step LIMIT 1)",
                                   "UPDATE step SET t_from = 0.5 WHERE idx = 1",
                                   "UPDATE step SET stochastic = 1 - stochastic",
                                   "DELETE FROM step WHERE idx = 2",
                                   "UPDATE evaluation SET tau = tau + 0.001",
                                   "UPDATE evaluation SET weight = 4.0",
                                   "UPDATE evaluation SET milliseconds = 1",
                                   "DELETE FROM evaluation WHERE idx = 2",
                                   "UPDATE branch SET branch = 'unconditional' WHERE position = 0",
                                   "DELETE FROM branch WHERE position = 2",
                                   "UPDATE reading SET name = 'x'",
                                   "UPDATE reading SET numbers = zeroblob(8)",
                                   "DELETE FROM reading",
                                   "UPDATE attention SET entropy = zeroblob(8)",
                                   "UPDATE attention SET heads = heads + 1",
                                   "DELETE FROM attention WHERE site = 1",
                                   "UPDATE model SET json = replace(json, 'Sprites', 'Spites')",
                                   "UPDATE tensor SET data = x'00' WHERE id = 3"})
            QTest::newRow(change) << change;
    }
    void everyColumn() {
        QFETCH(QString, change);
        const std::string path = at("column.meander");
        fs::copy_file(m_sound, path, fs::copy_options::overwrite_existing);
        sqlite3* db = nullptr;
        QCOMPARE(sqlite3_open(path.c_str(), &db), SQLITE_OK);
        addRowSum(db);
        QCOMPARE(sqlite3_exec(db, change.toUtf8().constData(), nullptr, nullptr, nullptr), SQLITE_OK);
        QVERIFY(sqlite3_changes(db) > 0);
        sqlite3_close(db);
        auto store = std::move(*ProjectStore::open(path));
        int told = 0;
        for (const Run& r : std::vector<Run>(*store->runs())) told += !store->damage(r.id)->empty();
        QVERIFY(told > 0);
        QVERIFY(store->close().ok());
        removeCopies();
    }

    // Names, pins and what is removed may change: the sums follow.
    void changesAreNoDamage() {
        const std::string path = at("changed.meander");
        fs::copy_file(m_sound, path, fs::copy_options::overwrite_existing);
        auto store = std::move(*ProjectStore::open(path));
        store->updateRun(m_runs[0].id, "another name", true);
        store->removeRun(m_runs[1].id);
        store->restoreRun(m_runs[1].id);
        store->saveDraft(m_runs[0].recipe);
        QVERIFY(store->close().ok());
        store = std::move(*ProjectStore::open(path));
        QVERIFY(store->note().empty());
        for (const Run& r : std::vector<Run>(*store->runs())) QVERIFY(store->damage(r.id)->empty());
        QCOMPARE(store->runs()->front().name, std::string("another name"));
        // A damaged row does not become sound by being renamed.
        QVERIFY(store->close().ok());
        sqlite3* db = nullptr;
        QCOMPARE(sqlite3_open(path.c_str(), &db), SQLITE_OK);
        sqlite3_exec(db, "UPDATE run SET header = replace(header, 'circle', 'cirkle')", nullptr, nullptr, nullptr);
        sqlite3_close(db);
        store = std::move(*ProjectStore::open(path));
        store->updateRun(m_runs[0].id, "a third name", false);
        QVERIFY(store->flush().ok());
        QVERIFY(!store->damage(m_runs[0].id)->empty());
    }

    // A project of the version before gets its sums when it is opened.
    void versionTwo() {
        const std::string path = at("version2.meander");
        fs::copy_file(MEANDER_SOURCE_DIR "/tests/engine/project/data/version2.meander", path);
        auto store = std::move(*ProjectStore::open(path));
        QVERIFY2(store->note().empty(), store->note().c_str());
        const auto runs = *store->runs();
        QVERIFY(!runs.empty());
        for (const Run& r : runs) {
            QVERIFY(store->damage(r.id)->empty());
            QVERIFY(!(*store->loadTrajectory(r.id))->evaluations.empty());
        }
        QVERIFY(store->close().ok());
        sqlite3* db = nullptr;
        QCOMPARE(sqlite3_open(path.c_str(), &db), SQLITE_OK);
        sqlite3_exec(db, "UPDATE evaluation SET tau = tau * 1.5", nullptr, nullptr, nullptr);
        sqlite3_close(db);
        store = std::move(*ProjectStore::open(path));
        for (const Run& r : runs) QVERIFY(!store->damage(r.id)->empty());
    }
};

QTEST_GUILESS_MAIN(TestChecksums)
#include "tst_checksums.moc"
