// The canvas: the picture or the plane of the current run at the step cursor, alone or compared, with its tool row and metrics.
#pragma once
#include <QComboBox>
#include <QLabel>
#include <QStackedWidget>
#include <QToolButton>
#include <QWidget>

#include "gui/document/document.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

class PictureStage;
class PointsStage;
class Segmented;
class WordBars;

class CanvasPanel : public QWidget {
    Q_OBJECT
public:
    CanvasPanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    PictureStage& pictures() { return *m_pictures; }
    PointsStage& points() { return *m_points; }
    QString headline() const;  // "x̂0 at step 5 of 12 · 200 %"

public slots:
    void zoomToFit();
    void zoomTo100();
    void zoomTo200();
    void toggleBlink();

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void buildBar();
    void refresh();
    void placeCard();

    Document& m_document;
    SelectionModel& m_selection;
    PictureStage* m_pictures;
    PointsStage* m_points;
    QStackedWidget* m_stack;
    QWidget *m_bar, *m_emptyState;
    Segmented *m_quantity, *m_compare;
    QComboBox *m_overlay, *m_amplification;
    QToolButton *m_grid, *m_field, *m_paths;
    QLabel *m_head, *m_strip;
    WordBars* m_words;
};

}  // namespace meander::gui
