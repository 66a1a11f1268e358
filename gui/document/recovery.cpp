// What the next start finds after a crash: one description per project that was open with unsaved work, beside the
// working files of untitled projects.
#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>
#include <QStandardPaths>

#include "gui/document/project_file.h"

namespace meander::gui {
namespace {

QString described(const QString& id) { return ProjectFile::recoveryFolder() + '/' + id + QStringLiteral(".json"); }
QString working(const QString& id) { return ProjectFile::recoveryFolder() + '/' + id + QStringLiteral(".meander"); }

bool isHeld(const QString& id) {
    QLockFile lock(ProjectFile::recoveryFolder() + '/' + id + QStringLiteral(".lock"));
    lock.setStaleLockTime(0);
    if (!lock.tryLock(0)) return true;
    lock.unlock();
    return false;
}

}  // namespace

QString ProjectFile::recoveryFolder() {
    return QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/recovery");
}

void ProjectFile::describe(int runs) {
    const QJsonObject o{{"name", name()},
                        {"path", path()},
                        {"time", QDateTime::currentDateTime().toString(Qt::ISODate)},
                        {"runs", runs}};
    // Committing waits for the disk.
    m_notes.start([o, to = described(m_id)] {
        QSaveFile file(to);
        if (!file.open(QIODevice::WriteOnly)) return;
        file.write(QJsonDocument(o).toJson());
        file.commit();
    });
}

void ProjectFile::forgetDescription() {
    m_notes.waitForDone();
    QFile::remove(described(m_id));
    if (!m_lock) QFile::remove(recoveryFolder() + '/' + m_id + QStringLiteral(".lock"));
}

Status ProjectFile::snapshot(const ProjectContent& content) {
    if (!m_store) return Done{};
    m_store->autosaveDraft(content.draft);
    m_hasAutosave = true;
    if (m_isUntitled) synchronise(content);
    describe(int(content.runs.size()));
    return Done{};
}

std::vector<RecoveryEntry> ProjectFile::recoverable() const {
    std::vector<RecoveryEntry> entries;
    const QFileInfoList files = QDir(recoveryFolder()).entryInfoList({"*.json"}, QDir::Files, QDir::Time);
    for (const QFileInfo& f : files) {
        const QString id = f.completeBaseName();
        QFile file(f.absoluteFilePath());
        if (id == m_id || f.size() > 1 << 20 || isHeld(id) || !file.open(QIODevice::ReadOnly)) continue;
        const QJsonObject o = QJsonDocument::fromJson(file.readAll()).object();
        RecoveryEntry e;
        e.id = id;
        e.name = o.value("name").toString();
        e.projectPath = o.value("path").toString();
        e.time = QDateTime::fromString(o.value("time").toString(), Qt::ISODate).toString("yyyy-MM-dd HH:mm");
        e.runs = o.value("runs").toInt();
        const QFileInfo data(e.projectPath.isEmpty() ? working(id) : e.projectPath);
        if (!data.exists()) continue;
        e.bytes = data.size();
        entries.push_back(e);
    }
    return entries;
}

Result<ProjectContent> ProjectFile::restore(const RecoveryEntry& entry) {
    if (!entry.projectPath.isEmpty()) {
        auto content = open(entry.projectPath);
        if (!content) return content;
        QFile::remove(
            described(entry.id));  // the unsaved draft stays in the project file itself, until it is saved or given up
        m_isRecovered = true;
        describe(int(content.value().runs.size()));
        return content;
    }
    auto lock = std::make_unique<QLockFile>(recoveryFolder() + '/' + entry.id + QStringLiteral(".lock"));
    lock->setStaleLockTime(0);
    lock->tryLock(0);
    auto project = read(ProjectStore::open(working(entry.id).toStdString()));  // rare, and asked for by a person
    if (!project) return project.error();
    auto content = adopt(std::move(*project), working(entry.id), true, entry.name, entry.id, std::move(lock));
    m_isRecovered = true;
    return content;
}

void ProjectFile::discard(const RecoveryEntry& entry) {
    QFile::remove(described(entry.id));
    QFile::remove(recoveryFolder() + '/' + entry.id + QStringLiteral(".lock"));
    if (entry.projectPath.isEmpty())
        for (const char* suffix : {"", "-wal", "-shm", "-lock"})
            QFile::remove(working(entry.id) + QLatin1String(suffix));
}

}  // namespace meander::gui
