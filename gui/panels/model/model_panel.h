// The models one can sample, built in or opened from a file or folder, and what the draft's model is.
#pragma once
#include <QFormLayout>
#include <QLabel>
#include <QListWidget>
#include <QWidget>

#include "gui/document/document.h"

namespace meander::gui {

// Label and value of every fact worth a line, in order.
std::vector<std::pair<QString, QString>> modelFacts(const ModelInfo& info);

class ModelPanel : public QWidget {
    Q_OBJECT
public:
    explicit ModelPanel(Document& document, QWidget* parent = nullptr);
    // Asks for a file or folder; also called by the recipe panel.
    void openFile();
    void openFolder();
    void useModel(const QString& idOrPath);

private:
    void showModel();
    QListWidgetItem* itemOf(const QString& id) const;
    QListWidgetItem* addOpened(const QString& id, const QString& name);

    Document& m_document;
    QListWidget* m_list;
    QLabel *m_name, *m_summary;
    QFormLayout* m_facts;
};

}  // namespace meander::gui
