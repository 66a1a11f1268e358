// meander --measure: how long the window takes to its first image, and how long its thread is blocked while a run
// goes on. The same in every build and environment: the program measures itself, from the start of its process.
#pragma once
#include <QApplication>
#include <QObject>
#include <functional>

namespace meander::gui {

class MainWindow;

// From the system's record of the process's start, within 10 ms; elsewhere than on Linux and Windows from the loading
// of the program.
double millisecondsSinceStart();

// Calls `then` once, after the first frame of the window was handed to the platform; after a second without one
// (started minimised) too.
void afterFirstPaint(QWidget* window, std::function<void()> then);

// An application that times what it delivers, and remembers the slowest.
class MeasuringApplication : public QApplication {
public:
    using QApplication::QApplication;
    bool notify(QObject* receiver, QEvent* event) override;
    // "ImageStage Paint 31 ms"; what ran an event loop of its own is left out.
    QStringList slowest() const;
    void reset() { m_slowest.clear(); }

private:
    struct Slow {
        QString what;
        double ms = 0;
    };
    std::vector<Slow> m_slowest;  // slowest first, one per receiver's class and kind of event
    int m_loops = 0;              // event loops entered inside a delivery so far
    int m_loopLevel = 0;          // of the delivery under way
};

// Waits until the project is shown, runs the draft to its end, prints one line each and ends the program: 0 when the
// run finished.
void measureAndQuit(MainWindow& window, MeasuringApplication& application, double firstPaintMs);

// Calls `then` when the project is read, its plan known and its shown run loaded, or after half a minute.
void whenSettled(MainWindow& window, std::function<void()> then);

}  // namespace meander::gui
