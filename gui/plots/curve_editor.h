// A plot whose points are moved by hand: by mouse, precisely with Shift, with their neighbours with Ctrl or O, and by
// keys. It knows points on the page and nothing of what they mean: whoever owns them answers its signals with new
// points.
#pragma once
#include "gui/plots/plot_view.h"

namespace meander::gui {

class CurveEditor : public PlotView {
    Q_OBJECT
public:
    struct Point {
        QPointF at;             // data units
        QString text;           // for assistive technology: "step 4, σ 2.60"
        bool isLocked = false;  // drawn as a square, cannot be dragged
        QString value;          // beside it while it is dragged: "σ 2.60"
    };
    // An upright line that is dragged sideways by its grip at the top: an end of an interval.
    struct Guide {
        double x = 0;
        QString name;
        bool isLeft = true;  // what lies left of it is outside
    };
    // Where a dragged point was caught, and by what.
    struct SnapMark {
        double y = 0;
        QString text;
    };
    explicit CurveEditor(QWidget* parent = nullptr);

    void setPoints(std::vector<Point> points, const QColor& color, double radius = 5);
    const std::vector<Point>& points() const { return m_points; }
    void setGuides(std::vector<Guide> guides);
    const std::vector<Guide>& guides() const { return m_guides; }
    void setSnapMark(std::optional<SnapMark> mark);
    const std::optional<SnapMark>& snapMark() const { return m_snapMark; }
    void setSelection(const QList<int>& points, int anchor = -1);
    QList<int> selection() const { return m_selection; }
    int anchor() const { return m_anchor; }  // the point that was chosen last; −1: none
    // Points move along both axes, and Left and Right move them instead of choosing.
    void setSideways(bool on) { m_isSideways = on; }
    bool isProportional() const { return m_isProportional; }
    void setProportional(bool on);
    double radius() const { return m_radius; }  // of a proportional edit, in points
    bool isDragging() const { return m_dragged >= 0 || m_draggedGuide >= 0; }
    QPointF pageOfPoint(int i) const { return pageOf(m_points[std::size_t(i)].at); }
    QPointF pageOfGuide(int i) const;

signals:
    void selectionChanged();
    void dragStarted(int point);
    // Since the drag began, in shares of the axes' lengths, right and up. `isFree`: Alt is held, nothing catches.
    void dragged(QPointF by, bool isProportional, bool isFree);
    void dragEnded(bool isKept);
    void guideDragged(int guide, double x, bool isFree);
    void guideEnded(int guide, bool isKept);
    void nudged(QPointF by, bool isProportional);
    void insertAsked(std::optional<double> x);  // none: after the chosen point
    void removeAsked();
    void valueAsked(int point);
    void copyAsked();
    void pasteAsked();
    void lockAsked();
    void snapAsked();
    void proportionalChanged(bool on);
    void menuAsked(QPoint global);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool event(QEvent* event) override;
    bool focusNextPrevChild(bool next) override;

private:
    PlotFrame frame() const { return {plotArea(), plot().x, plot().y}; }
    std::optional<int> pointAt(QPointF page) const;
    std::optional<int> guideAt(QPointF page) const;
    void choose(int point, Qt::KeyboardModifiers modifiers);
    void chooseNext(int direction);
    void drag(QMouseEvent* event);
    void endDrag(bool isKept);
    bool moveByKey(QKeyEvent* event);
    bool actByKey(QKeyEvent* event);
    void announceSelection();
    void paintGuides(QPainter& p) const;
    void paintPoints(QPainter& p) const;
    void paintValue(QPainter& p) const;

    std::vector<Point> m_points;
    std::vector<Guide> m_guides;
    QColor m_color;
    double m_pointRadius = 5, m_radius = 4;
    QList<int> m_selection;
    int m_anchor = -1, m_hovered = -1, m_pressed = -1, m_dragged = -1, m_draggedGuide = -1;
    std::optional<SnapMark> m_snapMark;
    QPointF m_pressedAt, m_lastAt, m_travel;  // on the page
    std::optional<QRectF> m_band;
    bool m_isSideways = false, m_isProportional = false;
};

}  // namespace meander::gui
