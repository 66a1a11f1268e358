#include "gui/document/settings.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

namespace meander::gui::settings {
namespace {

constexpr int recentLimit = 12;

QVariant get(const char* key, const QVariant& fallback) { return QSettings().value(QLatin1String(key), fallback); }
void set(const char* key, const QVariant& value) { QSettings().setValue(QLatin1String(key), value); }

}  // namespace

ThemeChoice themeChoice() {
    const QString t = get("appearance/theme", "dark").toString();
    return t == "light" ? ThemeChoice::Light : t == "system" ? ThemeChoice::System : ThemeChoice::Dark;
}
void setThemeChoice(ThemeChoice c) {
    set("appearance/theme", c == ThemeChoice::Light ? "light" : c == ThemeChoice::System ? "system" : "dark");
}
double fontScale() { return get("appearance/fontScale", 1.0).toDouble(); }
void setFontScale(double scale) { set("appearance/fontScale", scale); }
bool reducedMotion() { return get("appearance/reducedMotion", false).toBool(); }
void setReducedMotion(bool on) { set("appearance/reducedMotion", on); }
bool opensLastProject() { return get("start/opensLastProject", true).toBool(); }
void setOpensLastProject(bool on) { set("start/opensLastProject", on); }
bool hintWasSeen() { return get("start/hintWasSeen", false).toBool(); }
void setHintWasSeen(bool seen) { set("start/hintWasSeen", seen); }

QStringList recentFiles() { return get("files/recent", QStringList()).toStringList(); }

void addRecentFile(const QString& path) {
    QStringList files = recentFiles();
    const QString absolute = QFileInfo(path).absoluteFilePath();
    files.removeAll(absolute);
    files.prepend(absolute);
    while (files.size() > recentLimit) files.removeLast();
    set("files/recent", files);
}

void removeRecentFile(const QString& path) {
    QStringList files = recentFiles();
    files.removeAll(path);
    set("files/recent", files);
}

void clearRecentFiles() { set("files/recent", QStringList()); }

QStringList recentModels() { return get("models/recent", QStringList()).toStringList(); }

void addRecentModel(const QString& id) {
    QStringList models = recentModels();
    models.removeAll(id);
    models.prepend(id);
    while (models.size() > recentLimit) models.removeLast();
    set("models/recent", models);
}

QString lastFolder() {
    return get("files/folder", QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation)).toString();
}
void setLastFolder(const QString& folder) { set("files/folder", folder); }

}  // namespace meander::gui::settings
