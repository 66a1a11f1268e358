// What a file is: by its first bytes, whatever its name says.
#include <QTemporaryDir>
#include <QtTest>

#include "engine/core/file_identity.h"

using namespace meander;
using namespace std::string_view_literals;

class TestFileIdentity : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;

    std::string written(const std::string& name, std::string_view bytes) {
        const QString path = m_folder.filePath(QString::fromStdString(name));
        QFile f(path);
        if (f.open(QIODevice::WriteOnly)) f.write(bytes.data(), qint64(bytes.size()));
        return path.toStdString();
    }

private slots:
    void everyFormatByItsBytes() {
        const std::string zip = "PK\x03\x04" + std::string(22, '\0');
        const auto entry = [&](const std::string& name) {
            return zip + char(name.size()) + std::string(3, '\0') + name + "data";
        };
        const std::pair<std::string, FileFormat> files[] = {
            {"", FileFormat::Empty},
            {"SQLite format 3" + std::string(90, '\0'), FileFormat::Sqlite},
            {std::string("\x3c\0\0\0\0\0\0\0{\"q\": {}}", 17), FileFormat::Safetensors},
            {"GGUF\x03", FileFormat::Gguf},
            {entry("archive/data.pkl"), FileFormat::TorchZip},
            {entry("weights/w.npy"), FileFormat::Npz},
            {entry("readme.txt"), FileFormat::Archive},
            {"\x80\x02}q", FileFormat::TorchPickle},
            {std::string("\x80\x02\x8a\nl\xfc\x9c\x46\xf9", 9), FileFormat::TorchPickle},
            {"\x08\x07\x12\x07pytorch", FileFormat::Onnx},
            {"\x93NUMPY\x01", FileFormat::Npy},
            {"\x89PNG\r\n\x1a\n", FileFormat::Png},
            {"\xff\xd8\xff\xe0", FileFormat::Jpeg},
            {std::string("RIFF\x1a\0\0\0WEBPVP8L", 16), FileFormat::WebP},
            {"GIF89a", FileFormat::Gif},
            {"\xef\xbb\xbf {\"a\": 1}", FileFormat::Json},
            {"version https://git-lfs.github.com/spec/v1\noid sha256:01", FileFormat::LfsPointer},
            {"\n <!DOCTYPE html><html>", FileFormat::Html},
            {"<HTML><body>404", FileFormat::Html},
            {"\x1f\x8b\x08", FileFormat::Archive},
            {"\x89HDF\r\n\x1a\n", FileFormat::Hdf5},
            {"a ball\nSteps: 20", FileFormat::Text},
            {std::string("\0\1\2\3", 4), FileFormat::Unknown},
        };
        for (const auto& [bytes, format] : files) {
            QVERIFY2(formatOf(bytes, bytes.size()) == format, nameOf(format));
            QVERIFY(formatOfFile(written("named.safetensors", bytes)) == format);
            // A sentence that names the kind, for all but the expected and the unrecognised ones.
            const auto other = otherThan(FileFormat::Safetensors, written("named.safetensors", bytes));
            const bool isNamed = format != FileFormat::Safetensors && format != FileFormat::Unknown;
            QCOMPARE(other.has_value(), isNamed);
            if (other) QVERIFY2(other->text.find(nameOf(format)) != std::string::npos, other->text.c_str());
        }
        QVERIFY(formatOfFile(m_folder.filePath("none").toStdString()) == FileFormat::Unknown);
        QVERIFY(formatOfFile(m_folder.path().toStdString()) == FileFormat::Unknown);
    }

    // Cut anywhere, no read goes beyond the bytes that are there (run under ASan).
    void cutAnywhere() {
        const std::string bytes = "PK\x03\x04" + std::string(22, '\0') + "\xff\xff" + std::string(2, '\0') + "x";
        for (std::size_t n = 0; n <= bytes.size(); ++n)
            static_cast<void>(formatOf(std::string_view(bytes).substr(0, n), n));
    }
};

QTEST_GUILESS_MAIN(TestFileIdentity)
#include "tst_file_identity.moc"
