// Damaged projects: whatever is done to the bytes, opening gives a project or a sentence, the damaged file is left
// alone, and sound runs are rescued.
#include <sqlite3.h>

#include <QtTest>
#include <filesystem>
#include <fstream>

#include "engine/project/project_store.h"
#include "engine/project/recovery.h"
#include "engine/project/tensor_blob.h"
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
void sql(const std::string& path, const std::string& text) {
    sqlite3* db = nullptr;
    QCOMPARE(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    QCOMPARE(sqlite3_exec(db, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
}

}  // namespace

class TestDamage : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::string m_sound;
    std::vector<Run> m_runs;
    std::string at(const char* name) { return m_folder.filePath(name).toStdString(); }
    // What came of opening: number of runs, or −1 for a sentence. Everything that opens is read to the end.
    int tryOpen(const std::string& path) {
        auto store = ProjectStore::open(path);
        if (!store) {
            if (store.error().text.size() < 20) qFatal("no sentence");
            return -1;
        }
        const auto runs = (*store)->runs();
        if (!runs) return -1;
        for (const auto& r : *runs) {
            const auto t = (*store)->loadTrajectory(r.id);
            if (!t && t.error().text.size() < 10) qFatal("no sentence");
            static_cast<void>((*store)->loadImages(r.id));
        }
        return int(runs->size());
    }

private slots:
    void initTestCase() {
        m_sound = at("sound.meander");
        auto store = std::move(*ProjectStore::create(m_sound));
        for (unsigned i = 0; i < 4; ++i) {
            m_runs.push_back(fake::finished(fake::run(30 + i, 3, 1)));
            store->finishRun(m_runs.back());
        }
        QVERIFY(store->close().ok());
        QCOMPARE(tryOpen(m_sound), 4);
    }

    void truncatedFiles() {
        const std::string whole = contents(m_sound), path = at("cut.meander");
        for (const double share : {0.001, 0.02, 0.3, 0.6, 0.9, 0.99}) {
            const std::string cut = whole.substr(0, std::size_t(share * double(whole.size())));
            put(path, cut);
            const int runs = tryOpen(path);
            QVERIFY2(contents(path) == cut, qPrintable(QString("%1 %2").arg(share).arg(runs)));
        }
    }

    void flippedBytes() {
        const std::string whole = contents(m_sound), path = at("flip.meander");
        std::mt19937 random(5);
        int rescued = 0;
        for (int round = 0; round < 25; ++round) {
            std::string bytes = whole;
            // A page is overwritten, or some bytes.
            if (round % 2 == 0) {
                const std::size_t page = 1 + random() % (whole.size() / 4096 - 1);
                for (std::size_t i = 0; i < 4096; ++i) bytes[page * 4096 + i] = char(random());
            } else {
                for (int k = 0; k < 20; ++k) bytes[100 + random() % (whole.size() - 100)] ^= char(1u << (random() % 8));
            }
            put(path, bytes);
            rescued += tryOpen(path) > 0 ? 1 : 0;
            for (const auto& entry : fs::directory_iterator(m_folder.path().toStdString()))
                if (entry.path().filename().string().find("recovered") != std::string::npos) fs::remove(entry.path());
        }
        QVERIFY2(rescued >= 10, qPrintable(QString::number(rescued)));
    }

    void rescueNamesTheCopy() {
        const std::string path = at("rescue.meander");
        std::string bytes = contents(m_sound);
        // The root page of the tensor table's index is of no use for reading: damage to it is found, and all runs are
        // rescued.
        sqlite3* db = nullptr;
        QCOMPARE(sqlite3_open(m_sound.c_str(), &db), SQLITE_OK);
        sqlite3_stmt* s = nullptr;
        sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'tensor_run'", -1, &s, nullptr);
        QCOMPARE(sqlite3_step(s), SQLITE_ROW);
        const auto page = std::size_t(sqlite3_column_int(s, 0));
        sqlite3_finalize(s);
        sqlite3_close(db);
        for (std::size_t i = 0; i < 200; ++i) bytes[(page - 1) * 4096 + i] = char(0xA5);
        put(path, bytes);
        auto store = ProjectStore::open(path);
        QVERIFY2(store.ok(), store ? "" : store.error().text.c_str());
        QVERIFY((*store)->path() != path);
        QVERIFY2((*store)->note().find("4 runs") != std::string::npos, (*store)->note().c_str());
        QVERIFY(contents(path) == bytes);
        // Looking again makes no second copy.
        const std::string copy = (*store)->path();
        QVERIFY((*store)->close().ok());
        store = ProjectStore::open(path);
        QVERIFY(store.ok());
        QCOMPARE((*store)->path(), copy);
        QVERIFY2((*store)->note().find("opened before") != std::string::npos, (*store)->note().c_str());
        const auto rescued = *(*store)->runs();
        QCOMPARE(rescued.size(), 4u);
        for (std::size_t i = 0; i < rescued.size(); ++i) QCOMPARE(rescued[i].id, m_runs[i].id);  // in their order
        for (const auto& r : m_runs) QVERIFY(fake::same(**(*store)->loadTrajectory(r.id), *r.trajectory));
    }

    void lyingTensors() {
        const HostTensor t = fake::noise({3, 4, 5}, 1);
        const auto good = packTensor(t);
        QVERIFY(unpackTensor(good).sameBits(t));
        for (const Shape& shape : {Shape{}, Shape{0}, Shape{1, 0, 3}, Shape{7}}) {
            const HostTensor x = fake::noise(shape, 2);
            QVERIFY(unpackTensor(packTensor(x)).sameBits(x));
            QVERIFY(unpackTensor(packTensor(x.toF16())).sameBits(x.toF16()));
        }
        const auto refused = [](const std::vector<std::byte>& blob) {
            try {
                unpackTensor(blob);
            } catch (const Failure&) {
                return true;
            }
            return false;
        };
        auto huge = good;  // says that it is 2^40 elements
        const std::int64_t many = std::int64_t(1) << 40;
        std::memcpy(huge.data() + 16, &many, 8);
        QVERIFY(refused(huge));
        auto larger = good;  // 30 instead of 3: the frame gives less
        larger[16] = std::byte(30);
        QVERIFY(refused(larger));
        auto smaller = good;
        smaller[16] = std::byte(2);
        QVERIFY(refused(smaller));
        auto other = good;
        other[9] ^= std::byte(1);
        QVERIFY(refused(other));
        for (std::size_t n = 0; n < good.size(); ++n)
            QVERIFY(refused({good.begin(), good.begin() + std::ptrdiff_t(n)}));
        // Any change of one byte is seen or harmless; nothing crashes.
        for (std::size_t i = 0; i < good.size(); ++i)
            for (const int bit : {0, 3, 7}) {
                auto bytes = good;
                bytes[i] ^= std::byte(1 << bit);
                static_cast<void>(refused(bytes));
            }
    }

    void lyingRows() {
        for (const char* change :
             {"UPDATE tensor SET data = x'4D5431'", "UPDATE evaluation SET idx = idx + 500",
              "UPDATE attention SET site = site + 77, heads = -4", "UPDATE run SET header = '{\"recipe\": 3}'",
              "UPDATE run SET sites = '[[[[', tokens = '{}'", "UPDATE run SET levels = NULL, initial = 99999",
              "DELETE FROM tensor WHERE id % 3 = 0", "UPDATE step SET state = (SELECT pictures FROM run LIMIT 1)",
              "UPDATE model SET json = '{\"process\": {\"kind\": \"variance preserving\", \"alphas_cumprod\": [2, "
              "3]}}'",
              "UPDATE meta SET value = 'x'; UPDATE run SET number = -9", "UPDATE attention SET image = 60000",
              "ALTER TABLE run RENAME COLUMN header TO other", "DROP TABLE meta", "DROP TABLE run"}) {
            const std::string path = at("rows.meander");
            fs::copy_file(m_sound, path, fs::copy_options::overwrite_existing);
            sql(path, change);
            static_cast<void>(tryOpen(path));
        }
    }

    void oneBadTensorCostsOneRunOnly() {
        const std::string path = at("one.meander");
        fs::copy_file(m_sound, path, fs::copy_options::overwrite_existing);
        sql(path, "UPDATE tensor SET data = x'00' WHERE id = (SELECT denoised FROM evaluation WHERE idx = 2 AND run = '"
                      + m_runs[1].id + "')");
        auto store = std::move(*ProjectStore::open(path));
        QVERIFY(store->loadTrajectory(m_runs[0].id).ok());
        QVERIFY(!store->loadTrajectory(m_runs[1].id).ok());
        QVERIFY(store->close().ok());
        const auto copy = recoverProject(path);
        QVERIFY2(copy.ok(), copy ? "" : copy.error().text.c_str());
        QCOMPARE(copy->runs, 4);
        QCOMPARE(copy->damagedRuns, 1);
        auto rescued = std::move(*ProjectStore::open(copy->path));
        QCOMPARE((*rescued->loadTrajectory(m_runs[1].id))->evaluations.size(), 2u);
    }
};

QTEST_GUILESS_MAIN(TestDamage)
#include "tst_damage.moc"
