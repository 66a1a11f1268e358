// The cells of a sweep as a grid of images: two axes across and down, the others held at one place each. All cells show
// the same part of their image and the same share of their steps. Arrow keys move, Enter shows a cell's run, Ctrl+click
// or Space compares it, Delete cancels it, R runs it again.
#pragma once
#include <QAbstractScrollArea>
#include <QHash>
#include <QImage>
#include <optional>

#include "gui/document/document.h"
#include "gui/look/theme.h"

namespace meander::gui {

class SweepGrid : public QAbstractScrollArea {
    Q_OBJECT
public:
    explicit SweepGrid(Document& document, QWidget* parent = nullptr);

    // Empty: a sweep that is only planned, or none. `problems`: of cells that the plan refuses.
    void setSweep(const Sweep* sweep, const QString& id);
    const Sweep& sweep() const { return m_sweep; }
    bool hasSweep() const { return !m_sweep.axes.empty(); }
    // Which axis lies across and which down (−1: none), and the place of every axis that is neither.
    void setAxes(int across, int down);
    int across() const { return m_across; }
    int down() const { return m_down; }
    void setPlace(int axis, int place);
    int placeOf(int axis) const { return m_place[std::size_t(axis)]; }
    void setCellSize(int pixels);
    int cellSize() const { return m_size; }
    // Of the steps done, 0 to 1; none: the finished image.
    void setScrub(std::optional<double> share);
    std::optional<double> scrub() const { return m_scrub; }

    std::optional<std::size_t> current() const { return m_current; }
    void setCurrent(std::optional<std::size_t> cell);
    QRect rectOf(std::size_t cell) const;  // in the viewport; empty: not in this plane
    std::optional<std::size_t> cellAt(QPoint at) const;
    QImage imageOfCell(std::size_t cell);
    double zoom() const { return m_zoom; }
    QPointF centre() const { return m_centre; }  // of the part shown, 0 to 1
    void refresh(const QString& runId);          // its image may be another

    // The whole plane, for files: headers, lines and images; `scale` 1 is the size on the screen.
    QSize pageSize() const;
    void paintPage(QPainter& p, const Theme& t, const QRect& visible);

signals:
    void shown(std::size_t cell);
    void compared(std::size_t cell);
    void cancelled(std::size_t cell);
    void retried(std::size_t cell);
    void currentChanged();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void changeEvent(QEvent* event) override;
    void focusInEvent(QFocusEvent*) override { viewport()->update(); }
    void focusOutEvent(QFocusEvent*) override { viewport()->update(); }

private:
    int count(int axis) const { return axis < 0 ? 1 : m_sweep.axes[std::size_t(axis)].size(); }
    QString labelOf(int axis, int place) const;
    std::size_t cellIn(int column, int row) const;
    QPoint offset() const;
    void updateBars();
    void step(int columns, int rows);
    void paintHeaders(QPainter& p, const Theme& t) const;
    void paintCell(QPainter& p, const Theme& t, std::size_t cell, const QRect& r);
    QString stateText(std::size_t cell) const;
    QString sentence(std::size_t cell) const;

    Document& m_document;
    Sweep m_sweep;
    QString m_id;
    int m_across = -1, m_down = -1, m_size = 88;
    std::vector<int> m_place;
    std::optional<double> m_scrub;
    std::optional<std::size_t> m_current;
    double m_zoom = 1;
    QPointF m_centre{0.5, 0.5}, m_pressedCentre;
    QPoint m_pressedAt;
    QHash<QString, QImage> m_images;  // by run
    int m_left = 80, m_top = 24;      // of the headers
};

}  // namespace meander::gui
