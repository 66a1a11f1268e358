// One axis of a sweep: the setting and its values as text (engine/sweep/sweep.h).
#pragma once
#include <QLineEdit>
#include <QToolButton>
#include <QWidget>
#include <optional>

#include "engine/sweep/sweep.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

class AxisRow : public QWidget {
    Q_OBJECT
public:
    AxisRow(const Recipe& draft, int number, QWidget* parent = nullptr);
    // Offers the settings that the recipe has; what is chosen stays. Nothing is offered before.
    void setRecipe(const Recipe& draft);
    void set(const QString& key, const QString& values);
    QString key() const { return m_key->choice(); }
    QString valuesText() const { return m_values->text(); }
    bool isUsed() const { return !key().isEmpty(); }
    // Nothing: unused. Throws Failure with a sentence.
    std::optional<SweepAxis> axis() const;
    void setInvalid(bool on);

signals:
    void changed();

private:
    void choose(const QString& key);
    void fillMenu();

    Recipe m_draft;
    std::vector<std::pair<std::string, std::string>> m_offered;  // keys of settings, with their help
    ChoiceField* m_key;
    QLineEdit* m_values;
    QToolButton* m_more;
};

}  // namespace meander::gui
