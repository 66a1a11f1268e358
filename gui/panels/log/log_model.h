// Everything the program said, newest last; the last ten thousand lines. Lines may be added from any thread.
#pragma once
#include <QAbstractListModel>
#include <QDateTime>
#include <deque>

namespace meander::gui {

enum class LogLevel { Info, Warning, Problem };

struct LogLine {
    QDateTime time;
    LogLevel level = LogLevel::Info;
    QString text, detail;
};

class LogModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum Role { LevelRole = Qt::UserRole, TextRole, DetailRole, TimeRole };
    explicit LogModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}
    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : int(m_lines.size()); }
    QVariant data(const QModelIndex& index, int role) const override;
    void clear();
    static QString lineText(const LogLine& line);

public slots:
    void add(meander::gui::LogLevel level, const QString& text, const QString& detail = {});

private:
    void append(const LogLine& line);
    std::deque<LogLine> m_lines;
};

// The log of the program; lives as long as the process. Qt's own warnings go there too.
LogModel& programLog();
void installLog();

}  // namespace meander::gui
