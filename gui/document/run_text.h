// How runs and recipes are put into words, the same in every panel.
#pragma once
#include <QString>

#include "engine/run/trajectory.h"
#include "gui/look/text.h"

namespace meander::gui {

class Document;

QString samplerLabel(const std::string& id);
QString scheduleLabel(const std::string& id);
QString modelLabel(const std::string& id);
// What a file or folder is called as a model: a file of points and a folder of images are exact models of what they
// hold, anything else is its path.
QString modelIdOf(const QString& path);

// The given name; else the settings in which the run differs from `beside`, "Heun · 12 steps"; else its branch point,
// prompt or model.
QString runTitle(const Run& run, const Run* beside = nullptr);
// Beside the baseline, the first run where none is pinned: as all lists and titles name a run.
QString runName(const Document& document, const Run& run);
// The settings in which `recipe` differs from `beside`, at most two and how many more; empty: in none that a person
// sees in the image.
QString differenceText(const Recipe& beside, const Recipe& recipe);
QString recipeLine(const Recipe& recipe);  // "DPM++ 2M · 12 · Karras"
QString statusLine(const Run& run);        // "finished", "failed: ...", "interrupted after step 4"
QString statusWord(RunStatus status);
// Why a view of the run's steps is empty; `otherwise` where there is no run, or nothing stands against it.
QString emptyReason(const Document& document, const QString& runId, const QString& otherwise);

}  // namespace meander::gui
