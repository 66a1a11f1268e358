#include "gui/panels/log/log_model.h"

#include <QCoreApplication>
#include <QThread>
#include <cstdio>

namespace meander::gui {
namespace {

constexpr std::size_t lineLimit = 10'000;
QtMessageHandler g_previous = nullptr;

void handle(QtMsgType type, const QMessageLogContext& context, const QString& text) {
    // Harmless and frequent on the offscreen platform.
    if (text.contains(QLatin1String("propagateSizeHints"))) return;
    if (type != QtDebugMsg && QCoreApplication::instance())
        programLog().add(type == QtInfoMsg ? LogLevel::Info : LogLevel::Warning, text);
    if (g_previous) g_previous(type, context, text);
}

}  // namespace

QString LogModel::lineText(const LogLine& line) {
    static const char* const names[] = {"info", "warning", "problem"};
    const QString text = QStringLiteral("%1  %2  %3")
                             .arg(line.time.toString("HH:mm:ss.zzz"), QLatin1String(names[int(line.level)]), line.text);
    return line.detail.isEmpty() ? text : text + QStringLiteral("\n    ") + line.detail;
}

QVariant LogModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= int(m_lines.size())) return {};
    const LogLine& line = m_lines[std::size_t(index.row())];
    switch (role) {
    case Qt::DisplayRole: return lineText(line);
    case LevelRole: return int(line.level);
    case TextRole: return line.text;
    case DetailRole:
    case Qt::ToolTipRole: return line.detail;
    case TimeRole: return line.time;
    default: return {};
    }
}

void LogModel::add(LogLevel level, const QString& text, const QString& detail) {
    const LogLine line{QDateTime::currentDateTime(), level, text, detail};
    if (QThread::currentThread() == thread()) append(line);
    else
        QMetaObject::invokeMethod(
            this, [this, line] { append(line); }, Qt::QueuedConnection);
}

void LogModel::append(const LogLine& line) {
    if (m_lines.size() >= lineLimit) {
        beginRemoveRows({}, 0, 0);
        m_lines.pop_front();
        endRemoveRows();
    }
    const int row = int(m_lines.size());
    beginInsertRows({}, row, row);
    m_lines.push_back(line);
    endInsertRows();
}

void LogModel::clear() {
    beginResetModel();
    m_lines.clear();
    endResetModel();
}

LogModel& programLog() {
    static LogModel* const log = new LogModel;  // never destroyed: messages come until the very end
    return *log;
}

void installLog() {
    programLog();
    if (!g_previous) g_previous = qInstallMessageHandler(handle);
}

}  // namespace meander::gui
