// A window with one of the curve editors in front, and what hands do there: mouse events with buttons and modifiers.
#pragma once
#include <QDockWidget>
#include <QMouseEvent>

#include "gui/plots/curve_editor.h"
#include "tests/gui/window_fixture.h"

namespace meander::gui::test {

inline void raisePanel(MainWindow& window, const QString& id) {
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    window.dock(id)->show();
    window.dock(id)->raise();
    QTRY_VERIFY(!window.panel(id)->visibleRegion().isEmpty());
    QTest::qWait(30);
}

inline void mouse(QWidget* on, QEvent::Type type, QPointF at, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    const bool isMove = type == QEvent::MouseMove;
    QMouseEvent event(type, at, on->mapToGlobal(at), isMove ? Qt::NoButton : Qt::LeftButton,
                      type == QEvent::MouseButtonRelease ? Qt::NoButton : Qt::LeftButton, modifiers);
    QApplication::sendEvent(on, &event);
}
// In `moves` steps; `atEnd` before the button is let go.
inline void dragBy(QWidget* on, QPointF from, QPointF by, Qt::KeyboardModifiers modifiers = Qt::NoModifier,
                   const std::function<void()>& atEnd = {}, int moves = 6) {
    mouse(on, QEvent::MouseButtonPress, from);
    for (int i = 1; i <= moves; ++i) mouse(on, QEvent::MouseMove, from + by * i / moves, modifiers);
    if (atEnd) atEnd();
    mouse(on, QEvent::MouseButtonRelease, from + by, modifiers);
}
inline void clickAt(QWidget* on, QPointF at, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    mouse(on, QEvent::MouseButtonPress, at, modifiers);
    mouse(on, QEvent::MouseButtonRelease, at, modifiers);
}

// An action of a menu that fills itself when it opens.
inline QAction* entry(QMenu* menu, const QString& name) {
    emit menu->aboutToShow();
    return menu->findChild<QAction*>(name);
}

// Images for a critic's eye: both sizes, both themes.
inline void saveShots(MainWindow& window, const QString& panel, const std::function<void()>& arrange) {
    const QString folder = qEnvironmentVariable("MEANDER_SHOTS");
    for (const bool dark : {true, false})
        for (const QSize size : {QSize(1280, 720), QSize(1920, 1080)}) {
            applyTheme(dark ? ThemeChoice::Dark : ThemeChoice::Light);
            window.resize(size);
            raisePanel(window, panel);
            arrange();
            QTest::qWait(400);
            window.grab().save(
                QStringLiteral("%1/%2-%3-%4.png").arg(folder, panel, dark ? "dark" : "light").arg(size.width()));
        }
    applyTheme(ThemeChoice::Dark);
}

}  // namespace meander::gui::test
