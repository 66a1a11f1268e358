// The canvas: the image or the plane of the current run at the step cursor, alone or compared, with its tool row and
// metrics.
#pragma once
#include <QLabel>
#include <QMenu>
#include <QStackedWidget>
#include <QToolButton>
#include <QWidget>

#include "gui/document/document.h"
#include "gui/panels/canvas/image_stage.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

class PointsStage;
class RunStatePage;
class Segmented;
class WordBars;

class CanvasPanel : public QWidget {
    Q_OBJECT
public:
    CanvasPanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    ImageStage& images() { return *m_images; }
    PointsStage& points() { return *m_points; }
    RunStatePage& runState() { return *m_runState; }
    bool showsRunState() const;  // of a run that has nothing to show
    QString headline() const;    // "x̂0 at step 5 of 12 · 200 %   x 3  y 7 …"
    // The image as it is shown, pixel by pixel, with the recipe in it.
    bool saveImageTo(const QString& path);

public slots:
    void zoomToFit();
    void zoomTo100();
    void zoomTo200();
    void toggleBlink();
    void copyImage();
    void saveImage();

protected:
    void contextMenuEvent(QContextMenuEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void buildBar();
    void refresh();
    void placeCard();
    void addPlotActions(QMenu& menu);  // of the points: table and exports
    // What is seen under the pointer of the last menu, else of the current run.
    ImageStage::Shown shown();

    Document& m_document;
    SelectionModel& m_selection;
    ImageStage* m_images;
    PointsStage* m_points;
    QStackedWidget* m_stack;
    QWidget *m_bar, *m_emptyState;
    RunStatePage* m_runState;
    Segmented *m_quantity, *m_compare;
    ChoiceField *m_overlay, *m_amplification;
    QToolButton *m_grid, *m_field, *m_paths, *m_follow;
    QLabel *m_head, *m_strip;
    std::optional<QPointF> m_menuAt;  // on the image stage, while its menu is open
    WordBars* m_words;
};

}  // namespace meander::gui
