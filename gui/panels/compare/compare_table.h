// The settings in which two runs differ, and nothing else; copied as text.
#pragma once
#include <QLabel>
#include <QTableWidget>
#include <QWidget>

#include "engine/run/recipe_differences.h"
#include "gui/document/document.h"
#include "gui/selection/selection_model.h"

namespace meander::gui {

// A setting as people read it: a model by its name.
QString settingText(const Difference& difference, const std::string& value);

class CompareTable : public QWidget {
    Q_OBJECT
public:
    CompareTable(Document& document, SelectionModel& selection, QWidget* parent = nullptr);
    QTableWidget* table() const { return m_table; }
    QString text() const;  // tab separated, with a head

private:
    void refresh();
    void addRow(const QString& label, const QString& left, const QString& right);

    Document& m_document;
    SelectionModel& m_selection;
    QLabel* m_hint;
    QTableWidget* m_table;
};

}  // namespace meander::gui
