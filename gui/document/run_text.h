// How runs, recipes and numbers are put into words, the same in every panel.
#pragma once
#include <QImage>
#include <QString>

#include "engine/run/trajectory.h"

namespace meander::gui {

QString qstr(const std::string& s);

QString samplerLabel(const std::string& id);
QString scheduleLabel(const std::string& id);
QString guidanceLabel(const std::string& id);
QString modelLabel(const std::string& id);
// What a file or folder is called as a model: a file of points and a folder of pictures are exact models of what they
// hold, anything else is its path.
QString modelIdOf(const QString& path);

QString runTitle(const Run& run);          // the given name, else the prompt or the model's name
QString recipeLine(const Recipe& recipe);  // "DPM++ 2M · 12 · Karras"
QString statusLine(const Run& run);        // "finished", "failed: ...", "interrupted after step 4"
QString statusWord(RunStatus status);

QString secondsText(double seconds);           // "0.91 s", "2 min 5 s"
QString bytesText(std::size_t bytes);          // "212 MB"
QString evaluationsText(int n);                // "1 evaluation", "16 evaluations"
QString countText(std::int64_t n);             // "1.6 M"
QString numberText(double v, int digits = 3);  // shortest of fixed and scientific

// Picture `image` of (images, h, w, 3) floats in [0, 1]; null when there is none.
QImage pictureOf(const HostTensor& pictures, int image = 0);
// A square picture of the run for lists; points are drawn as a scatter in the colour of the run. Null when nothing is
// known.
QImage runThumbnail(const Run& run, int size, const QColor& color);

}  // namespace meander::gui
