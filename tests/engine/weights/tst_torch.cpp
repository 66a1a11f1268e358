// PyTorch files: tensors of both layouts, and nothing else. Whatever else a pickle wants is refused by its name.
#include <chrono>

#include "tests/engine/weights/weight_fixtures.h"

using namespace meander;
using namespace meander::test;

namespace {

constexpr std::string_view oldMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);

// The layout before 1.6 around one pickle.
std::string oldFile(const std::string& object) {
    Bytes b;
    b.raw(oldMagic).raw("\x80\x02M\xe9\x03.").raw("\x80\x02}.").raw(object).raw(std::string_view("\x80\x02]q\0.", 6));
    return b;
}

std::string imports(const std::string& module, const std::string& name, const std::string& then = ".") {
    return "\x80\x02"
           "c"
           + module + "\n" + name + "\n" + then;
}

std::string textOf(const std::string& bytes) {
    const auto file = WeightFile::fromBytes(bytes, "test");
    return file ? std::string() : file.error().text;
}

// (name, storage of `count` floats, offset, extents, strides), as a dictionary of one tensor with its data.
std::string oneTensor(std::int32_t count, std::int32_t offset, std::vector<std::int32_t> extents,
                      std::vector<std::int32_t> strides, std::int32_t stored) {
    const auto number = [](std::int32_t n) { return std::string(Bytes().raw("J").add(n)); };
    const auto tuple = [&](const std::vector<std::int32_t>& list) {
        std::string t = "(";
        for (const auto n : list) t += number(n);
        return t + "t";
    };
    std::string object = "\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x01"
                         "0U\x03"
                         "cpu"
                         + number(count) + "tQ" + number(offset) + tuple(extents) + tuple(strides) + "\x89}tRs.";
    Bytes b;
    b.raw(oldMagic)
        .raw("\x80\x02M\xe9\x03.")
        .raw("\x80\x02}.")
        .raw(object)
        .raw("\x80\x02]U\x01"
             "0a.");
    b.add(std::int64_t(stored)).append(std::size_t(std::max(0, stored)) * 4, '\1');
    return b;
}

}  // namespace

class TestTorch : public QObject {
    Q_OBJECT
private slots:
    void golden_data() {
        QTest::addColumn<QString>("name");
        QTest::newRow("zip") << "new.pth";
        QTest::newRow("before 1.6") << "old.pth";
    }
    void golden() {
        QFETCH(QString, name);
        const auto file = WeightFile::open(goldenPath(qPrintable(name)).toStdString());
        QVERIFY2(file.ok(), file.ok() ? "" : file.error().text.c_str());
        const std::map<std::string, std::pair<std::vector<std::int64_t>, std::vector<float>>> want{
            {"matrix", {{2, 3}, {0, 0.5f, 1, 1.5f, 2, 2.5f}}},
            {"transposed", {{3, 2}, {0, 1.5f, 0.5f, 2, 1, 2.5f}}},
            {"slice", {{2, 2}, {0.5f, 1, 2, 2.5f}}},
            {"half", {{3}, {1.5f, -2, 0.25f}}},
            {"brain", {{2}, {1, -2}}},
            {"more.0", {{}, {40000}}},
            {"more.1.deep", {{1}, {-2}}}};
        QCOMPARE(file->entries().size(), want.size());
        for (const auto& [tensor, expected] : want) {
            QCOMPARE(file->entries().at(tensor).extents, expected.first);
            QCOMPARE(file->read(tensor).floats(), expected.second);
        }
        QVERIFY(file->read("half").format == WeightFormat::F16 && file->read("brain").format == WeightFormat::BF16);
        QCOMPARE(file->metadata().at("epoch"), std::string("12"));
        QCOMPARE(file->metadata().at("name"), std::string("golden"));
    }

    void importsAreRefusedByName_data() {
        QTest::addColumn<QByteArray>("object");
        QTest::addColumn<QString>("name");
        const auto add = [](const char* row, const std::string& object, const char* name) {
            QTest::newRow(row) << QByteArray::fromStdString(object) << QString(name);
        };
        add("os.system",
            imports("os", "system",
                    "(U\x04true"
                    "tR."),
            "os.system");
        add("posix.system", imports("posix", "system"), "posix.system");
        add("builtins.eval", imports("builtins", "eval"), "builtins.eval");
        add("never called", imports("subprocess", "Popen", "0}."), "subprocess.Popen");
        add("by names on the stack", "\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system");
        add("a module's relative", imports("torch._utils", "_rebuild_sparse_tensor"), "torch._utils._rebuild_sparse");
        add("a class", imports("__main__", "Model", ")\x81}b."), "__main__.Model");
        add("hidden in an allowed prefix", imports("torch", "FloatStorage.__init__"), "torch.FloatStorage.__init__");
        add("network of NVlabs", imports("torch_utils.persistence", "_reconstruct_persistent_obj"),
            "torch_utils.persistence._reconstruct_persistent_obj");
    }
    void importsAreRefusedByName() {
        QFETCH(QByteArray, object);
        QFETCH(QString, name);
        const std::string bytes = oldFile(object.toStdString()), text = textOf(bytes);
        QVERIFY(bytes.size() < 300);
        QVERIFY2(text.find(name.toStdString()) != std::string::npos, text.c_str());
        QVERIFY(text.find("damaged") == std::string::npos);
    }

    void liesAreSentences_data() {
        QTest::addColumn<QByteArray>("bytes");
        const auto add = [](const char* name, const std::string& bytes) {
            if (bytes.size() >= 300) qFatal("a case of %zu bytes", bytes.size());
            QTest::newRow(name) << QByteArray::fromStdString(bytes);
        };
        const auto pickle = [&](const char* name, std::string_view object) {
            add(name, oldFile("\x80\x02" + std::string(object)));
        };
        pickle("nothing on the stack", ".");
        pickle("no mark", "u.");
        pickle("a mark below the stack", "((0.");
        pickle("pop of an empty stack", "0.");
        pickle("append to a number", "K\x01K\x02"
                                     "a.");
        pickle("a value without a key", "}(K\x01u.");
        pickle("a memo that is not there", std::string_view("h\x05.", 3));
        pickle("a call of a number", "K\x01)R.");
        pickle("a storage type called", "ctorch\nFloatStorage\n)R.");
        pickle("a storage of a number", "K\x01Q.");
        pickle("a storage without parts", ")Q.");
        pickle("a tensor without arguments", "ctorch._utils\n_rebuild_tensor_v2\n)R.");
        pickle("an extension code", std::string_view("\x82\x01.", 3));
        pickle("an old instance", "(ios\nsystem\n.");
        pickle("a long text", std::string_view("X\xff\xff\xff\x7f.", 6));
        pickle("a longer text", std::string_view("\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.", 10));
        pickle("a number that is none", "Lx\n.");
        add("a tensor beyond its data", oneTensor(4, 0, {5}, {1}, 4));
        add("an offset beyond", oneTensor(4, 3, {2}, {1}, 4));
        add("a negative offset", oneTensor(4, -1, {2}, {1}, 4));
        add("a stride beyond", oneTensor(4, 0, {2}, {4}, 4));
        add("a negative stride", oneTensor(4, 3, {2}, {-1}, 4));
        add("a stretched tensor", oneTensor(4, 0, {1 << 30, 1 << 30}, {0, 0}, 4));
        add("an overflowing product", oneTensor(4, 0, {1 << 30, 1 << 30, 1 << 30, 1 << 30}, {0, 0, 0, 0}, 4));
        add("a storage larger than stored", oneTensor(8, 0, {4}, {1}, 4));
        add("a negative storage", oneTensor(-4, 0, {1}, {1}, 4));
        add("a storage of a negative size", oneTensor(4, 0, {4}, {1}, -1));
        add("shape and strides differ", oneTensor(4, 0, {4}, {1, 1}, 4));
        add("a zip that ends at once", std::string("PK\x03\x04") + std::string(40, 'x'));
        add("an empty zip", std::string("PK\x05\x06") + std::string(18, '\0'));
    }
    void liesAreSentences() {
        QFETCH(QByteArray, bytes);
        const std::string text = textOf(bytes.toStdString());
        QVERIFY(!text.empty());
        QVERIFY2(text.size() > 20 && text.back() == '.', text.c_str());
    }
    void theSameWithoutTheLieIsFine() {
        QVERIFY(readsWell(oneTensor(4, 0, {4}, {1}, 4)));
        QVERIFY(readsWell(oneTensor(4, 0, {2, 2}, {1, 2}, 4)));
        QVERIFY(readsWell(oneTensor(4, 0, {0, 7}, {7, 1}, 4)));
    }

    // A list that holds itself, and a tree of references that would be 2^40 values.
    void selfReferencesEnd() {
        QVERIFY(!textOf(oldFile("\x80\x02]q\x01h\x01"
                                "a."))
                     .empty());
        std::string tree = "\x80\x02]q\x01";
        for (int i = 1; i < 25; ++i) {
            const auto previous = char(i), next = char(i + 1);
            tree += std::string("](h") + previous + "h" + previous + "h" + previous + "h" + previous + "eq" + next;
        }
        QElapsedTimer timer;
        timer.start();
        QVERIFY(!textOf(oldFile(tree + ".")).empty());
        QVERIFY(timer.elapsed() < 3000);
    }

    void cutEverywhere() {
        for (const char* name : {"new.pth", "old.pth"}) {
            const std::string good = fileBytes(goldenPath(name));
            QVERIFY(readsWell(good));
            for (std::size_t n = 0; n < good.size(); ++n)
                QVERIFY2(!readsWell(good.substr(0, n)), qPrintable(QString("%1 %2").arg(name).arg(n)));
        }
    }

    void mutations() {
        for (const char* name : {"new.pth", "old.pth"}) {
            const std::string good = fileBytes(goldenPath(name));
            const int readable = readableMutants(good, good.size(), 4000);
            QVERIFY(readable > 0);
        }
    }

    void compressedMembersAreNamed() {
        std::string file = fileBytes(goldenPath("new.pth"));
        // The method of the first member in the directory at the end.
        const std::size_t entry = file.find("PK\x01\x02");
        file[entry + 10] = 8;
        QVERIFY(textOf(file).find("compressed") != std::string::npos);
    }

    void realFiles_data() {
        QTest::addColumn<QString>("path");
        QTest::addColumn<int>("tensors");
        for (const auto& [path, tensors] : {std::pair{"taef2/taef2_encoder.pth", 0},
                                            {"taef2/taef2_decoder.pth", 0},
                                            {"mnist/ddpm_unet.pth", 0},
                                            {"mnist/dit_classcond.pth", 0},
                                            {"latents/wan21_latents_1x16x16x40x64_bf16.pth", 1},
                                            {"lora/textual_inversion_learned_embeds.bin", 1}})
            QTest::newRow(path) << QString("real/") + path << tensors;
    }
    void realFiles() {
        QFETCH(QString, path);
        QFETCH(int, tensors);
        const auto found = reference(path);
        if (!found) QSKIP("the real files are not here");
        const auto file = WeightFile::open(found->toStdString());
        QVERIFY2(file.ok(), file.ok() ? "" : file.error().text.c_str());
        QVERIFY(tensors == 0 ? file->entries().size() > 10 : file->entries().size() == std::size_t(tensors));
        for (const auto& [name, entry] : file->entries())
            for (const float x : file->read(name).floats()) QVERIFY2(std::isfinite(x), name.c_str());
    }
};

QTEST_GUILESS_MAIN(TestTorch)
#include "tst_torch.moc"
