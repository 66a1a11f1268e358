// The help pages of resources/help in a window of their own, with the glossary of all symbols first.
#pragma once
#include <QDialog>
#include <QListWidget>
#include <QTextBrowser>
#include <QTimer>

namespace meander::gui {

struct HelpPage {
    const char *file, *title;
};
const std::vector<HelpPage>& helpPages();

// A page from one head of the second order to the next, which is laid out at once. Long tables are text in columns: a
// table of Qt takes 0.2 ms a row, at every change of width.
QStringList helpSections(const QString& markdown);

class HelpWindow : public QDialog {
    Q_OBJECT
public:
    explicit HelpWindow(QWidget* parent = nullptr);
    // "samplers.md"; an unknown name shows the glossary. Its sections come one by one between events: a page with long
    // tables is laid out for most of a second.
    void showPage(const QString& file);
    QString page() const { return m_page; }
    QString text() const { return m_text->toPlainText(); }
    bool isWhole() const { return m_left.isEmpty(); }
    // The page that tells of the widget: its property "helpPage" or that of an ancestor, else the glossary.
    static QString pageFor(const QWidget* widget);

protected:
    void changeEvent(QEvent* event) override;  // tables have colours of the theme

private:
    void find(const QString& words);
    void addSection();

    QListWidget* m_list;
    QTextBrowser* m_text;
    QString m_page;
    QStringList m_left;  // not shown yet
    QTimer m_next;
};

}  // namespace meander::gui
