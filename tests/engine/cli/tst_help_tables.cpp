// The pages of resources/help that are made from the tables are those of this program.
#include <QtTest>

#include "engine/cli/help_tables.h"

using namespace meander;

class TestHelpTables : public QObject {
    Q_OBJECT
private slots:
    void committedPages_data() {
        QTest::addColumn<QByteArray>("text");
        for (const auto& p : cli::helpTables()) QTest::newRow(p.file.c_str()) << QByteArray::fromStdString(p.text);
    }
    void committedPages() {
        QFETCH(QByteArray, text);
        QFile file(QString(MEANDER_SOURCE_DIR "/resources/help/%1").arg(QTest::currentDataTag()));
        QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(file.fileName()));
        QVERIFY2(file.readAll() == text, "The page is not of this program: run meander-run help-tables resources/help");
    }
};

QTEST_GUILESS_MAIN(TestHelpTables)
#include "tst_help_tables.moc"
