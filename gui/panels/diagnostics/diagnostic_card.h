// A card of one diagnostic: its name, the value at the step cursor with unit, and the whole curve small, with the
// cursor on it.
#pragma once
#include <QWidget>

#include "engine/analysis/diagnostics.h"

namespace meander::gui {

class DiagnosticCard : public QWidget {
    Q_OBJECT
public:
    explicit DiagnosticCard(QWidget* parent = nullptr);
    // `snapPoint`: index of the value at the cursor; none when the cursor stands on the finished image.
    void setDiagnostic(const Diagnostic& diagnostic, const QColor& curve);
    void setSnapPoint(std::optional<int> snapPoint);
    const Diagnostic& diagnostic() const { return m_diagnostic; }
    QString valueText() const;  // at the step; on the finished image the summary of the run, else its extreme
    QString unitText() const;
    QString noteText() const;  // what the number is when no step is chosen
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {180, 80}; }

    // The value nearest to a horizontal position of the curve's area; none when there is none.
    static std::optional<int> snapPointAt(const std::vector<double>& values, const QRectF& area, double x);

signals:
    void snapPointHovered(int snapPoint);
    void hoverLeft();
    void snapPointClicked(int snapPoint);

protected:
    void paintEvent(QPaintEvent*) override;
    void mouseMoveEvent(QMouseEvent* e) override;
    void mousePressEvent(QMouseEvent* e) override;
    void leaveEvent(QEvent*) override;
    void changeEvent(QEvent* event) override;

private:
    struct Lines {
        double title, value, note, height;  // tops of the three lines of text, and of the whole
    };
    static Lines lines();
    QRectF curveArea() const;
    std::optional<int> extreme() const;
    void paintCurve(QPainter& p) const;

    Diagnostic m_diagnostic;
    QColor m_curve;
    std::optional<int> m_snapPoint;
};

}  // namespace meander::gui
