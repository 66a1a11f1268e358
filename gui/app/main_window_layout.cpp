// Sizes of the docks, and remembering where things stand.
#include <QGuiApplication>
#include <QMouseEvent>
#include <QScreen>
#include <QSettings>
#include <QTimer>
#include <algorithm>

#include "gui/app/main_window.h"

namespace meander::gui {

namespace {

// Of the room between bars and status line, what the docks get where nobody has chosen; the canvas gets the rest.
struct DockShares {
    static int side(int width, double share, int least, int most) {
        return std::clamp(int(width * share), least, most);
    }
    static int left(int width) { return side(width, 0.218, 284, 336); }
    static int right(int width) { return side(width, 0.212, 268, 332); }
    static int strip(int height) { return std::clamp(int(height * 0.155), 112, 168); }
    static int tabs(int height) { return std::clamp(int(height * 0.285), 158, 330); }
};
const QSize frameOfWindow(0, 40);     // what a window manager puts around it
constexpr double canvasShare = 0.42;  // of the height, at least, also after sizes were chosen by hand

}  // namespace

QList<QDockWidget*> MainWindow::bottomDocks() const {
    QList<QDockWidget*> docks;
    for (const Place& p : m_places) {
        QDockWidget* d = p.dock;
        // Of docks in tabs only the one in front lies inside the window.
        if (d && dockWidgetArea(d) == Qt::BottomDockWidgetArea && !d->isFloating() && d->isVisible()
            && rect().intersects(d->geometry()) && d->height() > 0)
            docks.append(d);
    }
    return docks;
}

void MainWindow::fitDocks() {
    if (!isVisible()) return;
    if (m_isLayoutByHand) return keepCanvas();
    int height = centralWidget()->height();
    for (const QDockWidget* d : bottomDocks()) height += d->height() + 1;
    fitSides(height);
    QList<QDockWidget*> below = bottomDocks();
    QList<int> heights;
    for (QDockWidget* d : below)
        heights.append(tabifiedDockWidgets(d).isEmpty() ? DockShares::strip(height) : DockShares::tabs(height));
    if (!below.isEmpty()) resizeDocks(below, heights, Qt::Vertical);
}

// Widths of the two sides, and in each the shares of its places.
void MainWindow::fitSides(int height) {
    QList<QDockWidget*> sides;
    QList<int> widths;
    for (const auto& [area, width] : {std::pair(PanelArea::Left, DockShares::left(this->width())),
                                      std::pair(PanelArea::Right, DockShares::right(this->width()))}) {
        QList<QDockWidget*> places;
        QList<int> heights;
        for (const Place& p : m_places) {
            if (!p.dock || p.info.area != area || p.info.share <= 0) continue;
            places.append(p.dock);
            heights.append(int(height * p.info.share));
        }
        if (places.isEmpty()) continue;
        sides.append(places.front());
        widths.append(width);
        resizeDocks(places, heights, Qt::Vertical);
    }
    if (!sides.isEmpty()) resizeDocks(sides, widths, Qt::Horizontal);
}

void MainWindow::keepCanvas() {
    const QList<QDockWidget*> below = bottomDocks();
    int taken = 0;
    for (const QDockWidget* d : below) taken += d->height() + 1;
    const int height = centralWidget()->height() + taken, room = height - int(height * canvasShare);
    if (taken <= room || below.isEmpty()) return;
    QList<int> heights;
    for (const QDockWidget* d : below) heights.append(d->height() * room / taken);
    resizeDocks(below, heights, Qt::Vertical);
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    fitDocks();
}

void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    fitDocks();
    QTimer::singleShot(300, this,
                       qOverload<>(&QWidget::update));  // for 150 ms Qt goes back and forth between a restored layout
                                                        // and the fitted one; its first image has separators of both
}

bool MainWindow::event(QEvent* event) {
    // Only separators are parts of the window that no child covers.
    if (event->type() == QEvent::MouseButtonPress) {
        const auto* press = static_cast<QMouseEvent*>(event);
        if (press->button() == Qt::LeftButton && !childAt(press->position().toPoint())) m_isLayoutByHand = true;
    }
    return QMainWindow::event(event);
}

void MainWindow::resetLayout() {
    m_isLayoutByHand = false;
    arrangeDocks();
    QSettings().remove("window/layout");
}

void MainWindow::saveLayout() const {
    QSettings s;
    s.setValue("window/geometry", saveGeometry());
    s.setValue("window/layout", saveState(m_layoutVersion));
    s.setValue("window/layoutByHand", m_isLayoutByHand);
}

void MainWindow::restoreLayout() {
    const QSettings s;
    // As large as is good to work in, as far as the screen has room.
    const QScreen* screen = QGuiApplication::primaryScreen();
    resize(screen ? usualSize.boundedTo(screen->availableSize() - frameOfWindow) : usualSize);
    if (s.contains("window/geometry")) restoreGeometry(s.value("window/geometry").toByteArray());
    // A screen that is gone must not hide the window.
    bool isVisible = false;
    for (const QScreen* one : QGuiApplication::screens())
        isVisible |= one->availableGeometry().intersected(geometry()).width() > 120;
    if (!isVisible && screen) move(screen->availableGeometry().topLeft());
    // A layout of other panels is not taken apart: the window begins with the one of its own.
    if (s.contains("window/layout")) {
        m_isLayoutByHand = s.value("window/layoutByHand", false).toBool();
        if (!restoreState(s.value("window/layout").toByteArray(), m_layoutVersion)) resetLayout();
    }
    QTimer::singleShot(0, this, &MainWindow::updateDockTitles);
}

}  // namespace meander::gui
