// The one form builder: rows for any list of parameters that describe themselves.
#pragma once
#include <QPushButton>
#include <QVBoxLayout>
#include <QWidget>
#include <functional>
#include <map>

#include "engine/core/params.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

class OptionalField;

class ParamForm : public QWidget {
    Q_OBJECT
public:
    explicit ParamForm(QWidget* parent = nullptr);
    // Rebuilds only when the list is another one (`owner` tells).
    void setSpecs(const std::string& owner, const std::vector<ParamSpec>& specs);
    // Missing ones show their default; optional ones, that they are not set.
    void setValues(const Params& values);
    // What the values are compared to; null: nothing.
    void setReference(const Params* reference);
    // Ids and names of the runs that a parameter may name.
    void setRuns(const QList<std::pair<QString, QString>>& runs);
    QWidget* field(const std::string& key) const;
    OptionalField* optionalField(const std::string& key) const;  // null: it is always there
    const std::vector<ParamSpec>& specs() const { return m_specs; }
    // Sentences about fields whose text is no value; the values before hold.
    QStringList problems() const;

signals:
    void edited(const std::string& key, const meander::ParamValue& value);
    void cleared(const std::string& key);  // an optional one is left out
    void problemsChanged();

private:
    struct Entry {
        FormRow* row = nullptr;
        QWidget* field = nullptr;
        OptionalField* optional = nullptr;
        std::function<void(const ParamValue&)> show;
    };
    QWidget* makeField(const ParamSpec& spec, Entry& entry);
    QWidget* makeInteger(const ParamSpec& spec, Entry& entry);
    QWidget* makeReal(const ParamSpec& spec, Entry& entry);
    QWidget* makeChoice(const ParamSpec& spec, Entry& entry);
    QWidget* makeText(const ParamSpec& spec, Entry& entry);
    QWidget* makePath(const ParamSpec& spec, Entry& entry);
    QWidget* makeRun(const ParamSpec& spec, Entry& entry);
    void addRow(const ParamSpec& spec, QVBoxLayout* into);
    QVBoxLayout* addFold();
    void fillRuns(ChoiceField* field) const;
    QString shown(const ParamSpec& spec, const Params& params) const;

    std::string m_owner;
    std::vector<ParamSpec> m_specs;
    std::map<std::string, Entry> m_entries;
    Params m_values;
    QList<std::pair<QString, QString>> m_runs;
    bool m_showing = false;  // widgets are being filled, nobody edits
    QVBoxLayout* m_box;
    QWidget* m_advanced = nullptr;
};

}  // namespace meander::gui
