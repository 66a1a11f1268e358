// What a person chose for the program (not for a project), each value with its key and default in one place.
#pragma once
#include <QSettings>
#include <QString>
#include <QStringList>

#include "gui/look/theme.h"

namespace meander::gui::settings {

ThemeChoice themeChoice();
void setThemeChoice(ThemeChoice choice);
double fontScale();
void setFontScale(double scale);
bool reducedMotion();
void setReducedMotion(bool on);
bool opensLastProject();
void setOpensLastProject(bool on);
bool hintWasSeen();
void setHintWasSeen(bool seen);

// Most recent first; files that are gone stay listed until asked for.
QStringList recentFiles();
void addRecentFile(const QString& path);
void removeRecentFile(const QString& path);
void clearRecentFiles();

// Files and folders that were opened as models, most recent first.
QStringList recentModels();
void addRecentModel(const QString& id);

QString lastFolder();
void setLastFolder(const QString& folder);

}  // namespace meander::gui::settings
