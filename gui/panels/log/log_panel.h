// The log with a filter by level and text, and copying.
#pragma once
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QSortFilterProxyModel>
#include <QWidget>

#include "gui/panels/log/log_model.h"

namespace meander::gui {

class LogFilter : public QSortFilterProxyModel {
    Q_OBJECT
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setLevel(LogLevel level);
    void setText(const QString& text);

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

private:
    LogLevel m_level = LogLevel::Info;
    QString m_text;
};

class LogPanel : public QWidget {
    Q_OBJECT
public:
    explicit LogPanel(LogModel& log, QWidget* parent = nullptr);
    QString shownText() const;

private:
    void copy() const;
    void showEmpty();
    LogFilter* m_filter;
    QListView* m_list;
    QLabel* m_empty;
};

}  // namespace meander::gui
