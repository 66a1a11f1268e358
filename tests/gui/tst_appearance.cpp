// How the window looks and stays: settings that take effect and last, room for the canvas at every size, layouts that
// come back, the watchdog.
#include <QAbstractItemView>
#include <QCheckBox>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>
#include <QTableWidget>
#include <QThread>

#include "gui/app/watchdog.h"
#include "gui/bridge/worker_threads.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/canvas/image_stage.h"
#include "gui/widgets/fields.h"
#include "tests/gui/panels/hand_made_run.h"
#include "tests/gui/window_fixture.h"

using namespace meander;
using namespace meander::gui;
using namespace meander::gui::test;

class TestAppearance : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> window;

    void openAgain() {
        window->close();
        window.reset();
        window = openWindow();
        WAIT_FOR_PLAN(window->document());
    }
    void showDisc() {
        window->document().addRun(meander::test::discRun("a", 1, 12));
        window->selection().setCurrentRun("a");
    }
    ImageStage& stage() { return window->findChild<CanvasPanel*>()->images(); }

private slots:
    void initTestCase() { prepareApplication(QStringLiteral("appearance-%1").arg(QCoreApplication::applicationPid())); }
    void init() {
        window = openWindow();
        WAIT_FOR_PLAN(window->document());
    }
    void cleanup() {
        window.reset();
        forgetEverything();
        applyTheme(ThemeChoice::Dark);
    }

    void settingsTakeEffectAndLast() {
        const double pointsBefore = QApplication::font().pointSizeF();
        const QColor panelBefore = window->grab().toImage().pixelColor(3, window->height() / 2);
        inDialog("settings", [&](QDialog* dialog) {
            auto* themeField = dialog->findChild<ChoiceField*>("theme");
            themeField->setFocus();
            QTest::keyClick(themeField, Qt::Key_Down);  // opens the list
            QTRY_VERIFY(themeField->view()->isVisible());
            QTest::keyClick(themeField->view(), Qt::Key_Down);  // Dark → Light
            QTest::keyClick(themeField->view(), Qt::Key_Return);
            auto* scale = dialog->findChild<QSpinBox*>("textSize");
            scale->setFocus();
            scale->selectAll();
            QTest::keyClicks(scale, "130");
            QTest::keyClick(scale, Qt::Key_Tab);
            QTest::mouseClick(dialog->findChild<QCheckBox*>("reducedMotion"), Qt::LeftButton, {},
                              QPoint(8, dialog->findChild<QCheckBox*>("reducedMotion")->height() / 2));
            dialog->accept();
        });
        QVERIFY(window->commands().trigger("file.settings"));
        QVERIFY(!theme().dark);
        QVERIFY(std::abs(QApplication::font().pointSizeF() / pointsBefore - 1.3) < 1e-3);
        QVERIFY(window->grab().toImage().pixelColor(3, window->height() / 2) != panelBefore);
        // At once in labels that set a font of their own, and not twice in any.
        for (const QLabel* l : window->recipePanel().findChildren<QLabel*>())
            if (l->isVisible() && !l->text().isEmpty())
                QVERIFY2(l->font().pointSizeF() < pointsBefore * 1.45, qPrintable(l->text()));
        QCOMPARE(settings::themeChoice(), ThemeChoice::Light);
        QCOMPARE(settings::fontScale(), 1.3);
        QVERIFY(settings::reducedMotion());
        openAgain();
        inDialog("settings", [&](QDialog* dialog) {
            QCOMPARE(dialog->findChild<ChoiceField*>("theme")->choice(), QString("light"));
            QCOMPARE(dialog->findChild<QSpinBox*>("textSize")->value(), 130);
            QVERIFY(dialog->findChild<QCheckBox*>("reducedMotion")->isChecked());
            QTest::mouseClick(buttonCalled(dialog, "Reset this page"), Qt::LeftButton);
            dialog->accept();
        });
        QVERIFY(window->commands().trigger("file.settings"));
        QVERIFY(theme().dark);
        QCOMPARE(settings::fontScale(), 1.0);
        QVERIFY(!settings::reducedMotion());
    }

    // A window that changed its theme in slices is the window that was started with it.
    void themeIsTheSameChangedAndStarted_data() {
        QTest::addColumn<QStringList>("commands");
        QTest::newRow("once") << QStringList{"view.light"};
        QTest::newRow("there and back and there") << QStringList{"view.light", "view.dark", "view.light"};
        QTest::newRow("with the size of the text") << QStringList{"view.larger", "view.light", "view.smaller"};
    }
    void themeIsTheSameChangedAndStarted() {
        QFETCH(QStringList, commands);
        showDisc();
        for (const QString& c : commands) QVERIFY(window->commands().trigger(c));
        QVERIFY(window->restyling().isUnderWay());
        QVERIFY(!theme().dark);
        QTRY_VERIFY(!window->restyling().isUnderWay());
        // What is computed in the background has arrived when nothing changes any more.
        const auto shown = [this] {
            QImage image;
            for (int equal = 0, tries = 0; equal < 3 && tries < 60; ++tries) {
                workerThreads()->waitForDone();
                QTest::qWait(150);
                const QImage now = window->grab().toImage();
                equal = now == image ? equal + 1 : 0;
                image = now;
            }
            return image;
        };
        const QImage changed = shown();
        window.reset();
        window = openWindow();
        WAIT_FOR_PLAN(window->document());
        showDisc();
        QVERIFY(!theme().dark);
        const QImage started = shown();
        QCOMPARE(changed.size(), started.size());
        int different = 0;
        for (int y = 0; y < started.height(); ++y)
            for (int x = 0; x < started.width(); ++x) different += changed.pixel(x, y) != started.pixel(x, y);
        QCOMPARE(different, 0);
    }

    void textSizeReachesEveryFontAndComesBack() {
        showDisc();
        struct Face {
            QPointer<QWidget> widget;
            QString family;
            double points;
        };
        std::vector<Face> faces;
        for (QWidget* w : window->findChildren<QWidget*>())
            if (!w->objectName().startsWith("qt_scrollarea"))
                faces.push_back({w, w->font().family(), w->font().pointSizeF()});  // those show no text
        const auto check = [&](double ratio) {
            QStringList wrong;
            for (const Face& f : faces)
                if (f.widget) {
                    const QFont now = f.widget->font();
                    if (std::abs(now.pointSizeF() / f.points - ratio) >= 0.01 || now.family() != f.family)
                        wrong << QStringLiteral("%1 %2 in %3: %4 %5, was %6 %7, visible %8")
                                     .arg(f.widget->metaObject()->className(), f.widget->objectName(),
                                          f.widget->parentWidget()->metaObject()->className(), now.family())
                                     .arg(now.pointSizeF())
                                     .arg(f.family)
                                     .arg(f.points)
                                     .arg(f.widget->isVisible());
                }
            QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join('\n')));
        };
        for (int i = 0; i < 5; ++i) QVERIFY(window->commands().trigger("view.larger"));
        window->restyling().finish();
        check(1.5);
        for (int i = 0; i < 5; ++i) QVERIFY(window->commands().trigger("view.smaller"));
        window->restyling().finish();
        check(1);
    }

    // At 100 % and at 150 %, in every panel: no label or button is narrower than its words.
    void textSizeCutsNoWords_data() {
        QTest::addColumn<int>("steps");
        QTest::newRow("100 %") << 0;
        QTest::newRow("150 %") << 5;
    }
    void textSizeCutsNoWords() {
        QFETCH(int, steps);
        showDisc();
        for (int i = 0; i < steps; ++i) QVERIFY(window->commands().trigger("view.larger"));
        QTRY_VERIFY(!window->restyling().isUnderWay());
        QTest::qWait(100);  // laid out again
        QStringList cut;
        int seen = 0;
        for (QDockWidget* dock : window->findChildren<QDockWidget*>()) {
            if (dock->isHidden()) continue;
            dock->raise();
            QTest::qWait(30);
            for (const QWidget* w : dock->findChildren<QWidget*>()) {
                if (!w->isVisible() || w->visibleRegion().isEmpty()) continue;
                const auto* label = qobject_cast<const QLabel*>(w);
                const auto* button = qobject_cast<const QAbstractButton*>(w);
                const QString text = label && !label->wordWrap() && label->textFormat() != Qt::RichText ? label->text()
                                     : button                                                           ? button->text()
                                                                                                        : QString();
                if (text.isEmpty() || text.contains('\n') || w->inherits("meander::gui::ElidedLabel")) continue;
                ++seen;
                const int words = w->fontMetrics().size(Qt::TextShowMnemonic, text).width();
                if (w->width() < words || w->height() + 1 < w->fontMetrics().ascent())
                    cut << QStringLiteral("%1: '%2' has %3 of %4 pixels")
                               .arg(dock->windowTitle(), text)
                               .arg(w->width())
                               .arg(words);
            }
        }
        for (int i = 0; i < steps; ++i) QVERIFY(window->commands().trigger("view.smaller"));
        QVERIFY2(seen > 20, qPrintable(QString::number(seen)));
        QVERIFY2(cut.isEmpty(), qPrintable(cut.join('\n')));
    }

    void narrowWindowsKeepTheWordsOfTheBar() {
        showDisc();
        window->resize(1024, 700);
        QTest::qWait(30);
        int seen = 0;
        for (const QToolButton* b : window->findChildren<QToolButton*>())
            if (!b->visibleRegion().isEmpty() && b->property("segment").isValid()) {  // not behind another tab
                ++seen;
                QVERIFY2(b->width() >= b->fontMetrics().horizontalAdvance(b->text()) + 6,
                         qPrintable(QStringLiteral("%1: %2").arg(b->text()).arg(b->width())));
            }
        QVERIFY(seen >= 5);
    }

    void tabsDoNotMoveTheCanvas() {
        showDisc();
        window->resize(1600, 1000);
        QTest::qWait(30);
        const QRect canvas = window->centralWidget()->geometry();
        for (const char* id : {"compare", "lab", "queue", "log"}) {
            window->dock(id)->raise();
            QTest::qWait(30);
            QCOMPARE(window->centralWidget()->geometry(), canvas);
        }
    }

    void keysAreChosenAndClashesTold() {
        inDialog("settings", [&](QDialog* dialog) {
            auto* names = dialog->findChild<QListWidget*>();
            names->setCurrentRow(names->count() - 1);
            auto* edit = dialog->findChild<QKeySequenceEdit*>("run.start");
            edit->setKeySequence(QKeySequence("Ctrl+J"));
            emit edit->editingFinished();
            auto* other = dialog->findChild<QKeySequenceEdit*>("run.cancel");
            other->setKeySequence(QKeySequence("Ctrl+J"));
            emit other->editingFinished();
            QString told;
            for (const QLabel* l : dialog->findChildren<QLabel*>()) told += l->text();
            QVERIFY2(told.contains("Ctrl+J"), qPrintable(told));
            other->setKeySequence(QKeySequence("Ctrl+."));
            emit other->editingFinished();
            dialog->accept();
        });
        QVERIFY(window->commands().trigger("file.settings"));
        QCOMPARE(window->commands().action("run.start")->shortcut(), QKeySequence("Ctrl+J"));
        QCOMPARE(window->commands().duplicateShortcuts(), QStringList());
        openAgain();
        QCOMPARE(window->commands().action("run.start")->shortcut(), QKeySequence("Ctrl+J"));
    }

    void settingsAreFound() {
        inDialog("settings", [](QDialog* dialog) {
            auto* names = dialog->findChild<QListWidget*>();
            auto* find = dialog->findChild<QLineEdit*>("findSetting");
            QTest::keyClicks(find, "motion");
            int shown = 0;
            for (int i = 0; i < names->count(); ++i) shown += !names->item(i)->isHidden();
            QCOMPARE(shown, 1);
            QCOMPARE(names->currentItem()->text(), QString("Appearance"));
            dialog->accept();
        });
        QVERIFY(window->commands().trigger("file.settings"));
    }

    void canvasComesFirst_data() {
        QTest::addColumn<QSize>("size");
        QTest::addColumn<int>("image");
        QTest::newRow("small laptop") << QSize(1280, 800) << 190;
        QTest::newRow("laptop") << QSize(1440, 900) << 250;
        QTest::newRow("desktop") << QSize(1920, 1080) << 320;
        QTest::newRow("flat") << QSize(1366, 768) << 160;
    }
    void canvasComesFirst() {
        QFETCH(QSize, size);
        QFETCH(int, image);
        showDisc();
        window->resize(1920, 1080);
        QTest::qWait(30);
        window->resize(size);
        QTest::qWait(30);
        QCOMPARE(window->size(), size);
        const QRectF shown = stage().imageRect();
        QVERIFY2(shown.height() >= image && shown.width() >= image,
                 qPrintable(QStringLiteral("%1 × %2").arg(shown.width()).arg(shown.height())));
        QVERIFY2(QRectF(stage().rect()).contains(shown), "The whole image is seen.");
        for (const char* id : {"timeline", "trajectory"}) QVERIFY2(window->dock(id)->height() >= 100, id);
    }

    void chosenSizesGiveWayToTheCanvasOnly() {
        showDisc();
        window->resize(1920, 1080);
        QTest::qWait(30);
        // A person pulls the line under the canvas up.
        const QRect timeline = window->dock("timeline")->geometry();
        QPoint line(timeline.center().x(), timeline.top() - 1);
        while (line.y() > timeline.top() - 8 && window->childAt(line)) line.ry()--;
        QVERIFY(!window->childAt(line));
        // It is wide enough for a hand, and the pointer tells that it can be pulled.
        int thick = 0;
        for (int y = line.y(); !window->childAt(QPoint(line.x(), y)); --y) ++thick;
        QVERIFY2(thick >= 5, qPrintable(QString::number(thick)));
        // Through the platform, so that the moves know which button is down, as with a real mouse.
        QWindow* handle = window->windowHandle();
        const int before = window->centralWidget()->height();
        QTest::mouseMove(handle, line);
        QCOMPARE(window->cursor().shape(), Qt::SplitVCursor);
        QTest::mousePress(handle, Qt::LeftButton, {}, line);
        QTest::mouseMove(handle, line - QPoint(0, 40));
        QTest::mouseMove(handle, line - QPoint(0, 120));
        QTest::qWait(30);
        QTest::mouseRelease(handle, Qt::LeftButton, {}, line - QPoint(0, 120));
        QTest::qWait(30);
        const int chosen = window->centralWidget()->height();
        QVERIFY2(std::abs(before - chosen - 120) <= 1,
                 qPrintable(QStringLiteral("%1, then %2").arg(before).arg(chosen)));
        window->resize(1920, 1100);
        QTest::qWait(30);
        QVERIFY2(std::abs(window->centralWidget()->height() - chosen) <= 21,
                 "Sizes chosen by hand are kept where there is room.");
        window->resize(1280, 800);
        QTest::qWait(30);
        QVERIFY(QRectF(stage().rect()).contains(stage().imageRect()));
        QVERIFY(window->centralWidget()->height() >= 290);
        QVERIFY(window->commands().trigger("window.reset"));
        QTest::qWait(30);
        // As in a window whose lines nobody has touched.
        const auto untouched = openWindow({1280, 800});
        QTRY_VERIFY2(std::abs(window->centralWidget()->height() - untouched->centralWidget()->height()) <= 1,
                     qPrintable(QStringLiteral("%1, untouched %2")
                                    .arg(window->centralWidget()->height())
                                    .arg(untouched->centralWidget()->height())));
    }

    void layoutsComeBack() {
        window->dock("attention")->hide();
        window->dock("log")->raise();
        window->addDockWidget(Qt::LeftDockWidgetArea, window->dock("step"));
        openAgain();
        QVERIFY(window->dock("attention")->isHidden());
        QCOMPARE(window->dockWidgetArea(window->dock("step")), Qt::LeftDockWidgetArea);
        QVERIFY(window->commands().trigger("window.reset"));
        QVERIFY(!window->dock("attention")->isHidden());
        QCOMPARE(window->dockWidgetArea(window->dock("step")), Qt::RightDockWidgetArea);
    }

    void watchdogTellsBlocks() {
        Watchdog dog(30);
        dog.start();
        QTRY_VERIFY(dog.questions() > 3);
        dog.reset();
        QTest::qWait(60);
        QThread::msleep(120);  // a wait, not work
        QTRY_VERIFY(dog.longest().ms >= 100);
        QVERIFY(dog.stalls() >= 1);
        if (const auto own = dog.longest().ownMs) QVERIFY(*own < dog.longest().ms / 2);
        dog.reset();
        QCOMPARE(dog.stalls(), 0);
    }
};

QTEST_MAIN(TestAppearance)
#include "tst_appearance.moc"
