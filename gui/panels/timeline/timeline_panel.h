// The timeline: transport buttons, what the frames show, and the film strip.
#pragma once
#include <QHBoxLayout>
#include <QLabel>
#include <QTimer>
#include <QToolButton>
#include <QWidget>

#include "gui/document/document.h"
#include "gui/selection/selection_model.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

class FilmStrip;
class Segmented;

class TimelinePanel : public QWidget {
    Q_OBJECT
public:
    TimelinePanel(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    FilmStrip& strip() { return *m_strip; }
    bool isPlaying() const { return m_clock.isActive(); }
    // The transport buttons, to stand in the head of a dock instead.
    QWidget* takeControls();

public slots:
    void togglePlay();
    void step(int frames);
    void rangeFromHere();
    void rangeToHere();
    void goToStart();
    void goToEnd();  // follows a running run

private:
    void tick();
    void showState();

    SelectionModel& m_selection;
    FilmStrip* m_strip;
    QWidget* m_controls;
    QHBoxLayout* m_head;
    QLabel* m_range;
    QToolButton *m_play, *m_loop;
    ChoiceField* m_rate;
    Segmented* m_quantity;
    QTimer m_clock;
};

}  // namespace meander::gui
