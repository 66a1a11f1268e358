// The list of a choice field with many entries: a search line over groups, and what the entry under the cursor does.
// Opened in place of the field's own list.
#pragma once
#include <QComboBox>
#include <QFrame>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <functional>

namespace meander::gui {

class ChoicePopup : public QFrame {
    Q_OBJECT
public:
    // The entries are read from the field each time it opens: text, tool tip (the help) and, by `groupOf`, the group.
    explicit ChoicePopup(QComboBox* field);
    void popUp(const std::function<QString(int index)>& groupOf, const QString& search = {});
    QLineEdit* searchField() const { return m_search; }
    QListWidget* list() const { return m_list; }
    // Indices in the field of the entries shown, in their order; headings left out.
    QList<int> shownChoices() const;

signals:
    void chosen(int index);  // in the field

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    struct Entry {
        int index = 0;
        QString text, help, group, id;
    };
    void filter();
    void move(int rows);
    void showHelp();
    static QString helpOf(const QListWidgetItem* item);
    void choose(const QListWidgetItem* item);
    void place();

    QComboBox* m_field;
    QLineEdit* m_search;
    QListWidget* m_list;
    QLabel* m_help;
    QList<Entry> m_entries;
};

}  // namespace meander::gui
