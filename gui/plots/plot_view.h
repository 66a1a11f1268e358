// A plot on the screen: cached background, overlay repainted on hover, keys, export, table view and a sentence for
// assistive technology.
#pragma once
#include <QPixmap>
#include <QWidget>

#include "gui/plots/plot.h"

namespace meander::gui {

class PlotView : public QWidget {
    Q_OBJECT
public:
    explicit PlotView(QWidget* parent = nullptr);

    const Plot& plot() const { return m_plot; }
    void setPlot(Plot plot);
    // Where the step cursor can stand, in data units; `nearestPoint`: hit by distance in the plane instead of x alone.
    void setSnapPoints(std::vector<QPointF> snapPoints, QStringList texts, bool byDistance = false);
    // The snap point the step cursor stands on; none: no cursor. `marks` lie on the curves.
    void setCursor(std::optional<int> snapPoint, std::vector<CursorLayer::Mark> marks = {});
    std::optional<int> cursorSnapPoint() const { return m_snapPoint; }
    // Handles that can be dragged.
    void setHandles(std::optional<HandleLayer> handles);

    QRectF plotArea() const { return m_plot.area(frameRect()); }
    // A brushed range of the horizontal axis, in data units.
    void setRange(std::optional<std::pair<double, double>> range);
    QPointF pageOf(QPointF value) const;
    QString accessibleText() const;
    QSize sizeHint() const override { return {300, 180}; }
    QSize minimumSizeHint() const override { return {120, 80}; }

    void copyImage();
    bool exportTo(const QString& path);  // .svg, .pdf, .csv or .png by its ending
    void showTable();

signals:
    void announced(const QString& sentence);  // what was copied or written
    void snapPointHovered(int snapPoint);
    void hoverLeft();
    void snapPointClicked(int snapPoint);
    void handleMoved(int handle, QPointF value);
    void handleReleased(int handle);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    QRectF frameRect() const { return QRectF(rect()).adjusted(8, 6, -8, -6); }
    std::optional<int> snapPointAt(QPointF page) const;
    void speak();

    Plot m_plot;
    QPixmap m_background;
    bool m_isStale = true;
    std::vector<QPointF> m_snapPoints;
    QStringList m_texts;
    bool m_byDistance = false;
    std::optional<int> m_snapPoint;
    CursorLayer m_cursor;
    std::optional<std::pair<double, double>> m_range;
    std::optional<HandleLayer> m_handles;
    std::optional<int> m_dragged;
};

// The table view of any plot.
void showTableDialog(QWidget* parent, const QString& title, const Table& table);

}  // namespace meander::gui
