// Layers × heads as cells coloured by entropy at one evaluation, or its mean over several. Click selects a head, a
// double click shows it alone, arrows move.
#pragma once
#include <QWidget>

#include "engine/analysis/attention_maps.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

class HeadGrid : public QWidget {
    Q_OBJECT
public:
    explicit HeadGrid(SelectionModel& selection, QWidget* parent = nullptr);
    void setMatrix(const HeadMatrix& matrix);
    void setEvaluation(int evaluation);
    // The mean over these evaluations, first and last included.
    void setEvaluations(int first, int last);
    QRectF cellRect(int site, int head) const;
    int sites() const { return m_sites; }
    int headCount() const { return m_heads; }
    double entropyAt(int site, int head) const;  // NaN when not recorded
    QSize sizeHint() const override { return {240, m_sites * 24 + 4}; }
    QSize minimumSizeHint() const override { return {140, m_sites * 18 + 4}; }

signals:
    void headHovered(int site, int head);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    std::optional<std::pair<int, int>> cellAt(QPointF at) const;
    void choose(int site, int head);

    SelectionModel& m_selection;
    HeadMatrix m_matrix;
    int m_sites = 0, m_heads = 0, m_column = 0, m_lastColumn = 0;
};

}  // namespace meander::gui
