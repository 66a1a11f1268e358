// Layers × heads as cells coloured by entropy at one evaluation, or its mean over several. Click selects a head, arrows
// move, M mutes it and a double click mutes all others of its layer, in the draft.
#pragma once
#include <QWidget>
#include <functional>

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
    // Factor on the output of a head in the draft: what is not 1 is marked. Read whenever the grid is drawn.
    void setScales(std::function<double(int site, int head)> scaleOf) { m_scaleOf = std::move(scaleOf); }
    QSize sizeHint() const override { return {240, m_sites * 24 + 4}; }
    QSize minimumSizeHint() const override { return {140, m_sites * 18 + 4}; }

signals:
    void muteRequested(int site, int head);
    void soloRequested(int site, int head);

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
    std::function<double(int, int)> m_scaleOf;
};

}  // namespace meander::gui
