// The log with a filter by level and text, and copying.
#pragma once
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QSortFilterProxyModel>

#include "gui/panels/log/log_model.h"
#include "gui/widgets/front_panel.h"

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

class LogPanel : public FrontPanel {
    Q_OBJECT
public:
    explicit LogPanel(LogModel& log, QWidget* parent = nullptr);
    QString shownText() const;

private:
    void copy() const;
    void showLines();  // only in front: every new line lays out the whole list
    void frontChanged() override { showLines(); }
    LogFilter* m_filter;
    QListView* m_list;
    QLabel* m_empty;
    bool m_isAtEnd = true;  // the newest line stays in sight
};

}  // namespace meander::gui
