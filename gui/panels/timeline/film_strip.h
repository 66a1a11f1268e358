// The film strip: one row of frames per visible run, a ruler on the chosen axis and the step cursor through all rows.
// Shift-dragging brushes a range of steps
// ([ and ] set its ends at the cursor); Esc, or a click outside, clears it.
#pragma once
#include <QCache>
#include <QElapsedTimer>
#include <QPixmap>
#include <QWidget>

#include "gui/images/state_image.h"
#include "gui/panels/timeline/strip_layout.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

class FilmStrip : public QWidget {
    Q_OBJECT
public:
    FilmStrip(Document& document, SelectionModel& selection, QWidget* parent = nullptr);

    void setQuantity(Quantity q);
    Quantity quantity() const { return m_quantity; }
    void moveBy(int frames);
    void moveTo(int frame);
    void moveRangeEnd(bool isFirst);  // to the cursor
    int frameCount() const { return m_rows.empty() ? 0 : int(m_rows.front().stops.size()); }
    int currentFrame() const;
    // First and last frame that playing shows: the brushed range, else all.
    std::pair<int, int> playedFrames() const;
    QRectF frameRectOf(int row, int frame) const;
    int rowCount() const { return int(m_rows.size()); }
    QSize sizeHint() const override { return {600, 120}; }
    QSize minimumSizeHint() const override { return {160, 84}; }

signals:
    void playToggled();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Row {
        RunPtr run;
        std::vector<StepStop> stops;  // one frame each
        StripRow strip;
        std::vector<double> values;  // of the stops on the axis
        int style = 0;
    };
    void rebuild();
    void layout();
    StripGeometry geometryOf() const;
    QPixmap thumbnail(const Row& row, int frame, int pixels, bool& isOverBudget);
    void paintRow(QPainter& p, int row, const StripGeometry& g, bool& isUnfinished);
    QString rulerName() const;  // of the axis, as short as on the buttons that choose it
    void paintRuler(QPainter& p, const StripGeometry& g);
    void paintCursor(QPainter& p, const StripGeometry& g);
    void paintRange(QPainter& p, const StripGeometry& g);
    void paintForks(QPainter& p, const StripGeometry& g);
    int frameInRow(const Row& row) const;
    struct Hit {
        int row = 0, frame = 0;
    };
    std::optional<Hit> hitAt(QPointF page) const;
    void speak();
    // A range of steps, from and to which frames; the finished image stands for the last step.
    void brush(int row, int fromFrame, int toFrame);
    void brushSteps(const Row& row, int from, int to);
    // First and last frame of a range of steps; none when the range means no step of the run.
    std::optional<std::pair<int, int>> framesIn(const Row& row, const StepRange& range) const;

    Document& m_document;
    SelectionModel& m_selection;
    std::vector<Row> m_rows;
    Quantity m_quantity = Quantity::Denoised;
    QCache<QString, QPixmap> m_thumbnails{600};
    QElapsedTimer m_clock;
    std::optional<Hit> m_brushFrom;
};

}  // namespace meander::gui
