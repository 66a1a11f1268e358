// The help window: every page is there, whole, though its sections come one by one.
#include <QtTest>

#include "engine/core/resources.h"
#include "gui/app/help_window.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestHelp : public QObject {
    Q_OBJECT
    static QString contents(const char* page) {
        QFile file(qstr(*findResource(std::string("help/") + page)));
        return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    }
    static QStringList words(const QString& text) {
        static const QRegularExpression gaps(QStringLiteral("[\\s\\x{fffc}]+"));
        return text.split(gaps, Qt::SkipEmptyParts);
    }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("help-%1").arg(QCoreApplication::applicationPid())); }
    void cleanupTestCase() { forgetEverything(); }

    void everyPageComesWhole_data() {
        QTest::addColumn<int>("page");
        for (std::size_t i = 0; i < helpPages().size(); ++i) QTest::newRow(helpPages()[i].file) << int(i);
    }
    void everyPageComesWhole() {
        QFETCH(int, page);
        const HelpPage& p = helpPages()[std::size_t(page)];
        HelpWindow help;
        help.show();
        help.showPage(p.file);
        QCOMPARE(help.page(), QString(p.file));
        QVERIFY(!help.text().isEmpty());  // its head at once
        QTRY_VERIFY(help.isWhole());
        QTextDocument whole;
        whole.setMarkdown(contents(p.file));
        QCOMPARE(words(help.text()), words(whole.toPlainText()));
    }
    // Their tables would hold the window up at every change of width.
    void longTablesAreText() {
        static const QRegularExpression longTable(QStringLiteral("(\\n\\|[^\\n]*){40}"));
        QVERIFY(contents("convergence.md").contains(longTable));
        for (const HelpPage& p : helpPages())
            for (const QString& section : helpSections(contents(p.file))) QVERIFY(!section.contains(longTable));
    }
    void anotherPageEndsTheOneThatComes() {
        HelpWindow help;
        help.show();
        help.showPage("convergence.md");
        help.showPage("glossary.md");
        QTRY_VERIFY(help.isWhole());
        QVERIFY(!help.text().contains("VE mixture"));
    }
    void wordsAreFoundInWhatHasNotComeYet() {
        HelpWindow help;
        help.show();
        help.showPage("convergence.md");
        QTest::keyClicks(help.findChild<QLineEdit*>(), "flow mixture");
        QCOMPARE(help.findChild<QTextBrowser*>()->textCursor().selectedText(), QString("flow mixture"));
    }
};

QTEST_MAIN(TestHelp)
#include "tst_help.moc"
