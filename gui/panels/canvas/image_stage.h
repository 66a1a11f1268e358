// The image of the current run, alone or against the compared one, with the heat of the selected words over it.
#pragma once
#include <QTimer>
#include <QWidget>
#include <algorithm>

#include "gui/bridge/latest.h"
#include "gui/panels/canvas/canvas_geometry.h"
#include "gui/selection/attention_query.h"
#include "gui/selection/step_link.h"

namespace meander::gui {

enum class CompareMode { SideBySide, Wipe, Blink, Difference };
enum class OverlayMode { Heat, Contour, Spotlight, Off };

class ImageStage : public QWidget {
    Q_OBJECT
public:
    ImageStage(Document& document, SelectionModel& selection, QWidget* parent = nullptr);

    void setQuantity(Quantity q);
    void setCompareMode(CompareMode m);
    CompareMode compareMode() const { return m_mode; }
    void setOverlayMode(OverlayMode m);
    void setAmplification(double factor);  // of the difference; 0: as much as fits
    double amplification() const {
        return m_amplification > 0 || !m_metrics ? std::max(1.0, m_amplification) : m_metrics->fittingAmplification();
    }
    void setGrid(bool on);
    bool isGrid() const { return m_isGrid; }  // only where there are several images
    void toggleBlink();
    void setZoom(double zoom);  // 0: fit
    double shownScale() const;
    bool isComparing() const { return m_sides.size() > 1; }
    void setWipe(double split);
    void setRightMargin(
        double pixels);  // kept free for a card; the image stays in the middle where there is room for both
    double wipe() const { return m_wipe; }
    std::optional<ImageMetrics> metrics() const { return m_metrics; }
    QString overlayCaption() const { return m_caption; }
    QRectF imageRect(int side = 0) const;
    std::vector<QRectF> gridRects() const;  // of the grid's images
    // What is seen at a place of the stage, pixel by pixel, and whose it is; of a difference no run's.
    struct Shown {
        QImage image;
        RunPtr run;
        int index = 0;  // which image of the run
    };
    Shown shownAt(QPointF page);
    QString probeText() const { return m_probe; }

public slots:
    void refresh();

signals:
    void changed();  // scale, probe or images

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Side {
        RunPtr run;
        LinkedStep at;
        QImage image;
        QString title, state;  // "a red circle", ", step 6"
        QColor color;
        HeatMap heat;
        double changeLimit = 0;  // of the shown change
    };
    Side makeSide(const QString& id, const StepCursor& cursor);
    void refreshHeat();
    QRectF stageArea() const;
    QRectF sideArea(int side) const;
    void paintImage(QPainter& p, const QImage& image, const QRectF& target) const;
    void paintHeat(QPainter& p, const HeatMap& map, const QRectF& target) const;
    // Over the target, at its left edge or as far beside it as the text needs within the bounds.
    void paintLabel(QPainter& p, const Side& s, const QRectF& target, const QRectF& bounds) const;
    void paintScale(QPainter& p, const Side& s, const QRectF& target) const;
    void paintContourKey(QPainter& p, const HeatMap& map, QPointF left) const;
    void paintPixel(QPainter& p, const QRectF& target) const;
    void paintCompared(QPainter& p);
    void paintGrid(QPainter& p);
    void paintEmpty(QPainter& p);
    void probeAt(QPointF page);
    bool isWiping() const { return isComparing() && m_mode == CompareMode::Wipe; }
    int sideAt(QPointF page) const;       // by its place on the canvas
    int shownSideAt(QPointF page) const;  // by the image that is seen there
    const QImage& difference();

    Document& m_document;
    SelectionModel& m_selection;
    std::vector<Side> m_sides;
    std::optional<ImageMetrics> m_metrics;  // of the two sides shown
    QImage m_difference;                    // as it was asked for last
    QString m_differenceKey;
    Quantity m_quantity = Quantity::Denoised;
    CompareMode m_mode = CompareMode::SideBySide;
    OverlayMode m_overlay = OverlayMode::Heat;
    ImageView m_view;
    double m_wipe = 0.5, m_amplification = 0, m_rightMargin = 0;
    bool m_isGrid = false, m_showsSecond = false;
    bool m_dragsWipe = false;
    std::optional<QPointF> m_panFrom;
    QTimer m_blink;
    QString m_caption, m_heatUnit, m_probe;
    Latest<std::vector<HeatMap>> m_heatWork;
};

}  // namespace meander::gui
